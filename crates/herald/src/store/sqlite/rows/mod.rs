//! The rows of the tables, one statement each, for the logic that both engines share.
//!
//! What is nearly always empty is not asked: the writer keeps in memory that it is.

mod claims;
mod inbox;
mod lanes;
mod log;
mod messages;
mod parts;
mod people;
mod queue;
mod references;

pub(super) use lanes::standing;
pub(super) use parts::insert_parts;
pub(super) use people::reach_of;
pub(super) use queue::put_away;

use super::Writing;
use crate::store::{
    Change, ChannelRow, DailyCustomers, DepartmentRow, LaneRow, NewInbound, Place, Queued, Standing, StoreError,
    Suppression, SuppressionKind,
    logic::{CheckedPlace, History, LiveRow, NewEvent, NewNote, Rows, Tried},
};
use herald_rules::{
    admission::Reach, ids::MessageId, message::Message, part::Part, protocol::Protocol, reason::Reason, status::Status,
    time::Timestamp,
};
use std::sync::Arc;

/// A trait's implementation cannot be split over files: each of its functions is one of a module of ours.
macro_rules! rows {
    ($( $module:ident { $( fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $answer:ty; )* } )*) => {
        impl Rows for Writing<'_> {
            fn count_queued(&mut self, lane: LaneRow, change: i64) {
                self.count(lane, change);
            }

            fn tell_arrived(&mut self, lane: LaneRow, queued: Queued) {
                self.memory.arrived.push((lane, queued));
            }

            fn tell_scheduled(&mut self, lane: LaneRow, due: Timestamp) {
                self.memory.scheduled.push((lane, due));
            }

            $( $(
                fn $name(&mut self, $($argument: $type),*) -> Result<$answer, StoreError> {
                    $module::$name(self, $($argument),*)
                }
            )* )*
        }
    };
}

rows! {
    messages {
        fn message(department: DepartmentRow, id: MessageId) -> Option<Arc<Message>>;
        fn lane_of_message(department: DepartmentRow, id: MessageId) -> Option<LaneRow>;
        fn channel_of(lane: LaneRow) -> ChannelRow;
    }
    queue {
        fn live(department: DepartmentRow, lane: LaneRow, place: Place) -> Option<LiveRow>;
        fn insert_live(department: DepartmentRow, lane: LaneRow, queued: &Queued) -> ();
        fn delete_live(department: DepartmentRow, lane: LaneRow, place: Place) -> bool;
        fn insert_later(department: DepartmentRow, lane: LaneRow, tried: &Tried, due: Timestamp, reason: Option<Reason>) -> ();
        fn delete_later(department: DepartmentRow, lane: LaneRow, due: Timestamp, position: i64) -> ();
        fn next_position(lane: LaneRow) -> i64;
    }
    claims {
        fn insert_claim(department: DepartmentRow, lane: LaneRow, number: i64, at: Timestamp, entries: Vec<u8>) -> ();
        fn delete_claim(department: DepartmentRow, lane: LaneRow, number: i64) -> ();
        fn claims(department: DepartmentRow, lane: LaneRow) -> Vec<(Timestamp, Vec<u8>)>;
        fn delete_claims(department: DepartmentRow, lane: LaneRow) -> ();
        fn insert_checking(department: DepartmentRow, lane: LaneRow, tried: &Tried, since: Timestamp, deadline: Timestamp) -> ();
        fn delete_checking(department: DepartmentRow, lane: LaneRow, id: MessageId) -> bool;
        fn checked(department: DepartmentRow, lane: LaneRow, id: MessageId) -> Option<CheckedPlace>;
        fn any_checking() -> bool;
        fn any_cancelled() -> bool;
        fn insert_cancelled(department: DepartmentRow, id: MessageId) -> ();
        fn take_cancelled(department: DepartmentRow, id: MessageId) -> bool;
    }
    log {
        fn history(department: DepartmentRow, id: MessageId) -> History;
        fn has_event(department: DepartmentRow, id: MessageId) -> bool;
        fn insert_event(event: NewEvent) -> Change;
        fn add_words(change: &Change, words: String) -> ();
        fn add_note(department: DepartmentRow, id: MessageId, note: &NewNote<'_>) -> ();
    }
    parts {
        fn any_parts() -> bool;
        fn parts(department: DepartmentRow, id: MessageId) -> Vec<Part>;
        fn set_part(department: DepartmentRow, id: MessageId, part: u16, state: (Status, Timestamp, Option<u16>), words: Option<String>) -> ();
    }
    references {
        fn reference(channel: ChannelRow, reference: &str) -> Option<(MessageId, u16)>;
        fn insert_reference(channel: ChannelRow, reference: &str, id: MessageId, part: u16) -> ();
        fn any_early() -> bool;
        fn take_early(channel: ChannelRow, reference: &str) -> Vec<(Status, String)>;
        fn insert_early(channel: ChannelRow, reference: &str, status: Status, received_at: Timestamp, receipt: String) -> ();
    }
    lanes {
        fn set_pace(lane: LaneRow, pace: &str) -> ();
        fn standing_of(lane: LaneRow) -> Standing;
        fn set_standing(lane: LaneRow, standing: &Standing) -> ();
        fn count_customers(counted: &DailyCustomers) -> ();
    }
    people {
        fn any_suppressions() -> bool;
        fn reach(whose: (DepartmentRow, ChannelRow, LaneRow), customer: &str, wanted: (bool, bool)) -> Reach;
        fn open_window(lane: LaneRow, customer: &str, until: Timestamp) -> ();
        fn contact_row(department: DepartmentRow, protocol: Protocol, identifier: &str) -> Option<i64>;
        fn add_contact(department: DepartmentRow, protocol: Protocol, identifier: &str, now: Timestamp) -> i64;
        fn add_contact_identifier(department: DepartmentRow, contact: i64, protocol: Protocol, identifier: &str) -> ();
        fn name_by_profile(contact: i64, name: &str, now: Timestamp) -> ();
        fn last_wish(department: DepartmentRow, channel: ChannelRow, customer: &str) -> Option<Timestamp>;
        fn set_wish(department: DepartmentRow, channel: ChannelRow, customer: &str, wanted: bool, at: Timestamp) -> ();
        fn suppress(department: DepartmentRow, suppression: &Suppression) -> ();
        fn unsuppress(department: DepartmentRow, customer: &str, channel: Option<ChannelRow>, kind: SuppressionKind) -> bool;
    }
    inbox {
        fn insert_inbound(department: DepartmentRow, channel: ChannelRow, new: &NewInbound, body: &str) -> bool;
        fn delete_inbox(numbers: &[i64]) -> ();
        fn set_unreadable(number: i64, problem: &str) -> ();
    }
}
