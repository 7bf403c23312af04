//! What the simulated providers do with recipients that are not magic. All of it can change while they run.

use crate::code::Code;
use serde::{Deserialize, Serialize};

/// What one protocol's provider does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Behaviour {
    /// Whether the magic recipients have their fixed outcomes. Off for benchmarks with running numbers.
    pub magic_numbers: bool,
    /// How sends are answered.
    pub answers: Answers,
    /// What is reported about taken messages, and when.
    pub receipts: Receipts,
    /// How receipts are packed.
    pub callbacks: Callbacks,
}

/// How sends are answered. The shares are parts of all calls, between 0 and 1; a call falls under one of them at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answers {
    /// How long every answer takes.
    pub latency_ms: u32,
    /// And up to this much longer.
    pub jitter_ms: u32,
    /// Above it: 429.
    pub rate_limit: Option<RateLimit>,
    /// Answered 503 or 500, not taken.
    pub temporary_share: f64,
    /// Refused for good with `permanentCode`.
    pub permanent_share: f64,
    /// The code of permanent refusals.
    pub permanent_code: Code,
    /// The connection closes without an answer; the message is not taken.
    pub dropped_before_share: f64,
    /// The connection closes without an answer; the message is taken.
    pub dropped_after_share: f64,
    /// No answer and no close; the message is taken.
    pub hang_share: f64,
}

/// Calls per second, as a bucket of tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// Tokens that come in a second.
    pub per_second: f64,
    /// Tokens that the bucket holds.
    pub burst: u32,
    /// Whose bucket it is.
    pub scope: Scope,
}

/// Whose limit a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Of the key.
    Account,
    /// Of `from`.
    Sender,
    /// Of `from` and `to` together.
    Recipient,
}

/// What is reported about taken messages, and when. The shares are parts of the taken messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipts {
    /// From taking the message to its first receipt.
    pub delay_ms: u32,
    /// And up to this much longer.
    pub jitter_ms: u32,
    /// Whether `accepted` is reported too.
    pub accepted: bool,
    /// Messages without any receipt.
    pub missing_share: f64,
    /// Messages whose receipts come twice.
    pub duplicated_share: f64,
    /// Messages whose receipts come in the wrong order.
    pub out_of_order_share: f64,
    /// Messages whose first receipt comes before the answer of the call.
    pub early_share: f64,
    /// Messages whose receipts come `lateByMs` later.
    pub late_share: f64,
    /// How late those are.
    pub late_by_ms: u32,
    /// Of the delivered ones, those that are read (WhatsApp alone reports it).
    pub read_share: f64,
    /// From `delivered` to `read`.
    pub read_delay_ms: u32,
    /// Messages that fail after they were taken, with `failedCode`.
    pub failed_share: f64,
    /// The code of such failures.
    pub failed_code: Code,
}

/// How receipts are packed into callbacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Callbacks {
    /// The most receipts of one POST.
    pub batch: u32,
    /// How long the first receipt of a batch waits for others.
    pub linger_ms: u32,
}

impl Default for Behaviour {
    /// Everything is accepted at once and delivered soon after, and read on WhatsApp.
    fn default() -> Self {
        Self {
            magic_numbers: true,
            answers: Answers {
                latency_ms: 0,
                jitter_ms: 0,
                rate_limit: None,
                temporary_share: 0.0,
                permanent_share: 0.0,
                permanent_code: Code::RecipientNotReachable,
                dropped_before_share: 0.0,
                dropped_after_share: 0.0,
                hang_share: 0.0,
            },
            receipts: Receipts {
                delay_ms: 20,
                jitter_ms: 0,
                accepted: false,
                missing_share: 0.0,
                duplicated_share: 0.0,
                out_of_order_share: 0.0,
                early_share: 0.0,
                late_share: 0.0,
                late_by_ms: 5000,
                read_share: 1.0,
                read_delay_ms: 20,
                failed_share: 0.0,
                failed_code: Code::DeliveryFailed,
            },
            callbacks: Callbacks { batch: 100, linger_ms: 5 },
        }
    }
}

impl Behaviour {
    /// An error that names the first impossible value.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (answers, receipts) = (&self.answers, &self.receipts);
        let exclusive = [
            answers.temporary_share,
            answers.permanent_share,
            answers.dropped_before_share,
            answers.dropped_after_share,
            answers.hang_share,
        ];
        let free = [
            receipts.missing_share,
            receipts.duplicated_share,
            receipts.out_of_order_share,
            receipts.early_share,
            receipts.late_share,
            receipts.read_share,
            receipts.failed_share,
        ];
        if exclusive.iter().chain(&free).any(|share| !(0.0..=1.0).contains(share)) {
            return Err("every share must lie between 0 and 1".to_owned());
        }
        // A little more than 1 is the rounding of tenths.
        if exclusive.iter().sum::<f64>() > 1.000_001 {
            return Err("the shares of answers must not exceed 1 together".to_owned());
        }
        if answers
            .rate_limit
            .as_ref()
            .is_some_and(|limit| limit.burst == 0 || limit.per_second.is_nan() || limit.per_second <= 0.0)
        {
            return Err("rateLimit needs perSecond above 0 and burst of at least 1".to_owned());
        }
        if !(1..=1000).contains(&self.callbacks.batch) {
            return Err("callbacks.batch must lie between 1 and 1000".to_owned());
        }
        Ok(())
    }
}
