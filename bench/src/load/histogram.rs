//! Durations counted by tenths of a millisecond.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One bucket.
const STEP: Duration = Duration::from_micros(100);
/// 60 s; what takes longer counts as that long.
const BUCKETS: usize = 600_000;

/// How often each duration was seen, exact to [`STEP`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

/// A histogram in a few figures, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Histogram {
    pub(crate) fn record(&mut self, duration: Duration) {
        let bucket = usize::try_from(duration.as_micros() / STEP.as_micros()).unwrap_or(BUCKETS).min(BUCKETS - 1);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
            self.total += 1;
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.total += other.total;
    }

    /// The upper edge of the bucket below which `share` of all durations lie, in milliseconds.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        bucket.map_or(0.0, |bucket| (bucket + 1) as f64 / 10.0)
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        Quantiles {
            p50: self.quantile(0.5),
            p95: self.quantile(0.95),
            p99: self.quantile(0.99),
            p999: self.quantile(0.999),
            max: self.quantile(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_upper_edges() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantiles(), Quantiles::default());
        for millisecond in 1..=1000 {
            histogram.record(Duration::from_millis(millisecond) - Duration::from_micros(1));
        }
        let expected = Quantiles { p50: 500.0, p95: 950.0, p99: 990.0, p999: 999.0, max: 1000.0 };
        assert_eq!(histogram.quantiles(), expected);
        histogram.record(Duration::from_secs(3600));
        assert_eq!(histogram.quantiles().max, 60_000.0);
    }
}
