//! The holder's own end of a lease.

use std::time::Duration;

/// Until when the holder of a lease may call providers, in time since boot.
///
/// The clock must be monotonic and run while the machine sleeps (Linux: `CLOCK_BOOTTIME`): a virtual machine that was suspended for
/// an hour must not go on as if no time had passed. It counts from the moment at which the renewal was **sent**: the
/// store wrote the lease's end later than that, so that the bound passes first, however long the statement or its answer took.
/// Only the two clocks' rates must agree, and the store's clock must not be set forward: see `docs/decisions/0004-leases.md`.
///
/// It is that of one epoch: what was claimed under another must not go by it, also on the node that has lost the group and taken
/// it again. Look at it as the last thing before the call, and again whenever the call has waited for something. A stop between
/// look and call cannot be guarded against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound(Duration);

impl Bound {
    /// Already passed: nothing is held.
    pub const PASSED: Self = Self(Duration::ZERO);

    /// The bound that a renewal (or the taking of the lease) gives which was sent at this moment and has succeeded. A lease has
    /// the latest of the bounds that its renewals gave: their answers may come in another order.
    pub fn after_renewal(sent_at: Duration, lease: Duration) -> Self {
        Self(sent_at.saturating_add(lease))
    }

    /// Whether a provider may be called at this moment.
    pub fn may_call(self, now: Duration) -> bool {
        now < self.0
    }

    /// How long calls may still begin.
    pub fn left(self, now: Duration) -> Duration {
        self.0.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LEASE;
    use super::*;

    const SENT: Duration = Duration::from_secs(86_400);

    #[test]
    fn counts_from_the_moment_of_sending() {
        let bound = Bound::after_renewal(SENT, LEASE);
        assert!(bound.may_call(SENT));
        assert!(bound.may_call(SENT + LEASE - Duration::from_nanos(1)));
        assert!(!bound.may_call(SENT + LEASE));
        assert_eq!(bound.left(SENT + Duration::from_secs(1)), LEASE - Duration::from_secs(1));
        assert_eq!(bound.left(SENT + LEASE * 2), Duration::ZERO);
    }

    #[test]
    fn the_latest_renewal_counts_in_whatever_order_answers_come() {
        let (first, second) =
            (Bound::after_renewal(SENT, LEASE), Bound::after_renewal(SENT + Duration::from_secs(1), LEASE));
        assert_eq!(second.max(first), second);
    }

    #[test]
    fn what_is_not_held_never_calls() {
        assert!(!Bound::PASSED.may_call(Duration::ZERO));
        assert_eq!(Bound::default(), Bound::PASSED);
    }
}
