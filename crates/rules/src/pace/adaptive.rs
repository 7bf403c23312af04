//! How a limit gives way when the provider says "too fast", and how it comes back.
//!
//! Halve at once, hold for as long as the provider asked, then climb by a tenth of the full rate every five seconds.
//! From the floor it takes 50 seconds back to full speed: slow enough not to meet the same limit in a loop, fast
//! enough that one stray refusal costs little.

use super::rate::Rate;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Full rate, in thousandths.
const FULL: u16 = 1_000;
/// Never slower than 1 % of the full rate: something has to go out to learn that the provider has recovered.
const FLOOR: u16 = 10;
/// What each step of recovery gives back.
const STEP: u16 = 100;
/// How long a step of recovery takes.
const STEP_EVERY: Duration = Duration::from_secs(5);
/// The shortest hold, also where the provider names none: providers count in windows of a second, and all calls that
/// were under way are refused within about that time.
const SHORTEST_HOLD: Duration = Duration::from_secs(1);
/// The longest hold: a provider (or something between) that asks for a day must not stop a lane for a day.
const LONGEST_HOLD: Duration = Duration::from_secs(15 * 60);

/// What is left of a limit after throttling. [`Adaptive::default`] is the full rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adaptive {
    /// The speed during the hold and right after it, in thousandths of the full rate.
    permille: u16,
    /// Nothing goes before this moment (microseconds since 1970), and recovery counts from it.
    held_until: i64,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { permille: FULL, held_until: i64::MIN }
    }
}

impl Adaptive {
    /// The provider asked us to slow down, with its own wish if it named one. Returns whether the rate was cut.
    ///
    /// Refusals that arrive during a hold belong to calls made before it: they have the same cause, so they may make
    /// the hold longer, but cut the rate no further. As a hold lasts a second at least, the rate is halved at most
    /// once a second.
    pub fn throttled(&mut self, now: Timestamp, retry_after: Option<Duration>) -> bool {
        let hold = retry_after.unwrap_or(SHORTEST_HOLD).clamp(SHORTEST_HOLD, LONGEST_HOLD);
        let until = (now + hold).0;
        if self.held_until(now).is_some() {
            self.held_until = self.held_until.max(until);
            return false;
        }
        self.permille = (self.permille(now) / 2).max(FLOOR);
        self.held_until = until;
        true
    }

    /// The present speed in thousandths of the full rate.
    pub fn permille(&self, now: Timestamp) -> u16 {
        let steps = now.since(Timestamp(self.held_until)).as_micros() / STEP_EVERY.as_micros();
        let gained = u16::try_from(steps).unwrap_or(FULL).saturating_mul(STEP);
        // Whatever a stored value says, it stays between floor and full.
        self.permille.saturating_add(gained).clamp(FLOOR, FULL)
    }

    /// The rate that holds now instead of `base`.
    pub fn effective(&self, base: &Rate, now: Timestamp) -> Rate {
        base.slowed(self.permille(now))
    }

    /// Until when nothing may go; `None` when something may.
    ///
    /// A moment further away than the longest hold means that the clock was set back; then there is no hold.
    pub fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp(self.held_until);
        (until > now && until <= now + LONGEST_HOLD).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);

    fn after(seconds: f64) -> Timestamp {
        T0 + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn halves_holds_and_climbs_back() {
        let base: Rate = "80/s,burst=80".parse().unwrap();
        let mut adaptive = Adaptive::default();
        assert_eq!((adaptive.effective(&base, T0), adaptive.held_until(T0)), (base, None));

        assert!(adaptive.throttled(T0, Some(Duration::from_secs(30))));
        assert_eq!(adaptive.held_until(T0), Some(after(30.0)));
        assert_eq!(adaptive.effective(&base, T0), base.slowed(500));
        assert_eq!(adaptive.held_until(after(30.0)), None);
        assert_eq!(adaptive.permille(after(34.9)), 500);
        assert_eq!(adaptive.permille(after(35.0)), 600);
        assert_eq!(adaptive.permille(after(54.9)), 900);
        assert_eq!(adaptive.effective(&base, after(55.0)), base);
        assert_eq!(adaptive.effective(&base, after(86_400.0)), base);
    }

    #[test]
    fn one_cause_cuts_once() {
        let mut adaptive = Adaptive::default();
        assert!(adaptive.throttled(T0, None));
        for millis in 1..1_000 {
            assert!(!adaptive.throttled(T0 + Duration::from_millis(millis), Some(Duration::ZERO)));
        }
        assert_eq!(adaptive.permille(after(1.0)), 500);
        // The last of them made the hold longer, by the least.
        assert_eq!(adaptive.held_until(after(1.5)), Some(after(1.999)));
        assert!(adaptive.throttled(after(2.0), None));
        assert_eq!(adaptive.permille(after(2.0)), 250);
    }

    #[test]
    fn a_wish_is_clamped() {
        for (wish, held) in [(0, 1), (7, 7), (900, 900), (901, 900), (1_000_000, 900)] {
            let mut adaptive = Adaptive::default();
            adaptive.throttled(T0, Some(Duration::from_secs(wish)));
            assert_eq!(adaptive.held_until(T0), Some(T0 + Duration::from_secs(held)));
        }
        let mut adaptive = Adaptive::default();
        adaptive.throttled(T0, Some(Duration::MAX));
        assert_eq!(adaptive.held_until(T0), Some(after(900.0)));
    }

    #[test]
    fn never_below_the_floor() {
        let mut adaptive = Adaptive::default();
        let cuts: Vec<u16> = (0..9)
            .map(|second| {
                adaptive.throttled(after(f64::from(second)), None);
                adaptive.permille(after(f64::from(second)))
            })
            .collect();
        assert_eq!(cuts, [500, 250, 125, 62, 31, 15, 10, 10, 10]);
    }

    #[test]
    fn a_clock_set_back_does_not_hold() {
        let mut adaptive = Adaptive::default();
        adaptive.throttled(after(86_400.0), None);
        assert_eq!(adaptive.held_until(T0), None);
    }

    proptest! {
        #[test]
        fn stays_in_bounds_and_recovers(
            refusals in proptest::collection::vec((0..20_000u64, proptest::option::of(0..2_000u64)), 0..50),
        ) {
            let mut adaptive = Adaptive::default();
            let mut now = T0;
            let mut last_cut: Option<Timestamp> = None;
            for (pause, wish) in refusals {
                now = now + Duration::from_millis(pause);
                let before = adaptive.permille(now);
                if adaptive.throttled(now, wish.map(Duration::from_secs)) {
                    prop_assert!(last_cut.is_none_or(|cut| now.since(cut) >= Duration::from_secs(1)));
                    prop_assert_eq!(adaptive.permille(now), (before / 2).max(FLOOR));
                    last_cut = Some(now);
                }
                prop_assert!((FLOOR..=FULL).contains(&adaptive.permille(now)));
                prop_assert!(adaptive.held_until(now).is_some_and(|until| until.since(now) <= LONGEST_HOLD));
                let kept: Adaptive = serde_json::from_str(&serde_json::to_string(&adaptive).unwrap()).unwrap();
                prop_assert_eq!(kept, adaptive);
            }
            prop_assert_eq!(adaptive.permille(now + LONGEST_HOLD + Duration::from_secs(50)), FULL);
        }
    }
}
