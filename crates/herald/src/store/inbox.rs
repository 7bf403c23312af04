//! The words for callbacks: as they came, what they tell, and what customers wrote.

use super::{Applied, ChannelRow, DepartmentRow, Epoch, Evidence, LaneRow};
use herald_channels::contract::Receipt;
use herald_rules::{ids::MessageId, inbound::Inbound, time::Timestamp};

/// What waits in the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxKind {
    /// A provider's callback.
    Callback,
    /// [`Evidence`], as JSON.
    Evidence,
}

impl InboxKind {
    /// The number stored in tables.
    pub fn code(self) -> i16 {
        match self {
            Self::Callback => 0,
            Self::Evidence => 1,
        }
    }

    /// The inverse of [`InboxKind::code`].
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Callback, Self::Evidence].into_iter().find(|kind| kind.code() == code)
    }
}

/// A callback that waits to be worked off.
#[derive(Clone, Debug)]
pub struct WaitingCallback {
    /// Its number: rises with time.
    pub number: i64,
    /// What it is.
    pub kind: InboxKind,
    /// When it came.
    pub at: Timestamp,
    /// As it came.
    pub body: Vec<u8>,
}

/// The oldest callbacks of one channel.
#[derive(Clone, Debug)]
pub struct InboxPage {
    /// Whose.
    pub department: DepartmentRow,
    /// Of which channel.
    pub channel: ChannelRow,
    /// In order.
    pub callbacks: Vec<WaitingCallback>,
}

/// What may wait in a page of the inbox.
#[derive(Clone, Copy, Debug)]
pub struct InboxLimits {
    /// Channels at once.
    pub channels: usize,
    /// Callbacks of each.
    pub callbacks: usize,
    /// Bytes of each channel's; one callback is read however large it is.
    pub bytes: usize,
}

/// What a page of callbacks tells, to be made durable together with their leaving the inbox.
#[derive(Clone, Debug, Default)]
pub struct CallbackWork {
    /// Whose.
    pub department: DepartmentRow,
    /// Of which channel.
    pub channel: ChannelRow,
    /// The epoch of the owner of the channel's lanes.
    pub epoch: Epoch,
    /// When it is worked off.
    pub now: Timestamp,
    /// Callbacks that are done with this.
    pub done: Vec<i64>,
    /// Callbacks that cannot be read, and why, without a word of what they say.
    pub unreadable: Vec<(i64, String)>,
    /// What former owners of the lanes learnt, by its number: done with this.
    pub evidence: Vec<(i64, Evidence)>,
    /// What became of messages, in the order of the callbacks.
    pub receipts: Vec<Receipt>,
    /// What customers wrote, in the order of the callbacks.
    pub inbound: Vec<NewInbound>,
    /// What customers want to get, in the order of the callbacks.
    pub marketing: Vec<MarketingWish>,
}

/// A customer's message to be kept.
#[derive(Clone, Debug)]
pub struct NewInbound {
    /// Its id here.
    pub id: MessageId,
    /// The lane of the identifier of ours that it was sent to.
    pub lane: LaneRow,
    /// When its callback came.
    pub received_at: Timestamp,
    /// What it says.
    pub inbound: Inbound,
}

/// A customer stopped marketing messages, or wants them again.
#[derive(Clone, Debug)]
pub struct MarketingWish {
    /// The customer's identifier, normalised.
    pub customer: String,
    /// False: stopped.
    pub wanted: bool,
    /// When, by the provider's clock.
    pub at: Timestamp,
}

/// What a page of callbacks came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkedOff {
    /// Messages of which evidence settled something.
    pub settled: u32,
    /// What the receipts came to.
    pub receipts: Applied,
    /// The customers' messages that are new, in order.
    pub inbound: Vec<MessageId>,
    /// Those that were here already.
    pub repeated: u32,
}

/// How much waits in the inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxDepth {
    /// Callbacks that wait.
    pub waiting: u64,
    /// When the oldest of them came.
    pub oldest: Option<Timestamp>,
    /// Callbacks that nobody could read.
    pub unreadable: u64,
}

/// A customer's message as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptInbound {
    /// Its id here.
    pub id: MessageId,
    /// Its channel.
    pub channel: ChannelRow,
    /// The lane of the identifier of ours that it was sent to.
    pub lane: LaneRow,
    /// When its callback came.
    pub received_at: Timestamp,
    /// What it says.
    pub inbound: Inbound,
}

/// Which of the customers' messages to list: newest first, all conditions together.
#[derive(Clone, Debug)]
pub struct InboundFilter {
    /// Whose.
    pub department: DepartmentRow,
    /// Only to these lanes; None: all.
    pub lanes: Option<Vec<LaneRow>>,
    /// Only from this customer, normalised.
    pub from: Option<String>,
    /// Received at this moment or later.
    pub since: Option<Timestamp>,
    /// Received before this moment.
    pub until: Option<Timestamp>,
    /// Only older ones than this.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
    /// At most so many are looked at.
    pub look_at: usize,
}

/// A page of the customers' messages.
#[derive(Clone, Debug)]
pub struct InboundPage {
    /// Newest first.
    pub messages: Vec<KeptInbound>,
    /// Where to go on: the last message that was looked at. None: nothing older is left.
    pub next: Option<MessageId>,
}
