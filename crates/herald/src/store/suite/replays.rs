//! Replays: the events of what has ended, once more, as new deliveries.

use super::{
    deliveries::{delivery_made_at, delivery_of},
    log::at,
    *,
};
use herald_rules::ids::DeliveryId;

on_both_engines! {
    a_replay_carries_the_events_of_its_origin,
    a_span_replays_what_ended_in_it_and_nothing_twice,
    replays_that_wait_are_read_in_pages_oldest_first,
}

async fn a_replay_carries_the_events_of_its_origin(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let subscription = fixture.subscribe(SubscriptionKind::Webhook).await;
    let row = subscription.row;
    let taken = Delivery { state: DeliveryState::Taken, attempts: 4, ..delivery_of(vec![at(2, 7), at(1, 3)]) };
    fixture.freeze(row, vec![taken.clone()]).await;
    let later = NOW + HOUR;
    let replay = fixture.store.replay_delivery(row, taken.id, later).await.unwrap().unwrap();
    assert_eq!(fixture.store.replay_delivery(row, DeliveryId::new(), later).await.unwrap(), None);
    assert_eq!(fixture.store.replay_delivery(row + 1, taken.id, later).await.unwrap(), None, "another's");
    let fixture = fixture.reopened().await;
    let expected = Delivery {
        id: replay,
        kind: DeliveryKind::Replay,
        state: DeliveryState::Waiting,
        attempts: 0,
        due: later,
        oldest: later,
        events: taken.events.clone(),
        origin: Some(taken.id),
    };
    assert_eq!(fixture.store.waiting_replays(row, 10).await.unwrap(), [expected]);
    let open = fixture.store.progress(&subscription).await.unwrap().open;
    assert!(open.is_empty(), "they are read in pages of their own");
    assert_eq!(fixture.store.delivery(fixture.department, taken.id).await.unwrap().unwrap().2, taken, "as it was");
}

async fn a_span_replays_what_ended_in_it_and_nothing_twice(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let row = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    let made = |hour: u32, state| delivery_made_at(NOW + HOUR * hour, state);
    let of_kind = |hour, kind| Delivery { kind, ..made(hour, DeliveryState::Taken) };
    let inside = [made(1, DeliveryState::Taken), made(2, DeliveryState::Exhausted)];
    let rest = [
        made(0, DeliveryState::Taken),
        made(3, DeliveryState::Taken),
        made(1, DeliveryState::Split),
        made(1, DeliveryState::Waiting),
        made(1, DeliveryState::Parked),
        of_kind(1, DeliveryKind::Replay),
        of_kind(1, DeliveryKind::Test),
    ];
    fixture.freeze(row, inside.iter().chain(&rest).cloned().collect()).await;
    let (since, until) = (NOW + HOUR, NOW + HOUR * 3_u32);
    let now = NOW + HOUR * 24_u32;
    assert_eq!(fixture.store.replay_range(row, since, until, now).await.unwrap(), 2);
    let mut origins: Vec<_> =
        fixture.store.waiting_replays(row, 10).await.unwrap().into_iter().filter_map(|replay| replay.origin).collect();
    origins.sort_unstable();
    assert_eq!(origins, inside.map(|delivery| delivery.id));
    assert_eq!(fixture.store.replay_range(row + 1, since, until, now).await.unwrap(), 0);
}

async fn replays_that_wait_are_read_in_pages_oldest_first(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let row = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    // More than an engine copies in one transaction.
    let count = 450;
    let ended = (0..count).map(|n| delivery_made_at(NOW + Duration::from_millis(n), DeliveryState::Taken));
    fixture.freeze(row, ended.collect()).await;
    let made = fixture.store.replay_range(row, NOW, NOW + HOUR, NOW + HOUR).await.unwrap();
    assert_eq!(made, count);
    let page = fixture.store.waiting_replays(row, 3).await.unwrap();
    let all = fixture.store.waiting_replays(row, 1_000).await.unwrap();
    assert_eq!(all.len() as u64, count);
    assert_eq!(page, all[..3]);
    assert!(all.is_sorted_by_key(|replay| replay.id) && all.is_sorted_by_key(|replay| replay.origin));
    let moved = Moved { id: all[0].id, state: DeliveryState::Taken, attempts: 1, due: NOW };
    let step = DeliveryStep { subscription: row, moved: vec![moved], ..DeliveryStep::default() };
    fixture.store.record_step(step).await.unwrap();
    assert_eq!(fixture.store.waiting_replays(row, 3).await.unwrap(), all[1..4]);
}
