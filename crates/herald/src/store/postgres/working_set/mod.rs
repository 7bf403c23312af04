//! The rows of one operation in memory: loaded by one flight, read and written by the logic, flushed by another.
//!
//! What the logic asks for beyond what was foreseen is loaded by a further flight, and the logic begins anew on more. So a
//! row that was not loaded is never taken for one that does not exist, and what is rare need not be loaded each time.

mod flush;
mod foresee;
mod load;
mod needs;
mod people;
mod rows;
mod table;

use super::{
    Engine, columns,
    owner::{Locked, Owner},
    pipeline::Pipeline,
};
use crate::store::{Change, ChannelRow, DepartmentRow, Epoch, LaneRow, Queued, Standing, StoreError, logic::LiveRow};
use herald_rules::{ids::MessageId, message::Message, status::Status, time::Timestamp};
pub(super) use needs::Needs;
use needs::PlaceKey;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use table::Table;
use uuid::Uuid;

/// Flights that load, at most: so many, and so many more for each key of the batch. Each finds at least one thing that the logic did
/// not know, so that it ends by itself; the longest way of a message is that of an early receipt for a part whose outcome is
/// unknown: reference, history, parts, search, message, position. What many messages of a batch are asked for is foreseen.
const FLIGHTS: usize = 12;

/// Where and how often a message changed its status.
#[derive(Clone)]
struct EventRow {
    lane: LaneRow,
    sequence: i64,
    status: Status,
    reason: Option<u16>,
    resent: bool,
}

/// A row of `checking`, but for its key.
#[derive(Clone)]
struct CheckingRow {
    place: PlaceKey,
    attempt: u32,
    resent: bool,
    part: u16,
    since: Timestamp,
    deadline: Timestamp,
    claimed_at: Timestamp,
}

/// A part as it stands.
#[derive(Clone)]
struct PartRow {
    status: Status,
    reason: Option<u16>,
    words: Option<String>,
}

/// What is kept in memory of the rows.
#[derive(Default)]
pub(super) struct WorkingSet {
    department: DepartmentRow,
    /// Of the owner; 0 for whoever does not claim.
    epoch: Epoch,
    locked: BTreeMap<LaneRow, Locked>,
    missing: Needs,

    messages: HashMap<Uuid, Option<Arc<Message>>>,
    lanes: HashMap<Uuid, Option<LaneRow>>,
    channels: HashMap<LaneRow, ChannelRow>,
    events: HashMap<Uuid, Vec<EventRow>>,
    failures: HashMap<Uuid, Option<Option<u16>>>,
    parts: HashMap<Uuid, Vec<PartRow>>,
    claims: HashMap<LaneRow, Vec<(Timestamp, Vec<u8>)>>,
    positions: HashMap<LaneRow, i64>,
    references: HashMap<(ChannelRow, String), Option<(MessageId, u16)>>,
    early: HashMap<(ChannelRow, String), Vec<(Status, String)>>,
    windows: HashMap<(LaneRow, String), Option<i64>>,
    suppressed: HashMap<String, Vec<(ChannelRow, String)>>,

    live: Table<PlaceKey, LiveRow>,
    checking: Table<Uuid, (LaneRow, CheckingRow)>,
    cancelled: Table<Uuid, ()>,
    inbound: Table<(ChannelRow, String), flush::InboundRow>,
    wishes: Table<(ChannelRow, String), (bool, Timestamp)>,
    contacts: Table<(String, String), i64>,

    written: Written,
}

/// What the logic wrote, beside the tables.
#[derive(Default)]
struct Written {
    events: Vec<flush::NewEventRow>,
    changes: Vec<Change>,
    notes: Vec<flush::NoteRow>,
    parts: BTreeMap<(Uuid, u16), flush::PartChange>,
    references: BTreeMap<(ChannelRow, String), (MessageId, u16)>,
    early: BTreeMap<(ChannelRow, String), BTreeMap<u8, (Timestamp, String)>>,
    early_taken: BTreeSet<(ChannelRow, String)>,
    later: Vec<flush::LaterRow>,
    later_gone: Vec<(LaneRow, i64, i64)>,
    claims: Vec<flush::ClaimRow>,
    claims_closed: Vec<(LaneRow, i64)>,
    claims_gone: BTreeSet<LaneRow>,
    lanes: BTreeMap<LaneRow, LaneChange>,
    positions: BTreeMap<LaneRow, i64>,
    customers: BTreeMap<(String, i64), Timestamp>,
    windows: BTreeMap<(LaneRow, String), Timestamp>,
    suppressions: BTreeMap<(String, ChannelRow, String), Option<(String, Timestamp)>>,
    new_contacts: Vec<people::NewContact>,
    names: BTreeMap<i64, (String, Timestamp)>,
    inbox_done: Vec<i64>,
    inbox_unreadable: Vec<(i64, String)>,
    arrived: Vec<(LaneRow, Queued)>,
    scheduled: Vec<(LaneRow, Timestamp)>,
}

/// What changes in a lane's row of `lane_log`.
#[derive(Default)]
struct LaneChange {
    sequence: Option<i64>,
    departed: i64,
    pace: Option<String>,
    standing: Option<Standing>,
}

impl WorkingSet {
    /// Messages that the caller holds need not be loaded.
    pub(super) fn holds<'a>(&mut self, messages: impl Iterator<Item = &'a Arc<Message>>) {
        self.messages.extend(messages.map(|message| (message.id.0, Some(message.clone()))));
    }

    /// Forgets what the logic wrote, and takes what it asked for in vain.
    fn begin_anew(&mut self) -> Needs {
        self.written = Written::default();
        self.live.reset();
        self.checking.reset();
        self.cancelled.reset();
        self.inbound.reset();
        self.wishes.reset();
        self.contacts.reset();
        std::mem::take(&mut self.missing)
    }
}

impl Engine {
    /// One operation: locks, loads, runs the logic, writes, and tells the observer.
    pub(super) async fn work<T>(
        &self,
        department: DepartmentRow,
        owner: Owner,
        needs: Needs,
        mut set: WorkingSet,
        mut logic: impl FnMut(&mut WorkingSet) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        (set.department, set.epoch) = (department, owner.epoch());
        let mut pipeline = Pipeline::default();
        let lock = owner.add_to(&mut pipeline);
        let most = FLIGHTS * (1 + needs.size());
        let asked = set.ask(needs, &mut pipeline);
        let (transaction, mut answers) = self.begin(pipeline).await?;
        set.locked = match owner.check(answers.take(lock)) {
            Ok(locked) => locked,
            Err(error) => {
                transaction.roll_back().await?;
                return Err(error);
            }
        };
        set.absorb(asked, &mut answers)?;
        let mut flights = 1;
        let done = loop {
            let done = logic(&mut set);
            if set.missing.is_empty() || flights >= most {
                break done;
            }
            let needs = set.begin_anew();
            let mut pipeline = Pipeline::default();
            let asked = set.ask(needs, &mut pipeline);
            let mut answers = transaction.send(pipeline).await?;
            set.absorb(asked, &mut answers)?;
            flights += 1;
        };
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                transaction.roll_back().await?;
                return Err(error);
            }
        };
        let mut pipeline = Pipeline::default();
        set.flush(&mut pipeline)?;
        if pipeline.is_empty() {
            transaction.roll_back().await?;
            return Ok(done);
        }
        drop(transaction.commit_with(pipeline).await?);
        self.tell(set);
        Ok(done)
    }

    /// What has become durable.
    fn tell(&self, set: WorkingSet) {
        let Written { arrived, scheduled, changes, positions, .. } = set.written;
        if !positions.is_empty() || !arrived.is_empty() {
            let mut telling = self.positions.telling();
            let mut broken: BTreeSet<LaneRow> = arrived.iter().map(|(lane, _)| *lane).collect();
            for (lane, last) in positions {
                let before = set.positions.get(&lane).copied().unwrap_or(last);
                if telling.follow(lane, before, last) {
                    broken.remove(&lane);
                }
            }
            for (lane, queued) in arrived {
                if !broken.contains(&lane) {
                    self.observer.arrived(lane, queued);
                }
            }
            for lane in broken {
                self.observer.more(lane);
            }
        }
        for (lane, due) in scheduled {
            self.observer.scheduled(lane, due);
        }
        if !changes.is_empty() {
            self.observer.changed(&changes);
        }
    }
}

/// The error that has the logic begin anew; it only gets out if that does not help.
fn not_loaded() -> StoreError {
    StoreError::Corrupt("an operation asked for what was not loaded".into())
}

/// How a lane stands. What another version wrote and this one cannot read is found out anew by the next message.
fn standing_of(locked: &Locked) -> Standing {
    serde_json::from_str(&locked.standing).unwrap_or_default()
}

/// A number of a part or of a reason, as it is stored.
fn small(number: u16) -> i16 {
    columns::as_small(number)
}
