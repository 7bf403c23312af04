//! The provider's limits, kept by the whole way of a message.

use super::*;
use crate::{pace::StopReport, store::ChannelChange};
use herald_simulators::Code;
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

/// The answer to every call from now on; None: as usual.
fn answer(world: &World, code: Option<Code>) {
    world
        .simulator
        .change(|all| {
            let answers = &mut all.SMS.answers;
            answers.permanent_share = if code.is_some() { 1.0 } else { 0.0 };
            answers.permanent_code = code.unwrap_or(Code::ContentRefused);
        })
        .unwrap();
}

async fn until_stopped(world: &World) -> StopReport {
    for _ in 0..3_000 {
        let report = world.node.app.lanes.report(world.lanes[&Protocol::SMS]).await.unwrap();
        if let Some(stopped) = report.stopped {
            assert_eq!(report.waiting.code, "stopped");
            return stopped;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never stopped");
}

const STOPS_TOLD: &str = "SELECT count(*) FROM event WHERE status = 100";

#[tokio::test(flavor = "multi_thread")]
async fn revoked_credentials_stop_the_lane_once_keep_the_queue_and_new_ones_end_it() {
    let world = World::new(OnUnknownOutcome::Fail).await;
    answer(&world, Some(Code::CredentialsRevoked));
    let to = |n: i64| format!("97250{:07}", 1_500_500 + n);
    let ids = world.accept((0..50).map(|n| world.message(Protocol::SMS, &to(n))).collect()).await;
    let stopped = until_stopped(&world).await;
    assert_eq!(
        (stopped.reason, stopped.provider_code.as_deref()),
        ("provider_auth_failed", Some("credentials_revoked"))
    );
    assert!(stopped.next_try_at.since(Timestamp::now()) > Duration::from_secs(600));
    // Another channel goes on; nothing that was there is lost, and nothing that comes is tried.
    world.one(Protocol::AppleBusinessChat, "urn:mbid:A00001", &[Status::Accepted]).await;
    let late = world.accept(vec![world.message(Protocol::SMS, &to(60))]).await;
    let world = world.restarted().await;
    assert_eq!(until_stopped(&world).await.since, stopped.since, "it survives a restart");
    let calls = world.simulator.summary().calls;
    assert!(calls <= 52, "{calls}");
    assert_eq!(world.count(STOPS_TOLD).await, 1);
    assert_eq!(world.count("SELECT sum(queued) FROM lane").await, 51);

    answer(&world, None);
    let lane = world.node.app.directory.get().lane(world.lanes[&Protocol::SMS]).cloned().unwrap();
    let channel = world.node.app.directory.get().channel(lane.channel).cloned().unwrap();
    let credentials = json!({"key": "simulator-key", "callback_secret": "simulator-secret"}).to_string();
    let sealed =
        world.node.app.access.sealer.seal(crate::access::Subject::Credentials(channel.id), credentials.as_bytes());
    let change = ChannelChange { sealed_credentials: Some(sealed), ..ChannelChange::default() };
    world.node.app.store.change_channel(channel.row, change).await.unwrap();
    world.node.app.directory_changed().await.unwrap();
    // Receipts go to the address before the restart.
    for id in ids.into_iter().chain(late) {
        world.until(id, &[Status::Accepted]).await;
    }
    assert_eq!(world.simulator.summary().duplicates, 0);
    assert_eq!(world.count(STOPS_TOLD).await, 1);
    assert!(world.node.app.lanes.report(lane.row).await.unwrap().stopped.is_none());
    let world = world.restarted().await;
    world.one(Protocol::SMS, &to(70), &[Status::Accepted]).await;
    world.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resuming_a_lane_ends_its_stop_and_another_refusal_is_another_stop() {
    let world = World::new(OnUnknownOutcome::Fail).await;
    let (app, row) = (&world.node.app, world.lanes[&Protocol::SMS]);
    let lane = app.directory.get().lane(row).cloned().unwrap();
    answer(&world, Some(Code::CredentialsRevoked));
    let id = world.accept(vec![world.message(Protocol::SMS, CUSTOMER)]).await[0];
    let first = until_stopped(&world).await;
    app.lanes.lift_stop(&app.store, &lane).await.unwrap();
    for _ in 0..3_000 {
        if until_stopped(&world).await.since != first.since {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    answer(&world, None);
    app.lanes.lift_stop(&app.store, &lane).await.unwrap();
    world.until(id, &[Status::Accepted, Status::Delivered]).await;
    assert_eq!(world.count(STOPS_TOLD).await, 2);
    world.node.stop().await;
}
