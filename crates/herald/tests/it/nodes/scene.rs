//! A department with many lanes at simulated providers, on a cluster.

use super::{cluster::Cluster, judge::Judge, traffic::Traffic};
use crate::support::{Channel, Department, Receiver, until};
use futures_util::future::join_all;
use herald_simulators::{Behaviours, Options, Simulator};
use serde_json::json;
use std::sync::Arc;

/// One account each, by its protocol.
pub const TEN_ACCOUNTS: [&str; 10] = [
    "WhatsApp",
    "SMS",
    "WhatsApp",
    "SMS",
    "AppleBusinessChat",
    "WhatsApp",
    "SMS",
    "WhatsApp",
    "SMS",
    "AppleBusinessChat",
];

/// All that a scenario needs.
pub struct Scene {
    pub cluster: Arc<Cluster>,
    pub simulator: Simulator,
    pub department: Department,
    /// Two of each account.
    pub lanes: Vec<Channel>,
    pub receivers: [Receiver; 2],
}

impl Scene {
    /// With these accounts, each identifier of which may send at this rate.
    pub async fn new(cluster: Cluster, seed: u64, accounts: &[&str], rate: &str) -> Self {
        let simulator = Simulator::start(Options { seed: Some(seed), ..Options::default() }).await.unwrap();
        simulator.change(unpunctual).unwrap();
        let department = cluster.department().await;
        let receivers = [Receiver::start().await, Receiver::start().await];
        for receiver in &receivers {
            department.subscribe(&receiver.url).await;
        }
        let mut lanes = Vec::new();
        for (number, protocol) in accounts.iter().enumerate() {
            let own = [0, 1].map(|lane| match *protocol {
                "AppleBusinessChat" => format!("shop-{number}-{lane}"),
                _ => format!("9725500{number:03}{lane:02}"),
            });
            let more = json!({
                "nonTicketMessages": true,
                "identifiers": own.iter().map(|own| json!({"identifier": own, "rate": rate})).collect::<Vec<_>>(),
                "settings": {
                    "reconcileSeconds": 2,
                    "onUnknownOutcome": "fail",
                    // Who takes a lane over waits as long for calls under way.
                    "provider": {"timeout_ms": 3_000},
                },
            });
            let account = department.channel_with(&simulator, protocol, &own[0], more).await;
            lanes.extend(own.into_iter().map(|identifier| Channel { identifier, ..account.clone() }));
        }
        for node in cluster.front.behind.iter() {
            let ask = department.ask().at(node);
            until("all nodes to know all lanes", async || {
                let known = join_all(lanes.iter().map(|lane| {
                    let path = format!("/api/v2/lanes/{}:{}", lane.protocol, lane.identifier);
                    let ask = ask.clone();
                    async move { ask.get(&path).await.status.is_success() }
                }));
                known.await.into_iter().all(|known| known).then_some(())
            })
            .await;
        }
        let department = department.through(&cluster.front.base);
        Self { cluster: Arc::new(cluster), simulator, department, lanes, receivers }
    }

    /// Clients of all nodes that answer.
    pub fn traffic(&self) -> Traffic {
        Traffic::new(&self.department, &self.cluster.front.behind, &self.lanes)
    }

    pub fn judge(&self) -> Judge<'_> {
        let Self { cluster, simulator, department, receivers, .. } = self;
        Judge { cluster, department, simulator, receivers }
    }
}

/// Takes everything and answers everything: whatever has no outcome, has lost it on our side. Not prompt, and its receipts
/// come late, twice and in disorder.
fn unpunctual(all: &mut Behaviours) {
    all.each(|behaviour| {
        behaviour.magic_numbers = false;
        behaviour.answers.latency_ms = 20;
        behaviour.answers.jitter_ms = 60;
        behaviour.receipts.delay_ms = 20;
        behaviour.receipts.jitter_ms = 200;
        behaviour.receipts.duplicated_share = 0.1;
        behaviour.receipts.out_of_order_share = 0.1;
        behaviour.receipts.early_share = 0.1;
        behaviour.receipts.read_delay_ms = 100;
    });
}
