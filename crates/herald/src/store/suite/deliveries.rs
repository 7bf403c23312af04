//! Deliveries: what was frozen is there after a crash, and each step is whole.

use super::{log::at, *};
use herald_rules::ids::DeliveryId;

on_both_engines! {
    a_step_is_durable_as_a_whole,
    what_is_released_no_longer_waits,
    a_step_of_an_earlier_owner_is_refused_and_nothing_of_it_written,
    deliveries_are_listed_newest_first_by_state_and_time,
    a_delivery_is_found_by_its_department_alone,
    attempts_stand_in_order_and_a_repeated_one_once,
    a_test_is_kept_and_is_no_work,
}

pub(super) fn delivery_of(events: Vec<EventKey>) -> Delivery {
    Delivery {
        id: DeliveryId::new(),
        kind: DeliveryKind::Events,
        state: DeliveryState::Waiting,
        attempts: 0,
        due: NOW,
        oldest: NOW,
        events,
        origin: None,
    }
}

/// A delivery that was made at a moment: its id says when.
pub(super) fn delivery_made_at(moment: Timestamp, state: DeliveryState) -> Delivery {
    let id = DeliveryId(MessageId::received_at(moment, 0).0);
    Delivery { id, state, ..delivery_of(vec![at(1, 1)]) }
}

pub(super) fn attempt(delivery: DeliveryId, number: u32) -> Attempt {
    Attempt {
        delivery,
        number,
        at: NOW,
        took: Duration::from_micros(1_500),
        status: Some(503),
        error: None,
        answer: Some("busy".into()),
    }
}

impl Fixture {
    pub(super) async fn freeze(&self, row: SubscriptionRow, frozen: Vec<Delivery>) {
        let step = DeliveryStep { subscription: row, frozen, ..DeliveryStep::default() };
        self.store.record_step(step).await.unwrap();
    }
}

async fn a_step_is_durable_as_a_whole(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let subscription = fixture.subscribe(SubscriptionKind::Webhook).await;
    let row = subscription.row;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(fixture.event_in(fixture.lane).await);
    }
    let lane = fixture.lane;
    let key = |sequence| at(lane, sequence);
    let (first, second) = (delivery_of(vec![key(2), key(1)]), delivery_of(vec![key(3)]));
    let (taken, replay) = (
        Delivery { state: DeliveryState::Taken, ..delivery_of(vec![key(1)]) },
        Delivery { kind: DeliveryKind::Replay, ..delivery_of(vec![key(1)]) },
    );
    let step = DeliveryStep {
        subscription: row,
        frozen: vec![second.clone(), first.clone(), taken, replay],
        cursors: vec![key(4)],
        held: vec![(key(4), ids[3])],
        ..DeliveryStep::default()
    };
    fixture.store.record_step(step).await.unwrap();
    let moved = Moved { id: second.id, state: DeliveryState::Parked, attempts: 2, due: NOW + HOUR };
    let step = DeliveryStep {
        subscription: row,
        attempts: vec![attempt(second.id, 1), attempt(second.id, 2)],
        moved: vec![moved],
        ..DeliveryStep::default()
    };
    fixture.store.record_step(step).await.unwrap();
    let fixture = fixture.reopened().await;
    let progress = fixture.store.progress(&subscription).await.unwrap();
    assert_eq!(progress.cursors, [key(4)]);
    assert_eq!(progress.held, [(key(4), ids[3])]);
    let parked = Delivery { state: DeliveryState::Parked, attempts: 2, due: NOW + HOUR, ..second };
    let open = [(first, vec![ids[1], ids[0]]), (parked, vec![ids[2]])];
    assert_eq!(progress.open, open, "unfinished ones in the order in which they were made, with their messages");
    // Of another subscription nothing has moved.
    let other = fixture.subscribe(SubscriptionKind::Webhook).await;
    let progress = fixture.store.progress(&other).await.unwrap();
    assert_eq!((progress.cursors, progress.held.len(), progress.open.len()), (vec![key(4)], 0, 0));
}

async fn what_is_released_no_longer_waits(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let subscription = fixture.subscribe(SubscriptionKind::Webhook).await;
    let mut held = Vec::new();
    for sequence in 1..=3 {
        held.push((at(fixture.lane, sequence), fixture.event_in(fixture.lane).await));
    }
    let step = DeliveryStep { subscription: subscription.row, held: held.clone(), ..DeliveryStep::default() };
    fixture.store.record_step(step).await.unwrap();
    let step = DeliveryStep {
        subscription: subscription.row,
        frozen: vec![delivery_of(vec![held[1].0])],
        released: vec![held[1].0],
        ..DeliveryStep::default()
    };
    fixture.store.record_step(step).await.unwrap();
    let progress = fixture.store.progress(&subscription).await.unwrap();
    assert_eq!(progress.held, [held[0], held[2]]);
}

async fn a_step_of_an_earlier_owner_is_refused_and_nothing_of_it_written(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let subscription = fixture.subscribe(SubscriptionKind::Webhook).await;
    let row = subscription.row;
    assert!(fixture.store.own_subscription(Epoch(5), row).await.unwrap());
    assert!(!fixture.store.own_subscription(Epoch(4), row).await.unwrap(), "somebody came later");
    let step = |epoch| DeliveryStep {
        subscription: row,
        epoch,
        frozen: vec![delivery_of(vec![at(fixture.lane, 1)])],
        cursors: vec![at(fixture.lane, 1)],
        ..DeliveryStep::default()
    };
    let late = fixture.store.record_step(step(Epoch(4))).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    let progress = fixture.store.progress(&subscription).await.unwrap();
    assert!(progress.open.is_empty() && progress.cursors.iter().all(|cursor| cursor.sequence == 0), "{progress:?}");
    fixture.store.record_step(step(Epoch(5))).await.unwrap();
    assert_eq!(fixture.store.progress(&subscription).await.unwrap().open.len(), 1);
}

async fn deliveries_are_listed_newest_first_by_state_and_time(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let row = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    let other = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    let states = [
        DeliveryState::Taken,
        DeliveryState::Exhausted,
        DeliveryState::Split,
        DeliveryState::Parked,
        DeliveryState::Waiting,
        DeliveryState::Taken,
    ];
    let made: Vec<_> = (0_u32..).zip(states).map(|(hour, state)| delivery_made_at(NOW + HOUR * hour, state)).collect();
    fixture.freeze(row, made.clone()).await;
    fixture.freeze(other, vec![delivery_made_at(NOW, DeliveryState::Taken)]).await;
    let list = async |filter| {
        let found = fixture.store.deliveries(row, filter).await.unwrap();
        found.iter().map(|found| made.iter().position(|made| made == found).unwrap()).collect::<Vec<_>>()
    };
    let filter = || DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
    assert_eq!(list(filter()).await, [5, 4, 3, 2, 1, 0]);
    assert_eq!(list(DeliveryFilter { limit: 2, ..filter() }).await, [5, 4]);
    assert_eq!(list(DeliveryFilter { before: Some(made[4].id), ..filter() }).await, [3, 2, 1, 0]);
    let (since, until) = (Some(NOW + HOUR), Some(NOW + HOUR * 3_u32));
    assert_eq!(list(DeliveryFilter { since, until, ..filter() }).await, [2, 1]);
    assert_eq!(list(DeliveryFilter { state: Some(DeliveryState::Taken), ..filter() }).await, [5, 0]);
    for (state, found) in [(DeliveryState::Exhausted, 1), (DeliveryState::Split, 2), (DeliveryState::Parked, 3)] {
        assert_eq!(list(DeliveryFilter { state: Some(state), ..filter() }).await, [found]);
    }
    let waiting = DeliveryFilter { state: Some(DeliveryState::Waiting), until: Some(NOW), ..filter() };
    assert_eq!(list(waiting).await, [] as [usize; 0], "all conditions together");
}

async fn a_delivery_is_found_by_its_department_alone(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let subscription = fixture.subscribe(SubscriptionKind::Webhook).await;
    let origin = Some(DeliveryId::new());
    // Long batches are kept as well as short ones, in any order of lanes.
    let events = (0..500).map(|n| at(1 + n % 3, 1_000_000_000_000 - n)).collect();
    let delivery = Delivery { origin, attempts: 7, due: NOW + HOUR, oldest: NOW - HOUR, ..delivery_of(events) };
    fixture.freeze(subscription.row, vec![delivery_of(vec![]), delivery.clone()]).await;
    let (store, department) = (&fixture.store, fixture.department);
    let found = store.delivery(department, delivery.id).await.unwrap();
    assert_eq!(found, Some((subscription.row, subscription.id, delivery.clone())));
    assert_eq!(store.delivery(department + 1, delivery.id).await.unwrap(), None);
    assert_eq!(store.delivery(department, DeliveryId::new()).await.unwrap(), None);
    store.set_subscription_state(subscription.row, SubscriptionState::Deleted).await.unwrap();
    assert_eq!(store.delivery(department, delivery.id).await.unwrap(), None, "it went with its subscription");
}

async fn attempts_stand_in_order_and_a_repeated_one_once(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let row = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    let (one, two) = (delivery_of(vec![]), delivery_of(vec![]));
    fixture.freeze(row, vec![one.clone(), two.clone()]).await;
    let silent = Attempt {
        status: None,
        error: Some("timed out".into()),
        answer: None,
        took: Duration::from_secs(15),
        at: NOW + HOUR,
        ..attempt(one.id, 2)
    };
    let attempts = vec![silent.clone(), attempt(one.id, 1), attempt(two.id, 1)];
    let step = DeliveryStep { subscription: row, attempts, ..DeliveryStep::default() };
    // As after an answer that nobody got: the same step once more.
    for _ in 0..2 {
        fixture.store.record_step(step.clone()).await.unwrap();
    }
    assert_eq!(fixture.store.attempts(row, one.id).await.unwrap(), [attempt(one.id, 1), silent]);
    assert_eq!(fixture.store.attempts(row, two.id).await.unwrap(), [attempt(two.id, 1)]);
    assert!(fixture.store.attempts(row + 1, one.id).await.unwrap().is_empty());
}

async fn a_test_is_kept_and_is_no_work(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let subscription = fixture.subscribe(SubscriptionKind::Webhook).await;
    let (kind, state) = (DeliveryKind::Test, DeliveryState::Exhausted);
    let test = Delivery { kind, state, attempts: 1, ..delivery_of(vec![]) };
    let tried = attempt(test.id, 1);
    fixture.store.keep_test(subscription.row, test.clone(), tried.clone()).await.unwrap();
    let found = fixture.store.delivery(fixture.department, test.id).await.unwrap().unwrap().2;
    assert_eq!(found, test);
    assert_eq!(fixture.store.attempts(subscription.row, test.id).await.unwrap(), [tried]);
    assert!(fixture.store.progress(&subscription).await.unwrap().open.is_empty());
}
