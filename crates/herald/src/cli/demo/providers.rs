//! The providers: Meta's Graph API for WhatsApp, and the simulator of all others.

use super::{channels::Planned, templates, website::Website};
use crate::cli::{Failure, Kind, channel::create};
use herald_rules::protocol::Provider;
use herald_simulators::{
    Options, Simulator,
    whatsapp_cloud::{CustomerMessage, GraphAccount, GraphBehaviour, GraphNumber, GraphOptions, GraphSimulator},
};
use serde_json::{Map, Value, json};

/// Slow enough to be watched.
const WATCHABLE_MS: u32 = 250;
/// And for a bulk run.
const QUICK_MS: u32 = 20;

/// All of them, and the website that their customers get pictures from.
pub(super) struct Providers {
    pub(super) graph: GraphSimulator,
    pub(super) others: Simulator,
    pub(super) website: Website,
    account: GraphAccount,
}

impl Providers {
    /// Starts them; Meta has an account with this number and the templates.
    pub(super) async fn start(number: Option<&str>) -> Result<Self, Failure> {
        let usual = GraphAccount::default();
        let numbers = usual.numbers.iter().zip(number).map(|(usual, number)| {
            let mut own = GraphNumber::new(usual.id.clone(), number);
            own.verified_name = "Demo".to_owned();
            own
        });
        let account = GraphAccount { numbers: numbers.collect(), ..GraphAccount::default() };
        // The demo's lanes set the pace.
        let mut behaviour = GraphBehaviour::default().unlimited();
        watchable(&mut behaviour);
        let graph = GraphSimulator::start(GraphOptions {
            accounts: vec![account.clone()],
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
        Ok(Self { graph: graph.await?, others, website: Website::start().await?, account })
    }

    /// Adds to a channel what is particular about its provider.
    pub(super) fn complete(&self, mut body: Value, planned: Planned) -> Value {
        if planned.provider == Provider::Simulated {
            return create::simulated(body, &self.others.base_url());
        }
        let GraphAccount { waba_id, numbers, access_token, app_secret, verify_token, .. } = &self.account;
        let numbers: Map<_, _> =
            numbers.iter().map(|number| (number.number.clone(), Value::from(number.id.as_str()))).collect();
        body["settings"] = json!({"provider": {
            "waba_id": waba_id, "phone_numbers": numbers, "graph_url": self.graph.base_url(),
        }});
        body["credentials"] =
            json!({"access_token": access_token, "app_secret": app_secret, "verify_token": verify_token});
        body
    }

    /// Tells Meta where its webhooks go. Meta asks there first.
    pub(super) async fn call_back(&self, url: &str) -> Result<(), Failure> {
        self.graph.set_callback(None, Some(url)).map_err(wrong)?;
        if self.graph.handshake(None).await.map_err(wrong)? {
            return Ok(());
        }
        Err(wrong("The callback's address was not confirmed."))
    }

    /// A customer writes to the WhatsApp number.
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
