//! A rate as people write it: `80/s`, `500/m,burst=50`, `1_000/h`, `1/6s,burst=45`, `unlimited`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, fmt, num::NonZeroU32, str::FromStr, time::Duration};

/// The units, largest first: printing takes the first that divides the period.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The longest period. Provider limits are per second to per day; with 31 days every product in the pace arithmetic
/// fits 128 bits with room to spare.
const LONGEST: u64 = 31 * 86_400_000_000_000;

/// `count` messages in every `period`, and up to `burst` of them at once after a pause.
///
/// Without `burst=` a rate lets through at once what passes in 100 ms, and at least one: providers count in windows
/// of a second, and a burst of a whole second's worth would double the rate in the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU32,
    /// In nanoseconds; 0 only for [`Rate::UNLIMITED`].
    period: u64,
    burst: NonZeroU32,
}

impl Rate {
    /// No limit at all.
    pub const UNLIMITED: Self = Self { count: NonZeroU32::MAX, period: 0, burst: NonZeroU32::MAX };

    /// `count` messages in every `period`, with the burst that [`Rate`] gives where none is named.
    pub fn new(count: u32, period: Duration) -> Result<Self, RateError> {
        let count = NonZeroU32::new(count).ok_or(RateError::Zero)?;
        let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        if !(1..=LONGEST).contains(&period) {
            return Err(RateError::Period);
        }
        let in_100_ms = u128::from(count.get()) * 100_000_000 / u128::from(period);
        let burst = NonZeroU32::new(u32::try_from(in_100_ms).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        Ok(Self { count, period, burst })
    }

    /// `count` messages in a second; fractions are fine (`0.5` is one every two seconds).
    pub fn per_second(count: f64) -> Result<Self, RateError> {
        if !count.is_finite() || count <= 0.0 {
            return Err(RateError::Zero);
        }
        if count.fract() == 0.0 && count <= f64::from(u32::MAX) {
            return Self::new(count as u32, Duration::from_secs(1));
        }
        if count >= 1.0 {
            // A thousand seconds' worth keeps three decimals, and `as` saturates where even that is too many.
            return Self::new((count * 1_000.0).round() as u32, Duration::from_secs(1_000));
        }
        Self::new(1, Duration::try_from_secs_f64(1.0 / count).map_err(|_| RateError::Period)?)
    }

    /// The same rate with another burst.
    pub fn with_burst(self, burst: u32) -> Result<Self, RateError> {
        Ok(Self { burst: NonZeroU32::new(burst).ok_or(RateError::Zero)?, ..self })
    }

    /// How many messages in one period.
    pub fn count(&self) -> u32 {
        self.count.get()
    }

    /// The period; zero for [`Rate::UNLIMITED`].
    pub fn period(&self) -> Duration {
        Duration::from_nanos(self.period)
    }

    /// How many may go at once after a pause.
    pub fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// Whether this is [`Rate::UNLIMITED`].
    pub fn is_unlimited(&self) -> bool {
        self.period == 0
    }

    /// Messages in a second, for people and metrics; the arithmetic of pace never uses it.
    pub fn as_per_second(&self) -> f64 {
        f64::from(self.count.get()) * 1e9 / self.period as f64
    }

    /// The same rate at `permille` thousandths of its speed. The burst shrinks with it, so that the time a full burst
    /// takes to refill stays the same and returning to the full rate releases no burst of its own. `permille` is
    /// taken as 1 to 1,000.
    pub fn slowed(&self, permille: u16) -> Self {
        let permille = u64::from(permille.clamp(1, 1_000));
        if permille == 1_000 || self.is_unlimited() {
            return *self;
        }
        // At most LONGEST (2.7e15) times 1,000: far below the limit of u64.
        let period = (self.period * 1_000).div_ceil(permille);
        let burst = u64::from(self.burst.get()) * permille / 1_000;
        let burst = NonZeroU32::new(u32::try_from(burst).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        Self { period, burst, ..*self }
    }
}

/// What is wrong with a rate, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not of the form at all.
    #[error(
        "`{0}` is not a rate. Write a number, a slash and a time, such as 80/s, 500/m, 1_000/h or 1/6s, with ,burst=10 \
         behind it if wanted; or unlimited."
    )]
    Form(String),
    /// A count or burst of zero, or one that is no number.
    #[error("A rate and its burst must be above zero. To stop sending, pause the lane instead.")]
    Zero,
    /// A count or burst that does not fit.
    #[error("The number {0} in a rate is too large; the largest is 4,294,967,295. Write unlimited for no limit.")]
    TooLarge(String),
    /// A period of nothing, or one above 31 days.
    #[error("The time of a rate must be above zero and at most 31 days, as in 80/s or 1_000/d.")]
    Period,
}

/// The digits of a number, which may be grouped by `_`; `None` where there is anything else.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|c| *c != '_').collect();
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

fn above_zero(digits: &str) -> Result<NonZeroU32, RateError> {
    let value = digits.parse().map_err(|_| RateError::TooLarge(digits.chars().take(40).collect()))?;
    NonZeroU32::new(value).ok_or(RateError::Zero)
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        // What is quoted back is cut, so that a wrong file pasted into a setting does not fill a log line.
        let form = || RateError::Form(text.trim().chars().take(40).collect());
        let text = text.trim();
        if text.eq_ignore_ascii_case("unlimited") {
            return Ok(Self::UNLIMITED);
        }
        let (speed, burst) = match text.split_once(',') {
            Some((speed, rest)) => {
                let (key, value) = rest.split_once('=').ok_or_else(form)?;
                if !key.trim().eq_ignore_ascii_case("burst") {
                    return Err(form());
                }
                (speed, Some(above_zero(&digits(value).ok_or_else(form)?)?))
            }
            None => (text, None),
        };
        let (count, period) = speed.split_once('/').ok_or_else(form)?;
        let count = above_zero(&digits(count).ok_or_else(form)?)?;
        let period = period.trim();
        let unit_at = period.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(form)?;
        let (times, unit) = period.split_at(unit_at);
        let times = match times.trim() {
            "" => 1,
            times => digits(times).ok_or_else(form)?.parse::<u64>().map_err(|_| RateError::Period)?,
        };
        let (_, unit) = UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(form)?;
        let period = unit.checked_mul(times).ok_or(RateError::Period)?;
        let rate = Self::new(count.get(), Duration::from_nanos(period))?;
        Ok(burst.map_or(rate, |burst| Self { burst, ..rate }))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unlimited() {
            return f.write_str("unlimited");
        }
        let mut left = (self.period, "ns");
        for (name, unit) in UNITS {
            if self.period.is_multiple_of(unit) {
                left = (self.period / unit, name);
                break;
            }
        }
        write!(f, "{}/", self.count)?;
        if left.0 != 1 {
            write!(f, "{}", left.0)?;
        }
        f.write_str(left.1)?;
        if Self::new(self.count.get(), Duration::from_nanos(self.period)) != Ok(*self) {
            write!(f, ",burst={}", self.burst)?;
        }
        Ok(())
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn reads_and_prints_every_form() {
        for (text, count, seconds, burst, printed) in [
            ("80/s", 80, 1, 8, "80/s"),
            ("80/s,burst=10", 80, 1, 10, "80/s,burst=10"),
            ("80/s,burst=8", 80, 1, 8, "80/s"),
            (" 500 / M , Burst = 50 ", 500, 60, 50, "500/m,burst=50"),
            ("1_000/h", 1_000, 3_600, 1, "1000/h"),
            ("1/6s,burst=45", 1, 6, 45, "1/6s,burst=45"),
            ("90/3600s", 90, 3_600, 1, "90/h"),
            ("20_000/s", 20_000, 1, 2_000, "20000/s"),
            ("1000/d", 1_000, 86_400, 1, "1000/d"),
        ] {
            let rate = rate(text);
            assert_eq!((rate.count(), rate.period(), rate.burst()), (count, Duration::from_secs(seconds), burst));
            assert_eq!(rate.to_string(), printed);
        }
        assert_eq!(rate("3/250ms").period(), Duration::from_millis(250));
        assert_eq!(rate("Unlimited"), Rate::UNLIMITED);
        assert_eq!(Rate::UNLIMITED.to_string(), "unlimited");
    }

    #[test]
    fn refuses_with_a_way_out() {
        for text in
            ["", "80", "80/", "/s", "80/x", "80/s,", "80/s,10", "80/s,bursts=1", "-1/s", "1.5/s", "80/s s", "_/s"]
        {
            let error = text.parse::<Rate>().unwrap_err();
            assert!(matches!(error, RateError::Form(_)), "{text}: {error:?}");
            assert!(error.to_string().contains("such as 80/s"), "{error}");
        }
        for (text, error) in [
            ("0/s", RateError::Zero),
            ("80/s,burst=0", RateError::Zero),
            ("1/0s", RateError::Period),
            ("1/32d", RateError::Period),
            ("1/9999999999s", RateError::Period),
            ("4294967296/s", RateError::TooLarge("4294967296".into())),
        ] {
            assert_eq!(text.parse::<Rate>(), Err(error), "{text}");
        }
    }

    #[test]
    fn counts_per_second() {
        assert_eq!(Rate::per_second(80.0).unwrap(), rate("80/s"));
        assert_eq!(Rate::per_second(0.5).unwrap(), rate("1/2s"));
        assert_eq!(Rate::per_second(2.5).unwrap(), rate("2500/1000s"));
        assert!((rate("500/m").as_per_second() - 8.333_333).abs() < 1e-5);
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-12] {
            assert!(Rate::per_second(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn slows_rate_and_burst_together() {
        assert_eq!(rate("80/s,burst=80").slowed(500), rate("80/2s,burst=40"));
        assert_eq!(rate("80/s,burst=80").slowed(1_000), rate("80/s,burst=80"));
        assert_eq!(rate("80/s,burst=80").slowed(10), rate("80/100s,burst=1"));
        assert_eq!(rate("80/s").slowed(0), rate("80/s").slowed(1));
        assert_eq!(Rate::UNLIMITED.slowed(10), Rate::UNLIMITED);
    }

    proptest! {
        #[test]
        fn printed_is_read_back(count in 1..=u32::MAX, period in 1..=LONGEST, burst in proptest::option::of(1..=u32::MAX)) {
            let mut rate = Rate::new(count, Duration::from_nanos(period)).unwrap();
            if let Some(burst) = burst {
                rate = rate.with_burst(burst).unwrap();
            }
            prop_assert_eq!(rate.to_string().parse::<Rate>().unwrap(), rate);
            let json = serde_json::to_string(&rate).unwrap();
            prop_assert_eq!(serde_json::from_str::<Rate>(&json).unwrap(), rate);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            if let Ok(rate) = text.parse::<Rate>() {
                prop_assert!(rate.burst() >= 1);
            }
        }

        #[test]
        fn slowing_never_speeds_up(count in 1..100_000u32, millis in 1..100_000u64, permille in 0..=1_000u16) {
            let rate = Rate::new(count, Duration::from_millis(millis)).unwrap();
            let slowed = rate.slowed(permille);
            let wanted = rate.as_per_second() * f64::from(permille.max(1)) / 1_000.0;
            prop_assert!(slowed.burst() <= rate.burst() && slowed.as_per_second() <= wanted * (1.0 + 1e-9));
        }
    }
}
