//! Subscriptions as they are made, found, changed and deleted.

use super::{log::at, *};
use herald_rules::ids::SubscriptionId;

on_both_engines! {
    a_subscription_is_found_as_it_was_made,
    it_begins_where_the_log_stands_and_gets_all_of_a_later_lane,
    it_is_written_anew_without_its_state,
    whoever_resumes_it_says_that_all_is_well,
    what_is_deleted_is_found_no_more,
    a_backlog_counts_what_waits_and_what_failed,
}

impl Fixture {
    pub(super) fn new_subscription(&self, kind: SubscriptionKind) -> NewSubscription {
        NewSubscription {
            department: self.department,
            id: SubscriptionId::new(),
            kind,
            name: "Test".into(),
            url: (kind == SubscriptionKind::Webhook).then(|| "https://example.com/events".into()),
            settings: SubscriptionSettings::default(),
            sealed: Some(b"sealed".to_vec()),
            created_at: NOW,
        }
    }

    pub(super) async fn subscribe(&self, kind: SubscriptionKind) -> Subscription {
        self.store.create_subscription(self.new_subscription(kind)).await.unwrap()
    }

    pub(super) async fn subscription_now(&self, row: SubscriptionRow) -> Subscription {
        self.store.subscription(row).await.unwrap().unwrap()
    }

    async fn fails(&self, row: SubscriptionRow, failing: Failing) {
        let failing = Some((Some(failing), Some("nobody answers".to_owned())));
        let step = DeliveryStep { subscription: row, failing, ..DeliveryStep::default() };
        self.store.record_step(step).await.unwrap();
    }
}

async fn a_subscription_is_found_as_it_was_made(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let settings = SubscriptionSettings {
        events: vec![CHANNEL_ERROR.into()],
        max_batch: Some(7),
        secret_name: Some("second".into()),
    };
    let new = NewSubscription { settings, ..fixture.new_subscription(SubscriptionKind::Webhook) };
    let made = fixture.store.create_subscription(new.clone()).await.unwrap();
    let expected = Subscription {
        row: made.row,
        department: fixture.department,
        id: new.id,
        kind: SubscriptionKind::Webhook,
        standard: false,
        name: "Test".into(),
        state: SubscriptionState::Active,
        url: new.url.clone(),
        settings: new.settings.clone(),
        sealed: new.sealed.clone(),
        failing: None,
        problem: None,
        created_at: NOW,
    };
    assert_eq!(made, expected);
    let polling = fixture.subscribe(SubscriptionKind::Polling).await;
    assert_eq!((polling.kind, polling.url.clone()), (SubscriptionKind::Polling, None));
    let fixture = fixture.reopened().await;
    let (store, department) = (&fixture.store, fixture.department);
    assert_eq!(store.subscription(made.row).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.subscription_by_id(department, new.id).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.subscription_by_id(department + 1, new.id).await.unwrap(), None);
    assert_eq!(store.subscription(made.row + 100).await.unwrap(), None);
    let all = [expected, polling];
    assert_eq!(store.subscriptions(Some(department)).await.unwrap(), all, "oldest first");
    assert_eq!(store.subscriptions(None).await.unwrap(), all);
    assert!(store.subscriptions(Some(department + 1)).await.unwrap().is_empty());
}

async fn it_begins_where_the_log_stands_and_gets_all_of_a_later_lane(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.event_in(fixture.lane).await;
    let subscription = fixture.subscribe(SubscriptionKind::Webhook).await;
    let later = fixture.another_lane("15550100201").await;
    let progress = fixture.store.progress(&subscription).await.unwrap();
    let mut cursors = progress.cursors;
    cursors.retain(|cursor| *cursor != at(later, 0));
    assert_eq!(cursors, [at(fixture.lane, 1)], "what happened before is not for it");
    assert_eq!(fixture.store.backlog(subscription.row).await.unwrap(), Backlog::default());
    fixture.event_in(later).await;
    assert_eq!(fixture.store.backlog(subscription.row).await.unwrap().behind, 1);
}

async fn it_is_written_anew_without_its_state(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let made = fixture.subscribe(SubscriptionKind::Webhook).await;
    let untouched = fixture.subscribe(SubscriptionKind::Webhook).await;
    let failing = Failing { since: NOW, failures: 3, retry_at: NOW + HOUR };
    fixture.fails(made.row, failing).await;
    let settings = SubscriptionSettings { max_batch: Some(2), ..SubscriptionSettings::default() };
    // Read before it failed, written after: how it stands is its worker's to say.
    let changed = Subscription {
        name: "Other".into(),
        url: Some("https://example.com/other".into()),
        settings,
        sealed: None,
        ..made.clone()
    };
    fixture.store.update_subscription(changed.clone()).await.unwrap();
    let expected = Subscription { failing: Some(failing), problem: Some("nobody answers".into()), ..changed };
    assert_eq!(fixture.subscription_now(made.row).await, expected);
    assert_eq!(fixture.subscription_now(untouched.row).await, untouched);
}

async fn whoever_resumes_it_says_that_all_is_well(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let row = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    let set = |state| fixture.store.set_subscription_state(row, state);
    let failing = Failing { since: NOW, failures: 3, retry_at: NOW + HOUR };
    fixture.fails(row, failing).await;
    let pause = DeliveryStep { subscription: row, pause: true, ..DeliveryStep::default() };
    fixture.store.record_step(pause.clone()).await.unwrap();
    let paused = fixture.subscription_now(row).await;
    assert_eq!((paused.state, paused.failing), (SubscriptionState::PausedByFailure, Some(failing)));
    set(SubscriptionState::Active).await.unwrap();
    let resumed = fixture.subscription_now(row).await;
    assert_eq!((resumed.state, resumed.failing), (SubscriptionState::Active, None));
    set(SubscriptionState::Paused).await.unwrap();
    // A worker that fails just then does not make a person's pause its own.
    fixture.store.record_step(pause).await.unwrap();
    assert_eq!(fixture.subscription_now(row).await.state, SubscriptionState::Paused);
    let recovered = DeliveryStep { subscription: row, failing: Some((None, None)), ..DeliveryStep::default() };
    fixture.fails(row, failing).await;
    fixture.store.record_step(recovered).await.unwrap();
    let now = fixture.subscription_now(row).await;
    assert_eq!((now.failing, now.problem), (None, None));
}

async fn what_is_deleted_is_found_no_more(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (gone, stays) =
        (fixture.subscribe(SubscriptionKind::Webhook).await, fixture.subscribe(SubscriptionKind::Polling).await);
    let (store, department) = (&fixture.store, fixture.department);
    store.set_subscription_state(gone.row, SubscriptionState::Deleted).await.unwrap();
    store.set_subscription_state(gone.row, SubscriptionState::Active).await.unwrap();
    assert_eq!(store.subscription(gone.row).await.unwrap(), None, "nothing brings it back");
    assert_eq!(store.subscription_by_id(department, gone.id).await.unwrap(), None);
    assert_eq!(store.subscriptions(None).await.unwrap(), [stays]);
    assert_eq!(store.backlog(gone.row).await.unwrap(), Backlog::default());
}

async fn a_backlog_counts_what_waits_and_what_failed(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let row = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(fixture.event_in(fixture.lane).await);
    }
    let delivery = |state, sequence| Delivery { state, ..deliveries::delivery_of(vec![at(fixture.lane, sequence)]) };
    let step = DeliveryStep {
        subscription: row,
        frozen: vec![
            delivery(DeliveryState::Waiting, 1),
            delivery(DeliveryState::Parked, 2),
            delivery(DeliveryState::Exhausted, 3),
            delivery(DeliveryState::Taken, 3),
        ],
        cursors: vec![at(fixture.lane, 4)],
        held: vec![(at(fixture.lane, 4), ids[3])],
        ..DeliveryStep::default()
    };
    fixture.store.record_step(step).await.unwrap();
    let backlog = fixture.store.backlog(row).await.unwrap();
    assert_eq!(backlog, Backlog { behind: 3, waiting: 1, parked: 1, exhausted: 1 }, "two in the log, one held");
}
