//! The provider's limits, kept by the whole way of a message.

use super::*;
use serde_json::json;

/// Two at once, then one each minute: nothing that a test does by chance passes it.
async fn slow_pairs() -> World {
    World::with(OnUnknownOutcome::Fail, json!({"pair": {"every_ms": 60_000, "burst": 2}})).await
}

const CUSTOMER: &str = "972501500700";

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_has_had_enough_waits_alone_and_says_until_when() {
    let world = slow_pairs().await;
    let ids = world.accept((0..4).map(|_| world.message(Protocol::SMS, CUSTOMER)).collect()).await;
    let other = world.accept(vec![world.message(Protocol::SMS, "972501500701")]).await;
    for id in [ids[0], ids[1], other[0]] {
        world.until_last(id, Status::Delivered).await;
    }
    let lane = world.lanes[&Protocol::SMS];
    let hold = world.node.app.lanes.held(lane, CUSTOMER, Priority::Transactional).await.unwrap();
    assert_eq!(hold.reason, Some(Reason::PairLimit));
    assert!(hold.until.since(Timestamp::now()) > Duration::from_secs(50), "{hold:?}");
    let report = world.node.app.lanes.report(lane).await.unwrap();
    assert_eq!(report.waiting.code, "pair_limit");
    assert!(report.waiting.sentence.starts_with("Pair limit until 2"), "{}", report.waiting.sentence);
    assert_eq!(report.pair_limit.as_deref(), Some("1/m,burst=2"));
    assert!(world.history(ids[2]).await.is_empty());
    assert_eq!(world.simulator.summary().duplicates, 0);
    world.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_makes_no_burst_to_one_customer() {
    let world = slow_pairs().await;
    let ids = world.accept((0..2).map(|_| world.message(Protocol::SMS, CUSTOMER)).collect()).await;
    for id in ids {
        world.until_last(id, Status::Delivered).await;
    }
    let world = world.restarted().await;
    let late = world.accept(vec![world.message(Protocol::SMS, CUSTOMER)]).await;
    // The same lane takes them in order: when the other has gone, this one has been looked at.
    world.one(Protocol::SMS, "972501500701", &[Status::Accepted]).await;
    assert!(world.history(late[0]).await.is_empty());
    let hold = world.node.app.lanes.held(world.lanes[&Protocol::SMS], CUSTOMER, Priority::Transactional).await;
    assert_eq!(hold.unwrap().reason, Some(Reason::PairLimit));
    world.node.stop().await;
}
