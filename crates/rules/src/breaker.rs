//! The circuit breaker of a provider account: when the provider cannot be reached, stop calling, and try with one
//! message now and then instead of failing them all.

use crate::time::Timestamp;
use std::time::Duration;

/// So many failures in a row open it. Fewer would open on a single lost connection that several calls shared.
const FAILURES: u32 = 5;
/// The first wait.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait: a provider that is back is found within a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A probe that has not reported after this time counts as lost, and another is let through. Above the time-out of
/// every call (20 s).
const PROBE_LOST_AFTER: Duration = Duration::from_secs(30);
/// While a probe is under way, others look again this often; it usually answers within milliseconds.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Yes.
    Go,
    /// Yes, this one: its outcome decides for all.
    Probe,
    /// No; ask again at this moment.
    WaitUntil(Timestamp),
}

/// The state in a word, for metrics and explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// No calls.
    Open,
    /// One call is finding out.
    HalfOpen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp, wait: Duration },
    HalfOpen { probe_lost_at: Timestamp, wait: Duration },
}

/// A circuit breaker. Only failures to reach the provider count (no connection, no answer, 5xx): an answer that
/// refuses a message is a sign of life, and counts as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    state: State,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed { failures: 0 } }
    }
}

impl Breaker {
    /// Asks for one call. After [`Permit::Go`] and [`Permit::Probe`] report [`Breaker::succeeded`] or
    /// [`Breaker::failed`]; a probe that reports nothing is replaced after 30 seconds.
    pub fn may_call(&mut self, now: Timestamp) -> Permit {
        match self.state {
            State::Closed { .. } => Permit::Go,
            // The second case is a clock set back: no wait is longer than the longest.
            State::Open { until, .. } if until > now && until <= now + LONGEST_WAIT => Permit::WaitUntil(until),
            State::HalfOpen { probe_lost_at, .. } if probe_lost_at > now && probe_lost_at <= now + PROBE_LOST_AFTER => {
                Permit::WaitUntil(probe_lost_at.min(now + LOOK_AGAIN))
            }
            State::Open { wait, .. } | State::HalfOpen { wait, .. } => {
                self.state = State::HalfOpen { probe_lost_at: now + PROBE_LOST_AFTER, wait };
                Permit::Probe
            }
        }
    }

    /// A call reached the provider.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.state = match self.state {
            State::Closed { .. } | State::HalfOpen { .. } => State::Closed { failures: 0 },
            // A call from before the opening came through after all: not proof enough to let all go, but reason to
            // probe now instead of waiting.
            State::Open { until, wait } => State::Open { until: until.min(now), wait },
        };
    }

    /// A call did not reach the provider.
    pub fn failed(&mut self, now: Timestamp) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
            State::Closed { .. } => State::Open { until: now + FIRST_WAIT, wait: FIRST_WAIT },
            // The rest of the calls that were under way when it opened: known already.
            open @ State::Open { .. } => open,
            State::HalfOpen { wait, .. } => {
                let wait = (wait * 2).min(LONGEST_WAIT);
                State::Open { until: now + wait, wait }
            }
        };
    }

    /// The state in a word.
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        T0 + Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.may_call(T0), Permit::Go);
            breaker.failed(T0);
        }
        breaker
    }

    #[test]
    fn five_in_a_row_open_it() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            for _ in 0..4 {
                breaker.failed(T0);
            }
            assert_eq!(breaker.may_call(T0), Permit::Go);
            breaker.succeeded(T0);
        }
        assert_eq!(opened().may_call(T0), Permit::WaitUntil(after(1)));
    }

    #[test]
    fn one_probe_at_a_time_and_its_success_closes() {
        let mut breaker = opened();
        assert_eq!(breaker.may_call(after(1)), Permit::Probe);
        assert_eq!(breaker.may_call(after(1)), Permit::WaitUntil(after(2)));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.succeeded(after(1));
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn waits_double_to_a_minute() {
        let mut breaker = opened();
        let mut now = T0;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let Permit::WaitUntil(until) = breaker.may_call(now) else { panic!("open") };
            waits.push(until.since(now).as_secs());
            now = until;
            assert_eq!(breaker.may_call(now), Permit::Probe);
            breaker.failed(now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn stragglers_change_nothing_but_a_late_success_probes_at_once() {
        let mut breaker = opened();
        for _ in 0..50 {
            breaker.failed(T0 + Duration::from_millis(500));
        }
        assert_eq!(breaker.may_call(T0 + Duration::from_millis(500)), Permit::WaitUntil(after(1)));
        breaker.succeeded(T0 + Duration::from_millis(600));
        assert_eq!(breaker.may_call(T0 + Duration::from_millis(600)), Permit::Probe);
    }

    #[test]
    fn a_lost_probe_is_replaced() {
        let mut breaker = opened();
        assert_eq!(breaker.may_call(after(1)), Permit::Probe);
        assert!(matches!(breaker.may_call(after(30)), Permit::WaitUntil(_)));
        assert_eq!(breaker.may_call(after(31)), Permit::Probe);
    }

    #[test]
    fn a_clock_set_back_does_not_wedge() {
        let mut breaker = opened();
        let yesterday = T0 - Duration::from_secs(86_400);
        assert_eq!(breaker.may_call(yesterday), Permit::Probe);
        assert_eq!(breaker.may_call(yesterday - Duration::from_secs(86_400)), Permit::Probe);
    }

    proptest! {
        /// Whatever happens and whatever is never reported: who waits as told gets through within a minute and a half.
        #[test]
        fn never_wedged(steps in proptest::collection::vec((0..40_000u64, 0..4u8), 0..200)) {
            let mut breaker = Breaker::default();
            let mut now = T0;
            for (pause, what) in steps {
                now = now + Duration::from_millis(pause);
                match what {
                    0 => breaker.succeeded(now),
                    1 => breaker.failed(now),
                    _ => {
                        if let Permit::WaitUntil(until) = breaker.may_call(now) {
                            prop_assert!(until > now && until <= now + LONGEST_WAIT);
                        }
                    }
                }
            }
            let from = now;
            while let Permit::WaitUntil(until) = breaker.may_call(now) {
                now = until;
            }
            prop_assert!(now.since(from) <= LONGEST_WAIT);
        }
    }
}
