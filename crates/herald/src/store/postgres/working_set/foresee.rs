//! What the logic will ask for because of what was loaded: noted for the whole batch at once, where the logic would ask message by
//! message, each time by a flight of its own.

use super::{
    Needs, WorkingSet,
    needs::{PlaceKey, place_key},
    not_loaded,
};
use crate::store::{
    Claim, LaneRow, Outcomes, Recorded, StoreError,
    logic::{Entry, History},
};
use herald_channels::contract::{Receipt, Reference};
use uuid::Uuid;

impl WorkingSet {
    /// What is left claimed by an earlier owner.
    pub(in crate::store::postgres) fn foresee_orphans(&mut self, lane: LaneRow) -> Result<(), StoreError> {
        let mut several = false;
        for (_, entries) in self.claims.get(&lane).into_iter().flatten() {
            for entry in Entry::read_all(entries)? {
                let (key, id) = (place_key(lane, entry.place), entry.id.0);
                if self.live.get(&key).is_none() {
                    self.missing.live.insert(key);
                    self.missing.parts.insert(id);
                    self.missing.histories.insert(id);
                } else if self.parts.get(&id).is_some_and(|parts| !parts.is_empty()) {
                    several = true;
                    if !self.messages.contains_key(&id) {
                        self.missing.messages.insert(id);
                    }
                }
            }
        }
        if several && !self.positions.contains_key(&lane) {
            self.missing.positions.insert(lane);
        }
        self.foreseen()
    }

    /// What a claim drops leaves the queue: it was cancelled, or is proved to have been taken.
    pub(in crate::store::postgres) fn foresee_dropped(&mut self, claim: &Claim) -> Result<(), StoreError> {
        for queued in &claim.entries {
            let id = queued.message.id.0;
            let cancelled = self.cancelled.get(&id).flatten().is_some();
            let known = self.events.get(&id).is_some_and(|events| !events.is_empty());
            let several = self.parts.get(&id).is_some_and(|parts| !parts.is_empty());
            let key = place_key(claim.lane, queued.place);
            if (cancelled || known || several) && self.live.get(&key).is_none() {
                self.missing.live.insert(key);
            }
        }
        self.foreseen()
    }

    /// Receipts that waited for a reference are applied with it.
    pub(in crate::store::postgres) fn foresee_early(&mut self, outcomes: &Outcomes) -> Result<(), StoreError> {
        for ended in &outcomes.ended {
            let (Recorded::Accepted { reference } | Recorded::PartAccepted { reference, .. }) = &ended.outcome else {
                continue;
            };
            let Some(reference) = reference.as_ref().filter(|reference| reference.named_by_receipts) else { continue };
            let key = (outcomes.channel, reference.text.clone());
            if self.early.get(&key).is_some_and(|early| !early.is_empty()) {
                self.foresee_report(ended.id.0);
            }
        }
        self.foreseen()
    }

    /// A receipt that is the first to be heard of a message: its lane is asked for, and what waits for the provider's id of it.
    pub(in crate::store::postgres) fn foresee_firsts(
        &mut self,
        channel: i64,
        receipts: &[Receipt],
    ) -> Result<(), StoreError> {
        for receipt in receipts {
            let Reference::Ours(id) = receipt.reference else { continue };
            if self.events.get(&id.0).is_none_or(|events| !events.is_empty()) {
                continue;
            }
            if !self.lanes.contains_key(&id.0) {
                self.missing.lanes.insert(id.0);
            }
            if let Some(theirs) = &receipt.theirs
                && !self.early.contains_key(&(channel, theirs.clone()))
            {
                self.missing.channel = channel;
                self.missing.early.insert(theirs.clone());
            }
        }
        self.foreseen()
    }

    /// A message that was given up is asked whether its provider has said so: called with what was just loaded.
    pub(super) fn foresee_guesses<'a>(&mut self, ids: impl Iterator<Item = &'a Uuid>) {
        for id in ids {
            let Some(events) = self.events.get(id).filter(|_| !self.failures.contains_key(id)) else { continue };
            let mut history = History::new();
            for event in events {
                history.add((event.lane, event.sequence), event.status, event.reason, event.resent);
            }
            if history.is_a_guess() {
                self.missing.failures.insert(*id);
            }
        }
    }

    fn foresee_report(&mut self, id: Uuid) {
        if !self.parts.contains_key(&id) {
            self.missing.parts.insert(id);
        }
        if self.checking.get(&id).is_none() {
            self.missing.checking.insert(id);
        }
    }

    fn foreseen(&self) -> Result<(), StoreError> {
        match self.missing.is_empty() {
            true => Ok(()),
            false => Err(not_loaded()),
        }
    }
}

impl Needs {
    /// How many keys: so many flights may be needed for what nobody foresaw, and then some.
    pub(super) fn size(&self) -> usize {
        let Self { histories, messages, lanes, parts, cancelled, checking, live, .. } = self;
        let ids = [histories, messages, lanes, parts, cancelled, checking];
        let ids: usize = ids.iter().map(|ids| ids.len()).sum();
        let live: &std::collections::BTreeSet<PlaceKey> = live;
        ids + live.len() + self.receipts.len() + self.references.len() + self.inbound.len() + self.wishes.len()
    }
}
