//! What waits for its time: a heap by due time that a task empties in batches.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// One thing that waits. Compared by its time alone; of equal times the one that was added first comes first.
#[derive(Debug)]
struct Entry<T> {
    due: Instant,
    order: u64,
    item: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.order) == (other.due, other.order)
    }
}
impl<T> Eq for Entry<T> {}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

#[derive(Debug)]
struct Queue<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    order: u64,
    /// Until when the task sleeps; unset while it works and will look again by itself.
    sleeps_until: Option<Instant>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Schedule<T> {
    queue: Mutex<Queue<T>>,
    woken: Notify,
}

impl<T> Default for Schedule<T> {
    fn default() -> Self {
        let queue = Queue { heap: BinaryHeap::new(), order: 0, sleeps_until: None };
        Self { queue: Mutex::new(queue), woken: Notify::new() }
    }
}

/// With nothing to do the task sleeps this long; any arrival wakes it before.
const IDLE: Duration = Duration::from_secs(3600);

impl<T> Schedule<T> {
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, and wakes the task only where it would sleep past its time.
    pub(crate) fn push(&self, due: Instant, item: T) {
        let mut queue = self.queue();
        queue.order += 1;
        let order = queue.order;
        let wake = queue.sleeps_until.is_some_and(|until| due < until);
        if wake {
            queue.sleeps_until = None;
        }
        queue.heap.push(Reverse(Entry { due, order, item }));
        drop(queue);
        if wake {
            self.woken.notify_one();
        }
    }

    /// What is due, at most `most`; else how long to sleep. A batch opens when its first item has lingered.
    fn take(&self, now: Instant, most: usize, linger: Duration) -> Result<Vec<T>, Instant> {
        let mut queue = self.queue();
        queue.sleeps_until = None;
        let opens = queue.heap.peek().map_or(now + IDLE, |Reverse(first)| first.due + linger);
        if opens > now {
            queue.sleeps_until = Some(opens);
            return Err(opens);
        }
        let mut batch = Vec::new();
        while batch.len() < most && queue.heap.peek().is_some_and(|Reverse(next)| next.due <= now) {
            batch.extend(queue.heap.pop().map(|Reverse(entry)| entry.item));
        }
        Ok(batch)
    }

    /// Waits for the next batch. `packing` says, each time it looks, how many make one and how long the first lingers.
    pub(crate) async fn next(&self, packing: impl Fn() -> (usize, Duration)) -> Vec<T> {
        loop {
            let (most, linger) = packing();
            match self.take(Instant::now(), most, linger) {
                Ok(batch) => return batch,
                Err(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = self.woken.notified() => {}
                },
            }
        }
    }
}
