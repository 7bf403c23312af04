//! One ordered stream of receipts to one callback address: a heap by due time, and one task that posts them.

use crate::{callbacks::Target, code::Code, engine::Engine, post::deliver, wire::ReceiptStatus};
use herald_rules::time::Timestamp;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep_until},
};
use uuid::Uuid;

/// A receipt that waits for its time.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) due: Instant,
    /// Makes the order of equal times that of insertion.
    pub(crate) order: u64,
    pub(crate) serial: u64,
    pub(crate) client_reference: Uuid,
    pub(crate) status: ReceiptStatus,
    pub(crate) code: Option<Code>,
    pub(crate) at: Timestamp,
    /// Told when the receiver has taken it.
    pub(crate) taken: Option<oneshot::Sender<()>>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.order) == (other.due, other.order)
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

#[derive(Debug, Default)]
struct Queue {
    heap: BinaryHeap<Reverse<Waiting>>,
    order: u64,
    /// Until when the task sleeps; unset while it works and will look again by itself.
    sleeps_until: Option<Instant>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    queue: Mutex<Queue>,
    woken: Notify,
}

/// With nothing to send the task sleeps this long; any arrival wakes it before.
const IDLE: Duration = Duration::from_secs(3600);

impl Shard {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a receipt, and wakes the task only where it would sleep past its time.
    pub(crate) fn push(&self, mut waiting: Waiting) {
        let mut queue = self.queue();
        queue.order += 1;
        waiting.order = queue.order;
        let wake = queue.sleeps_until.is_some_and(|until| waiting.due < until);
        if wake {
            queue.sleeps_until = None;
        }
        queue.heap.push(Reverse(waiting));
        drop(queue);
        if wake {
            self.woken.notify_one();
        }
    }

    /// What is due, at most `most`; else how long to sleep. A batch opens when its first receipt has lingered.
    fn take(&self, now: Instant, most: usize, linger: Duration) -> Result<Vec<Waiting>, Instant> {
        let mut queue = self.queue();
        queue.sleeps_until = None;
        let opens = queue.heap.peek().map_or(now + IDLE, |Reverse(first)| first.due + linger);
        if opens > now {
            queue.sleeps_until = Some(opens);
            return Err(opens);
        }
        let mut batch = Vec::new();
        while batch.len() < most && queue.heap.peek().is_some_and(|Reverse(next)| next.due <= now) {
            batch.extend(queue.heap.pop().map(|Reverse(waiting)| waiting));
        }
        Ok(batch)
    }

    /// Posts what becomes due, for ever, one batch after the other.
    pub(crate) async fn work(&self, target: &Target, engine: &Engine) {
        let mut connection = None;
        loop {
            let packing = engine.behaviours().of(target.protocol).callbacks.clone();
            let linger = Duration::from_millis(u64::from(packing.linger_ms));
            match self.take(Instant::now(), packing.batch as usize, linger) {
                Ok(batch) => deliver(&mut connection, target, engine, batch).await,
                Err(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = self.woken.notified() => {}
                },
            }
        }
    }
}
