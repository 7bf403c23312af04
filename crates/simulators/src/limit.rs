//! The provider's own rate limits: a bucket of tokens for each key.

use crate::behaviour::RateLimit;
use std::{collections::HashMap, time::Duration, time::Instant};

/// Above this many buckets the full ones are forgotten: they say nothing that a new one does not.
const MANY: usize = 100_000;

/// The buckets of all keys.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    buckets: HashMap<String, (f64, Instant)>,
    /// How many were left when the full ones were last forgotten.
    left: usize,
}

impl Buckets {
    /// Takes a token from the bucket of `key`, or says how long to wait for one.
    pub(crate) fn take(&mut self, key: String, limit: &RateLimit, now: Instant) -> Result<(), Duration> {
        let burst = f64::from(limit.burst);
        let filled = |(tokens, at): (f64, Instant)| {
            (tokens + now.saturating_duration_since(at).as_secs_f64() * limit.per_second).min(burst)
        };
        // Twice as many as last time, so that a great number of buckets in use is not looked through at every call.
        if self.buckets.len() > MANY.max(self.left * 2) {
            self.buckets.retain(|_, bucket| filled(*bucket) < burst);
            self.left = self.buckets.len();
        }
        let bucket = self.buckets.entry(key).or_insert((burst, now));
        let tokens = filled(*bucket);
        if tokens >= 1.0 {
            *bucket = (tokens - 1.0, now);
            return Ok(());
        }
        *bucket = (tokens, now);
        Err(Duration::try_from_secs_f64((1.0 - tokens) / limit.per_second).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::behaviour::Scope;

    #[test]
    fn a_bucket_empties_and_fills() {
        let limit = RateLimit { per_second: 10.0, burst: 2, scope: Scope::Account };
        let (mut buckets, start) = (Buckets::default(), Instant::now());
        let mut take = |key: &str, after| buckets.take(key.to_owned(), &limit, start + Duration::from_millis(after));
        assert!(take("a", 0).is_ok() && take("a", 0).is_ok());
        let wait = take("a", 50).unwrap_err();
        assert!(wait > Duration::from_millis(40) && wait < Duration::from_millis(60), "{wait:?}");
        assert!(take("b", 50).is_ok());
        assert!(take("a", 101).is_ok());
    }
}
