//! The words for what a provider says of an account of ours, as it is kept.

use super::LaneRow;
use herald_rules::{
    pace::stop::{Stop, StopScope},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The end of a restriction that holds until the provider lifts it: the end of the year 9999.
pub const UNTIL_LIFTED: Timestamp = Timestamp(253_402_300_799_000_000);

/// How a lane stands with its provider. Kept, so that a restart neither tries what cannot be sent nor tells of it twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// It cannot send anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// It may not write to customers first until this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restricted_until: Option<Timestamp>,
}

/// What changes in how lanes stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandingChange {
    /// They stop. It is told once, as an event, in the log of the lane that noticed it.
    Stopped {
        /// All that stop.
        lanes: Vec<LaneRow>,
        /// Why, and since when.
        stop: Stop,
    },
    /// They go on.
    Lifted {
        /// Those that were stopped.
        lanes: Vec<LaneRow>,
    },
    /// They may not write to customers first until this moment; None: they may.
    Restricted {
        /// Which.
        lanes: Vec<LaneRow>,
        /// Until when.
        until: Option<Timestamp>,
    },
}

/// The words of an event that tells of a stop, beside the reason's number.
#[derive(Serialize, Deserialize)]
pub struct StopWords {
    /// What of the account it holds.
    pub scope: StopScope,
    /// The provider's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's own text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A sentence of ours with the particulars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Customers that a portfolio has written to first, to be counted for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyCustomers {
    /// The portfolio.
    pub portfolio: String,
    /// Who, as the first 8 bytes of a hash, and when.
    pub customers: Vec<(u64, Timestamp)>,
}

/// What is known of a portfolio's budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DailyBudgetRow {
    /// The limit that the provider last told; None: as many as one likes, or it has told none.
    pub limit: Option<u32>,
    /// Who was counted, and when.
    pub customers: Vec<(u64, Timestamp)>,
}
