//! The rows that the logic reads and writes, one at a time.

use crate::store::{
    Change, ChannelRow, DailyCustomers, DepartmentRow, EventKind, LaneRow, NewInbound, Place, Queued, Standing,
    StoreError, Suppression, SuppressionKind,
};
use herald_rules::{
    admission::Reach,
    ids::MessageId,
    message::Message,
    part::Part,
    protocol::Protocol,
    reason::{Cause, Reason},
    status::{self, Status},
    time::Timestamp,
};
use std::sync::Arc;

/// What the events say of a message.
pub(in crate::store) struct History {
    /// Where it stands.
    pub(in crate::store) standing: status::Standing,
    /// A bit for each status it has had.
    pub(in crate::store) seen: u8,
    /// It went again after an unknown outcome.
    pub(in crate::store) resent: bool,
    /// Its lane; None where there is no event yet.
    pub(in crate::store) lane: Option<LaneRow>,
    last: i64,
}

impl History {
    /// Of a message without an event.
    pub(in crate::store) fn new() -> Self {
        Self { standing: status::Standing::PENDING, seen: 0, resent: false, lane: None, last: 0 }
    }

    /// One event of it, in whatever order they come.
    pub(in crate::store) fn add(&mut self, key: (LaneRow, i64), status: Status, reason: Option<u16>, resent: bool) {
        let (lane, sequence) = key;
        self.seen |= 1 << status.code();
        self.resent |= resent;
        if sequence > self.last {
            self.last = sequence;
            self.lane = Some(lane);
            self.standing = status::Standing { status, reason: reason.and_then(Reason::from_number) };
        }
    }

    /// We gave up finding its outcome out. Where a note says that the provider has told of the failure since, what that
    /// note gives as its reason is to be [`History::confirmed`].
    pub(in crate::store) fn is_a_guess(&self) -> bool {
        self.standing.reason == Some(Reason::OutcomeUnknown)
    }

    /// The provider said itself that it failed: see [`History::is_a_guess`].
    pub(in crate::store) fn confirmed(&mut self, reason: Option<u16>) {
        self.standing.reason = reason.and_then(Reason::from_number);
    }
}

/// A row of the log to be written; its number is given by [`Rows::insert_event`].
pub(in crate::store) struct NewEvent {
    pub(in crate::store) department: DepartmentRow,
    pub(in crate::store) lane: LaneRow,
    pub(in crate::store) id: MessageId,
    pub(in crate::store) kind: EventKind,
    pub(in crate::store) at: Timestamp,
    pub(in crate::store) reason: Option<u16>,
    pub(in crate::store) resent: bool,
    /// JSON.
    pub(in crate::store) words: Option<String>,
}

/// A note to be added to a message's story. At most 100 a message: a provider that repeats itself for days must not fill
/// the disk.
pub(in crate::store) struct NewNote<'a> {
    pub(in crate::store) at: Timestamp,
    pub(in crate::store) kind: &'a str,
    pub(in crate::store) status: Option<Status>,
    pub(in crate::store) cause: Option<&'a Cause>,
}

/// A row of `live`, without its message.
#[derive(Clone, Copy)]
pub(in crate::store) struct LiveRow {
    pub(in crate::store) id: MessageId,
    pub(in crate::store) attempt: u32,
    pub(in crate::store) resent: bool,
    pub(in crate::store) part: u16,
}

/// A message of which the outcome of the last try is unknown.
pub(in crate::store) struct Tried {
    pub(in crate::store) id: MessageId,
    pub(in crate::store) place: Place,
    pub(in crate::store) attempt: u32,
    pub(in crate::store) resent: bool,
    pub(in crate::store) part: u16,
    /// Not later than this: what is known of an earlier try is not about this one.
    pub(in crate::store) claimed_at: Timestamp,
}

/// Where a message stood whose outcome is being found out.
#[derive(Clone, Copy)]
pub(in crate::store) struct CheckedPlace {
    pub(in crate::store) place: Place,
    pub(in crate::store) attempt: u32,
    pub(in crate::store) part: u16,
    pub(in crate::store) resent: bool,
    /// See [`Tried::claimed_at`].
    pub(in crate::store) claimed_at: Timestamp,
}

type Result<T> = std::result::Result<T, StoreError>;

/// One row at a time, within one transaction. What was written is seen by what is read after it.
pub(in crate::store) trait Rows {
    // Messages.

    /// A message as it was accepted.
    fn message(&mut self, department: DepartmentRow, id: MessageId) -> Result<Option<Arc<Message>>>;
    /// The lane of a message.
    fn lane_of_message(&mut self, department: DepartmentRow, id: MessageId) -> Result<Option<LaneRow>>;
    /// The channel of a lane, which never changes.
    fn channel_of(&mut self, lane: LaneRow) -> Result<ChannelRow>;

    // The queue.

    /// What stands at a place; None: nothing.
    fn live(&mut self, department: DepartmentRow, lane: LaneRow, place: Place) -> Result<Option<LiveRow>>;
    fn insert_live(&mut self, department: DepartmentRow, lane: LaneRow, queued: &Queued) -> Result<()>;
    /// Tells whether anything stood there.
    fn delete_live(&mut self, department: DepartmentRow, lane: LaneRow, place: Place) -> Result<bool>;
    /// Puts a message away until a moment (`held`).
    fn insert_later(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        tried: &Tried,
        due: Timestamp,
        reason: Option<Reason>,
    ) -> Result<()>;
    /// Takes away what was put away or scheduled.
    fn delete_later(&mut self, department: DepartmentRow, lane: LaneRow, due: Timestamp, position: i64) -> Result<()>;
    /// The next position in the lane's queue.
    fn next_position(&mut self, lane: LaneRow) -> Result<i64>;
    /// Counts the lane's queue up or down.
    fn count_queued(&mut self, lane: LaneRow, change: i64);

    // Claims and unknown outcomes.

    fn insert_claim(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        number: i64,
        at: Timestamp,
        entries: Vec<u8>,
    ) -> Result<()>;
    fn delete_claim(&mut self, department: DepartmentRow, lane: LaneRow, number: i64) -> Result<()>;
    /// All open claims of a lane: when, and their entries.
    fn claims(&mut self, department: DepartmentRow, lane: LaneRow) -> Result<Vec<(Timestamp, Vec<u8>)>>;
    /// Deletes all claims of a lane.
    fn delete_claims(&mut self, department: DepartmentRow, lane: LaneRow) -> Result<()>;
    /// Keeps how fast the lane may send after its last claim.
    fn set_pace(&mut self, lane: LaneRow, pace: &str) -> Result<()>;
    /// Writes over a row that is there already.
    fn insert_checking(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        tried: &Tried,
        since: Timestamp,
        deadline: Timestamp,
    ) -> Result<()>;
    /// Tells whether it was there.
    fn delete_checking(&mut self, department: DepartmentRow, lane: LaneRow, id: MessageId) -> Result<bool>;
    fn checked(&mut self, department: DepartmentRow, lane: LaneRow, id: MessageId) -> Result<Option<CheckedPlace>>;
    /// False: [`Rows::checked`] would find nothing, whatever it were asked.
    fn any_checking(&mut self) -> Result<bool>;

    // Cancelling.

    /// False: [`Rows::take_cancelled`] would find nothing.
    fn any_cancelled(&mut self) -> Result<bool>;
    fn insert_cancelled(&mut self, department: DepartmentRow, id: MessageId) -> Result<()>;
    /// Takes the mark away; tells whether there was one.
    fn take_cancelled(&mut self, department: DepartmentRow, id: MessageId) -> Result<bool>;

    // The log and the story.

    /// With what notes of a failure say: see [`History::is_a_guess`].
    fn history(&mut self, department: DepartmentRow, id: MessageId) -> Result<History>;
    /// Whether there is any event about a message.
    fn has_event(&mut self, department: DepartmentRow, id: MessageId) -> Result<bool>;
    /// Writes it with the next number of its lane's log, which is told after the commit.
    fn insert_event(&mut self, event: NewEvent) -> Result<Change>;
    /// Merges further words (a JSON object) into those of an event that this transaction has written.
    fn add_words(&mut self, change: &Change, words: String) -> Result<()>;
    fn add_note(&mut self, department: DepartmentRow, id: MessageId, note: &NewNote<'_>) -> Result<()>;

    // Parts.

    /// False: no message has several parts.
    fn any_parts(&mut self) -> Result<bool>;
    /// The parts of a message, in order; none where it has but one.
    fn parts(&mut self, department: DepartmentRow, id: MessageId) -> Result<Vec<Part>>;
    /// `words` as they are stored; None leaves those that are there.
    fn set_part(
        &mut self,
        department: DepartmentRow,
        id: MessageId,
        part: u16,
        state: (Status, Timestamp, Option<u16>),
        words: Option<String>,
    ) -> Result<()>;

    // References, and receipts that wait for one.

    fn reference(&mut self, channel: ChannelRow, reference: &str) -> Result<Option<(MessageId, u16)>>;
    /// Leaves one that is there as it is.
    fn insert_reference(&mut self, channel: ChannelRow, reference: &str, id: MessageId, part: u16) -> Result<()>;
    /// False: [`Rows::take_early`] would find nothing.
    fn any_early(&mut self) -> Result<bool>;
    /// Takes the receipts that wait for a reference, in the order of their statuses: JSON.
    fn take_early(&mut self, channel: ChannelRow, reference: &str) -> Result<Vec<(Status, String)>>;
    /// Leaves one of the same status as it is.
    fn insert_early(
        &mut self,
        channel: ChannelRow,
        reference: &str,
        status: Status,
        received_at: Timestamp,
        receipt: String,
    ) -> Result<()>;

    // How lanes stand.

    fn standing_of(&mut self, lane: LaneRow) -> Result<Standing>;
    fn set_standing(&mut self, lane: LaneRow, standing: &Standing) -> Result<()>;
    fn count_customers(&mut self, counted: &DailyCustomers) -> Result<()>;

    // Customers.

    /// False: nobody is suppressed.
    fn any_suppressions(&mut self) -> Result<bool>;
    /// How a customer can be reached from a lane: window and suppressions, as far as they are wanted.
    fn reach(
        &mut self,
        whose: (DepartmentRow, ChannelRow, LaneRow),
        customer: &str,
        wanted: (bool, bool),
    ) -> Result<Reach>;
    /// Tells whether it is new: (channel, reference) is kept once.
    fn insert_inbound(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        new: &NewInbound,
        body: &str,
    ) -> Result<bool>;
    /// Opens a window or extends it; never makes it shorter.
    fn open_window(&mut self, lane: LaneRow, customer: &str, until: Timestamp) -> Result<()>;
    /// The contact behind an identifier, in either of its spellings.
    fn contact_row(&mut self, department: DepartmentRow, protocol: Protocol, identifier: &str) -> Result<Option<i64>>;
    /// Makes a contact without a name, with its first identifier.
    fn add_contact(
        &mut self,
        department: DepartmentRow,
        protocol: Protocol,
        identifier: &str,
        now: Timestamp,
    ) -> Result<i64>;
    /// One that is somebody's already stays theirs.
    fn add_contact_identifier(
        &mut self,
        department: DepartmentRow,
        contact: i64,
        protocol: Protocol,
        identifier: &str,
    ) -> Result<()>;
    /// Where no program has set a name.
    fn name_by_profile(&mut self, contact: i64, name: &str, now: Timestamp) -> Result<()>;
    /// When the customer last said something of marketing.
    fn last_wish(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        customer: &str,
    ) -> Result<Option<Timestamp>>;
    fn set_wish(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        customer: &str,
        wanted: bool,
        at: Timestamp,
    ) -> Result<()>;
    /// Leaves one that is there as it is.
    fn suppress(&mut self, department: DepartmentRow, suppression: &Suppression) -> Result<()>;
    /// Tells whether there was one.
    fn unsuppress(
        &mut self,
        department: DepartmentRow,
        customer: &str,
        channel: Option<ChannelRow>,
        kind: SuppressionKind,
    ) -> Result<bool>;

    // The inbox.

    fn delete_inbox(&mut self, numbers: &[i64]) -> Result<()>;
    fn set_unreadable(&mut self, number: i64, problem: &str) -> Result<()>;

    // Told after the commit.

    /// A message may go.
    fn tell_arrived(&mut self, lane: LaneRow, queued: Queued);
    /// Something waits for a moment.
    fn tell_scheduled(&mut self, lane: LaneRow, due: Timestamp);
}
