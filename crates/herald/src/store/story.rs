//! The words for what became of a message, as it is read back.

use super::{DepartmentRow, LaneRow};
use herald_channels::contract::Pricing;
use herald_rules::{ids::MessageId, message::Message, part::Part, reason::Cause, status::Status, time::Timestamp};
use std::sync::Arc;

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
