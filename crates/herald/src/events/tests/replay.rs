//! The same events once more, when somebody asks for it; and clearing away.

use super::world::{Receiver, World, until};
use crate::store::{DeliveryKind, DeliveryState, EventRetention, SubscriptionState};
use herald_rules::{status::Status, time::Timestamp};

#[tokio::test]
async fn one_delivery_can_be_replayed() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 200).await;
    let hook = world.webhook(&receiver.url).await;
    let ids = world.messages(3).await;
    world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    receiver.until_taken(3).await;
    until("it is kept", || async { world.deliveries(&hook, Some(DeliveryState::Taken)).await.len() == 1 }).await;
    let of = world.deliveries(&hook, None).await.remove(0);
    let replayed = world.store.replay_delivery(hook.row, of.id, Timestamp::now()).await.unwrap().unwrap();
    world.events.changed(hook.row).await.unwrap();
    receiver.until_taken(6).await;
    let all = receiver.all();
    assert_eq!(all[0].body, all[1].body);
    assert_eq!(all[1].header("webhook-id"), Some(replayed.to_string().as_str()));
    let (row, _, kept) = world.store.delivery(world.department, replayed).await.unwrap().unwrap();
    assert_eq!((row, kept.kind, kept.origin), (hook.row, DeliveryKind::Replay, Some(of.id)));
}

#[tokio::test]
async fn a_span_of_time_can_be_replayed_by_the_thousand() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 200).await;
    let settings = crate::store::SubscriptionSettings { max_batch: Some(1), ..Default::default() };
    let hook = world.webhook_with(&receiver.url, settings, vec![]).await;
    let ids = world.messages(220).await;
    let begun = Timestamp::now();
    world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    until("all are kept", || async { world.deliveries(&hook, Some(DeliveryState::Taken)).await.len() == 220 }).await;
    let end = Timestamp::now() + std::time::Duration::from_millis(2);
    until("a moment later", || async { Timestamp::now() > end }).await;
    let made = world.store.replay_range(hook.row, begun, end, Timestamp::now()).await.unwrap();
    assert_eq!(made, 220);
    world.events.changed(hook.row).await.unwrap();
    receiver.until_taken(440).await;
    assert_eq!(world.store.replay_range(hook.row, end, Timestamp::now(), Timestamp::now()).await.unwrap(), 0);
}

#[tokio::test]
async fn old_deliveries_are_cleared_away_and_deleted_subscriptions_wholly() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 200).await;
    let hook = world.webhook(&receiver.url).await;
    let ids = world.messages(30).await;
    for id in &ids {
        world.change(&[(*id, Status::Accepted)]).await;
    }
    receiver.until_taken(30).await;
    until("all are kept", || async { world.store.backlog(hook.row).await.unwrap().waiting == 0 }).await;
    let mut retention = EventRetention { deliveries_before: Timestamp(0), polled_before: Timestamp(0), step: 10 };
    assert_eq!(world.store.prune_events(retention).await.unwrap(), 0);
    retention.deliveries_before = Timestamp::now() + std::time::Duration::from_secs(1);
    while world.store.prune_events(retention).await.unwrap() > 0 {}
    assert!(world.deliveries(&hook, None).await.is_empty());

    world.store.set_subscription_state(hook.row, SubscriptionState::Deleted).await.unwrap();
    world.events.changed(hook.row).await.unwrap();
    while world.store.prune_events(retention).await.unwrap() > 0 {}
    assert!(world.store.subscriptions(Some(world.department)).await.unwrap().is_empty());
    let rows =
        world.store.sqlite().read(|c| Ok(c.query_row("SELECT count(*) FROM cursor", [], |row| row.get::<_, i64>(0))?));
    assert_eq!(rows.await.unwrap(), 0);
}
