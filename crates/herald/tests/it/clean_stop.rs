//! SIGTERM under load: what is at the provider's door comes back and is written, so that nothing is unknown afterwards.

use crate::support::{Herald, Ledger, Load, Receiver, World};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn ends_in_time_and_leaves_nothing_unknown() {
    let grace = Duration::from_secs(10);
    let herald = Herald::builder().at_lasting_addresses().set("shutdown.grace", "10 s").start().await;
    let mut world = World::with(herald).await;
    world
        .simulator
        .change(|all| {
            for behaviour in [&mut all.WhatsApp, &mut all.SMS, &mut all.AppleBusinessChat] {
                behaviour.answers.latency_ms = 150;
                behaviour.receipts.read_delay_ms = 50;
            }
        })
        .unwrap();
    let channels = [
        world.channel("WhatsApp", "972550000001").await,
        world.channel("SMS", "972550000001").await,
        world.channel("AppleBusinessChat", "shop-1").await,
    ];
    let receiver = Receiver::start().await;
    world.sales.subscribe(&receiver.url).await;
    let load = Load::new(&world.sales, &channels, "stops").without_magic();
    let mut clients = load.start(6, 40);
    for stop in 1..=3 {
        let calls = world.simulator.summary().calls;
        world.simulator.until(|summary| summary.calls >= calls + 12).await;
        let began = Instant::now();
        let status = world.herald.stop().await;
        let took = began.elapsed();
        println!("stop {stop} took {took:?}");
        assert!(status.success(), "{status}");
        assert!(took < grace, "it took {took:?}");
        world.herald.restart().await;
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let ledger = Ledger { department: &world.sales, simulator: &world.simulator, receiver: &receiver, resending: &[] };
    let report = ledger.settle(&load.sent()).await;
    println!("{report}; {} requests repeated", load.repeats());
    assert!(!report.ends.keys().any(|end| end.starts_with("Failed")), "{report}");
    assert_eq!((report.duplicates, report.marked), (0, 0));
    assert_eq!(report.posts, report.deliveries, "each delivery came once");
    let calls = world.simulator.calls();
    let first: Vec<_> = calls.iter().filter(|call| call.attempt > 1).collect();
    assert!(first.is_empty(), "called again: {first:?}");
}
