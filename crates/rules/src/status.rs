//! The status machine: which report moves a message, and which is only kept.
//!
//! A status never moves backwards, whatever order receipts come in. A *change* is one forward move: one row of
//! history, one event. Steps that a provider skipped are never invented.

use crate::reason::Reason;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What Herald says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Accepted by us, waiting or on its way. Makes no event.
    Pending,
    /// The provider took it.
    Accepted,
    /// It reached the customer's device.
    Delivered,
    /// The customer opened it.
    Read,
    /// It never left us, or the provider refused it in its answer.
    Rejected,
    /// The provider took it and then lost it, or nobody knows what became of it.
    Failed,
}

impl Status {
    /// All, in order of their codes.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Accepted, Self::Delivered, Self::Read, Self::Rejected, Self::Failed];

    /// The number stored in tables.
    pub fn code(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Accepted => 1,
            Self::Delivered => 2,
            Self::Read => 3,
            Self::Rejected => 4,
            Self::Failed => 5,
        }
    }

    /// The inverse of [`Status::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Accepted => "Accepted",
            Self::Delivered => "Delivered",
            Self::Read => "Read",
            Self::Rejected => "Rejected",
            Self::Failed => "Failed",
        }
    }

    /// Nothing follows but what a contradiction keeps as `late`.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Read | Self::Rejected | Self::Failed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text.trim())).ok_or(())
    }
}

/// Where a message stands: its present status and, if it has ended badly, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The status of the last change.
    pub status: Status,
    /// The reason of the last change.
    pub reason: Option<Reason>,
}

impl Standing {
    /// A message of which nothing is known yet.
    pub const PENDING: Self = Self { status: Status::Pending, reason: None };
}

/// What a report means for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A forward move: write history and event.
    Change,
    /// A step that came after a later one: only its time is kept.
    Fills,
    /// Came after the end, or contradicts it: kept in the story, without an event.
    Late,
    /// Says what is known already.
    Known,
}

/// Judges a report of `status` about a message that stands at `standing`. `seen` tells whether this status is
/// already in its history.
///
/// `Failed` for `outcome_unknown` is the one end that a later positive report corrects: it was a guess of ours, not
/// a fact of the provider's.
pub fn judge(standing: Standing, status: Status, seen: bool) -> Verdict {
    use Status::{Accepted, Delivered, Failed, Pending, Read, Rejected};
    if seen || status == Pending {
        return Verdict::Known;
    }
    let positive = matches!(status, Accepted | Delivered | Read);
    match standing.status {
        Pending => Verdict::Change,
        Accepted | Delivered if positive && status.code() > standing.status.code() => Verdict::Change,
        Accepted | Delivered | Read if positive => Verdict::Fills,
        // Delivered cannot be lost again: a provider that says so contradicts itself.
        Accepted if matches!(status, Rejected | Failed) => Verdict::Change,
        Failed if positive && standing.reason == Some(Reason::OutcomeUnknown) => Verdict::Change,
        _ => Verdict::Late,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(status: Status) -> Standing {
        Standing { status, reason: None }
    }

    #[test]
    fn moves_forward_only() {
        assert_eq!(judge(Standing::PENDING, Status::Accepted, false), Verdict::Change);
        assert_eq!(judge(at(Status::Accepted), Status::Read, false), Verdict::Change);
        assert_eq!(judge(at(Status::Read), Status::Delivered, false), Verdict::Fills);
        assert_eq!(judge(at(Status::Delivered), Status::Delivered, true), Verdict::Known);
        assert_eq!(judge(at(Status::Delivered), Status::Failed, false), Verdict::Late);
        assert_eq!(judge(at(Status::Accepted), Status::Failed, false), Verdict::Change);
        assert_eq!(judge(at(Status::Rejected), Status::Delivered, false), Verdict::Late);
    }

    #[test]
    fn only_an_unknown_outcome_is_corrected() {
        let unknown = Standing { status: Status::Failed, reason: Some(Reason::OutcomeUnknown) };
        assert_eq!(judge(unknown, Status::Delivered, false), Verdict::Change);
        assert_eq!(judge(at(Status::Failed), Status::Delivered, false), Verdict::Late);
    }

    /// Any order of any reports gives a history whose changes only rise.
    #[test]
    fn every_order_of_three_reports_rises() {
        let reports = [Status::Accepted, Status::Delivered, Status::Read, Status::Failed, Status::Rejected];
        for a in reports {
            for b in reports {
                for c in reports {
                    let mut standing = Standing::PENDING;
                    let mut seen = Vec::new();
                    for status in [a, b, c] {
                        if judge(standing, status, seen.contains(&status)) == Verdict::Change {
                            assert!(status.code() > standing.status.code(), "{a} {b} {c}");
                            assert!(!standing.status.is_final());
                            standing.status = status;
                        }
                        seen.push(status);
                    }
                }
            }
        }
    }
}
