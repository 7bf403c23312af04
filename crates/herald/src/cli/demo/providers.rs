//! The providers: Meta's Graph API with a business account for each WhatsApp number, and the simulator of all others.

use super::{templates, website::Website};
use crate::cli::{Failure, Kind, channel::create};
use herald_rules::protocol::Protocol;
use herald_simulators::{
    Options, Simulator,
    whatsapp_cloud::{CustomerMessage, GraphAccount, GraphBehaviour, GraphNumber, GraphOptions, GraphSimulator},
};
use serde_json::{Value, json};

/// Slow enough to be watched.
const WATCHABLE_MS: u32 = 250;
/// And for a bulk run.
const QUICK_MS: u32 = 20;

/// All of them, and the website that their customers get pictures from.
pub(super) struct Providers {
    pub(super) graph: GraphSimulator,
    pub(super) others: Simulator,
    pub(super) website: Website,
}

/// Meta's account of a WhatsApp number. Every channel has one of its own, since an account has one address for callbacks.
fn account(identifier: &str) -> GraphAccount {
    // Meta's ids are long numbers without a meaning; these end as the number does.
    let end = identifier.get(identifier.len().saturating_sub(4)..).unwrap_or_default();
    let mut number = GraphNumber::new(format!("10443322110{end}"), identifier);
    number.verified_name = "Demo".to_owned();
    GraphAccount { waba_id: format!("10987654321{end}"), numbers: vec![number], ..GraphAccount::default() }
}

impl Providers {
    /// Starts them, with an account for each of these WhatsApp numbers; the first has the templates.
    pub(super) async fn start(numbers: &[&str]) -> Result<Self, Failure> {
        // The demo's lanes set the pace.
        let mut behaviour = GraphBehaviour::default().unlimited();
        watchable(&mut behaviour);
        let graph = GraphSimulator::start(GraphOptions {
            accounts: numbers.iter().map(|number| account(number)).collect(),
            templates: templates::all(),
            behaviour,
            ..GraphOptions::default()
        });
        let others = Simulator::start(Options::default()).await?;
        let changed = others.change(|behaviours| {
            behaviours.each(|behaviour| {
                behaviour.receipts.delay_ms = WATCHABLE_MS;
                behaviour.receipts.read_delay_ms = 2 * WATCHABLE_MS;
            });
        });
        changed.map_err(wrong)?;
        Ok(Self { graph: graph.await?, others, website: Website::start().await? })
    }

    /// Adds to a channel what is particular about its provider.
    pub(super) fn complete(&self, mut body: Value, protocol: Protocol, identifier: &str) -> Value {
        if protocol != Protocol::WhatsApp {
            return create::simulated(body, &self.others.base_url());
        }
        let account = account(identifier);
        let number = account.numbers.first().map(|number| number.id.as_str());
        body["settings"] = json!({"provider": {
            "waba_id": account.waba_id, "phone_numbers": {identifier: number}, "graph_url": self.graph.base_url(),
        }});
        body["credentials"] = json!({
            "access_token": account.access_token, "app_secret": account.app_secret, "verify_token": account.verify_token,
        });
        body
    }

    /// Tells Meta where a number's webhooks go. Meta asks there first.
    pub(super) async fn call_back(&self, identifier: &str, url: &str) -> Result<(), Failure> {
        let waba_id = account(identifier).waba_id;
        self.graph.set_callback(Some(&waba_id), Some(url)).map_err(wrong)?;
        if self.graph.handshake(Some(&waba_id)).await.map_err(wrong)? {
            return Ok(());
        }
        Err(wrong("The callback's address was not confirmed."))
    }

    /// A customer writes to the first WhatsApp number.
    pub(super) fn write(&self, from: &str, name: &str, text: &str) -> Result<(), Failure> {
        let message = CustomerMessage { name: Some(name.to_owned()), ..CustomerMessage::text(from, text) };
        self.graph.inbound(&message).map(drop).map_err(wrong)
    }

    /// As for a bulk run: quick, without magic numbers, and with this share of messages that get lost.
    pub(super) fn hurry(&self, lost: f64) -> Result<(), Failure> {
        let changed = self.graph.change(|behaviour| {
            behaviour.magic_numbers = false;
            let receipts = &mut behaviour.receipts;
            (receipts.delay_ms, receipts.delivered_delay_ms, receipts.read_delay_ms) = (QUICK_MS, QUICK_MS, QUICK_MS);
            // Something went wrong on the way: sent, and then failed.
            (receipts.failed_share, receipts.failed_code) = (lost, 131_000);
        });
        changed.map_err(wrong)
    }
}

fn watchable(behaviour: &mut GraphBehaviour) {
    let receipts = &mut behaviour.receipts;
    (receipts.delivered_delay_ms, receipts.read_delay_ms) = (WATCHABLE_MS, 2 * WATCHABLE_MS);
}

fn wrong(problem: impl Into<String>) -> Failure {
    Failure::new(Kind::Failed, problem, "")
}
