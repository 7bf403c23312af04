//! The words in which the way of a message is written and read back.

use super::{DailyCustomers, Epoch, StandingChange};
pub use herald_rules::lane::{Place, Queued};
use herald_rules::{
    admission::Reach,
    ids::MessageId,
    message::{Message, Priority},
    reason::{Cause, Reason},
    status::Status,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// The row number of a department: small, and first in every key.
pub type DepartmentRow = i64;
/// The row number of a channel.
pub type ChannelRow = i64;
/// The row number of a lane; unique in the instance.
pub type LaneRow = i64;

/// A message to be accepted.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Whose it is.
    pub department: DepartmentRow,
    /// The lane it goes out over.
    pub lane: LaneRow,
    /// The message.
    pub message: Arc<Message>,
    /// Its JSON, made by the caller so that the writer does not have to.
    pub body: String,
    /// Set where the caller gave an `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
}

/// A caller's key for one request, and what that request said.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// SHA-256 of the key, first 16 bytes.
    pub key_hash: [u8; 16],
    /// SHA-256 of the body, first 16 bytes.
    pub body_hash: [u8; 16],
    /// The answer's warnings as JSON, to be given again.
    pub warnings: String,
}

/// What became of an accept.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// It is durable.
    New,
    /// The same request was accepted before: this message, with these warnings.
    Repeated {
        /// The message as it was accepted then.
        message: Box<Message>,
        /// Its warnings, JSON.
        warnings: String,
    },
    /// Another request was accepted under this key.
    KeyUsed,
}

/// What is known of one message of the lane, to be made durable.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The message.
    pub id: MessageId,
    /// Its place.
    pub place: Place,
    /// Tries, this one included.
    pub attempt: u32,
    /// Which try of it the claim was, from 1; None where it was not claimed.
    pub claimed_as: Option<u32>,
    /// It went again after an unknown outcome.
    pub resent: bool,
    /// Which part it was, from 0.
    pub part: u16,
    /// Of how many.
    pub parts: u16,
    /// When the outcome was known.
    pub at: Timestamp,
    /// What is to be written.
    pub outcome: Recorded,
}

/// A provider's own id for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderReference {
    /// As the provider wrote it.
    pub text: String,
    /// Receipts name it instead of our id, so that it must be found by it.
    pub named_by_receipts: bool,
}

/// What is written of a try.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// The provider has it.
    Accepted {
        /// The provider's id for it, kept for whoever asks the provider about it.
        reference: Option<ProviderReference>,
    },
    /// The provider has a part of it, and the next is to be sent.
    PartAccepted {
        /// The provider's id for the part.
        reference: Option<ProviderReference>,
        /// The message with its next part, at its place.
        next: Box<Queued>,
    },
    /// It ends here.
    Rejected(Cause),
    /// It goes again at `due`, and whatever follows it for the same customer waits.
    Again {
        /// When.
        due: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// It waits for a moment without having been tried: a customer that is held back.
    Held {
        /// Until when.
        due: Timestamp,
        /// Why.
        reason: Option<Reason>,
        /// The particulars, where they are about this message alone: noted in its story.
        cause: Option<Cause>,
    },
    /// Nobody knows; it is found out until the deadline.
    Unknown {
        /// When to give up.
        deadline: Timestamp,
        /// What went wrong.
        cause: Cause,
    },
}

/// The event of a message that has another status.
pub const NON_TICKET_MESSAGE_STATUS: &str = "NON_TICKET_MESSAGE_STATUS";
/// The event of a channel that cannot send until somebody acts; its messages wait.
pub const CHANNEL_ERROR: &str = "CHANNEL_ERROR";

/// What a row of the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A message has this status now.
    Status(Status),
    /// A channel cannot send until somebody acts.
    ChannelError,
}

impl EventKind {
    /// The number stored in tables. Those below 100 are codes of statuses.
    pub fn code(self) -> u8 {
        match self {
            Self::Status(status) => status.code(),
            Self::ChannelError => 100,
        }
    }

    /// The names of all kinds.
    pub const NAMES: [&str; 2] = [NON_TICKET_MESSAGE_STATUS, CHANNEL_ERROR];

    /// As `_event` of an event, and as subscriptions choose it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status(_) => NON_TICKET_MESSAGE_STATUS,
            Self::ChannelError => CHANNEL_ERROR,
        }
    }

    /// The new status, where it is about a message.
    pub fn status(self) -> Option<Status> {
        match self {
            Self::Status(status) => Some(status),
            Self::ChannelError => None,
        }
    }

    /// The inverse of [`EventKind::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            100 => Some(Self::ChannelError),
            code => Status::from_code(code).map(Self::Status),
        }
    }
}

/// A row of the log as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub department: DepartmentRow,
    /// In which log.
    pub lane: LaneRow,
    /// Its number in that log.
    pub sequence: i64,
    /// The message; an id of its own where it is about none.
    pub id: MessageId,
    /// What it tells.
    pub kind: EventKind,
}

/// A row of `checking`: a message whose outcome is being found out.
#[derive(Clone, Debug)]
pub struct Checking {
    /// The message.
    pub message: Arc<Message>,
    /// Its place when it was claimed.
    pub place: Place,
    /// Tries so far.
    pub attempt: u32,
    /// It had gone again already.
    pub resent: bool,
    /// Which part, from 0.
    pub part: u16,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub deadline: Timestamp,
}

/// How a message in `checking` is resolved.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// The provider has it.
    Found {
        /// Its reference.
        reference: Option<ProviderReference>,
        /// At least `Accepted`.
        status: Status,
    },
    /// The provider never got it, or the channel's policy is to send again: back to the queue, marked where it may be a
    /// duplicate.
    SendAgain {
        /// It may be a duplicate.
        possible_duplicate: bool,
    },
    /// Given up: `Failed` with this reason.
    GivenUp(Reason),
}

/// What became of a wish to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It will not be sent; its status is `Rejected` (`cancelled`).
    Done(Change),
    /// It is at the provider's door or beyond: this is its status.
    TooLate(Status),
    /// No such message in this department.
    NotFound,
}

/// A page of a lane's head.
#[derive(Clone, Debug)]
pub struct HeadPage {
    /// In order.
    pub messages: Vec<Queued>,
    /// Nothing follows on disk, as of when it was read.
    pub complete: bool,
}

/// What has become due.
#[derive(Clone, Debug)]
pub struct Due {
    /// Held messages, back at their old places.
    pub returned: Vec<Queued>,
    /// All that was due is here.
    pub complete: bool,
    /// When the next is due.
    pub next: Option<Timestamp>,
}

/// A batch to be claimed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose.
    pub department: DepartmentRow,
    /// Which lane.
    pub lane: LaneRow,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// Rises with every claim of the lane's owner.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// The lane's pace state after it, as JSON, where it has a limit.
    pub pace: Option<String>,
    /// What is claimed.
    pub entries: Vec<Queued>,
    /// Whether the windows of the customers are needed.
    pub windows: bool,
}

/// What became of a claim.
#[derive(Clone, Debug)]
pub struct ClaimedNow {
    /// Not to be sent: cancelled, or proved accepted meanwhile.
    pub dropped: Vec<MessageId>,
    /// How the customers can be reached, of those of whom there is something to say.
    pub reach: HashMap<MessageId, Reach>,
}

/// What a lane finds after a start.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Messages whose outcome is being found out, those of this start's crash among them.
    pub checking: Vec<Checking>,
    /// Messages that were put away until a moment.
    pub held: Vec<HeldBefore>,
    /// When the next scheduled or held message is due.
    pub next_due: Option<Timestamp>,
}

/// A message that was put away: its customer's class is held back for it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldBefore {
    /// Whose it is to be.
    pub customer: String,
    /// Its class.
    pub priority: Priority,
    /// Until when.
    pub until: Timestamp,
    /// Why, where it was written down.
    pub reason: Option<Reason>,
}

/// What a lane's messages came to, to be made durable together.
#[derive(Clone, Debug)]
pub struct Outcomes {
    /// Whose.
    pub department: DepartmentRow,
    /// The lane's channel.
    pub channel: ChannelRow,
    /// Which lane.
    pub lane: LaneRow,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// Messages, in the order in which their outcomes were known.
    pub ended: Vec<Ended>,
    /// Claims of which every message has an outcome now.
    pub closed: Vec<i64>,
    /// What has changed in how lanes stand with their provider, in order.
    pub standings: Vec<StandingChange>,
    /// Customers that count for the budget of the day from now on.
    pub daily_customers: Option<DailyCustomers>,
}

/// What a batch of receipts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Statuses that moved.
    pub changes: u32,
    /// Receipts that said what was known, filled a time, or came after the end.
    pub repeated: u32,
    /// Receipts kept until their message's reference is known.
    pub early: u32,
    /// Receipts about no message of this channel.
    pub unknown: u32,
}
