//! kill -9 at twenty random moments, with a full queue and a provider that answers late, loses answers and asks for
//! patience. `HERALD_SEED` repeats a run: the moments and the provider's mind, not the scheduling of the machine.

use crate::support::{Department, Herald, Ledger, Load, Receiver};
use herald_simulators::{Behaviours, Options, RateLimit, Scope, Simulator};
use serde_json::json;
use std::time::Duration;

const KILLS: usize = 20;
const CLIENTS: usize = 6;
/// Of each client, at most: on a fast machine the last kills meet a queue that only drains.
const EACH: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_doubled_beyond_the_policy() {
    let seed =
        std::env::var("HERALD_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("HERALD_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut herald = Herald::builder().at_lasting_addresses().start().await;
    let options = Options { seed: Some(seed), ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    simulator.change(unruly).unwrap();
    let sales = Department::new(&herald, "Sales").await;
    let receiver = Receiver::start().await;
    sales.subscribe(&receiver.url).await;
    let mut channels = Vec::new();
    for (protocol, identifier, policy) in [
        ("WhatsApp", "972550000001", "fail"),
        ("SMS", "972550000001", "fail"),
        ("AppleBusinessChat", "shop-1", "resend"),
    ] {
        let more = json!({
            "nonTicketMessages": true,
            "settings": {"reconcileSeconds": 2, "onUnknownOutcome": policy},
            "identifiers": [{"identifier": identifier, "rate": "30/s,burst=10"}],
        });
        channels.push(sales.channel_with(&simulator, protocol, identifier, more).await);
    }

    let load = Load::new(&sales, &channels, "kills").with_pause(Duration::from_millis(30));
    let mut clients = load.start(CLIENTS, EACH);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.u64(0..900))).await;
        herald.kill();
        herald.restart().await;
    }
    load.stop();
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let ledger =
        Ledger { department: &sales, simulator: &simulator, receiver: &receiver, resending: &["AppleBusinessChat"] };
    let report = ledger.settle(&load.sent()).await;
    println!("{report}; {} requests repeated", load.repeats());
    for channel in &channels {
        // A cancelled message leaves the queue when its moment comes.
        let cancelled = load.sent().iter().filter(|sent| sent.cancelled && sent.protocol == channel.protocol).count();
        let address = format!("/api/v2/lanes/{}:{}", channel.protocol, channel.identifier);
        assert_eq!(sales.ask().get(&address).await.good()["queued"], json!(cancelled), "the counter of {address}");
    }
}

/// Slow, forgetful, sometimes too busy, and unpunctual with its receipts.
fn unruly(all: &mut Behaviours) {
    for behaviour in [&mut all.WhatsApp, &mut all.SMS, &mut all.AppleBusinessChat] {
        behaviour.answers.latency_ms = 20;
        behaviour.answers.jitter_ms = 60;
        behaviour.answers.rate_limit = Some(RateLimit { per_second: 28.0, burst: 20, scope: Scope::Sender });
        behaviour.answers.temporary_share = 0.01;
        behaviour.answers.permanent_share = 0.01;
        behaviour.answers.dropped_before_share = 0.01;
        behaviour.answers.dropped_after_share = 0.01;
        behaviour.receipts.delay_ms = 20;
        behaviour.receipts.jitter_ms = 200;
        behaviour.receipts.late_share = 0.05;
        behaviour.receipts.late_by_ms = 3_000;
        behaviour.receipts.duplicated_share = 0.1;
        behaviour.receipts.out_of_order_share = 0.1;
        behaviour.receipts.early_share = 0.1;
        behaviour.receipts.read_delay_ms = 100;
        behaviour.receipts.failed_share = 0.02;
    }
}
