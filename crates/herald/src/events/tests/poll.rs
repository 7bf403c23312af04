//! Polling queues.

use super::world::{World, quick};
use crate::{
    events::Handle,
    store::{EventRetention, Subscription},
};
use herald_rules::{status::Status, time::Timestamp};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3600 * SECOND;

struct Poller {
    world: World,
    now: Arc<AtomicI64>,
    queue: Subscription,
}

impl Poller {
    async fn new() -> Self {
        let now = Arc::new(AtomicI64::new(Timestamp::now().0));
        let clock = now.clone();
        let mut settings = quick();
        settings.clock = Arc::new(move || Timestamp(clock.load(Ordering::Relaxed)));
        let world = World::with(settings).await;
        let queue = world.store.standard_queue(world.department, world.settings.now()).await.unwrap();
        Self { world, now, queue }
    }

    fn pass(&self, time: i64) {
        self.now.fetch_add(time, Ordering::Relaxed);
    }

    /// Status and handle of each event.
    async fn poll(&self, delete: bool) -> Vec<(Status, Handle)> {
        let events = self.world.events.poll(self.world.department_id, self.queue.clone(), delete).await.unwrap();
        let read = |text: &String| {
            let event: Value = serde_json::from_str(text).unwrap();
            let status = event["changes"][0]["message"]["status"].as_str().unwrap().parse().unwrap();
            assert!(event["queueMessageId"].is_string() && event["key"].is_string());
            (status, Handle::parse(event["queueReceiptHandle"].as_str().unwrap()).unwrap())
        };
        events.iter().map(read).collect()
    }

    async fn delete(&self, handles: &[(Status, Handle)]) -> u64 {
        let handles = handles.iter().map(|(_, handle)| *handle).collect();
        self.world.events.delete_polled(self.world.department, handles).await.unwrap()
    }
}

#[tokio::test]
async fn events_are_hidden_for_a_minute_and_come_again_until_they_are_deleted() {
    let poller = Poller::new().await;
    let ids = poller.world.messages(2).await;
    poller.world.change(&[(ids[0], Status::Accepted), (ids[1], Status::Accepted)]).await;
    let first = poller.poll(false).await;
    assert_eq!(first.len(), 2);
    assert!(poller.poll(false).await.is_empty(), "hidden");
    assert_eq!(poller.delete(&first[..1]).await, 1);
    assert_eq!(poller.delete(&first[..1]).await, 0, "it is gone");
    poller.pass(60 * SECOND);
    let second = poller.poll(false).await;
    assert_eq!(second.len(), 1);
    assert_eq!((second[0].1.key, second[0].1.taken), (first[1].1.key, 2));
    assert_eq!(poller.delete(&first[1..]).await, 1, "an older handle deletes as well");
    poller.pass(60 * SECOND);
    assert!(poller.poll(false).await.is_empty());
}

#[tokio::test]
async fn later_events_of_a_message_wait_for_the_earlier_one() {
    let poller = Poller::new().await;
    let ids = poller.world.messages(2).await;
    poller.world.change(&[(ids[0], Status::Accepted)]).await;
    let first = poller.poll(false).await;
    poller.world.change(&[(ids[0], Status::Delivered), (ids[1], Status::Accepted)]).await;
    let second = poller.poll(false).await;
    assert_eq!(second.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [Status::Accepted], "the other message");
    // Not deleted: both come, in order, even if a third has happened.
    poller.pass(60 * SECOND);
    poller.world.change(&[(ids[0], Status::Read)]).await;
    assert_eq!(poller.delete(&second).await, 1);
    let third = poller.poll(false).await;
    let statuses: Vec<_> = third.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [Status::Accepted, Status::Delivered, Status::Read]);
    // Deleted in the middle of their time: nothing is left over.
    assert_eq!(poller.delete(&third).await, 3);
    assert_eq!(poller.delete(&first).await, 0);
    poller.pass(61 * SECOND);
    assert!(poller.poll(false).await.is_empty());
}

#[tokio::test]
async fn a_deleted_event_frees_what_waited_for_it() {
    let poller = Poller::new().await;
    let ids = poller.world.messages(1).await;
    poller.world.change(&[(ids[0], Status::Accepted)]).await;
    let first = poller.poll(false).await;
    poller.world.change(&[(ids[0], Status::Delivered)]).await;
    assert!(poller.poll(true).await.is_empty());
    poller.delete(&first).await;
    assert_eq!(poller.poll(true).await.len(), 1);
    assert!(poller.poll(true).await.is_empty());
}

#[tokio::test]
async fn at_most_a_hundred_an_answer_and_deleting_reads_leave_no_rows() {
    let poller = Poller::new().await;
    let ids = poller.world.messages(250).await;
    poller.world.change(&ids.iter().map(|id| (*id, Status::Accepted)).collect::<Vec<_>>()).await;
    let mut sizes = vec![];
    for _ in 0..4 {
        sizes.push(poller.poll(true).await.len());
    }
    assert_eq!(sizes, [100, 100, 50, 0]);
    assert_eq!(poller.world.store.backlog(poller.queue.row).await.unwrap().behind, 0);
}

#[tokio::test]
async fn events_older_than_14_days_are_passed_over() {
    let poller = Poller::new().await;
    let ids = poller.world.messages(300).await;
    let old: Vec<_> = ids[..299].iter().map(|id| (*id, Status::Accepted)).collect();
    poller.world.change(&old).await;
    let hidden = poller.poll(false).await;
    poller.pass(15 * DAY);
    poller.world.change(&[(ids[299], Status::Accepted)]).await;
    let retention = EventRetention {
        deliveries_before: Timestamp(0),
        polled_before: poller.world.settings.now() - Duration::from_secs(14 * 24 * 3600),
        step: 40,
    };
    let mut gone = vec![];
    while let step @ 1.. = poller.world.store.prune_events(retention).await.unwrap() {
        gone.push(step);
    }
    assert_eq!(gone, [40, 40, 20]);
    let fresh = poller.poll(false).await;
    assert_eq!((hidden.len(), fresh.len()), (100, 1));
    assert_eq!(fresh[0].1.key, poller.world.key(300));
}

#[tokio::test]
async fn handles_of_other_departments_delete_nothing() {
    let poller = Poller::new().await;
    let ids = poller.world.messages(1).await;
    poller.world.change(&[(ids[0], Status::Accepted)]).await;
    let handles = poller.poll(false).await.iter().map(|(_, handle)| *handle).collect();
    assert_eq!(poller.world.events.delete_polled(poller.world.department + 1, handles).await.unwrap(), 0);
}
