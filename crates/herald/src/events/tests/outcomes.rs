//! What refusals and failures lead to.

use super::world::{Receiver, World, quick, until};
use crate::store::{DeliveryState, SubscriptionState};
use herald_rules::{status::Status, time::Timestamp};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn a_bad_event_is_found_by_halving_and_parked_while_the_others_pass() {
    let world = World::new().await;
    let ids = world.messages(100).await;
    let bad = ids[37];
    let receiver = Receiver::new(move |r| if r.events().iter().any(|(id, _)| *id == bad) { 422 } else { 200 }).await;
    let hook = world.webhook(&receiver.url).await;
    world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    receiver.until_taken(99).await;
    until("it is parked", || async { world.store.backlog(hook.row).await.unwrap().parked == 1 }).await;
    let parked = world.deliveries(&hook, Some(DeliveryState::Parked)).await.remove(0);
    assert_eq!(parked.events, [world.key(38)]);
    let attempt = world.attempts(&hook, &parked).await.remove(0);
    assert_eq!((attempt.status, attempt.answer.as_deref()), (Some(422), Some("ok")));
    assert_eq!(world.subscription(&hook).await.failing, None);
    // Later events of other messages pass it, its own wait.
    world.change(&[(bad, Status::Delivered), (ids[0], Status::Delivered)]).await;
    receiver.until_taken(100).await;
    receiver.decide(|_| 200);
    receiver.until_taken(102).await;
    let taken = receiver.taken();
    assert_eq!(
        taken.iter().filter(|(id, _)| *id == bad).map(|(_, s)| *s).collect::<Vec<_>>(),
        [Status::Accepted, Status::Delivered]
    );
}

#[tokio::test]
async fn an_endpoint_that_refuses_everything_gets_few_requests() {
    let mut settings = quick();
    settings.wait = Arc::new(|_, _| Duration::from_secs(3600));
    let world = World::with(settings).await;
    let receiver = Receiver::new(|_| 404).await;
    let hook = world.webhook(&receiver.url).await;
    let ids = world.messages(2_000).await;
    world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    until("it counts as failing", || async { world.subscription(&hook).await.failing.is_some() }).await;
    // Those under way at once when the first was refused, and ten in a row.
    let count = receiver.all().len();
    assert!(count <= 14, "{count}");
    assert_eq!(world.subscription(&hook).await.problem.as_deref(), Some("HTTP 404"));
    assert!(world.store.backlog(hook.row).await.unwrap().behind >= 1_500, "most stays in the log");
}

#[tokio::test]
async fn a_dead_endpoint_delays_nobody_and_gets_one_probe_at_a_time() {
    let mut settings = quick();
    settings.wait = Arc::new(|failed, _| if failed < 3 { Duration::from_millis(5) } else { Duration::from_secs(3600) });
    let world = World::with(settings).await;
    let dead = Receiver::new(|_| 503).await;
    let well = Receiver::new(|_| 200).await;
    let (hook, _) = (world.webhook(&dead.url).await, world.webhook(&well.url).await);
    let ids = world.messages(3_000).await;
    world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    well.until_taken(3_000).await;
    until("three failures", || async { world.subscription(&hook).await.failing.is_some_and(|f| f.failures == 3) })
        .await;
    let count = dead.all().len();
    assert!(count <= 4 + 2, "{count}: what was under way, then probes");
}

#[tokio::test]
async fn an_endpoint_that_comes_back_gets_everything() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 0).await;
    let hook = world.webhook(&receiver.url).await;
    let ids = world.messages(700).await;
    world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    until("it fails", || async { world.subscription(&hook).await.failing.is_some() }).await;
    receiver.decide(|_| 200);
    receiver.until_taken(700).await;
    let taken: HashSet<_> = receiver.taken().into_iter().collect();
    assert_eq!(taken.len(), 700);
    until("all is well", || async { world.subscription(&hook).await.failing.is_none() }).await;
}

#[tokio::test]
async fn retry_after_is_passed_on_and_time_outs_shrink() {
    let mut settings = quick();
    (settings.first_timeout, settings.retry_timeout) = (Duration::from_millis(300), Duration::from_millis(100));
    let world = World::with(settings).await;
    // Listens and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = world.webhook(&format!("http://{}/", silent.local_addr().unwrap())).await;
    let ids = world.messages(1).await;
    world.change(&[(ids[0], Status::Accepted)]).await;
    let delivery = || async { world.deliveries(&hook, None).await.first().cloned() };
    until("two attempts", || async { delivery().await.is_some_and(|d| d.attempts >= 2) }).await;
    let attempts = world.attempts(&hook, &delivery().await.unwrap()).await;
    assert!(attempts[0].took >= Duration::from_millis(300), "{attempts:?}");
    assert!(attempts[1].took < Duration::from_millis(300), "{attempts:?}");
    assert_eq!(attempts[0].error.as_deref(), Some("no answer in time"));
}

#[tokio::test]
async fn after_the_age_limit_a_delivery_is_exhausted_and_what_waited_for_it_goes() {
    let now = Arc::new(AtomicI64::new(Timestamp::now().0));
    let clock = now.clone();
    let mut settings = quick();
    settings.clock = Arc::new(move || Timestamp(clock.fetch_add(1_000, Ordering::Relaxed)));
    let world = World::with(settings).await;
    let receiver = Receiver::new(|r| if r.events()[0].1 == Status::Accepted { 503 } else { 200 }).await;
    let hook = world.webhook(&receiver.url).await;
    let ids = world.messages(1).await;
    world.change(&[(ids[0], Status::Accepted)]).await;
    until("it is tried", || async { !receiver.all().is_empty() }).await;
    world.change(&[(ids[0], Status::Delivered)]).await;
    now.fetch_add(3 * 24 * 3600 * 1_000_000, Ordering::Relaxed);
    receiver.until_taken(1).await;
    assert_eq!(receiver.taken(), [(ids[0], Status::Delivered)]);
    let exhausted = world.deliveries(&hook, Some(DeliveryState::Exhausted)).await;
    assert_eq!(exhausted.len(), 1);
    assert_eq!(world.store.backlog(hook.row).await.unwrap().exhausted, 1);
}

#[tokio::test]
async fn a_subscription_that_fails_for_days_is_paused_and_goes_on_when_it_is_resumed() {
    let now = Arc::new(AtomicI64::new(Timestamp::now().0));
    let clock = now.clone();
    let mut settings = quick();
    settings.max_age = Duration::from_secs(30 * 24 * 3600);
    settings.clock = Arc::new(move || Timestamp(clock.fetch_add(1_000, Ordering::Relaxed)));
    let world = World::with(settings).await;
    let receiver = Receiver::new(|_| 502).await;
    let hook = world.webhook(&receiver.url).await;
    let ids = world.messages(300).await;
    world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    until("it fails", || async { world.subscription(&hook).await.failing.is_some() }).await;
    now.fetch_add(5 * 24 * 3600 * 1_000_000, Ordering::Relaxed);
    until("it is paused", || async { world.subscription(&hook).await.state == SubscriptionState::PausedByFailure })
        .await;
    receiver.decide(|_| 200);
    world.store.set_subscription_state(hook.row, SubscriptionState::Active).await.unwrap();
    world.events.changed(hook.row).await.unwrap();
    receiver.until_taken(300).await;
}
