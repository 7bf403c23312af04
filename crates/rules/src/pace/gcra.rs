//! The generic cell rate algorithm: one moment as the whole state of a limit.
//!
//! The state is the *theoretical arrival time*: the moment at which the bucket is full again. Every message moves it
//! forward by one step (period / count); a message may go while it stays within `burst` steps of now. No task refills
//! anything, a restart loses nothing, and an idle limit costs 24 bytes.

use super::rate::Rate;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Steps are counted in 1/2^32 of a microsecond and rounded up: a limit is never passed, and at 20,000 messages a
/// second the error is 17 nanoseconds an hour.
const SCALE: u32 = 32;
/// A microsecond, the grain of our clock.
const GRAIN: i128 = 1 << SCALE;

/// The state of one limit. [`Gcra::default`] is a full bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gcra {
    /// When the bucket is full again: whole microseconds since 1970.
    tat: i64,
    /// The rest of it, in 1/2^32 of a microsecond.
    #[serde(default)]
    fraction: u32,
    /// When something was last taken, in microseconds; what is given back later than that is forfeit.
    #[serde(default)]
    taken_at: i64,
}

/// A limit at one moment, in scaled time.
struct View {
    now: i128,
    tat: i128,
    step: i128,
    tolerance: i128,
}

fn step(rate: &Rate) -> i128 {
    // At most 2.7e18 ns (31 days slowed to a thousandth) * 2^32 = 1.2e28; times a burst of 2^32 still 5e37 < 1.7e38.
    let per_count = 1_000 * u128::from(rate.count());
    // The quotient is below 2^127, so the conversion is exact.
    i128::try_from((rate.period().as_nanos() << SCALE).div_ceil(per_count)).unwrap_or(i128::MAX)
}

fn moment(scaled: i128) -> Timestamp {
    let whole = (scaled >> SCALE) + i128::from(scaled & (GRAIN - 1) != 0);
    Timestamp(i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX }))
}

impl Gcra {
    fn view(&self, rate: &Rate, now: Timestamp) -> View {
        let now = i128::from(now.0) << SCALE;
        let step = step(rate);
        let tolerance = step * i128::from(rate.burst());
        let tat = (i128::from(self.tat) << SCALE) | i128::from(self.fraction);
        // A pause fills the bucket and no more. Less than one grain behind is no pause: it is what rounding the named
        // moment up to the clock's grain has cost, and without it a burst of 1 would lose it at every message.
        let tat = if tat <= now - GRAIN { now } else { tat };
        // Further ahead than one full burst the state can only be when the rate was changed or the clock was set
        // back. Then it counts as empty now, instead of holding the lane for the rest of the old time.
        let tat = tat.min(now + tolerance);
        View { now, tat, step, tolerance }
    }

    fn set(&mut self, tat: i128) {
        match i64::try_from(tat >> SCALE) {
            Ok(whole) => {
                self.tat = whole;
                self.fraction = u32::try_from(tat & (GRAIN - 1)).unwrap_or(0);
            }
            // The year 294247: a value, not a wrap.
            Err(_) => (self.tat, self.fraction) = (i64::MAX, 0),
        }
    }

    /// Takes `n` at once if the limit allows it now, else says when it will. More than the burst never go at once:
    /// then the moment is the end of time, and the caller asks for fewer (see [`Gcra::available`]).
    pub fn try_take(&mut self, rate: &Rate, now: Timestamp, n: u32) -> Result<(), Timestamp> {
        let ready = self.ready_at(rate, now, n);
        if ready > now {
            return Err(ready);
        }
        self.take(rate, now, n);
        Ok(())
    }

    /// The earliest moment at which `n` may go at once, as things stand; `now` if they may go now.
    pub fn ready_at(&self, rate: &Rate, now: Timestamp, n: u32) -> Timestamp {
        if n > rate.burst() {
            return Timestamp(i64::MAX);
        }
        let View { now: present, tat, step, tolerance } = self.view(rate, now);
        let ready = tat + step * i128::from(n) - tolerance;
        if ready <= present { now } else { moment(ready) }
    }

    /// How many may go at once now, up to `most`.
    pub fn available(&self, rate: &Rate, now: Timestamp, most: u32) -> u32 {
        let View { now, tat, step, tolerance } = self.view(rate, now);
        if step == 0 {
            return most;
        }
        u32::try_from((now + tolerance - tat) / step).unwrap_or(u32::MAX).min(rate.burst()).min(most)
    }

    /// Takes `n` that [`Gcra::available`] has counted; with several limits stacked, first all are asked, then taken.
    pub fn take(&mut self, rate: &Rate, now: Timestamp, n: u32) {
        let View { tat, step, .. } = self.view(rate, now);
        self.set(tat + step * i128::from(n));
        self.taken_at = now.0;
    }

    /// Takes all there is, and whatever the limit says: someone who knows better has said that nothing is left.
    pub fn empty(&mut self, rate: &Rate, now: Timestamp) {
        let View { now: present, tolerance, .. } = self.view(rate, now);
        self.set(present + tolerance);
        self.taken_at = now.0;
    }

    /// When the bucket is full again. From then on it says no more than [`Gcra::default`].
    pub fn full_at(&self) -> Timestamp {
        Timestamp(self.tat.saturating_add(i64::from(self.fraction != 0)))
    }

    /// Gives back `n` that were taken at `taken_at` and not sent after all.
    ///
    /// It counts only while nothing was taken later. Afterwards the pause that they left may have been used as burst
    /// already, and counting it again would pass the limit; then they are forfeit, which costs `n` steps once.
    pub fn give_back(&mut self, rate: &Rate, n: u32, taken_at: Timestamp) {
        if self.taken_at != taken_at.0 {
            return;
        }
        let tat = (i128::from(self.tat) << SCALE) | i128::from(self.fraction);
        let full = i128::from(taken_at.0) << SCALE;
        self.set((tat - step(rate) * i128::from(n)).max(full));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp(T0.0 + micros)
    }

    /// Takes one by one, each at the first moment that the limit names, and returns the moments.
    fn drive(gcra: &mut Gcra, rate: &Rate, count: usize) -> Vec<Timestamp> {
        let mut now = T0;
        (0..count)
            .map(|_| {
                while let Err(ready) = gcra.try_take(rate, now, 1) {
                    assert!(ready > now);
                    now = ready;
                }
                now
            })
            .collect()
    }

    #[test]
    fn burst_then_evenly() {
        let moments = drive(&mut Gcra::default(), &rate("10/s,burst=3"), 6);
        assert_eq!(moments, [0, 0, 0, 100_000, 200_000, 300_000].map(at));
    }

    /// Thirds, sevenths and 333 a second have no whole number of microseconds between two messages.
    #[test]
    fn an_hour_is_exact() {
        for text in ["333/s,burst=1", "7/s,burst=1", "1000/3s,burst=1"] {
            let rate = rate(text);
            let hour = (rate.as_per_second() * 3_600.0).round() as usize;
            let moments = drive(&mut Gcra::default(), &rate, hour + 1);
            // The last one is due exactly an hour after the first; rounding up may cost it one microsecond.
            let late = moments[hour].0 - at(3_600_000_000).0;
            assert!((0..=1).contains(&late), "{text}: {late}");
        }
    }

    /// Never early by a fraction: a third of a second is rounded up, in the named moment and in the step itself.
    #[test]
    fn fractions_are_rounded_up() {
        let thirds = rate("3/s,burst=1");
        let mut gcra = Gcra::default();
        assert_eq!(gcra.try_take(&thirds, T0, 1), Ok(()));
        assert_eq!(gcra.try_take(&thirds, at(333_333), 1), Err(at(333_334)));
        for count in [3, 7, 333, 19_999] {
            let rate = Rate::new(count, Duration::from_secs(1)).unwrap();
            assert!(step(&rate) * i128::from(count) >= 1_000_000 * GRAIN, "{count}");
        }
    }

    /// Above a million a second several steps fit into the clock's grain; the burst still bounds what goes at once.
    #[test]
    fn steps_below_the_grain_do_not_add_to_the_burst() {
        let rate = rate("4_000_000/s,burst=1");
        let mut gcra = Gcra::default();
        assert_eq!(gcra.try_take(&rate, T0, 1), Ok(()));
        assert_eq!(gcra.available(&rate, at(1), 100), 1);
    }

    #[test]
    fn a_pause_gives_the_full_burst_and_no_more() {
        let rate = rate("80/s,burst=10");
        let mut gcra = Gcra::default();
        drive(&mut gcra, &rate, 1_000);
        let later = at(3_600_000_000);
        assert_eq!(gcra.available(&rate, later, u32::MAX), 10);
        assert_eq!(gcra.try_take(&rate, later, 10), Ok(()));
        assert_eq!(gcra.try_take(&rate, later, 1), Err(later + Duration::from_micros(12_500)));
    }

    #[test]
    fn a_restart_makes_no_burst() {
        let rate = rate("10/s,burst=5");
        let mut gcra = Gcra::default();
        assert_eq!(gcra.try_take(&rate, T0, 5), Ok(()));
        let kept: Gcra = serde_json::from_str(&serde_json::to_string(&gcra).unwrap()).unwrap();
        assert_eq!(kept, gcra);
        assert_eq!(kept.available(&rate, at(50_000), 100), 0);
        assert_eq!(kept.available(&rate, at(250_000), 100), 2);
    }

    #[test]
    fn more_than_the_burst_never_go_at_once() {
        let rate = rate("10/s,burst=5");
        assert_eq!(Gcra::default().try_take(&rate, T0, 6), Err(Timestamp(i64::MAX)));
        assert_eq!(Gcra::default().try_take(&rate, T0, 0), Ok(()));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let mut gcra = Gcra::default();
        assert_eq!(gcra.available(&Rate::UNLIMITED, T0, 1_000_000), 1_000_000);
        for _ in 0..1_000 {
            assert_eq!(gcra.try_take(&Rate::UNLIMITED, T0, u32::MAX), Ok(()));
        }
    }

    #[test]
    fn a_clock_set_back_or_a_faster_rate_waits_one_step() {
        let mut gcra = Gcra::default();
        gcra.take(&rate("1/h,burst=10"), T0, 10);
        let fast = rate("10/s,burst=5");
        assert_eq!(gcra.ready_at(&fast, T0, 1), at(100_000));
        gcra.take(&fast, T0, 0);
        let yesterday = at(-86_400_000_000);
        assert_eq!(gcra.ready_at(&fast, yesterday, 1), yesterday + Duration::from_millis(100));
    }

    #[test]
    fn gives_back_what_was_taken_last() {
        let rate = rate("1/s,burst=3");
        let mut gcra = Gcra::default();
        gcra.take(&rate, T0, 3);
        gcra.give_back(&rate, 2, T0);
        assert_eq!(gcra.available(&rate, T0, 10), 2);
        // Not more than a full bucket, even when too much is given back.
        gcra.give_back(&rate, 50, T0);
        assert_eq!(gcra.available(&rate, T0, 10), 3);
        let slow = self::rate("1/31d");
        gcra.give_back(&slow, u32::MAX, T0);
        assert_eq!(gcra.available(&slow, T0, 10), 1, "nor does it overflow");
        // After a later take the pause has been used: nothing comes back.
        gcra.take(&rate, at(5_000_000), 3);
        gcra.give_back(&rate, 3, T0);
        assert_eq!(gcra.available(&rate, at(5_000_000), 10), 0);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let slowest = Rate::new(1, Duration::from_secs(31 * 86_400)).unwrap().with_burst(u32::MAX).unwrap().slowed(1);
        for now in [Timestamp(i64::MIN), Timestamp(0), Timestamp(i64::MAX)] {
            for text in ["1/31d", "4294967295/s,burst=4294967295", "unlimited"] {
                for rate in [rate(text), slowest] {
                    let mut gcra = Gcra { tat: i64::MAX, fraction: u32::MAX, taken_at: now.0 };
                    gcra.take(&rate, now, u32::MAX);
                    let _ = gcra.available(&rate, now, u32::MAX);
                    let _ = gcra.try_take(&rate, now, 1);
                    gcra.give_back(&rate, u32::MAX, now);
                }
            }
        }
    }

    proptest! {
        /// Whatever is asked for, whenever, and whatever is given back: over every window what went is at most
        /// burst + window * rate.
        #[test]
        fn no_window_passes_the_limit(
            count in 1..500u32, millis in 1..5_000u64, burst in 1..50u32,
            asks in proptest::collection::vec((0..2_000_000i64, 1..60u32, any::<bool>(), 0..60u32), 1..80),
        ) {
            let rate = Rate::new(count, Duration::from_millis(millis)).unwrap().with_burst(burst).unwrap();
            let mut gcra = Gcra::default();
            let mut now = T0;
            let mut went: Vec<(Timestamp, u32)> = Vec::new();
            for (pause, n, wait, back) in asks {
                now = now + Duration::from_micros(pause.unsigned_abs());
                if wait {
                    // Also exactly at the named moment, where rounding would show.
                    now = gcra.ready_at(&rate, now, n.min(burst));
                }
                let granted = gcra.available(&rate, now, n);
                gcra.take(&rate, now, granted);
                let back = back.min(granted);
                gcra.give_back(&rate, back, now);
                went.push((now, granted - back));
            }
            for first in 0..went.len() {
                let mut sum = 0u128;
                for last in first..went.len() {
                    sum += u128::from(went[last].1);
                    let window = u128::from(went[last].0.since(went[first].0).as_micros() as u64);
                    // sum <= burst + window * count / period, in whole numbers; each moment stands for its microsecond.
                    let window = window + 1;
                    prop_assert!((sum.saturating_sub(u128::from(burst))) * u128::from(millis) * 1_000 <= window * u128::from(count));
                }
            }
        }

        /// Nobody starves: the named moment is at most one full burst away, and is kept.
        #[test]
        fn the_named_moment_is_kept(count in 1..500u32, millis in 1..5_000u64, burst in 1..50u32, n in 1..50u32, used in 0..200u32) {
            let rate = Rate::new(count, Duration::from_millis(millis)).unwrap().with_burst(burst).unwrap();
            let n = n.min(burst);
            let mut gcra = Gcra::default();
            for _ in 0..used {
                let _ = gcra.try_take(&rate, T0, 1);
            }
            let ready = gcra.ready_at(&rate, T0, n);
            prop_assert!(ready.since(T0).as_secs_f64() <= f64::from(burst) / rate.as_per_second() + 1e-5);
            if ready > T0 {
                prop_assert!(gcra.try_take(&rate, Timestamp(ready.0 - 1), n).is_err());
            }
            prop_assert_eq!(gcra.try_take(&rate, ready, n), Ok(()));
        }

        /// One by one or in a batch, the state is the same: no drift comes from how messages are counted.
        #[test]
        fn a_batch_equals_its_messages(count in 1..5_000u32, n in 1..500u32) {
            let rate = Rate::new(count, Duration::from_secs(1)).unwrap().with_burst(500).unwrap();
            let (mut one_by_one, mut batch) = (Gcra::default(), Gcra::default());
            for _ in 0..n {
                one_by_one.take(&rate, T0, 1);
            }
            batch.take(&rate, T0, n);
            prop_assert_eq!(one_by_one, batch);
        }
    }
}
