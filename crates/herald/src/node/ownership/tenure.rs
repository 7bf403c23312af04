//! A group as this node holds it: since which epoch, until when providers may be called, and whether it is to be given up.

use crate::store::Epoch;
use herald_rules::{
    lease::{Bound, LEASE},
    time::Timestamp,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// The time since boot. It runs while the machine sleeps and while the process stands still.
pub fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// What the parts of this node that work a group hold. One for each time that the group is taken: a part that still holds an
/// earlier one writes with an earlier epoch, and is fenced.
#[derive(Debug)]
pub struct Tenure {
    epoch: Epoch,
    settled_at: Timestamp,
    /// Lanes of which it is not known yet what an earlier owner has left claimed; and one for those that have not begun.
    unsettled: AtomicUsize,
    all_begun: AtomicBool,
    /// Nanoseconds since boot: [`Bound`].
    bound: AtomicU64,
    ended: CancellationToken,
}

impl Tenure {
    /// A group that was taken by a statement sent at `sent`. No call of an earlier owner is under way from `settled_at` on.
    pub fn new(epoch: Epoch, sent: Duration, settled_at: Timestamp) -> Arc<Self> {
        let tenure = Self {
            epoch,
            settled_at,
            unsettled: AtomicUsize::new(1),
            all_begun: AtomicBool::new(false),
            bound: AtomicU64::new(0),
            ended: CancellationToken::new(),
        };
        tenure.renewed(sent);
        Arc::new(tenure)
    }

    /// One that never runs out, for tests of what works a group.
    #[cfg(test)]
    pub fn for_ever() -> Arc<Self> {
        Self::new(Epoch::default(), Duration::from_secs(1 << 32), Timestamp(0))
    }

    /// The epoch with which everything of the group is written.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// When no call of an earlier owner can be under way any more.
    pub fn settled_at(&self) -> Timestamp {
        self.settled_at
    }

    /// A lane begins to be worked.
    pub fn lane_begun(&self) {
        self.unsettled.fetch_add(1, Ordering::AcqRel);
    }

    /// It is known of a lane what an earlier owner has left claimed; or all of the group's lanes have begun.
    pub fn lane_settled(&self) {
        self.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether all lanes of the group have begun.
    pub fn is_begun(&self) -> bool {
        self.all_begun.load(Ordering::Acquire)
    }

    /// All lanes of the group have begun. Once is enough.
    pub fn all_begun(&self) {
        if !self.all_begun.swap(true, Ordering::AcqRel) {
            self.lane_settled();
        }
    }

    /// Whether the group can be given up to another. Before that a call of an earlier owner may be under way that the next would
    /// not wait for: then the lease is left to run out.
    pub fn is_settled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire) == 0
    }

    /// The lease was renewed by a statement that was sent at this moment since boot.
    pub fn renewed(&self, sent: Duration) {
        let nanos = u64::try_from((sent + LEASE).as_nanos()).unwrap_or(u64::MAX);
        self.bound.fetch_max(nanos, Ordering::AcqRel);
    }

    /// Whether a provider may be called now. To be asked last of all before a call.
    pub fn may_call(&self) -> bool {
        let bound = Bound::after_renewal(Duration::from_nanos(self.bound.load(Ordering::Acquire)), Duration::ZERO);
        bound.may_call(since_boot())
    }

    /// Nothing more is to be begun: it is given up, or another node has it.
    pub fn end(&self) {
        self.ended.cancel();
    }

    /// Cancelled when nothing more is to be begun.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_may_begin_until_the_end_of_the_last_renewal() {
        let now = since_boot();
        let tenure = Tenure::new(Epoch(7), now, Timestamp(0));
        assert!(tenure.may_call() && tenure.epoch() == Epoch(7));
        let late = Tenure::new(Epoch(7), now.saturating_sub(LEASE), Timestamp(0));
        assert!(!late.may_call());
        late.renewed(now);
        late.renewed(now.saturating_sub(LEASE));
        assert!(late.may_call(), "answers may come in another order");
    }
}
