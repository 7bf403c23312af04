//! When something that failed is tried again: schedules as data.
//!
//! Both schedules are for durable rows: the moment that comes out is stored, so a restart neither forgets a retry nor
//! makes it early.

use crate::{reason::Reason, time::Timestamp};
use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// No wish of a provider makes a message wait longer than this, or than our own step where that is longer: it is tried
/// again, and told again.
const LONGEST_WISH: Duration = Duration::from_secs(HOUR);

/// Every wait is moved by up to a fifth either way, so that what failed together does not come back together.
const JITTER: f64 = 0.2;

/// Waits in seconds, one for each failed try; the last one repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The waits.
    pub steps: &'static [u64],
    /// So many tries in all, the first one included.
    pub tries: u32,
    /// No try later than this after the first one.
    pub age: Duration,
}

/// The provider asked us to slow down. The lane slows as well (see [`crate::pace::adaptive`]), so such a try costs
/// nothing and the number of tries is only a backstop: age decides.
pub const THROTTLED: Schedule =
    Schedule { steps: &[1, 2, 4, 8, 16, 32, MINUTE], tries: 2_000, age: Duration::from_secs(DAY) };

/// The provider cannot be reached, is down, or did not answer.
pub const UNREACHABLE: Schedule =
    Schedule { steps: &[SECOND, 5, 15, MINUTE, 5 * MINUTE, 15 * MINUTE], tries: 150, age: Duration::from_secs(DAY) };

/// The provider answered with an error of its own. It may be this very message that breaks it, so tries are few:
/// ten take about 75 minutes.
pub const PROVIDER_ERROR: Schedule = Schedule { tries: 10, ..UNREACHABLE };

/// The credentials were refused. A person has to act, and every try with wrong credentials may lock the account.
pub const CREDENTIALS: Schedule =
    Schedule { steps: &[MINUTE, 5 * MINUTE, 15 * MINUTE], tries: 150, age: Duration::from_secs(DAY) };

/// Meta has paused the template. The first pause lasts 3 hours, the second 6; a message of a day ago is no longer what
/// anybody waits for.
pub const TEMPLATE_PAUSED: Schedule = Schedule { steps: &[HOUR], tries: 30, age: Duration::from_secs(DAY) };

/// Meta holds the sender back for a day or more.
pub const HELD_BACK: Schedule = Schedule { steps: &[DAY], tries: 4, age: Duration::from_secs(4 * DAY) };

/// A webhook's endpoint did not take a batch of events: 3 days, as v1.2 promises.
pub const WEBHOOK: Schedule = Schedule {
    steps: &[5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR],
    tries: u32::MAX,
    age: Duration::from_secs(3 * DAY),
};

/// The schedule for sends that failed for `reason`; `None` where sending again cannot help or is not ours to decide.
pub fn schedule(reason: Reason) -> Option<Schedule> {
    match reason {
        Reason::ProviderThrottled | Reason::PairLimit => Some(THROTTLED),
        Reason::ProviderUnavailable | Reason::ProviderTimeout => Some(UNREACHABLE),
        Reason::ProviderError => Some(PROVIDER_ERROR),
        Reason::ProviderAuthFailed => Some(CREDENTIALS),
        Reason::TemplatePaused => Some(TEMPLATE_PAUSED),
        Reason::QualityLimit => Some(HELD_BACK),
        // Ends of ours, ends that the provider reports for good, and unknown outcomes, which are reconciled and
        // never retried blindly.
        _ => None,
    }
}

impl Schedule {
    /// Our own wait after `failed` tries (1 after the first), without jitter.
    pub fn step(&self, failed: u32) -> Duration {
        let at = usize::try_from(failed.saturating_sub(1)).unwrap_or(usize::MAX);
        Duration::from_secs(self.steps.get(at).or(self.steps.last()).copied().unwrap_or(MINUTE))
    }

    /// Our own wait, moved by up to a fifth either way.
    fn jittered(&self, failed: u32, random: f64) -> Duration {
        self.step(failed).mul_f64(1.0 + JITTER * (2.0 * unit(random) - 1.0))
    }

    /// `now` plus `wait`, if a try is left. The last try is made at the age limit itself rather than given up early.
    fn at(&self, wait: Duration, failed: u32, first_tried: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let last = first_tried + self.age;
        (failed < self.tries && now < last).then(|| (now + wait).min(last))
    }
}

/// Randomness comes from outside; whatever it is, the wait stays sensible.
fn unit(random: f64) -> f64 {
    if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 }
}

/// When a message that failed for `reason` goes again; `None` gives up.
///
/// `failed` counts its failed tries, this one included; `random` is in 0..1. `provider_wish` (Retry-After) is taken
/// between our own step and 15 minutes (or our own step, if that is longer), and never undercut by jitter.
pub fn next_send(
    reason: Reason,
    failed: u32,
    first_tried: Timestamp,
    now: Timestamp,
    provider_wish: Option<Duration>,
    random: f64,
) -> Option<Timestamp> {
    let schedule = schedule(reason)?;
    let own = schedule.jittered(failed, random);
    let longest = LONGEST_WISH.max(schedule.step(failed));
    let wait = match provider_wish {
        Some(wish) => wish.min(longest).mul_f64(1.0 + JITTER * unit(random)).min(longest).max(own),
        None => own,
    };
    schedule.at(wait, failed, first_tried, now)
}

/// When a batch of events that its endpoint did not take is offered again; `None` after 3 days.
///
/// `failed` counts failed attempts, this one included; `random` is in 0..1. `retry_after` is taken between one and two
/// of our own steps: an endpoint may ask for patience, not for silence.
pub fn next_delivery(
    failed: u32,
    first_tried: Timestamp,
    now: Timestamp,
    retry_after: Option<Duration>,
    random: f64,
) -> Option<Timestamp> {
    let own = WEBHOOK.jittered(failed, random);
    let wait = retry_after.map_or(own, |wish| wish.clamp(own, own * 2));
    WEBHOOK.at(wait, failed, first_tried, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);
    const MIDDLE: f64 = 0.5;

    fn waits(reason: Reason, count: u32) -> Vec<u64> {
        (1..=count).map(|failed| next_send(reason, failed, T0, T0, None, MIDDLE).unwrap().since(T0).as_secs()).collect()
    }

    #[test]
    fn each_reason_has_its_steps() {
        assert_eq!(waits(Reason::ProviderThrottled, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits(Reason::ProviderUnavailable, 7), [1, 5, 15, 60, 300, 900, 900]);
        assert_eq!(waits(Reason::ProviderTimeout, 3), [1, 5, 15]);
        assert_eq!(waits(Reason::ProviderAuthFailed, 4), [60, 300, 900, 900]);
        assert_eq!(waits(Reason::PairLimit, 3), [1, 2, 4]);
        assert_eq!(waits(Reason::TemplatePaused, 2), [HOUR, HOUR]);
        assert_eq!(waits(Reason::QualityLimit, 2), [DAY, DAY]);
    }

    #[test]
    fn a_wish_may_be_as_long_as_our_own_step() {
        let after = |reason, wish, random| {
            next_send(reason, 1, T0, T0, Some(Duration::from_secs(wish)), random).unwrap().since(T0).as_secs()
        };
        for random in [0.0, MIDDLE, 1.0] {
            assert!(after(Reason::TemplatePaused, HOUR, random) >= HOUR);
            assert!(after(Reason::QualityLimit, DAY, random) >= DAY);
            assert!(after(Reason::ProviderThrottled, DAY, random) <= HOUR);
        }
    }

    #[test]
    fn only_what_passes_is_retried() {
        for reason in Reason::ALL {
            if schedule(*reason).is_some() {
                assert!(reason.retry_helps(), "{reason}");
            }
        }
        for reason in [Reason::ContentRefused, Reason::RecipientBlocked, Reason::OutcomeUnknown, Reason::Cancelled] {
            assert_eq!(next_send(reason, 1, T0, T0, None, MIDDLE), None);
        }
    }

    #[test]
    fn gives_up_by_tries_and_by_age() {
        assert!(next_send(Reason::ProviderError, 9, T0, T0, None, MIDDLE).is_some());
        assert_eq!(next_send(Reason::ProviderError, 10, T0, T0, None, MIDDLE), None);
        let day = T0 + Duration::from_secs(DAY);
        let almost = day - Duration::from_secs(1);
        assert_eq!(next_send(Reason::ProviderTimeout, 50, T0, almost, None, MIDDLE), Some(day), "the last try");
        assert_eq!(next_send(Reason::ProviderTimeout, 50, T0, day, None, MIDDLE), None);
    }

    /// A day of refusals by a provider that is down: the schedule ends by age, not by the number of tries.
    #[test]
    fn a_provider_that_is_down_is_tried_for_a_day() {
        for reason in [Reason::ProviderUnavailable, Reason::ProviderThrottled] {
            for random in [0.0, 0.5, 1.0] {
                let (mut now, mut failed) = (T0, 1);
                while let Some(next) = next_send(reason, failed, T0, now, None, random) {
                    now = next;
                    failed += 1;
                }
                assert_eq!(now, T0 + Duration::from_secs(DAY), "{reason} {random} after {failed} tries");
            }
        }
    }

    #[test]
    fn a_wish_is_taken_between_our_step_and_an_hour() {
        let wait =
            |wish| next_send(Reason::ProviderThrottled, 4, T0, T0, Some(wish), 0.0).unwrap().since(T0).as_millis();
        assert_eq!(wait(Duration::ZERO), 6_400, "our own step of 8 s, at its shortest");
        assert_eq!(wait(Duration::from_secs(30)), 30_000);
        assert_eq!(wait(Duration::MAX), 3_600_000);
    }

    #[test]
    fn webhooks_grow_over_three_days() {
        let steps: Vec<u64> =
            (1..=11).map(|failed| next_delivery(failed, T0, T0, None, MIDDLE).unwrap().since(T0).as_secs()).collect();
        assert_eq!(steps, [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 21_600, 21_600]);
        let end = T0 + Duration::from_secs(3 * DAY);
        assert_eq!(next_delivery(20, T0, end, None, MIDDLE), None);
        assert_eq!(next_delivery(20, T0, end - Duration::from_secs(60), None, MIDDLE), Some(end));
    }

    #[test]
    fn a_webhook_may_ask_for_twice_the_step() {
        let wait =
            |wish| next_delivery(3, T0, T0, Some(Duration::from_secs(wish)), MIDDLE).unwrap().since(T0).as_secs();
        assert_eq!([wait(0), wait(120), wait(200), wait(240), wait(86_400)], [120, 120, 200, 240, 240]);
    }

    proptest! {
        #[test]
        fn waits_stay_in_bounds(failed in 0..3_000u32, random in any::<f64>(), wish in proptest::option::of(0..100_000u64), elapsed in 0..DAY) {
            let now = T0 + Duration::from_secs(elapsed);
            let wish = wish.map(Duration::from_secs);
            for reason in Reason::ALL {
                let Some(next) = next_send(*reason, failed, T0, now, wish, random) else { continue };
                let step = schedule(*reason).unwrap().step(failed);
                let last = T0 + schedule(*reason).unwrap().age;
                prop_assert!(next > now && next <= last);
                prop_assert!(next == last || next.since(now) >= step.mul_f64(0.799));
                prop_assert!(next.since(now) <= step.mul_f64(1.201).max(LONGEST_WISH));
                if let Some(wish) = wish {
                    prop_assert!(next == last || next.since(now) >= wish.min(LONGEST_WISH.max(step)));
                }
            }
            if let Some(next) = next_delivery(failed, T0, now, wish, random) {
                prop_assert!(next > now && next.since(now) <= WEBHOOK.step(failed).mul_f64(2.402));
            }
        }
    }
}
