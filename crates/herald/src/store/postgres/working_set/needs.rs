//! What an operation can ask for, to be loaded in one flight.

use crate::store::{ChannelRow, LaneRow, Place};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A place in a lane's queue, as a key: lane, class, position.
pub(super) type PlaceKey = (LaneRow, i16, i64);

/// The key of a place.
pub(super) fn place_key(lane: LaneRow, place: Place) -> PlaceKey {
    (lane, i16::from(place.priority.class()), place.position)
}

/// Keys of rows by table. All are of one department.
#[derive(Default)]
pub(in crate::store::postgres) struct Needs {
    /// Messages whose events are asked for.
    pub(in crate::store::postgres) histories: BTreeSet<Uuid>,
    /// Messages of which it is asked whether the provider has said that they failed.
    pub(in crate::store::postgres) failures: BTreeSet<Uuid>,
    /// Messages of which the whole is asked for.
    pub(in crate::store::postgres) messages: BTreeSet<Uuid>,
    /// Messages of which the lane is asked for.
    pub(in crate::store::postgres) lanes: BTreeSet<Uuid>,
    /// Messages whose parts are asked for.
    pub(in crate::store::postgres) parts: BTreeSet<Uuid>,
    /// Messages that may be cancelled.
    pub(in crate::store::postgres) cancelled: BTreeSet<Uuid>,
    /// Messages whose outcome may be being found out.
    pub(in crate::store::postgres) checking: BTreeSet<Uuid>,
    /// Lanes of which the channel is asked for.
    pub(in crate::store::postgres) channels: BTreeSet<LaneRow>,
    /// Places in queues.
    pub(in crate::store::postgres) live: BTreeSet<PlaceKey>,
    /// Lanes whose open claims are asked for.
    pub(in crate::store::postgres) claims: BTreeSet<LaneRow>,
    /// Lanes that give out positions.
    pub(in crate::store::postgres) positions: BTreeSet<LaneRow>,
    /// The channel of the references.
    pub(in crate::store::postgres) channel: ChannelRow,
    /// Providers' ids of which the message is asked for.
    pub(in crate::store::postgres) references: BTreeSet<String>,
    /// Providers' ids of messages of which, beside, events, parts and search are asked for.
    pub(in crate::store::postgres) receipts: BTreeSet<String>,
    /// Providers' ids for which receipts may wait.
    pub(in crate::store::postgres) early: BTreeSet<String>,
    /// Providers' ids of customers' messages.
    pub(in crate::store::postgres) inbound: BTreeSet<String>,
    /// Lanes and customers whose windows are asked for.
    pub(in crate::store::postgres) windows: BTreeSet<(LaneRow, String)>,
    /// Customers who may not want something.
    pub(in crate::store::postgres) suppressions: BTreeSet<String>,
    /// Customers who may have said something of marketing on the channel.
    pub(in crate::store::postgres) wishes: BTreeSet<String>,
    /// Protocols and identifiers of contacts.
    pub(in crate::store::postgres) contacts: BTreeSet<(String, String)>,
}

impl Needs {
    /// Nothing is needed.
    pub(super) fn is_empty(&self) -> bool {
        let Self { histories, failures, messages, lanes, parts, cancelled, checking, .. } = self;
        let Self { references, receipts, early, inbound, suppressions, wishes, .. } = self;
        [histories, failures, messages, lanes, parts, cancelled, checking].iter().all(|ids| ids.is_empty())
            && [references, receipts, early, inbound, suppressions, wishes].iter().all(|texts| texts.is_empty())
            && [&self.channels, &self.claims, &self.positions].iter().all(|lanes| lanes.is_empty())
            && self.live.is_empty()
            && self.windows.is_empty()
            && self.contacts.is_empty()
    }

    /// Adds a place in a lane's queue.
    pub(in crate::store::postgres) fn place(&mut self, lane: LaneRow, place: Place) {
        self.live.insert(place_key(lane, place));
    }
}
