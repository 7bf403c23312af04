//! What the simulated Graph API does with recipients that are not magic. All of it can change while it runs.

use crate::{behaviour::Callbacks, behaviours::lay_over};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the Graph API does. The shares are parts between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraphBehaviour {
    /// Whether the magic recipients have their fixed outcomes. Off for benchmarks with running numbers.
    pub magic_numbers: bool,
    /// How sends are answered.
    pub answers: Answers,
    /// Which statuses follow, and when.
    pub receipts: Receipts,
    /// How statuses are packed into webhooks.
    pub callbacks: Callbacks,
    /// Meta's limits.
    pub limits: Limits,
    /// How templates are reviewed.
    pub review: Review,
}

/// How sends are answered. A call falls under one of the shares at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answers {
    /// How long every answer takes.
    pub latency_ms: u32,
    /// And up to this much longer.
    pub jitter_ms: u32,
    /// Asked to slow down with `throttledCode`.
    pub throttled_share: f64,
    /// 130429, 131056, 4, 80007, 613.
    pub throttled_code: u32,
    /// Throttling answers have the status 429 and `Retry-After`, as some observe, instead of the documented 400.
    pub throttled_as_429: bool,
    /// Answered 5xx (codes 2, 131000 and 131016 in turn), not taken.
    pub temporary_share: f64,
    /// Refused for good with `permanentCode`.
    pub permanent_share: f64,
    /// The code of such refusals, with its documented status.
    pub permanent_code: u32,
    /// The connection closes without an answer; the message is not taken.
    pub dropped_before_share: f64,
    /// The connection closes without an answer; the message is taken.
    pub dropped_after_share: f64,
    /// No answer and no close; the message is taken.
    pub hang_share: f64,
}

/// Which statuses follow a taken message. The shares are parts of the taken messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipts {
    /// From taking the message to `sent`.
    pub delay_ms: u32,
    /// And up to this much longer.
    pub jitter_ms: u32,
    /// From `sent` to `delivered`.
    pub delivered_delay_ms: u32,
    /// From `delivered` to `read`.
    pub read_delay_ms: u32,
    /// Of the delivered ones, those that are read.
    pub read_share: f64,
    /// Messages without any status.
    pub missing_share: f64,
    /// Messages whose statuses come twice.
    pub duplicated_share: f64,
    /// Messages whose statuses come in the wrong order.
    pub out_of_order_share: f64,
    /// Messages whose `sent` comes before the answer of the call.
    pub early_share: f64,
    /// Messages whose statuses come `lateByMs` later.
    pub late_share: f64,
    /// How late those are.
    pub late_by_ms: u32,
    /// Messages that fail after they were taken, with `failedCode`.
    pub failed_share: f64,
    /// The code of such failures.
    pub failed_code: u32,
    /// Whether `biz_opaque_callback_data` comes back.
    pub echo: bool,
}

/// Meta's limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Messages a second through one number, as far as the number has no figure of its own: 130429.
    pub throughput: f64,
    /// One customer gets a message each so many milliseconds: 131056. 0: no limit.
    pub pair_every_ms: u32,
    /// After a pause so many at once.
    pub pair_burst: u32,
    /// Customers within 24 hours outside of their windows, for all numbers of a portfolio together; what is beyond fails with
    /// 131048 by webhook.
    pub customers_a_day: Option<u32>,
    /// Marketing messages to one customer within 24 hours; what is beyond fails with 131049 by webhook.
    pub marketing_a_day: Option<u32>,
    /// Free text outside of the window fails with 131047 by webhook.
    pub window: bool,
    /// Marketing messages to numbers in the USA fail with 131049 by webhook.
    pub no_marketing_to_the_usa: bool,
    /// Templates in one business account; one more is refused with subcode 2388019.
    pub templates: u32,
}

/// How templates are reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Review {
    /// How long a review takes; 0: the answer of the create has the verdict.
    pub delay_ms: u32,
    /// What comes of it; None: it stays `PENDING` until somebody says.
    pub verdict: Option<Verdict>,
}

/// What comes of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It may be sent.
    Approved,
    /// It may not.
    Rejected,
}

impl Default for GraphBehaviour {
    /// Everything correct is accepted at once, delivered and read soon after, within Meta's published limits.
    fn default() -> Self {
        Self {
            magic_numbers: true,
            answers: Answers {
                latency_ms: 0,
                jitter_ms: 0,
                throttled_share: 0.0,
                throttled_code: 130_429,
                throttled_as_429: false,
                temporary_share: 0.0,
                permanent_share: 0.0,
                permanent_code: 131_000,
                dropped_before_share: 0.0,
                dropped_after_share: 0.0,
                hang_share: 0.0,
            },
            receipts: Receipts {
                delay_ms: 20,
                jitter_ms: 0,
                delivered_delay_ms: 20,
                read_delay_ms: 20,
                read_share: 1.0,
                missing_share: 0.0,
                duplicated_share: 0.0,
                out_of_order_share: 0.0,
                early_share: 0.0,
                late_share: 0.0,
                late_by_ms: 5000,
                failed_share: 0.0,
                failed_code: 131_026,
                echo: true,
            },
            callbacks: Callbacks { batch: 100, linger_ms: 5 },
            limits: Limits {
                throughput: 80.0,
                pair_every_ms: 6000,
                pair_burst: 45,
                customers_a_day: None,
                marketing_a_day: None,
                window: true,
                no_marketing_to_the_usa: true,
                templates: 6000,
            },
            review: Review { delay_ms: 0, verdict: Some(Verdict::Approved) },
        }
    }
}

impl GraphBehaviour {
    /// Without any limit of pace, for runs that measure somebody else.
    pub fn unlimited(mut self) -> Self {
        self.limits.throughput = 1e9;
        self.limits.pair_every_ms = 0;
        self
    }

    /// This with `update` laid over it, in which every level may be partial. Names the problem if the result makes no sense;
    /// then nothing has changed.
    pub fn updated(&self, update: &Value) -> Result<Self, String> {
        let mut whole = serde_json::to_value(self).map_err(|error| error.to_string())?;
        lay_over(&mut whole, update);
        let whole: Self = serde_json::from_value(whole).map_err(|error| error.to_string())?;
        whole.check()?;
        Ok(whole)
    }

    /// An error that names the first impossible value.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (answers, receipts) = (&self.answers, &self.receipts);
        let exclusive = [
            answers.throttled_share,
            answers.temporary_share,
            answers.permanent_share,
            answers.dropped_before_share,
            answers.dropped_after_share,
            answers.hang_share,
        ];
        let free = [
            receipts.read_share,
            receipts.missing_share,
            receipts.duplicated_share,
            receipts.out_of_order_share,
            receipts.early_share,
            receipts.late_share,
            receipts.failed_share,
        ];
        if exclusive.iter().chain(&free).any(|share| !(0.0..=1.0).contains(share)) {
            return Err("every share must lie between 0 and 1".to_owned());
        }
        // A little more than 1 is the rounding of tenths.
        if exclusive.iter().sum::<f64>() > 1.000_001 {
            return Err("the shares of answers must not exceed 1 together".to_owned());
        }
        if self.limits.throughput.is_nan() || self.limits.throughput <= 0.0 {
            return Err("limits.throughput must be above 0".to_owned());
        }
        if self.limits.pair_burst == 0 {
            return Err("limits.pairBurst must be at least 1".to_owned());
        }
        // Meta's own most is 1,000 updates a POST.
        if !(1..=1000).contains(&self.callbacks.batch) {
            return Err("callbacks.batch must lie between 1 and 1000".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Every field is documented, and the documented example works.
    #[test]
    fn the_documented_fields_are_all_fields() {
        let page = include_str!("../../../../docs/simulated-providers.md");
        let page = page.split("# The simulated Graph API").last().unwrap();
        let Ok(Value::Object(groups)) = serde_json::to_value(GraphBehaviour::default()) else {
            panic!("not an object")
        };
        for (group, fields) in groups {
            for field in fields.as_object().into_iter().flatten().map(|(name, _)| name) {
                let named = page.contains(&format!("`{group}.{field}`")) || page.contains(&format!("`.{field}`"));
                assert!(named, "{group}.{field}");
            }
        }
        let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        let changed = GraphBehaviour::default().updated(&serde_json::from_str(example).unwrap()).unwrap();
        assert_eq!((changed.callbacks.batch, changed.limits.pair_burst), (50, 45));
    }

    #[test]
    fn impossible_values_are_refused() {
        for wrong in [
            json!({"answers": {"throttledShare": 0.6, "hangShare": 0.6}}),
            json!({"answers": {"share": 0.6}}),
            json!({"limits": {"throughput": 0.0}}),
            json!({"limits": {"pairBurst": 0}}),
            json!({"callbacks": {"batch": 1001}}),
            json!({"receipts": {"readShare": -0.1}}),
        ] {
            assert!(GraphBehaviour::default().updated(&wrong).is_err(), "{wrong}");
        }
    }
}
