//! Many messages through trouble of all kinds: what the simulator's journal says is what a whole system is judged by.

use crate::setting::{Setting, templated};
use herald_channels::contract::{Notice, Outcome, Outgoing, Provider, Reference};
use herald_rules::{ids::MessageId, status::Status, template::Category};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokio::task::JoinSet;

const MESSAGES: usize = 1000;

#[tokio::test]
async fn each_message_is_taken_once_and_followed_to_its_end() {
    let setting = Setting::with(
        |behaviour| {
            *behaviour = behaviour.clone().unlimited();
            behaviour.magic_numbers = false;
            behaviour.answers.throttled_share = 0.05;
            behaviour.answers.temporary_share = 0.02;
            behaviour.answers.dropped_after_share = 0.01;
            behaviour.receipts.duplicated_share = 0.02;
            behaviour.receipts.out_of_order_share = 1.0;
            behaviour.receipts.jitter_ms = 50;
        },
        Value::Null,
    )
    .await;
    let mut tasks = JoinSet::new();
    for number in 0..MESSAGES {
        let to = format!("4917{number:08}");
        let message = Arc::new(templated(&setting.simulator, &to, Category::Utility));
        let adapter = Arc::clone(&setting.adapter);
        tasks.spawn(async move {
            for attempt in 0.. {
                match adapter
                    .send(&Outgoing { message: Arc::clone(&message), kinds: Vec::new(), part: 0, attempt })
                    .await
                {
                    Outcome::Retry { .. } => {}
                    // An unknown outcome is never tried again: the echo tells.
                    Outcome::Accepted { .. } | Outcome::Unknown(_) => break,
                    other => panic!("{other:?}"),
                }
            }
            (message.id, to)
        });
    }
    let ids: HashMap<MessageId, String> = tasks.join_all().await.into_iter().collect();

    let told = setting.told().await;
    let mut seen: HashMap<MessageId, HashSet<&str>> = HashMap::new();
    for notice in &told {
        let Notice::Receipt(receipt) = notice else { panic!("{notice:?}") };
        let Reference::Ours(id) = receipt.reference else { panic!("{receipt:?}") };
        assert_ne!(receipt.status, Status::Failed);
        seen.entry(id).or_default().insert(receipt.status.as_str());
    }
    assert_eq!(seen.len(), MESSAGES);
    assert!(seen.values().all(|statuses| statuses.len() == 3));
    assert!(told.len() > 3 * MESSAGES, "some came twice");

    let summary = setting.simulator.summary();
    assert_eq!((summary.taken, summary.duplicates), (MESSAGES as u64, 0));
    assert!(summary.calls > summary.taken, "some were asked to come again");
    let sends = setting.simulator.sends();
    assert_eq!(sends.len(), MESSAGES);
    for send in sends {
        let id: MessageId = send.echo.parse().unwrap();
        assert_eq!((ids.get(&id), send.calls.len(), send.duplicates), (Some(&send.to), 1, 0));
    }
}
