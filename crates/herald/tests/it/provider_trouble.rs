//! A provider that asks us to slow down, one that is down, and one whose answers are lost.

use crate::support::{World, until};
use herald_simulators::{Options, RateLimit, Scope, Simulator};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn throttling_slows_the_lane_which_recovers() {
    let world = World::new().await;
    let limit = RateLimit { per_second: 20.0, burst: 10, scope: Scope::Sender };
    world.simulator.change(|all| all.WhatsApp.answers.rate_limit = Some(limit)).unwrap();
    let channel = world.channel("WhatsApp", "972550000001").await;
    // Queued first, so that the lane and not this test sets the pace.
    world.pause(&channel, true).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(world.sales.text(&channel, &format!("9725400005{number:02}"), "Hello").await);
    }
    world.pause(&channel, false).await;
    let slowed = until("the lane to slow down", || async {
        let now = world.lane(&channel).await["now"].clone();
        (now["waiting"]["code"] == "throttled").then_some(now)
    })
    .await;
    assert_ne!(slowed["effectiveRate"], "80/s");
    world.simulator.change(|all| all.WhatsApp.answers.rate_limit = None).unwrap();
    for id in &ids {
        let story = world.sales.story_until(id, "Read").await;
        assert_eq!(story["possibleDuplicate"], json!(false));
    }
    let summary = world.simulator.summary();
    assert_eq!((summary.taken, summary.duplicates), (40, 0), "{summary:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_left_alone_until_it_is_back() {
    let world = World::new().await;
    let provider = Simulator::start(Options::default()).await.unwrap();
    let address = provider.address;
    let channel = world.sales.channel(&provider, "SMS", "972550000001", true).await;
    drop(provider);
    until("the provider to be gone", || async { tokio::net::TcpStream::connect(address).await.is_err().then_some(()) })
        .await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(world.sales.text(&channel, &format!("9725400005{number:02}"), "Hello").await);
    }
    until("the lane to leave the provider alone", || async {
        let lane = world.lane(&channel).await;
        (lane["now"]["waiting"]["code"] == "provider_unavailable").then_some(())
    })
    .await;
    assert_eq!(world.sales.story(&ids[0]).await["status"], "Pending");

    let provider = until("the provider's address to be free", || async {
        Simulator::start(Options { listen: address, ..Options::default() }).await.ok()
    })
    .await;
    for id in &ids {
        world.sales.story_until(id, "Delivered").await;
    }
    let summary = provider.summary();
    assert_eq!((summary.calls, summary.duplicates), (20, 0), "not a call was wasted on a closed door: {summary:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_out_before_anything_is_sent_again() {
    let world = World::new().await;
    let soon = json!({"nonTicketMessages": true, "settings": {"reconcileSeconds": 2}});
    // An unknown outcome holds its customer back for at most this long.
    let sms = world.channel_with("SMS", "972550000001", soon.clone()).await;
    let whatsapp = world.channel_with("WhatsApp", "972550000001", soon.clone()).await;
    let mut again = soon;
    again["settings"]["onUnknownOutcome"] = json!("resend");
    let apple = world.channel_with("AppleBusinessChat", "shop-1", again).await;
    tokio::join!(
        async {
            // Taken, and the answer lost: the look-up finds it.
            let id = world.sales.text(&sms, "972540000005", "Hello").await;
            let story = world.sales.story_until(&id, "Delivered").await;
            assert_eq!(story["possibleDuplicate"], json!(false));
        },
        async {
            // Not taken: the look-up proves it, and it goes again.
            let id = world.sales.text(&sms, "972540000006", "Hello").await;
            let story = world.sales.story_until(&id, "Delivered").await;
            assert_eq!(story["possibleDuplicate"], json!(false));
        },
        async {
            // Not taken, and nobody to ask: the policy is to fail.
            let id = world.sales.text(&whatsapp, "972540000006", "Hello").await;
            let story = world.sales.story_until(&id, "Failed").await;
            assert_eq!(story["reason"]["code"], "outcome_unknown");
        },
        async {
            // Taken, and nobody to ask: the policy is to send again, which is said.
            let id = world.sales.text(&apple, "urn:mbid:AQAAY00005", "Hello").await;
            let story = world.sales.story_until(&id, "Accepted").await;
            assert_eq!(story["possibleDuplicate"], json!(true));
            let twice: Vec<_> = world.simulator.duplicates().iter().map(ToString::to_string).collect();
            assert_eq!(twice, [id]);
        },
    );
}
