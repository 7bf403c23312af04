//! What goes over the wire: the body, both families of signatures, the spelling of names, the headers of the owner.

use super::world::{API_SECRET, Receiver, World, until};
use crate::store::{SubscriptionSettings, SubscriptionState};
use herald_rules::{
    signature::{self, EndpointSecret},
    status::Status,
    time::Timestamp,
};

#[tokio::test]
async fn both_families_sign_and_names_are_spelled_as_the_reference_has_them() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 200).await;
    let headers = vec![("X-Team".to_owned(), "sales".to_owned())];
    let hook = world.webhook_with(&receiver.url, SubscriptionSettings::default(), headers).await;
    let ids = world.messages(1).await;
    world.change(&[(ids[0], Status::Accepted)]).await;
    receiver.until_taken(1).await;

    let received = receiver.all().remove(0);
    let names: Vec<_> = received.headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "X-Hub-Signature",
        "X-Glassix-Auth",
        "X-Glassix-Auth-Signature",
        "X-Glassix-Auth-Date",
        "X-Glassix-Api-Key",
        "X-Glassix-Request-Count",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let get = |name| received.header(name);
    let now = Timestamp::now();
    signature::verify_v1_2(API_SECRET, get, &received.body, now, signature::TOLERANCE).unwrap();
    let secret = EndpointSecret::parse(&EndpointSecret::write(&[7; 32])).unwrap();
    signature::verify_standard(&secret, get, &received.body, now, signature::TOLERANCE).unwrap();
    assert_eq!(received.header("x-glassix-api-key"), Some(world.department_id.to_string().as_str()));
    assert_eq!(received.header("x-glassix-request-count"), Some("1"));
    assert_eq!(received.header("x-team"), Some("sales"));
    assert_eq!(received.header("content-type"), Some("application/json; charset=utf-8"));

    until("it is kept as taken", || async {
        world.deliveries(&hook, None).await.iter().all(|d| d.state == crate::store::DeliveryState::Taken)
    })
    .await;
    let deliveries = world.deliveries(&hook, None).await;
    assert_eq!(received.header("webhook-id"), Some(deliveries[0].id.to_string().as_str()));
    let attempts = world.attempts(&hook, &deliveries[0]).await;
    assert_eq!((attempts.len(), attempts[0].status), (1, Some(200)));
}

#[tokio::test]
async fn events_come_in_batches_of_at_most_a_hundred() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 204).await;
    let ids = world.messages(1_000).await;
    world.webhook(&receiver.url).await;
    let changes: Vec<_> = ids.iter().map(|id| (*id, Status::Accepted)).collect();
    world.change(&changes).await;
    receiver.until_taken(1_000).await;
    let sizes: Vec<_> = receiver.all().iter().map(|received| received.events().len()).collect();
    assert!(sizes.iter().all(|size| *size <= 100) && sizes.len() <= 11, "{sizes:?}");
}

#[tokio::test]
async fn a_subscription_may_ask_for_one_event_a_delivery() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 200).await;
    let settings = SubscriptionSettings { max_batch: Some(1), ..Default::default() };
    world.webhook_with(&receiver.url, settings, vec![]).await;
    let ids = world.messages(20).await;
    let changes: Vec<_> = ids.iter().map(|id| (*id, Status::Accepted)).collect();
    world.change(&changes).await;
    receiver.until_taken(20).await;
    assert!(receiver.all().iter().all(|received| received.events().len() == 1));
}

#[tokio::test]
async fn what_was_before_a_subscription_is_not_for_it_and_a_pause_loses_nothing() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 200).await;
    let ids = world.messages(3).await;
    world.change(&[(ids[0], Status::Accepted)]).await;
    let hook = world.webhook(&receiver.url).await;
    world.change(&[(ids[1], Status::Accepted)]).await;
    receiver.until_taken(1).await;
    world.store.set_subscription_state(hook.row, SubscriptionState::Paused).await.unwrap();
    world.events.changed(hook.row).await.unwrap();
    world.change(&[(ids[2], Status::Accepted)]).await;
    assert_eq!(world.store.backlog(hook.row).await.unwrap().behind, 1);
    world.store.set_subscription_state(hook.row, SubscriptionState::Active).await.unwrap();
    world.events.changed(hook.row).await.unwrap();
    receiver.until_taken(2).await;
    assert_eq!(receiver.taken(), [(ids[1], Status::Accepted), (ids[2], Status::Accepted)]);
}

#[tokio::test]
async fn a_forbidden_address_is_never_called() {
    let mut settings = super::world::quick();
    settings.allow_networks = [].into();
    let world = World::with(settings).await;
    let receiver = Receiver::new(|_| 200).await;
    let hook = world.webhook(&receiver.url).await;
    let by_name = world.webhook(&receiver.url.replace("127.0.0.1", "localhost")).await;
    let ids = world.messages(1).await;
    world.change(&[(ids[0], Status::Accepted)]).await;
    for hook in [hook, by_name] {
        until("it fails", || async { world.subscription(&hook).await.failing.is_some() }).await;
    }
    assert!(receiver.all().is_empty());
}

#[tokio::test]
async fn a_test_event_is_sent_once_and_kept() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 401).await;
    let hook = world.webhook(&receiver.url).await;
    let (delivery, attempt) = world.events.test(hook.clone()).await.unwrap();
    assert_eq!((attempt.status, attempt.answer.as_deref()), (Some(401), Some("ok")));
    assert_eq!(receiver.all()[0].events()[0].1, Status::Delivered);
    assert_eq!(world.deliveries(&hook, None).await, vec![delivery]);
}
