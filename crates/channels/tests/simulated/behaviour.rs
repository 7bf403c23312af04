//! What can be set while the simulator runs.

use crate::setting::{PATIENCE, Setting, adapter, by_message, outgoing, reason};
use axum::{Router, routing::post};
use herald_channels::contract::{LookUp, Outcome, Throttled};
use herald_rules::{protocol::Protocol, reason::Reason, status::Status};
use herald_simulators::{CallOutcome, Code, Options, RateLimit, Scope, Simulator};
use std::time::{Duration, Instant};
use tokio::{net::TcpSocket, time::timeout};

/// Sends `count` plain messages one after the other, each once.
async fn send(setting: &Setting, count: usize) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(count);
    for number in 0..count {
        outcomes.push(setting.adapter.send(&setting.message(&format!("{}", 50_000 + number))).await);
    }
    outcomes
}

#[tokio::test]
async fn answers_take_their_latency() {
    let setting = Setting::with(Protocol::SMS, 10_000, |behaviour| behaviour.answers.latency_ms = 80).await;
    let begun = Instant::now();
    send(&setting, 1).await;
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn rate_limits_name_what_they_limit() {
    for (scope, expected) in [
        (Scope::Account, Throttled::Account),
        (Scope::Sender, Throttled::Identifier),
        (Scope::Recipient, Throttled::Pair),
    ] {
        let setting = Setting::with(Protocol::WhatsApp, 10_000, |behaviour| {
            behaviour.answers.rate_limit = Some(RateLimit { per_second: 0.1, burst: 1, scope });
        })
        .await;
        let message = setting.message("54321");
        assert!(matches!(setting.adapter.send(&message).await, Outcome::Accepted { .. }));
        let Outcome::Retry { throttled, after, .. } = setting.adapter.send(&message).await else { panic!("{scope:?}") };
        assert_eq!((throttled, after), (Some(expected), Some(Duration::from_secs(10))));
        let other = send(&setting, 1).await.remove(0);
        assert_eq!(matches!(other, Outcome::Accepted { .. }), scope == Scope::Recipient, "{scope:?} {other:?}");
    }
}

#[tokio::test]
async fn failures_fall_in_their_shares() {
    let setting = Setting::with(Protocol::SMS, 10_000, |behaviour| {
        behaviour.answers.temporary_share = 0.25;
        behaviour.answers.permanent_share = 0.25;
        behaviour.answers.permanent_code = Code::RecipientBlocked;
        behaviour.answers.dropped_before_share = 0.125;
        behaviour.answers.dropped_after_share = 0.125;
    })
    .await;
    let outcomes = send(&setting, 200).await;
    let count = |matching: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| matching(outcome)).count() as u64;
    let summary = setting.simulator.summary();
    let of = |outcome| summary.outcomes.get(&outcome).copied().unwrap_or(0);
    assert_eq!(count(|outcome| matches!(outcome, Outcome::Accepted { .. })), of(CallOutcome::Accepted));
    assert_eq!(count(|outcome| matches!(outcome, Outcome::Retry { .. })), of(CallOutcome::TemporaryFailure));
    assert_eq!(count(|outcome| reason(outcome) == Some(Reason::RecipientBlocked)), of(CallOutcome::Refused));
    let dropped = of(CallOutcome::DroppedBefore) + of(CallOutcome::DroppedAfter);
    assert_eq!(count(|outcome| matches!(outcome, Outcome::Unknown(_))), dropped);
    assert_eq!(summary.taken, of(CallOutcome::Accepted) + of(CallOutcome::DroppedAfter));
    for (outcome, expected) in [
        (CallOutcome::Accepted, 50),
        (CallOutcome::TemporaryFailure, 50),
        (CallOutcome::Refused, 50),
        (CallOutcome::DroppedBefore, 25),
        (CallOutcome::DroppedAfter, 25),
    ] {
        let share = of(outcome);
        assert!((expected / 2..expected * 2).contains(&share), "{outcome:?}: {share} of 200");
    }
}

#[tokio::test]
async fn a_hang_ends_with_our_time_out() {
    let setting = Setting::with(Protocol::SMS, 120, |behaviour| behaviour.answers.hang_share = 1.0).await;
    let message = setting.message("54321");
    let begun = Instant::now();
    let outcome = setting.adapter.send(&message).await;
    assert!(matches!(outcome, Outcome::Unknown(_)) && reason(&outcome) == Some(Reason::ProviderTimeout));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(matches!(setting.look_up(&message).await, LookUp::Found { .. }));
}

#[tokio::test]
async fn receipts_can_be_missing_doubled_and_failed() {
    let setting = Setting::with(Protocol::SMS, 10_000, |behaviour| behaviour.receipts.missing_share = 1.0).await;
    send(&setting, 10).await;
    assert_eq!(setting.simulator.summary().receipts_waiting, 0);
    setting.simulator.change(|all| all.SMS.receipts.missing_share = 0.0).unwrap();
    setting.simulator.change(|all| all.SMS.receipts.duplicated_share = 1.0).unwrap();
    send(&setting, 10).await;
    let receipts = setting.receipts_when(20).await;
    assert!(by_message(&receipts).values().all(|count| *count == 2));
    setting.simulator.change(|all| all.SMS.receipts.duplicated_share = 0.0).unwrap();
    setting.simulator.change(|all| all.SMS.receipts.failed_share = 1.0).unwrap();
    setting.simulator.change(|all| all.SMS.receipts.failed_code = Code::ValidityExpired).unwrap();
    send(&setting, 1).await;
    let receipts = setting.receipts_when(21).await;
    assert_eq!(receipts[20].status, Status::Failed);
    assert_eq!(receipts[20].cause.as_ref().map(|cause| cause.reason), Some(Reason::ProviderExpired));
}

#[tokio::test]
async fn receipts_can_be_early_late_unordered_and_unread() {
    let setting = Setting::with(Protocol::WhatsApp, 10_000, |behaviour| behaviour.receipts.read_share = 0.0).await;
    send(&setting, 3).await;
    assert_eq!(setting.statuses_when(3).await, [Status::Delivered; 3]);
    setting.simulator.change(|all| all.WhatsApp.receipts.early_share = 1.0).unwrap();
    send(&setting, 1).await;
    assert_eq!(setting.receipts().len(), 4);
    setting
        .simulator
        .change(|all| {
            all.WhatsApp.receipts.early_share = 0.0;
            all.WhatsApp.receipts.late_share = 1.0;
            all.WhatsApp.receipts.late_by_ms = 100;
            all.WhatsApp.receipts.read_share = 1.0;
            all.WhatsApp.receipts.out_of_order_share = 1.0;
        })
        .unwrap();
    let begun = Instant::now();
    send(&setting, 1).await;
    let statuses = setting.statuses_when(7).await;
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert_eq!(statuses[4..], [Status::Read, Status::Delivered, Status::Accepted]);
}

#[tokio::test]
async fn receipts_are_packed_as_told() {
    for (batch, least, most) in [(1, 40, 40), (100, 1, 12)] {
        let setting = Setting::with(Protocol::SMS, 10_000, |behaviour| {
            behaviour.receipts.delay_ms = 300;
            behaviour.callbacks.batch = batch;
            behaviour.callbacks.linger_ms = 200;
        })
        .await;
        send(&setting, 40).await;
        setting.receipts_when(40).await;
        assert!((least..=most).contains(&setting.posts()), "{} posts in batches of {batch}", setting.posts());
    }
}

#[tokio::test]
async fn callbacks_come_again_until_they_are_taken() {
    let setting = Setting::new(Protocol::SMS).await;
    setting.answer_callbacks(503);
    send(&setting, 5).await;
    let refused = setting.simulator.until(|summary| summary.callback_posts_refused >= 2);
    timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(setting.simulator.summary().receipts_waiting, 5);
    setting.answer_callbacks(204);
    setting.receipts_when(5).await;
    let sent = timeout(PATIENCE, setting.simulator.until(|summary| summary.receipts_waiting == 0)).await.unwrap();
    assert_eq!((sent.receipts.values().sum::<u64>(), sent.receipts_given_up), (5, 0));
    assert!(setting.simulator.receipts().iter().any(|receipt| receipt.tries > 1));
}

#[tokio::test]
async fn a_receiver_that_starts_again_gets_what_it_missed() {
    // Bound but not listening: connections are refused, and nobody else can take the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let receiver = socket.local_addr().unwrap();
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let callback_url = format!("http://{receiver}/callbacks/1");
    let adapter = adapter(Protocol::SMS, &simulator.base_url(), &callback_url, 10_000);
    adapter.send(&outgoing(Protocol::SMS, "491705554321")).await;
    timeout(PATIENCE, simulator.until(|summary| summary.callback_posts_refused >= 2)).await.unwrap();
    let listener = socket.listen(16).unwrap();
    let router = Router::new().route("/callbacks/1", post(|| async {}));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let summary = timeout(PATIENCE, simulator.until(|summary| summary.receipts_waiting == 0)).await.unwrap();
    assert_eq!((summary.receipts.values().sum::<u64>(), summary.receipts_given_up), (1, 0));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_fates() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let setting = Setting::with(Protocol::WhatsApp, 10_000, |behaviour| {
            behaviour.answers.temporary_share = 0.5;
            behaviour.receipts.missing_share = 0.5;
        })
        .await;
        send(&setting, 30).await;
        runs.push(setting.simulator.calls().into_iter().map(|call| (call.outcome, call.code)).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
}
