//! Twenty thousand template messages through an unruly Meta: each ends exactly once, no status goes backwards, and nobody
//! gets two.

use crate::support::{Herald, Receiver, WhatsAppWorld, event_message, template, until_within};
use futures_util::{StreamExt, stream};
use herald_simulators::whatsapp_cloud::{GraphAccount, GraphBehaviour, GraphNumber, GraphOptions};
use serde_json::json;
use std::{collections::HashMap, time::Duration};

const MESSAGES: usize = 20_000;
/// An answer of "too fast" holds a number for a second, so that one number alone would take minutes.
const NUMBERS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(240);

fn unruly() -> GraphBehaviour {
    let mut behaviour = GraphBehaviour::default().unlimited();
    behaviour.magic_numbers = false;
    behaviour.answers.throttled_share = 0.05;
    behaviour.receipts.duplicated_share = 0.02;
    behaviour.receipts.out_of_order_share = 0.3;
    behaviour.receipts.early_share = 0.05;
    behaviour.receipts.jitter_ms = 50;
    behaviour
}

#[tokio::test(flavor = "multi_thread")]
async fn each_ends_once_in_order_and_nobody_gets_two() {
    let numbers =
        (0..NUMBERS).map(|at| GraphNumber::new(format!("10443322110{at:04}"), format!("1555010{:04}", 200 + at)));
    let account = GraphAccount { numbers: numbers.collect(), ..GraphAccount::default() };
    let options = GraphOptions {
        accounts: vec![account.clone()],
        templates: vec![template("shipped", "UTILITY", "Hi {{1}}, your order {{2}} is on its way to you.")],
        behaviour: unruly(),
        ..GraphOptions::default()
    };
    let world = WhatsAppWorld::with(Herald::start().await, options).await;
    let receiver = Receiver::start().await;
    world.sales.subscribe(&receiver.url).await;

    let sent: Vec<String> = stream::iter(0..MESSAGES)
        .map(|number| {
            let (from, sales) = (&account.numbers[number % NUMBERS].number, &world.sales);
            async move {
                let text = format!("Hi Dana, your order {number} is on its way to you.");
                // Five messages a customer, so that order matters too.
                let to = format!("49305{:06}", number / 5);
                let body = json!({"text": text, "protocolType": "WhatsApp", "from": from, "to": to});
                sales.send(&body).await.good()["providerMessageId"].as_str().unwrap().to_owned()
            }
        })
        .buffer_unordered(32)
        .collect()
        .await;
    assert_eq!(sent.len(), MESSAGES);

    // To read all events again and again would cost more than the rest: first until Meta has told everything.
    until_within(PATIENCE, "Meta to have told all statuses", || async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let summary = world.graph.summary();
        (summary.taken >= MESSAGES as u64 && summary.receipts_waiting == 0).then_some(())
    })
    .await;
    // Read is the end of each; a status has one event, so the count is known.
    let statuses = until_within(PATIENCE, "every message to be read", || async {
        let events = receiver.events();
        let read = events.iter().filter(|event| event_message(event)["status"] == "Read").count();
        if read < MESSAGES {
            tokio::time::sleep(Duration::from_millis(250)).await;
            return None;
        }
        Some(events)
    })
    .await;
    let mut changes: HashMap<String, Vec<String>> = HashMap::new();
    for event in &statuses {
        let message = event_message(event);
        let text = |field: &str| message[field].as_str().unwrap().to_owned();
        changes.entry(text("providerMessageId")).or_default().push(text("status"));
    }
    assert_eq!(changes.len(), MESSAGES);
    let rank = |status: &String| ["Accepted", "Delivered", "Read"].iter().position(|known| known == status);
    for id in &sent {
        let ranks: Vec<_> =
            changes[id].iter().map(|status| rank(status).unwrap_or_else(|| panic!("{status}"))).collect();
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{id} went backwards or twice: {:?}", changes[id]);
        assert_eq!(ranks.last(), Some(&2), "{id} did not end: {:?}", changes[id]);
    }
    let summary = world.graph.summary();
    assert_eq!((summary.taken, summary.duplicates), (MESSAGES as u64, 0), "{summary:?}");
    assert!(summary.calls > summary.taken + 500, "throttling was met: {summary:?}");
}
