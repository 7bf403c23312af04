//! The rows as the logic reads and writes them.

use super::{
    CheckingRow, PartRow, WorkingSet,
    flush::{ClaimRow, InboundRow, LaterRow, NewEventRow, NoteRow, PartChange},
    needs::{Needs, PlaceKey, place_key},
    not_loaded, standing_of,
};
use crate::store::{
    Change, ChannelRow, DailyCustomers, DepartmentRow, LaneRow, NewInbound, Place, Queued, Standing, StoreError,
    Suppression, SuppressionKind,
    logic::{CheckedPlace, History, LiveRow, NewEvent, NewNote, Rows, Tried},
    provider_words,
};
use herald_rules::{
    admission::Reach,
    ids::MessageId,
    message::{Message, Priority},
    part::Part,
    protocol::Protocol,
    reason::Reason,
    status::Status,
    time::Timestamp,
};
use serde_json::Value;
use std::sync::Arc;

type Result<T> = std::result::Result<T, StoreError>;

impl WorkingSet {
    /// What is known; where nothing is, it is noted as missing.
    pub(super) fn known<T>(&mut self, known: Option<T>, need: impl FnOnce(&mut Needs) -> bool) -> Result<T> {
        known.ok_or_else(|| {
            // Whether it was noted already says nothing here.
            let _ = need(&mut self.missing);
            not_loaded()
        })
    }

    /// A set of missing things is of one channel.
    pub(super) fn known_of_channel<T>(
        &mut self,
        channel: ChannelRow,
        known: Option<T>,
        need: impl FnOnce(&mut Needs) -> bool,
    ) -> Result<T> {
        self.known(known, |needs| {
            needs.channel = channel;
            need(needs)
        })
    }

    fn change(&mut self, lane: LaneRow) -> &mut super::LaneChange {
        self.written.lanes.entry(lane).or_default()
    }
}

fn place_of(key: PlaceKey) -> Place {
    let class = u8::try_from(key.1).unwrap_or(u8::MAX);
    Place { priority: Priority::from_class(class), position: key.2 }
}

/// Merges one JSON object into another, as RFC 7396 has it but for deleting.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

impl Rows for WorkingSet {
    fn message(&mut self, _: DepartmentRow, id: MessageId) -> Result<Option<Arc<Message>>> {
        self.known(self.messages.get(&id.0).cloned(), |needs| needs.messages.insert(id.0))
    }

    fn lane_of_message(&mut self, _: DepartmentRow, id: MessageId) -> Result<Option<LaneRow>> {
        self.known(self.lanes.get(&id.0).copied(), |needs| needs.lanes.insert(id.0))
    }

    fn channel_of(&mut self, lane: LaneRow) -> Result<ChannelRow> {
        let locked = self.locked.get(&lane).map(|locked| locked.channel);
        self.known(locked.or(self.channels.get(&lane).copied()), |needs| needs.channels.insert(lane))
    }

    fn live(&mut self, _: DepartmentRow, lane: LaneRow, place: Place) -> Result<Option<LiveRow>> {
        let key = place_key(lane, place);
        self.known(self.live.get(&key), |needs| needs.live.insert(key))
    }

    fn insert_live(&mut self, _: DepartmentRow, lane: LaneRow, queued: &Queued) -> Result<()> {
        let Queued { place, attempt, resent, part, message } = queued;
        let row = LiveRow { id: message.id, attempt: *attempt, resent: *resent, part: *part };
        self.live.put(place_key(lane, *place), row);
        Ok(())
    }

    fn delete_live(&mut self, _: DepartmentRow, lane: LaneRow, place: Place) -> Result<bool> {
        let key = place_key(lane, place);
        let taken = self.live.take(&key);
        Ok(self.known(taken, |needs| needs.live.insert(key))?.is_some())
    }

    fn insert_later(
        &mut self,
        _: DepartmentRow,
        lane: LaneRow,
        tried: &Tried,
        due: Timestamp,
        reason: Option<Reason>,
    ) -> Result<()> {
        let Tried { id, place, attempt, resent, part, claimed_at: _ } = *tried;
        let place = place_key(lane, place);
        self.written.later.push(LaterRow { lane, due: due.0, place, id: id.0, attempt, resent, part, reason });
        Ok(())
    }

    fn delete_later(&mut self, _: DepartmentRow, lane: LaneRow, due: Timestamp, position: i64) -> Result<()> {
        self.written.later_gone.push((lane, due.0, position));
        Ok(())
    }

    fn next_position(&mut self, lane: LaneRow) -> Result<i64> {
        let last = self.written.positions.get(&lane).or_else(|| self.positions.get(&lane)).copied();
        let next = self.known(last, |needs| needs.positions.insert(lane))? + 1;
        self.written.positions.insert(lane, next);
        Ok(next)
    }

    fn count_queued(&mut self, lane: LaneRow, change: i64) {
        self.change(lane).departed -= change;
    }

    fn insert_claim(
        &mut self,
        _: DepartmentRow,
        lane: LaneRow,
        number: i64,
        at: Timestamp,
        entries: Vec<u8>,
    ) -> Result<()> {
        self.written.claims.push(ClaimRow { lane, number, at, entries });
        Ok(())
    }

    fn delete_claim(&mut self, _: DepartmentRow, lane: LaneRow, number: i64) -> Result<()> {
        self.written.claims_closed.push((lane, number));
        Ok(())
    }

    fn claims(&mut self, _: DepartmentRow, lane: LaneRow) -> Result<Vec<(Timestamp, Vec<u8>)>> {
        self.known(self.claims.get(&lane).cloned(), |needs| needs.claims.insert(lane))
    }

    fn delete_claims(&mut self, _: DepartmentRow, lane: LaneRow) -> Result<()> {
        // Where there are none, nothing is written.
        if !self.claims(self.department, lane)?.is_empty() {
            self.written.claims_gone.insert(lane);
        }
        Ok(())
    }

    fn set_pace(&mut self, lane: LaneRow, pace: &str) -> Result<()> {
        self.change(lane).pace = Some(pace.to_owned());
        Ok(())
    }

    fn insert_checking(
        &mut self,
        _: DepartmentRow,
        lane: LaneRow,
        tried: &Tried,
        since: Timestamp,
        deadline: Timestamp,
    ) -> Result<()> {
        let Tried { id, place, attempt, resent, part, claimed_at } = *tried;
        let place = place_key(lane, place);
        let row = CheckingRow { place, attempt, resent, part, since, deadline, claimed_at };
        self.checking.put(id.0, (lane, row));
        Ok(())
    }

    fn delete_checking(&mut self, department: DepartmentRow, lane: LaneRow, id: MessageId) -> Result<bool> {
        // A message has one lane; that of another is nobody's search.
        if self.checked(department, lane, id)?.is_none() {
            return Ok(false);
        }
        Ok(self.checking.take(&id.0).flatten().is_some())
    }

    fn checked(&mut self, _: DepartmentRow, lane: LaneRow, id: MessageId) -> Result<Option<CheckedPlace>> {
        let known = self.checking.get(&id.0);
        let row = self.known(known, |needs| needs.checking.insert(id.0))?;
        Ok(row.filter(|(of, _)| *of == lane).map(|(_, row)| CheckedPlace {
            place: place_of(row.place),
            attempt: row.attempt,
            part: row.part,
            resent: row.resent,
            claimed_at: row.claimed_at,
        }))
    }

    fn any_checking(&mut self) -> Result<bool> {
        Ok(true)
    }

    fn any_cancelled(&mut self) -> Result<bool> {
        Ok(true)
    }

    fn insert_cancelled(&mut self, _: DepartmentRow, id: MessageId) -> Result<()> {
        self.cancelled.put(id.0, ());
        Ok(())
    }

    fn take_cancelled(&mut self, _: DepartmentRow, id: MessageId) -> Result<bool> {
        let taken = self.cancelled.take(&id.0);
        Ok(self.known(taken, |needs| needs.cancelled.insert(id.0))?.is_some())
    }

    fn history(&mut self, _: DepartmentRow, id: MessageId) -> Result<History> {
        let mut history = History::new();
        let known = self.events.get(&id.0).map(|events| {
            for event in events {
                history.add((event.lane, event.sequence), event.status, event.reason, event.resent);
            }
        });
        self.known(known, |needs| needs.histories.insert(id.0))?;
        for event in self.written.events.iter().filter(|event| event.id == id.0) {
            let status = u8::try_from(event.kind).ok().and_then(Status::from_code);
            if let Some(status) = status {
                history.add((event.lane, event.sequence), status, event.reason, event.resent);
            }
        }
        if history.is_a_guess() {
            let known = self.failures.get(&id.0).copied();
            let told = self.known(known, |needs| needs.failures.insert(id.0))?;
            let now = || {
                let mut notes = self.written.notes.iter();
                notes.find(|note| note.id == id.0 && note.status == Some(Status::Failed)).map(|note| note.reason)
            };
            if let Some(reason) = told.or_else(now) {
                history.confirmed(reason);
            }
        }
        Ok(history)
    }

    fn has_event(&mut self, _: DepartmentRow, id: MessageId) -> Result<bool> {
        let known = self.events.get(&id.0).map(|events| !events.is_empty());
        let before = self.known(known, |needs| needs.histories.insert(id.0))?;
        Ok(before || self.written.events.iter().any(|event| event.id == id.0))
    }

    fn insert_event(&mut self, event: NewEvent) -> Result<Change> {
        let NewEvent { department, lane, id, kind, at, reason, resent, words } = event;
        let Some(locked) = self.locked.get(&lane) else {
            return Err(StoreError::Corrupt(format!("the log of lane {lane} is written without its lock")));
        };
        let last = locked.sequence;
        let change = self.change(lane);
        let sequence = change.sequence.unwrap_or(last) + 1;
        change.sequence = Some(sequence);
        let kind_code = i16::from(kind.code());
        self.written.events.push(NewEventRow { lane, sequence, id: id.0, kind: kind_code, at, reason, resent, words });
        let change = Change { department, lane, sequence, id, kind };
        self.written.changes.push(change);
        Ok(change)
    }

    fn add_words(&mut self, change: &Change, words: String) -> Result<()> {
        let written = self.written.events.iter_mut().rev();
        let event = { written }.find(|event| event.lane == change.lane && event.sequence == change.sequence);
        let Some(event) = event else {
            return Err(StoreError::Corrupt("words are added to an event that was not written now".into()));
        };
        event.words = Some(match &event.words {
            Some(before) => {
                let mut merged: Value = serde_json::from_str(before)?;
                merge(&mut merged, serde_json::from_str(&words)?);
                merged.to_string()
            }
            None => words,
        });
        Ok(())
    }

    fn add_note(&mut self, _: DepartmentRow, id: MessageId, note: &NewNote<'_>) -> Result<()> {
        let (reason, words) = provider_words::split_cause(note.cause)?;
        let before = self.written.notes.iter().filter(|note| note.id == id.0).count();
        let nth = i32::try_from(before + 1).unwrap_or(i32::MAX);
        let (at, kind, status) = (note.at, note.kind.to_owned(), note.status);
        self.written.notes.push(NoteRow { id: id.0, nth, at, kind, status, reason, words });
        Ok(())
    }

    fn any_parts(&mut self) -> Result<bool> {
        Ok(true)
    }

    fn parts(&mut self, _: DepartmentRow, id: MessageId) -> Result<Vec<Part>> {
        let known = self.parts.get(&id.0).cloned();
        let parts = self.known(known, |needs| needs.parts.insert(id.0))?;
        let now = (0..).zip(parts).map(|(part, row)| match self.written.parts.get(&(id.0, part)) {
            Some(change) => PartRow { words: change.row.words.clone().or(row.words), ..change.row.clone() },
            None => row,
        });
        let cause = |row: &PartRow| provider_words::cause(row.reason, row.words.as_deref());
        Ok(now.map(|row| Part { status: row.status, cause: cause(&row) }).collect())
    }

    fn set_part(
        &mut self,
        _: DepartmentRow,
        id: MessageId,
        part: u16,
        (status, at, reason): (Status, Timestamp, Option<u16>),
        words: Option<String>,
    ) -> Result<()> {
        let before = self.written.parts.remove(&(id.0, part));
        let words = words.or(before.and_then(|before| before.row.words));
        self.written.parts.insert((id.0, part), PartChange { row: PartRow { status, reason, words }, at });
        Ok(())
    }

    fn reference(&mut self, channel: ChannelRow, reference: &str) -> Result<Option<(MessageId, u16)>> {
        let key = (channel, reference.to_owned());
        let known = self.references.get(&key).copied();
        let before = self.known_of_channel(channel, known, |needs| needs.references.insert(key.1.clone()))?;
        Ok(before.or_else(|| self.written.references.get(&key).copied()))
    }

    fn insert_reference(&mut self, channel: ChannelRow, reference: &str, id: MessageId, part: u16) -> Result<()> {
        self.written.references.entry((channel, reference.to_owned())).or_insert((id, part));
        Ok(())
    }

    fn any_early(&mut self) -> Result<bool> {
        Ok(true)
    }

    fn take_early(&mut self, channel: ChannelRow, reference: &str) -> Result<Vec<(Status, String)>> {
        let key = (channel, reference.to_owned());
        let known = self.early.get(&key).cloned();
        let mut receipts = self.known_of_channel(channel, known, |needs| needs.early.insert(key.1.clone()))?;
        if self.written.early_taken.contains(&key) {
            receipts.clear();
        }
        if !receipts.is_empty() {
            self.written.early_taken.insert(key.clone());
        }
        for (code, (_, receipt)) in self.written.early.remove(&key).unwrap_or_default() {
            let status = Status::from_code(code).filter(|status| receipts.iter().all(|(known, _)| known != status));
            receipts.extend(status.map(|status| (status, receipt)));
        }
        receipts.sort_by_key(|(status, _)| status.code());
        Ok(receipts)
    }

    fn insert_early(
        &mut self,
        channel: ChannelRow,
        reference: &str,
        status: Status,
        received_at: Timestamp,
        receipt: String,
    ) -> Result<()> {
        let kept = self.written.early.entry((channel, reference.to_owned())).or_default();
        kept.entry(status.code()).or_insert((received_at, receipt));
        Ok(())
    }

    fn standing_of(&mut self, lane: LaneRow) -> Result<Standing> {
        if let Some(standing) = self.written.lanes.get(&lane).and_then(|change| change.standing.clone()) {
            return Ok(standing);
        }
        // One that is not there (any more) stands in nobody's way.
        Ok(self.locked.get(&lane).map(standing_of).unwrap_or_default())
    }

    fn set_standing(&mut self, lane: LaneRow, standing: &Standing) -> Result<()> {
        if self.locked.contains_key(&lane) {
            self.change(lane).standing = Some(standing.clone());
        }
        Ok(())
    }

    fn count_customers(&mut self, counted: &DailyCustomers) -> Result<()> {
        for (customer, at) in &counted.customers {
            let key = (counted.portfolio.clone(), customer.cast_signed());
            let last = self.written.customers.entry(key).or_insert(*at);
            *last = (*last).max(*at);
        }
        Ok(())
    }

    fn any_suppressions(&mut self) -> Result<bool> {
        Ok(self.suppressed.values().any(|kinds| !kinds.is_empty()))
    }

    fn reach(
        &mut self,
        whose: (DepartmentRow, ChannelRow, LaneRow),
        customer: &str,
        wanted: (bool, bool),
    ) -> Result<Reach> {
        self.reach_of(whose, customer, wanted)
    }

    fn insert_inbound(&mut self, _: DepartmentRow, channel: ChannelRow, new: &NewInbound, body: &str) -> Result<bool> {
        let key = (channel, new.inbound.reference.clone());
        let known = self.inbound.get(&key);
        let reference = key.1.clone();
        if self.known_of_channel(channel, known, |needs| needs.inbound.insert(reference))?.is_some() {
            return Ok(false);
        }
        let row = InboundRow {
            id: new.id.0,
            lane: new.lane,
            customer: new.inbound.from.clone(),
            received_at: new.received_at.0,
            body: body.to_owned(),
        };
        self.inbound.put(key, row);
        Ok(true)
    }

    fn open_window(&mut self, lane: LaneRow, customer: &str, until: Timestamp) -> Result<()> {
        let open = self.written.windows.entry((lane, customer.to_owned())).or_insert(until);
        *open = (*open).max(until);
        Ok(())
    }

    fn contact_row(&mut self, _: DepartmentRow, protocol: Protocol, identifier: &str) -> Result<Option<i64>> {
        self.contact_behind(protocol, identifier)
    }

    fn add_contact(&mut self, _: DepartmentRow, protocol: Protocol, identifier: &str, now: Timestamp) -> Result<i64> {
        self.new_contact(protocol, identifier, now)
    }

    fn add_contact_identifier(
        &mut self,
        _: DepartmentRow,
        contact: i64,
        protocol: Protocol,
        identifier: &str,
    ) -> Result<()> {
        self.identify(contact, protocol, identifier)
    }

    fn name_by_profile(&mut self, contact: i64, name: &str, now: Timestamp) -> Result<()> {
        self.written.names.insert(contact, (name.to_owned(), now));
        Ok(())
    }

    fn last_wish(&mut self, _: DepartmentRow, channel: ChannelRow, customer: &str) -> Result<Option<Timestamp>> {
        let key = (channel, customer.to_owned());
        let known = self.wishes.get(&key);
        let wish = self.known_of_channel(channel, known, |needs| needs.wishes.insert(key.1))?;
        Ok(wish.map(|(_, at)| at))
    }

    fn set_wish(
        &mut self,
        _: DepartmentRow,
        channel: ChannelRow,
        customer: &str,
        wanted: bool,
        at: Timestamp,
    ) -> Result<()> {
        self.wishes.put((channel, customer.to_owned()), (wanted, at));
        Ok(())
    }

    fn suppress(&mut self, _: DepartmentRow, suppression: &Suppression) -> Result<()> {
        self.set_suppressed(suppression);
        Ok(())
    }

    fn unsuppress(
        &mut self,
        _: DepartmentRow,
        customer: &str,
        channel: Option<ChannelRow>,
        kind: SuppressionKind,
    ) -> Result<bool> {
        self.lift_suppressed(customer, channel, kind)
    }

    fn delete_inbox(&mut self, numbers: &[i64]) -> Result<()> {
        self.written.inbox_done.extend(numbers);
        Ok(())
    }

    fn set_unreadable(&mut self, number: i64, problem: &str) -> Result<()> {
        self.written.inbox_unreadable.push((number, problem.to_owned()));
        Ok(())
    }

    fn tell_arrived(&mut self, lane: LaneRow, queued: Queued) {
        self.written.arrived.push((lane, queued));
    }

    fn tell_scheduled(&mut self, lane: LaneRow, due: Timestamp) {
        self.written.scheduled.push((lane, due));
    }
}
