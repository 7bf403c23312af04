//! The words for what became of a message, as it is read back.

use super::{DepartmentRow, LaneRow};
use herald_channels::contract::Pricing;
use herald_rules::{ids::MessageId, message::Message, part::Part, reason::Cause, status::Status, time::Timestamp};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// A message with everything that is known of it.
#[derive(Clone, Debug)]
pub struct Story {
    /// The lane it goes out over.
    pub lane: LaneRow,
    /// As it was accepted.
    pub message: Arc<Message>,
    /// Each change of its status, in order.
    pub changes: Vec<Step>,
    /// Tries, receipts that came late: what made no change.
    pub notes: Vec<Note>,
    /// Its parts, in order; none where it has but one.
    pub parts: Vec<PartState>,
    /// Set while its outcome is being found out.
    pub checking: Option<BeingChecked>,
}

/// A part and when it came to stand where it does.
#[derive(Clone, Debug)]
pub struct PartState {
    /// Where it stands.
    pub part: Part,
    /// Since when.
    pub at: Timestamp,
}

/// One change of a status.
#[derive(Clone, Debug)]
pub struct Step {
    /// The new status.
    pub status: Status,
    /// When it happened, by the provider's clock where it says so.
    pub at: Timestamp,
    /// Why.
    pub cause: Option<Cause>,
    /// The message went again after an unknown outcome.
    pub possible_duplicate: bool,
    /// What it costs, where the provider said so with this status.
    pub pricing: Option<Pricing>,
}

/// What is noted of a message beside its changes.
#[derive(Clone, Debug)]
pub struct Note {
    /// `try`, `checking`, `resent`, `fill` or `late`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The status that was reported, where one was.
    pub status: Option<Status>,
    /// Why.
    pub cause: Option<Cause>,
}

/// An outcome that is being found out.
#[derive(Clone, Copy, Debug)]
pub struct BeingChecked {
    /// Since when.
    pub since: Timestamp,
    /// When it is given up.
    pub deadline: Timestamp,
}

/// Which messages to list: newest first, all conditions together.
#[derive(Clone, Debug)]
pub struct MessageFilter {
    /// Whose.
    pub department: DepartmentRow,
    /// Only over these lanes; None: all.
    pub lanes: Option<Vec<LaneRow>>,
    /// Only to this customer, normalised.
    pub to: Option<String>,
    /// Only in this status now.
    pub status: Option<Status>,
    /// Accepted at this moment or later.
    pub since: Option<Timestamp>,
    /// Accepted before this moment.
    pub until: Option<Timestamp>,
    /// Only older ones than this.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
    /// At most so many are looked at.
    pub look_at: usize,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct MessagePage {
    /// Newest first.
    pub messages: Vec<Summary>,
    /// Where to go on: the last message that was looked at. None: nothing older is left.
    pub next: Option<MessageId>,
}

/// A message and where it stands.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The lane it goes out over.
    pub lane: LaneRow,
    /// As it was accepted.
    pub message: Arc<Message>,
    /// Its last change; None: `Pending`.
    pub last: Option<Step>,
}

/// An id may be made this much after the moment of its message: a thread can be put aside between the two.
const SLACK: Duration = Duration::from_secs(1);

/// The ids to look at: from the first on, below the second.
pub(in crate::store) fn range(
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<MessageId>,
) -> (Uuid, Uuid) {
    let below = match (before, until) {
        (Some(before), Some(until)) => before.0.min(first_id_of(until + SLACK)),
        (Some(before), None) => before.0,
        (None, Some(until)) => first_id_of(until + SLACK),
        (None, None) => Uuid::max(),
    };
    (since.map_or(Uuid::nil(), first_id_of), below)
}

/// The lowest UUIDv7 of a moment's millisecond: ids begin with 48 bits of milliseconds (RFC 9562 section 5.7).
pub(in crate::store) fn first_id_of(at: Timestamp) -> Uuid {
    let millis = u128::from(u64::try_from(at.0.div_euclid(1_000)).unwrap_or(0).min((1 << 48) - 1));
    Uuid::from_u128(millis << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_moment_are_above_its_first() {
        let id = Uuid::now_v7();
        let now = Timestamp::now();
        assert!(id >= first_id_of(now - Duration::from_secs(5)));
        assert!(id < first_id_of(now + Duration::from_secs(5)));
        assert_eq!(first_id_of(Timestamp(-1)), Uuid::nil());
        assert!(first_id_of(Timestamp(i64::MAX)) < Uuid::max());
    }
}
