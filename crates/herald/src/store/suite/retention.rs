//! What is forgotten: in steps, what has served its time, and nothing else.

use super::{
    deliveries::{attempt, delivery_made_at},
    log::at,
    *,
};

on_both_engines! {
    deliveries_that_ended_go_with_their_attempts,
    what_a_poller_never_deleted_goes_after_its_time,
    what_is_left_of_a_deleted_subscription_goes,
    messages_are_forgotten_page_by_page,
    what_is_being_checked_or_waits_for_a_part_is_not_forgotten,
    each_department_forgets_its_own,
    a_month_that_has_a_table_goes_when_nothing_of_it_waits,
    windows_that_have_closed_are_forgotten_page_by_page,
}

impl Fixture {
    async fn prune_all_events(&self, retention: EventRetention) -> u64 {
        let mut gone = 0;
        loop {
            match self.store.prune_events(retention).await.unwrap() {
                0 => return gone,
                step => gone += step,
            }
        }
    }

    async fn prune_all_messages(&self, before: Timestamp) -> usize {
        let (mut after, mut steps) = (None, 1);
        loop {
            after = self.store.prune_messages(self.department, before, after).await.unwrap();
            if after.is_none() {
                return steps;
            }
            steps += 1;
        }
    }
}

fn retention(before: Timestamp) -> EventRetention {
    EventRetention { deliveries_before: before, polled_before: before, step: 2 }
}

async fn deliveries_that_ended_go_with_their_attempts(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let row = fixture.subscribe(SubscriptionKind::Webhook).await.row;
    let old = [DeliveryState::Taken, DeliveryState::Exhausted, DeliveryState::Split, DeliveryState::Taken]
        .map(|state| delivery_made_at(NOW, state));
    let stays = [DeliveryState::Waiting, DeliveryState::Parked].map(|state| delivery_made_at(NOW, state));
    let young = [delivery_made_at(NOW + HOUR, DeliveryState::Taken)];
    let all: Vec<_> = old.iter().chain(&stays).chain(&young).cloned().collect();
    let step = DeliveryStep {
        subscription: row,
        attempts: all.iter().map(|delivery| attempt(delivery.id, 1)).collect(),
        frozen: all,
        ..DeliveryStep::default()
    };
    fixture.store.record_step(step).await.unwrap();
    let first = fixture.store.prune_events(retention(NOW + HOUR)).await.unwrap();
    assert!((1..=8).contains(&first), "in small steps: {first}");
    fixture.prune_all_events(retention(NOW + HOUR)).await;
    let filter = DeliveryFilter { limit: 100, ..DeliveryFilter::default() };
    let mut left: Vec<_> = fixture.store.deliveries(row, filter).await.unwrap().into_iter().map(|d| d.id).collect();
    left.sort_unstable();
    let mut expected: Vec<_> = stays.iter().chain(&young).map(|delivery| delivery.id).collect();
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert!(fixture.store.attempts(row, old[0].id).await.unwrap().is_empty());
    assert_eq!(fixture.store.attempts(row, young[0].id).await.unwrap().len(), 1);
}

async fn what_a_poller_never_deleted_goes_after_its_time(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queue = fixture.store.standard_queue(fixture.department, NOW).await.unwrap();
    for _ in 0..5 {
        fixture.event_in(fixture.lane).await;
    }
    let hidden_for = Duration::from_secs(30);
    let poll = |now| Poll { now, limit: 10, hidden_for, keep: 72 * HOUR, delete: false };
    assert_eq!(fixture.store.poll(queue.clone(), poll(NOW)).await.unwrap().len(), 5);
    assert_eq!(fixture.prune_all_events(retention(NOW)).await, 0);
    assert_eq!(fixture.prune_all_events(retention(NOW + HOUR)).await, 5);
    assert!(fixture.store.poll(queue.clone(), poll(NOW + HOUR)).await.unwrap().is_empty());
    assert_eq!(fixture.store.backlog(queue.row).await.unwrap(), Backlog::default());
}

async fn what_is_left_of_a_deleted_subscription_goes(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (gone, stays) =
        (fixture.subscribe(SubscriptionKind::Webhook).await, fixture.subscribe(SubscriptionKind::Webhook).await);
    for row in [gone.row, stays.row] {
        let delivery = delivery_made_at(NOW, DeliveryState::Waiting);
        let step = DeliveryStep {
            subscription: row,
            attempts: vec![attempt(delivery.id, 1)],
            frozen: vec![delivery],
            cursors: vec![at(fixture.lane, 1)],
            held: vec![(at(fixture.lane, 2), MessageId::new())],
            ..DeliveryStep::default()
        };
        fixture.store.record_step(step).await.unwrap();
    }
    fixture.store.set_subscription_state(gone.row, SubscriptionState::Deleted).await.unwrap();
    // Delivery, attempt, cursor, what was held, and the subscription itself.
    assert_eq!(fixture.prune_all_events(retention(Timestamp(0))).await, 5);
    let progress = fixture.store.progress(&stays).await.unwrap();
    assert_eq!((progress.open.len(), progress.held.len(), progress.cursors.len()), (1, 1, 1));
    let progress = fixture.store.progress(&gone).await.unwrap();
    assert_eq!((progress.open.len(), progress.held.len(), progress.cursors.len()), (0, 0, 0));
}

async fn messages_are_forgotten_page_by_page(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for number in 0..250 {
        fixture.accept_old(number).await;
    }
    let page = fixture.store.head(fixture.department, fixture.lane, Priority::Transactional, 0, 1_000).await.unwrap();
    let waits = page.messages[7].message.id;
    for queued in page.messages.iter().filter(|queued| queued.message.id != waits) {
        fixture.record(queued, vec![], Recorded::Accepted { reference: None }).await;
    }
    fixture.prune_all_messages(LATER).await;
    let filter = MessageFilter {
        department: fixture.department,
        lanes: None,
        to: None,
        status: None,
        since: None,
        until: None,
        before: None,
        limit: 1_000,
        look_at: 1_000,
    };
    let left = fixture.store.list(filter).await.unwrap().messages;
    assert!(left.len() <= 2, "what waits, and at most the last of the log: {}", left.len());
    assert!(left.iter().any(|summary| summary.message.id == waits));
    assert!(fixture.log().await.len() <= 1);
}

async fn what_is_being_checked_or_waits_for_a_part_is_not_forgotten(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let checked = fixture.accept_old(1).await;
    let new = fixture.new_message("2", |message| (message.id, message.parts) = (MessageId::received_at(OLD, 2), 2));
    fixture.store.accept(vec![new]).await.unwrap();
    let in_parts = fixture.heard.arrived.lock().unwrap().last().unwrap().clone();
    fixture.claim(1, vec![checked.clone()]).await;
    let cause = herald_rules::reason::Reason::ProviderTimeout.into();
    fixture.record(&checked, vec![1], Recorded::Unknown { deadline: NOW, cause }).await;
    fixture.part_accepted(&in_parts, "a").await;
    let last = fixture.accept("3").await;
    fixture.accepted_as(&last, "last").await;
    fixture.prune_all_messages(LATER).await;
    assert!(fixture.knows(checked.message.id).await && fixture.knows(in_parts.message.id).await);
    let story = fixture.store.story(fixture.department, in_parts.message.id).await.unwrap().unwrap();
    assert_eq!(story.parts[0].part.status, Status::Accepted);
    assert!(fixture.store.is_checking(fixture.department, fixture.lane, checked.message.id).await.unwrap());
}

async fn each_department_forgets_its_own(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (ended, last) = (fixture.accept_old(1).await, fixture.accept("2").await);
    fixture.accepted_as(&ended, "a").await;
    fixture.accepted_as(&last, "b").await;
    let other = fixture.store.add_department(new_department()).await.unwrap();
    assert_eq!(fixture.store.prune_messages(other, LATER, None).await.unwrap(), None);
    assert!(fixture.knows(ended.message.id).await);
    fixture.prune_all_messages(LATER).await;
    assert!(!fixture.knows(ended.message.id).await && fixture.knows(last.message.id).await);
}

async fn a_month_that_has_a_table_goes_when_nothing_of_it_waits(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.store.keep_house(OLD).await.unwrap();
    let (ended, waiting) = (fixture.accept_old(1).await, fixture.accept_old(2).await);
    fixture.accepted_as(&ended, "ref").await;
    fixture.prune_all_messages(LATER).await;
    assert!(fixture.knows(waiting.message.id).await);
    assert_eq!(fixture.head(Priority::Transactional).await, [waiting.message.id]);
    fixture.accepted_as(&waiting, "other").await;
    let young = fixture.accept("3").await;
    fixture.accepted_as(&young, "young").await;
    // An engine may remember for a while that something waited.
    let fixture = fixture.reopened().await;
    fixture.prune_all_messages(LATER).await;
    let known = [
        fixture.knows(ended.message.id).await,
        fixture.knows(waiting.message.id).await,
        fixture.knows(young.message.id).await,
    ];
    assert_eq!(known, [false, false, true]);
    assert_eq!(fixture.log().await, [at(fixture.lane, 3)]);
    assert_eq!(fixture.receipt(Fixture::theirs("ref"), Status::Read).await.early, 1);
    fixture.store.keep_house(OLD).await.unwrap();
    fixture.accept_old(4).await;
}

async fn windows_that_have_closed_are_forgotten_page_by_page(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture
        .sql(
            "INSERT INTO open_window (lane, customer, until)
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
             SELECT lane, 'c' || n, n FROM n CROSS JOIN lane",
        )
        .await;
    let (mut after, mut steps) = (None, 1);
    loop {
        after = fixture.store.prune_windows(Timestamp(601), after).await.unwrap();
        if after.is_none() {
            break;
        }
        steps += 1;
    }
    assert_eq!(steps, 3);
    for (customer, until) in [("c1", None), ("c600", None), ("c601", Some(601)), ("c1200", Some(1200))] {
        let reach = fixture.store.reach(fixture.department, fixture.channel, fixture.lane, customer).await.unwrap();
        assert_eq!(reach.window_until, until.map(Timestamp), "{customer}");
    }
}
