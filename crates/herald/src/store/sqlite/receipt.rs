//! Applying receipts: in whatever order they come, each means one forward move, a note, or nothing.

use super::{
    Engine, Writing,
    outcome::{History, Report},
};
use crate::store::{Applied, ChannelRow, DepartmentRow, LaneRow, StoreError, provider_words};
use herald_channels::contract::{Pricing, Receipt, Reference};
use herald_rules::{
    ids::MessageId,
    reason::Cause,
    status::{Status, Verdict},
    time::Timestamp,
};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

/// A receipt that waits for its reference, as it is stored.
#[derive(Serialize, Deserialize)]
struct EarlyReceipt {
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
}

impl Engine {
    pub(in crate::store) async fn apply(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        receipts: Vec<Receipt>,
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        self.write(move |writing| {
            let mut applied = Applied::default();
            for receipt in &receipts {
                writing.apply(department, channel, receipt, now, &mut applied)?;
            }
            Ok(applied)
        })
        .await
    }
}

impl Writing<'_> {
    /// One receipt.
    pub(super) fn apply(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        receipt: &Receipt,
        now: Timestamp,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let (id, part) = match &receipt.reference {
            Reference::Ours(id) => (*id, receipt.part),
            Reference::Theirs(reference) => match self.known_reference(channel, reference)? {
                Some(known) => known,
                None => {
                    self.keep_early(channel, reference, receipt, now)?;
                    applied.early += 1;
                    return Ok(());
                }
            },
        };
        let history = self.history(department, id)?;
        // An id that is not this channel's: forged, or of a message long pruned. Counted, never an error.
        let Some(lane) = self.lane_of(department, channel, id, &history)? else {
            applied.unknown += 1;
            return Ok(());
        };
        let report = Report {
            status: receipt.status,
            at: receipt.at.unwrap_or(now),
            cause: receipt.cause.as_ref(),
            reference: None,
            resent: false,
        };
        // The provider's id comes with the answer to the call; where that is lost or late, with the first receipt.
        let theirs = receipt.theirs.as_deref().filter(|_| history.lane.is_none());
        let last = self.last_sequence(department, lane)?;
        match self.apply_to(department, lane, (id, part), &history, &report)? {
            Verdict::Change => applied.changes += 1,
            _ => applied.repeated += 1,
        }
        self.add_words(department, lane, last, theirs, receipt.pricing.as_ref())?;
        if let Some(theirs) = theirs {
            self.learn_reference(department, channel, theirs, id, part)?;
        }
        Ok(())
    }

    /// Adds to the event that a receipt made, if it made one after `last`, what it said beside the status.
    fn add_words(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        last: i64,
        reference: Option<&str>,
        pricing: Option<&Pricing>,
    ) -> Result<(), StoreError> {
        if reference.is_none() && pricing.is_none() {
            return Ok(());
        }
        let sequence = self.last_sequence(department, lane)?;
        if sequence == last {
            return Ok(());
        }
        let words = provider_words::receipt_words(reference, pricing)?;
        self.connection
            .prepare_cached(
                "UPDATE event SET provider = json_patch(coalesce(provider, '{}'), ?4)
                 WHERE department = ?1 AND lane = ?2 AND sequence = ?3",
            )?
            .execute((department, lane, sequence, words))?;
        Ok(())
    }

    /// One report about a message that left us. A report that proves acceptance also ends the search for its outcome.
    fn apply_to(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        (id, part): (MessageId, u16),
        history: &History,
        report: &Report<'_>,
    ) -> Result<Verdict, StoreError> {
        if self.any_parts()? && !self.parts(department, id)?.is_empty() {
            return self.receipt_for_part(department, lane, id, part, report);
        }
        let verdict = self.report_after(department, lane, id, history, report)?;
        if verdict == Verdict::Change && self.any_checking()? && self.end_checking(department, lane, id)? {
            self.count_queued(lane, -1);
        }
        Ok(verdict)
    }

    pub(super) fn any_checking(&mut self) -> Result<bool, StoreError> {
        let count = match self.memory.checking {
            Some(count) => count,
            None => self.connection.prepare_cached("SELECT count(*) FROM checking")?.query_row([], |row| row.get(0))?,
        };
        self.memory.checking = Some(count);
        Ok(count > 0)
    }

    /// The lane of a message, if it is one of this channel. Its events name it, so that the wide rows of messages are
    /// read only for those that have none.
    fn lane_of(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        id: MessageId,
        history: &History,
    ) -> Result<Option<LaneRow>, StoreError> {
        let lane = match history.lane {
            Some(lane) => Some(lane),
            None => self
                .connection
                .prepare_cached("SELECT lane FROM message WHERE department = ?1 AND id = ?2")?
                .query_row((department, id.0.as_bytes()), |row| row.get(0))
                .optional()?,
        };
        let Some(lane) = lane else { return Ok(None) };
        Ok((self.channel_of(lane)? == channel).then_some(lane))
    }

    /// The channel of a lane.
    pub(super) fn channel_of(&mut self, lane: LaneRow) -> Result<ChannelRow, StoreError> {
        let owner = match self.memory.channels.get(&lane) {
            Some(owner) => *owner,
            None => self
                .connection
                .prepare_cached("SELECT channel FROM lane WHERE lane = ?1")?
                .query_row([lane], |row| row.get(0))?,
        };
        self.memory.channels.insert(lane, owner);
        Ok(owner)
    }

    /// The message and its part that the provider knows by this id.
    pub(super) fn known_reference(
        &self,
        channel: ChannelRow,
        reference: &str,
    ) -> Result<Option<(MessageId, u16)>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT id, part FROM reference WHERE channel = ?1 AND reference = ?2")?
            .query_row((channel, reference), |row| Ok((super::columns::message_id(row, 0)?, row.get(1)?)))
            .optional()?)
    }

    fn keep_early(
        &mut self,
        channel: ChannelRow,
        reference: &str,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (cause, pricing) = (receipt.cause.clone(), receipt.pricing.clone());
        let kept = EarlyReceipt { at: receipt.at.unwrap_or(now), cause, pricing };
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO early (channel, reference, status, received_at, receipt) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute((channel, reference, receipt.status.code(), now.0, serde_json::to_string(&kept)?))?;
        self.memory.early = None;
        Ok(())
    }

    /// Remembers the provider's id of a message, and applies the receipts that came before it.
    pub(super) fn learn_reference(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        reference: &str,
        id: MessageId,
        part: u16,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO reference (channel, reference, id, part) VALUES (?, ?, ?, ?)")?
            .execute((channel, reference, id.0.as_bytes(), part))?;
        if !self.any_early()? {
            return Ok(());
        }
        let waiting = self
            .connection
            .prepare_cached("SELECT status, receipt FROM early WHERE channel = ?1 AND reference = ?2 ORDER BY status")?
            .query_map((channel, reference), |row| Ok((super::columns::status(row, 0)?, row.get::<_, String>(1)?)))?
            .collect::<Result<Vec<(Status, String)>, _>>()?;
        if waiting.is_empty() {
            return Ok(());
        }
        self.connection
            .prepare_cached("DELETE FROM early WHERE channel = ?1 AND reference = ?2")?
            .execute((channel, reference))?;
        self.memory.early = None;
        for (status, json) in waiting {
            let EarlyReceipt { at, cause, pricing } = serde_json::from_str(&json)?;
            let history = self.history(department, id)?;
            let Some(lane) = self.lane_of(department, channel, id, &history)? else { return Ok(()) };
            let report = Report { status, at, cause: cause.as_ref(), reference: None, resent: false };
            let last = self.last_sequence(department, lane)?;
            self.apply_to(department, lane, (id, part), &history, &report)?;
            self.add_words(department, lane, last, None, pricing.as_ref())?;
        }
        Ok(())
    }

    fn any_early(&mut self) -> Result<bool, StoreError> {
        let any = match self.memory.early {
            Some(count) => count > 0,
            None => self.connection.prepare_cached("SELECT 1 FROM early LIMIT 1")?.exists([])?,
        };
        self.memory.early = Some(i64::from(any));
        Ok(any)
    }
}
