//! What a webhook's worker decides, as a value: which events go together, which wait, what a result means.
//!
//! - Events of one message come in order: while one of them is in an unfinished delivery, later ones are *held*.
//!   All others go on.
//! - An endpoint that is *down* is left alone but for one probe at a time; nothing new is frozen meanwhile.
//! - A *refused* batch is divided; a single refused event is *parked* with a schedule of its own. An endpoint that
//!   refuses everything cannot be told from one with bad events by one answer, so while nothing has been taken since
//!   the last refusal there is one request at a time, the smallest batch first, and after [`REFUSALS`] of them the
//!   endpoint counts as down: whatever the size of its backlog, it gets no more than those before it is left alone.
//!
//! Every change comes out as a part of a [`DeliveryStep`], which is made durable before anything is sent.

mod freeze;
mod settle;

use super::settings::Settings;
use crate::store::{Delivery, DeliveryKind, DeliveryState, EventKey, Failing, LaneRow, LoggedEvent, Progress};
use herald_rules::{
    ids::{DeliveryId, MessageId},
    time::Timestamp,
};
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    time::Duration,
};

/// Refusals in a row, with nothing taken between them, after which an endpoint counts as down. A batch of 100 with one
/// bad event is down to that event after eight; two more show whether anything is taken at all.
const REFUSALS: u32 = 10;

/// Deliveries and held messages in memory for one subscription; past it nothing new is frozen until some are through.
/// Reached only by an endpoint that refuses events by the thousand, at some 300 bytes each.
const CROWD: usize = 20_000;

/// Replays in memory at once; the others wait in the store.
pub(super) const REPLAYS: usize = 16;

/// How much is read ahead of what is frozen, in bytes.
const AHEAD_BYTES: usize = 4 << 20;

/// An unfinished delivery.
#[derive(Debug)]
struct Open {
    delivery: Delivery,
    /// The messages of its events, side by side with them; empty for replays, which hold nothing up.
    messages: Vec<MessageId>,
    in_flight: bool,
    /// Made when it was frozen; a later attempt makes it anew.
    body: Option<Vec<u8>>,
}

/// An attempt to be made.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) id: DeliveryId,
    /// From 1.
    pub(super) number: u32,
    /// `None`: read the events and make it.
    pub(super) body: Option<Vec<u8>>,
    pub(super) events: Vec<EventKey>,
}

/// The sizes that bound it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_batch: usize,
    pub(super) max_bytes: usize,
    pub(super) concurrency: usize,
    pub(super) linger: Duration,
    pub(super) max_age: Duration,
    pub(super) disable_after: Duration,
}

impl Bounds {
    pub(super) fn of(settings: &Settings, max_batch: Option<u32>) -> Self {
        let asked = max_batch.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        Self {
            max_batch: settings.max_batch.min(asked).max(1),
            max_bytes: settings.max_bytes,
            concurrency: settings.concurrency.max(1),
            linger: settings.linger,
            max_age: settings.max_age,
            disable_after: settings.disable_after,
        }
    }
}

/// Where a webhook subscription stands.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) bounds: Bounds,
    /// How far each lane was read; what lies between the cursor and here is in `pending`.
    read_to: HashMap<LaneRow, i64>,
    pending: VecDeque<LoggedEvent>,
    pending_bytes: usize,
    /// When the first of `pending` came, and the last.
    pending_since: Timestamp,
    pending_last: Timestamp,
    last_freeze: Timestamp,
    /// Events that wait for an earlier one of their message, in order.
    held: HashMap<MessageId, VecDeque<EventKey>>,
    /// Messages in `held` that nothing is in the way of any more.
    free: VecDeque<MessageId>,
    /// Held events that were read again.
    returned: VecDeque<LoggedEvent>,
    /// Which unfinished delivery a message is in.
    busy: HashMap<MessageId, DeliveryId>,
    open: HashMap<DeliveryId, Open>,
    /// Waiting and parked deliveries that are not in flight, by when they are due.
    waiting: BTreeSet<(Timestamp, DeliveryId)>,
    parked: BTreeSet<(Timestamp, DeliveryId)>,
    in_flight: usize,
    parked_in_flight: usize,
    replays: usize,
    refusals: u32,
    failing: Option<Failing>,
    probe: Option<DeliveryId>,
}

impl Outbox {
    pub(super) fn new(bounds: Bounds, progress: Progress, failing: Option<Failing>) -> Self {
        let mut outbox = Self {
            bounds,
            read_to: progress.cursors.iter().map(|cursor| (cursor.lane, cursor.sequence)).collect(),
            pending: VecDeque::new(),
            pending_bytes: 0,
            pending_since: Timestamp(0),
            pending_last: Timestamp(0),
            last_freeze: Timestamp(0),
            held: HashMap::new(),
            free: VecDeque::new(),
            returned: VecDeque::new(),
            busy: HashMap::new(),
            open: HashMap::new(),
            waiting: BTreeSet::new(),
            parked: BTreeSet::new(),
            in_flight: 0,
            parked_in_flight: 0,
            replays: 0,
            refusals: 0,
            failing,
            probe: None,
        };
        for (delivery, messages) in progress.open {
            outbox.add(delivery, messages, None);
        }
        for (key, message) in progress.held {
            outbox.held.entry(message).or_default().push_back(key);
        }
        outbox.did_not_come_back();
        outbox
    }

    /// How far each lane was read.
    pub(super) fn read_to(&self) -> &HashMap<LaneRow, i64> {
        &self.read_to
    }

    /// How many more events should be read from the log now.
    pub(super) fn room(&self) -> usize {
        let wanted = match self.failing {
            // Only a probe may go, so one batch is enough.
            Some(_) => self.bounds.max_batch,
            None => 2 * self.bounds.max_batch * self.bounds.concurrency,
        };
        let full = self.pending_bytes >= AHEAD_BYTES || self.crowded();
        // Small top-ups cost as much as large ones: wait until half of it is free.
        if full || self.pending.len() * 2 > wanted { 0 } else { wanted - self.pending.len() }
    }

    fn crowded(&self) -> bool {
        self.open.len() + self.held.len() >= CROWD
    }

    /// Takes what was read after `asked`; `heads` are the ends of the same lanes as they were known before the read.
    pub(super) fn loaded(&mut self, heads: &[EventKey], events: Vec<LoggedEvent>, now: Timestamp) {
        if events.is_empty() {
            // What the heads promise is not there: its messages were cleared away. Nothing to hand over.
            for head in heads {
                self.read_to.insert(head.lane, head.sequence);
            }
            return;
        }
        if self.pending.is_empty() {
            self.pending_since = now;
        }
        self.pending_last = now;
        for event in events {
            self.read_to.insert(event.key.lane, event.key.sequence);
            self.pending_bytes += event.json.len();
            self.pending.push_back(event);
        }
    }

    /// Held events that may go now and are to be read again; at most `limit`.
    pub(super) fn take_free(&mut self, limit: usize) -> Vec<EventKey> {
        if !self.returned.is_empty() || (self.failing.is_some() && !self.waiting.is_empty()) {
            return Vec::new();
        }
        let mut keys = Vec::new();
        while keys.len() < limit
            && let Some(message) = self.free.pop_front()
        {
            if !self.busy.contains_key(&message)
                && let Some(waiting) = self.held.get(&message)
            {
                keys.extend(waiting);
            }
        }
        keys
    }

    /// Takes them. Those of `asked` that are missing were cleared away.
    pub(super) fn came_back(&mut self, asked: &[EventKey], events: Vec<LoggedEvent>) {
        let here: HashSet<_> = events.iter().map(|event| event.key).collect();
        let gone: HashSet<_> = asked.iter().filter(|key| !here.contains(key)).collect();
        if !gone.is_empty() {
            self.held.retain(|_, keys| {
                keys.retain(|key| !gone.contains(key));
                !keys.is_empty()
            });
        }
        self.returned.extend(events);
    }

    /// They could not be read: they are asked for again.
    pub(super) fn did_not_come_back(&mut self) {
        self.free = self.held.keys().filter(|message| !self.busy.contains_key(message)).copied().collect();
    }

    /// How many replays may be read from the store.
    pub(super) fn room_for_replays(&self) -> usize {
        if self.failing.is_some() { 0 } else { REPLAYS.saturating_sub(self.replays) }
    }

    /// Takes replays that wait in the store; those that are here already are left out.
    pub(super) fn add_replays(&mut self, replays: Vec<Delivery>) {
        for delivery in replays {
            if self.replays < REPLAYS && !self.open.contains_key(&delivery.id) {
                self.add(delivery, Vec::new(), None);
            }
        }
    }

    fn add(&mut self, delivery: Delivery, messages: Vec<MessageId>, body: Option<Vec<u8>>) {
        let (id, due) = (delivery.id, delivery.due);
        for message in &messages {
            self.busy.insert(*message, id);
        }
        match delivery.state {
            DeliveryState::Parked => self.parked.insert((due, id)),
            _ => {
                self.replays += usize::from(delivery.kind == DeliveryKind::Replay);
                self.waiting.insert((due, id))
            }
        };
        self.open.insert(id, Open { delivery, messages, in_flight: false, body });
    }

    /// The attempts to be made now.
    pub(super) fn starts(&mut self, now: Timestamp) -> Vec<Start> {
        let mut starts = Vec::new();
        if let Some(failing) = self.failing {
            if self.in_flight == 0
                && now >= failing.retry_at
                && let Some(id) = self.probe_of(now)
            {
                self.probe = Some(id);
                starts.extend(self.start(id));
            }
            return starts;
        }
        while self.in_flight < self.slots() {
            let Some(id) = self.next_waiting(now).or_else(|| self.next_parked(now)) else { break };
            starts.extend(self.start(id));
        }
        starts
    }

    /// How many attempts may be under way: one at a time while nothing has been taken since a refusal.
    fn slots(&self) -> usize {
        if self.refusals > 0 { 1 } else { self.bounds.concurrency }
    }

    fn next_waiting(&self, now: Timestamp) -> Option<DeliveryId> {
        let mut due = self.waiting.iter().take_while(|(due, _)| *due <= now).map(|(_, id)| *id);
        if self.refusals == 0 {
            return due.next();
        }
        due.min_by_key(|id| (self.open.get(id).map_or(0, |open| open.delivery.events.len()), *id))
    }

    /// A parked event that is due. They take one slot, so that many of them delay nobody.
    fn next_parked(&self, now: Timestamp) -> Option<DeliveryId> {
        let (due, id) = self.parked.first()?;
        (*due <= now && self.parked_in_flight == 0).then_some(*id)
    }

    /// What to try a failing endpoint with: what was tried least, so that a bad event cannot stand for all of them.
    fn probe_of(&self, now: Timestamp) -> Option<DeliveryId> {
        let tried_least =
            self.waiting.iter().min_by_key(|(_, id)| (self.open.get(id).map_or(0, |open| open.delivery.attempts), *id));
        match tried_least {
            Some((_, id)) => Some(*id),
            None if self.pending.is_empty() || self.crowded() => self.next_parked(now),
            // A fresh batch will be frozen for it.
            None => None,
        }
    }

    fn start(&mut self, id: DeliveryId) -> Option<Start> {
        let open = self.open.get_mut(&id)?;
        let place = (open.delivery.due, id);
        open.in_flight = true;
        self.in_flight += 1;
        if open.delivery.state == DeliveryState::Parked {
            self.parked_in_flight += 1;
            self.parked.remove(&place);
        } else {
            self.waiting.remove(&place);
        }
        let body = open.body.take();
        Some(Start { id, number: open.delivery.attempts + 1, body, events: open.delivery.events.clone() })
    }

    /// When something becomes possible that is not now, if nothing is heard before.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let first = |set: &BTreeSet<(Timestamp, DeliveryId)>| set.first().map(|(due, _)| *due);
        let parked = first(&self.parked).filter(|_| self.parked_in_flight == 0);
        if let Some(failing) = self.failing {
            let fresh = !self.waiting.is_empty() || !self.pending.is_empty() || !self.held.is_empty();
            let due = if fresh { Some(failing.retry_at) } else { parked.map(|due| due.max(failing.retry_at)) };
            return due.filter(|_| self.in_flight == 0);
        }
        if self.in_flight >= self.slots() {
            return None;
        }
        let batch = self.batch_due().filter(|_| !self.crowded());
        [first(&self.waiting), parked, batch].into_iter().flatten().min()
    }

    /// Nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }
}
