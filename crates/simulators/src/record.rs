//! What the journal records and hands out.

use crate::{code::Code, plan::Reply, wire::ReceiptStatus};
use herald_rules::{protocol::Protocol, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Every call and every receipt; memory grows with them.
    #[default]
    Full,
    /// Only counts, and the newest half to one million client references: memory stays below 200 MB. A second call for
    /// a reference older than that counts as a new one.
    Counting,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// Taken, answered 200.
    Accepted,
    /// Refused for good.
    Refused,
    /// Answered 429.
    Throttled,
    /// Answered 5xx.
    TemporaryFailure,
    /// Not taken, closed without an answer.
    DroppedBefore,
    /// Taken, closed without an answer.
    DroppedAfter,
    /// Taken, never answered.
    Hung,
}

impl CallOutcome {
    /// Whether the provider has the message.
    pub fn taken(self) -> bool {
        matches!(self, Self::Accepted | Self::DroppedAfter | Self::Hung)
    }
}

impl From<Reply> for CallOutcome {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Accept => Self::Accepted,
            Reply::Error(code) if code.status().is_server_error() => Self::TemporaryFailure,
            Reply::Error(_) => Self::Refused,
            Reply::Throttle(..) => Self::Throttled,
            Reply::DropBefore => Self::DroppedBefore,
            Reply::DropAfter => Self::DroppedAfter,
            Reply::Hang => Self::Hung,
        }
    }
}

/// One send call, in the order of arrival. Calls that are not of the wire's form are only counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Counts from 1.
    pub number: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// Of the path.
    pub protocol: Protocol,
    /// Of the body.
    pub from: String,
    /// Of the body.
    pub to: String,
    /// Of the body.
    pub client_reference: Uuid,
    /// Which call for this reference it is, from 1.
    pub attempt: u32,
    /// What it got.
    pub outcome: CallOutcome,
    /// The code of its error answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// One receipt that the receiver has taken with a 2xx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentReceipt {
    /// Counts from 1.
    pub number: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// Of its message.
    pub protocol: Protocol,
    /// Of its message.
    pub client_reference: Uuid,
    /// What it reports.
    pub status: ReceiptStatus,
    /// How many posts it took.
    pub tries: u32,
}

/// Counts since the start or the last clearing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The random seed of this simulator.
    pub seed: u64,
    /// Well-formed send calls.
    pub calls: u64,
    /// Calls that are not of the wire's form, by code.
    pub malformed: BTreeMap<String, u64>,
    /// Distinct client references among the calls.
    pub distinct_references: u64,
    /// Calls after which the provider has the message.
    pub taken: u64,
    /// Client references that were taken more than once.
    pub duplicates: u64,
    /// Calls by what they got.
    pub outcomes: BTreeMap<CallOutcome, u64>,
    /// Taken messages by protocol.
    pub taken_by_protocol: BTreeMap<String, u64>,
    /// Receipts that the receiver has taken, by status.
    pub receipts: BTreeMap<ReceiptStatus, u64>,
    /// Receipts that wait for their time or for the receiver.
    pub receipts_waiting: u64,
    /// Receipts given up: no room, or ten minutes without a 2xx.
    pub receipts_given_up: u64,
    /// Callbacks that were posted, each try counted.
    pub callback_posts: u64,
    /// Those of them without a 2xx.
    pub callback_posts_refused: u64,
}
