//! The disk is full for a while: Herald says so, loses nothing that it promised, and goes on by itself.

use crate::support::{Herald, Ledger, Load, Receiver, World, until};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_503_until_there_is_room_again() {
    let herald = Herald::builder().without_file_size_signal().start().await;
    let world = World::with(herald).await;
    let channels = [world.channel("WhatsApp", "972550000001").await, world.channel("SMS", "972550000001").await];
    let receiver = Receiver::start().await;
    world.sales.subscribe(&receiver.url).await;
    let before = world.sales.text(&channels[0], "972540000001", "Before").await;
    world.sales.story_until(&before, "Read").await;

    // At the provider's door when the disk fills up: the outcomes are learnt while they cannot be written.
    world.simulator.change(|all| all.WhatsApp.answers.latency_ms = 500).unwrap();
    let load = Load::new(&world.sales, &channels[..1], "away").without_magic();
    let mut clients = load.start(3, 10);
    world.simulator.until(|summary| summary.calls >= 4).await;
    if let Err(problem) = world.herald.limit_file_size(Some(1)) {
        println!("SKIPPED: this machine lets nobody limit the file size of a process ({problem})");
        return;
    }
    let body = json!({"protocolType": "SMS", "from": "972550000001", "to": "972540000001", "text": "No room"});
    let refused = until("the full disk to be noticed", || async {
        let answer = world.sales.send(&body).await;
        (!answer.status.is_success()).then_some(answer)
    })
    .await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "store_unavailable"));
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    assert_eq!(world.herald.inside().get("/readyz").await.status, 503);
    assert!(world.herald.inside().get("/livez").await.status.is_success(), "a restart would not help");
    // What was called is answered, and the receipts are refused, so that the provider repeats them.
    let refused = world.simulator.summary().callback_posts_refused;
    until("a receipt to be refused", || async {
        (world.simulator.summary().callback_posts_refused > refused).then_some(())
    })
    .await;

    world.herald.limit_file_size(None).unwrap();
    until("the store to be back", || async {
        world.herald.inside().get("/readyz").await.status.is_success().then_some(())
    })
    .await;
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let ledger = Ledger { department: &world.sales, simulator: &world.simulator, receiver: &receiver, resending: &[] };
    let report = ledger.settle(&load.sent()).await;
    println!("{report}; {} requests repeated", load.repeats());
    assert_eq!((report.duplicates, report.marked), (0, 0));
    assert!(!report.ends.keys().any(|end| end.starts_with("Failed")), "{report}");
    let after = world.sales.send(&body).await.good();
    world.sales.story_until(after["providerMessageId"].as_str().unwrap(), "Delivered").await;
}
