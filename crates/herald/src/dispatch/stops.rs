//! The stops and restrictions of an account: what of it cannot send, shared by all its lanes.

use crate::store::LaneRow;
use herald_rules::{
    breaker::Permit,
    pace::stop::{Stop, StopScope},
    time::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The stops of an account. They end with its credentials: an account built anew from others begins without.
#[derive(Debug, Default)]
pub struct Stops {
    stopped: Mutex<Stopped>,
    restricted: Mutex<Option<Restriction>>,
}

/// Nobody is written to first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restriction {
    Until(Timestamp),
    UntilLifted,
}

/// Where the provider does not say how long a restriction lasts, a message that waits for its end looks again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Default)]
struct Stopped {
    account: Option<Stop>,
    lanes: HashMap<LaneRow, Stop>,
}

impl Stopped {
    /// The account's goes before the lane's own.
    fn of(&mut self, lane: LaneRow) -> Option<&mut Stop> {
        self.account.as_mut().or_else(|| self.lanes.get_mut(&lane))
    }
}

impl Stops {
    /// What stops a lane.
    pub fn of(&self, lane: LaneRow) -> Option<Stop> {
        self.lock().of(lane).cloned()
    }

    /// Whether a lane may call its provider.
    pub fn may_call(&self, lane: LaneRow, now: Timestamp) -> Permit {
        match self.lock().of(lane).map(|stop| stop.may_try(now)) {
            None => Permit::Go,
            Some(Ok(())) => Permit::Probe,
            Some(Err(until)) => Permit::WaitUntil(until),
        }
    }

    /// A lane that is stopped tries one message.
    pub fn trying(&self, lane: LaneRow, now: Timestamp) {
        if let Some(stop) = self.lock().of(lane) {
            stop.trying(now);
        }
    }

    /// The message by which a stopped lane tried, taken at a moment, ended without a call: the next one tries.
    pub fn not_tried(&self, lane: LaneRow, taken_at: Timestamp) {
        if let Some(stop) = self.lock().of(lane)
            && stop.is_older_than(taken_at)
        {
            stop.next_try = taken_at;
        }
    }

    /// A call was answered by this. Returns whether it is the first word of it: a new stop.
    pub fn refused(&self, lane: LaneRow, new: &Stop) -> bool {
        let mut stopped = self.lock();
        if let Some(stop) = stopped.of(lane) {
            stop.goes_on(new.since, Some(new.next_try.since(new.since)));
            return false;
        }
        match new.scope {
            StopScope::Account => stopped.account = Some(new.clone()),
            StopScope::Identifier => drop(stopped.lanes.insert(lane, new.clone())),
        }
        true
    }

    /// After a start: a stop that was kept.
    pub fn restore(&self, lane: LaneRow, stop: Stop) {
        let mut stopped = self.lock();
        match stop.scope {
            StopScope::Account => drop(stopped.account.get_or_insert(stop)),
            StopScope::Identifier => drop(stopped.lanes.insert(lane, stop)),
        }
    }

    /// What was called at a moment was taken, or refused for its own sake: stops older than that have ended. Returns those of
    /// `lanes` that go on.
    pub fn worked(&self, lane: LaneRow, tried_at: Timestamp, lanes: &[LaneRow]) -> Vec<LaneRow> {
        self.end(lane, lanes, |stop| stop.is_older_than(tried_at))
    }

    /// Somebody says that all is well again. Returns those of `lanes` that go on.
    pub fn lift(&self, lane: LaneRow, lanes: &[LaneRow]) -> Vec<LaneRow> {
        self.end(lane, lanes, |_| true)
    }

    /// Ends all stops.
    pub fn lift_all(&self, lanes: &[LaneRow]) -> Vec<LaneRow> {
        let stopped = std::mem::take(&mut *self.lock());
        match stopped.account {
            Some(_) => lanes.to_vec(),
            None => stopped.lanes.into_keys().collect(),
        }
    }

    /// Nobody is written to first until a moment; None: until that is lifted.
    pub fn restrict(&self, until: Option<Timestamp>) {
        *self.restriction() = Some(until.map_or(Restriction::UntilLifted, Restriction::Until));
    }

    /// The restriction is over. Tells whether there was one.
    pub fn lift_restriction(&self) -> bool {
        self.restriction().take().is_some()
    }

    /// Until when nobody may be written to first; None: everybody may.
    pub fn restricted_until(&self, now: Timestamp) -> Option<Timestamp> {
        match *self.restriction() {
            Some(Restriction::Until(until)) => Some(until).filter(|until| *until > now),
            Some(Restriction::UntilLifted) => Some(now + LOOK_AGAIN),
            None => None,
        }
    }

    fn restriction(&self) -> MutexGuard<'_, Option<Restriction>> {
        self.restricted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of `lanes` stand still.
    pub fn count(&self, lanes: &[LaneRow]) -> usize {
        let mut stopped = self.lock();
        lanes.iter().filter(|lane| stopped.of(**lane).is_some()).count()
    }

    fn end(&self, lane: LaneRow, lanes: &[LaneRow], over: impl Fn(&Stop) -> bool) -> Vec<LaneRow> {
        let mut stopped = self.lock();
        let mut on = Vec::new();
        if stopped.lanes.get(&lane).is_some_and(&over) {
            stopped.lanes.remove(&lane);
            on.push(lane);
        }
        if stopped.account.as_ref().is_some_and(&over) {
            stopped.account = None;
            on = lanes.iter().copied().filter(|lane| !stopped.lanes.contains_key(lane)).collect();
        }
        on
    }

    fn lock(&self) -> MutexGuard<'_, Stopped> {
        // Plain values: a panic elsewhere leaves them whole.
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_rules::reason::Reason;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        T0 + Duration::from_secs(seconds)
    }

    fn stop(scope: StopScope, at: Timestamp) -> Stop {
        Stop::new(Reason::ProviderAuthFailed.into(), scope, at, None)
    }

    #[test]
    fn the_first_refusal_stops_the_account_and_the_rest_is_no_news() {
        let stops = Stops::default();
        assert_eq!(stops.may_call(1, T0), Permit::Go);
        assert!(stops.refused(1, &stop(StopScope::Account, T0)));
        assert!(!stops.refused(2, &stop(StopScope::Account, after(1))));
        assert!(!stops.refused(2, &stop(StopScope::Identifier, after(1))));
        assert_eq!(stops.may_call(2, after(2)), Permit::WaitUntil(after(901)));
        assert_eq!(stops.count(&[1, 2, 3]), 3);
        // What was called before the stop and is answered after it proves nothing.
        assert!(stops.worked(1, T0 - Duration::from_secs(1), &[1, 2, 3]).is_empty());
        assert_eq!(stops.may_call(1, after(901)), Permit::Probe);
        stops.trying(1, after(901));
        assert_eq!(stops.may_call(2, after(901)), Permit::WaitUntil(after(1_801)));
        assert_eq!(stops.worked(1, after(901), &[1, 2, 3]), [1, 2, 3]);
        assert_eq!(stops.may_call(2, after(901)), Permit::Go);
    }

    #[test]
    fn a_restriction_holds_until_its_end() {
        let stops = Stops::default();
        stops.restrict(Some(after(60)));
        assert_eq!(stops.restricted_until(T0), Some(after(60)));
        assert_eq!(stops.restricted_until(after(60)), None);
        stops.restrict(None);
        assert_eq!(stops.restricted_until(after(60)), Some(after(960)));
        assert!(stops.lift_restriction() && !stops.lift_restriction());
        assert_eq!(stops.restricted_until(T0), None);
    }

    #[test]
    fn one_identifier_stops_alone() {
        let stops = Stops::default();
        assert!(stops.refused(1, &stop(StopScope::Identifier, T0)));
        assert_eq!((stops.may_call(2, T0), stops.count(&[1, 2])), (Permit::Go, 1));
        assert!(stops.refused(2, &stop(StopScope::Account, T0)));
        assert_eq!(stops.lift(2, &[1, 2]), [2], "the other has a stop of its own");
        assert_eq!(stops.lift(1, &[1, 2]), [1]);
        assert!(stops.lift_all(&[1, 2]).is_empty());
    }
}
