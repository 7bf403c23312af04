//! Polling queues: handed out in order, hidden for a while, gone when deleted.

use super::{log::at, *};

on_both_engines! {
    a_department_has_one_standard_queue_that_begins_with_the_log,
    what_is_handed_out_is_hidden_until_its_time_and_comes_again,
    what_is_deleted_does_not_come_again,
    a_queue_may_take_as_it_reads,
    later_events_of_a_message_wait_for_earlier_ones,
    a_queue_gets_what_it_wants_and_only_while_it_is_active,
    what_is_too_old_is_passed_over,
    readers_at_once_get_each_event_once,
}

const HIDDEN: Duration = Duration::from_secs(30);

fn poll(now: Timestamp) -> Poll {
    Poll { now, limit: 10, hidden_for: HIDDEN, keep: 72 * HOUR, delete: false }
}

impl Fixture {
    async fn queue(&self) -> Subscription {
        self.store.standard_queue(self.department, NOW).await.unwrap()
    }

    async fn polled(&self, queue: &Subscription, poll: Poll) -> Vec<(i64, u32)> {
        let events = self.store.poll(queue.clone(), poll).await.unwrap();
        assert!(events.iter().all(|event| event.key.lane == self.lane));
        events.into_iter().map(|event| (event.key.sequence, event.taken)).collect()
    }

    async fn delete(&self, queue: &Subscription, sequences: &[i64]) -> u64 {
        let keys = sequences.iter().map(|sequence| at(self.lane, *sequence)).collect();
        self.store.delete_polled(queue.row, keys).await.unwrap()
    }

    async fn events(&self, count: usize) {
        for _ in 0..count {
            self.event_in(self.lane).await;
        }
    }
}

async fn a_department_has_one_standard_queue_that_begins_with_the_log(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.events(1).await;
    let asked = tokio::join!(fixture.queue(), fixture.queue(), fixture.queue());
    let queue = asked.0;
    assert!(queue.standard && queue.kind == SubscriptionKind::Polling, "{queue:?}");
    assert_eq!((&asked.1, &asked.2), (&queue, &queue), "made once, however many ask");
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.queue().await, queue);
    assert_eq!(fixture.polled(&queue, poll(NOW)).await, [(1, 1)], "what happened before it was made is in it");
    let other = fixture.store.add_department(new_department()).await.unwrap();
    let theirs = fixture.store.standard_queue(other, NOW).await.unwrap();
    assert_ne!(theirs.row, queue.row);
    assert!(fixture.store.poll(theirs, poll(NOW)).await.unwrap().is_empty());
}

async fn what_is_handed_out_is_hidden_until_its_time_and_comes_again(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.events(3).await;
    let queue = fixture.queue().await;
    assert_eq!(fixture.polled(&queue, Poll { limit: 2, ..poll(NOW) }).await, [(1, 1), (2, 1)]);
    assert_eq!(fixture.polled(&queue, poll(NOW)).await, [(3, 1)]);
    assert_eq!(fixture.polled(&queue, poll(NOW + HIDDEN - Duration::from_micros(1))).await, []);
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.polled(&queue, poll(NOW + HIDDEN)).await, [(1, 2), (2, 2), (3, 2)]);
    assert_eq!(fixture.polled(&queue, poll(NOW + HIDDEN)).await, [], "hidden anew");
    assert_eq!(fixture.store.backlog(queue.row).await.unwrap().behind, 3, "handed out is not taken");
}

async fn what_is_deleted_does_not_come_again(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.events(3).await;
    let queue = fixture.queue().await;
    assert_eq!(fixture.delete(&queue, &[1]).await, 0, "nobody was given it");
    fixture.polled(&queue, poll(NOW)).await;
    assert_eq!(fixture.delete(&queue, &[1, 3, 9]).await, 2);
    assert_eq!(fixture.delete(&queue, &[1]).await, 0);
    assert_eq!(fixture.polled(&queue, poll(NOW + HIDDEN)).await, [(2, 2)]);
    assert_eq!(fixture.delete(&queue, &[2]).await, 1);
    assert_eq!(fixture.store.backlog(queue.row).await.unwrap(), Backlog::default());
    fixture.events(1).await;
    assert_eq!(fixture.polled(&queue, poll(NOW + HIDDEN)).await, [(4, 1)]);
}

async fn a_queue_may_take_as_it_reads(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.events(3).await;
    let queue = fixture.queue().await;
    let take = |limit| Poll { delete: true, limit, ..poll(NOW) };
    assert_eq!(fixture.polled(&queue, take(2)).await, [(1, 1), (2, 1)]);
    assert_eq!(fixture.polled(&queue, poll(NOW)).await, [(3, 1)]);
    assert_eq!(fixture.polled(&queue, Poll { now: NOW + HIDDEN, ..take(9) }).await, [(3, 2)], "handed out before");
    assert_eq!(fixture.polled(&queue, poll(NOW + HOUR)).await, []);
}

async fn later_events_of_a_message_wait_for_earlier_ones(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queue = fixture.queue().await;
    let queued = fixture.accept("1").await;
    fixture.accepted_as(&queued, "ref").await;
    assert_eq!(fixture.polled(&queue, poll(NOW)).await, [(1, 1)]);
    fixture.receipt(Fixture::theirs("ref"), Status::Delivered).await;
    fixture.events(1).await;
    assert_eq!(fixture.polled(&queue, poll(NOW)).await, [(3, 1)], "another message's passes");
    assert_eq!(fixture.delete(&queue, &[2]).await, 0, "nobody was given it");
    assert_eq!(fixture.delete(&queue, &[1]).await, 1);
    assert_eq!(fixture.polled(&queue, poll(NOW)).await, [(2, 1)], "at once, as the earlier one is taken");

    // Where the earlier one is not taken, both come again, in order and together.
    let queued = fixture.accept("2").await;
    fixture.accepted_as(&queued, "other").await;
    fixture.receipt(Fixture::theirs("other"), Status::Delivered).await;
    let later = NOW + HOUR;
    assert_eq!(fixture.delete(&queue, &[2, 3]).await, 2);
    assert_eq!(fixture.polled(&queue, Poll { limit: 1, ..poll(later) }).await, [(4, 1)]);
    assert_eq!(fixture.polled(&queue, poll(later)).await, []);
    assert_eq!(fixture.polled(&queue, poll(later + HIDDEN)).await, [(4, 2), (5, 1)]);
}

async fn a_queue_gets_what_it_wants_and_only_while_it_is_active(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let settings = SubscriptionSettings { events: vec![CHANNEL_ERROR.into()], ..SubscriptionSettings::default() };
    let new = NewSubscription { settings, ..fixture.new_subscription(SubscriptionKind::Polling) };
    let picky = fixture.store.create_subscription(new).await.unwrap();
    let queue = fixture.subscribe(SubscriptionKind::Polling).await;
    let webhook = fixture.subscribe(SubscriptionKind::Webhook).await;
    fixture.events(2).await;
    assert_eq!(fixture.polled(&picky, poll(NOW)).await, []);
    assert_eq!(fixture.store.backlog(picky.row).await.unwrap().behind, 0, "what it does not want is behind it");
    assert_eq!(fixture.polled(&webhook, poll(NOW)).await, []);
    fixture.store.set_subscription_state(queue.row, SubscriptionState::Paused).await.unwrap();
    let paused = fixture.subscription_now(queue.row).await;
    assert_eq!(fixture.polled(&paused, poll(NOW)).await, []);
    fixture.store.set_subscription_state(queue.row, SubscriptionState::Active).await.unwrap();
    assert_eq!(fixture.polled(&queue, poll(NOW)).await, [(1, 1), (2, 1)]);
}

async fn what_is_too_old_is_passed_over(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queue = fixture.queue().await;
    fixture.events(5).await;
    let queued = fixture.accept("1").await;
    fixture.accepted_as(&queued, "ref").await;
    let receipt = Receipt { at: Some(NOW + 100 * HOUR), ..Receipt::new(Fixture::theirs("ref"), Status::Delivered) };
    fixture.store.apply(fixture.department, fixture.channel, vec![receipt], NOW + 100 * HOUR).await.unwrap();
    assert_eq!(fixture.polled(&queue, poll(NOW + 100 * HOUR)).await, [(7, 1)], "six lay there for 100 hours");
}

async fn readers_at_once_get_each_event_once(engine: Engine) {
    let fixture = Arc::new(Fixture::new(engine).await);
    let queue = fixture.queue().await;
    fixture.events(40).await;
    let readers = (0..8).map(|_| {
        let (fixture, queue) = (fixture.clone(), queue.clone());
        tokio::spawn(async move { fixture.polled(&queue, Poll { limit: 7, ..poll(NOW) }).await })
    });
    let mut got = Vec::new();
    for reader in readers.collect::<Vec<_>>() {
        got.extend(reader.await.unwrap());
    }
    // Who found another at it may have got nothing.
    got.extend(fixture.polled(&queue, Poll { limit: 100, ..poll(NOW) }).await);
    got.sort_unstable();
    let each_once: Vec<_> = (1..=40).map(|sequence| (sequence, 1)).collect();
    assert_eq!(got, each_once);
}
