//! Claiming: durable before a provider is called.

use super::{Engine, Writing};
use crate::store::{ChannelRow, Claim, ClaimedNow, DepartmentRow, LaneRow, Place, StoreError};
use herald_rules::{
    admission::{Reach, Suppressed},
    identifier::other_spelling,
    ids::MessageId,
    lane::Pace,
    message::Priority,
    time::Timestamp,
};
use rusqlite::Connection;
use std::collections::HashMap;

/// Class and part, position, id.
pub(super) const ENTRY: usize = 1 + 8 + 16;

impl Engine {
    pub(in crate::store) async fn claim(&self, claim: Claim) -> Result<ClaimedNow, StoreError> {
        self.write(move |writing| writing.claim(&claim)).await
    }

    pub(in crate::store) async fn reach(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        lane: LaneRow,
        customer: &str,
    ) -> Result<Reach, StoreError> {
        let customer = customer.to_owned();
        self.read(move |connection| reach_of(connection, (department, channel, lane), &customer, (true, true))).await
    }

    pub(in crate::store) async fn pace(&self, lane: LaneRow) -> Result<Pace, StoreError> {
        self.read(move |connection| {
            let json = connection
                .prepare_cached("SELECT pace FROM lane WHERE lane = ?1")?
                .query_row([lane], |row| row.get::<_, String>(0))?;
            Ok(serde_json::from_str(&json)?)
        })
        .await
    }
}

impl Writing<'_> {
    fn claim(&mut self, claim: &Claim) -> Result<ClaimedNow, StoreError> {
        let Claim { department, lane, epoch: _, number, at, pace, entries, windows } = claim;
        let (mut dropped, mut reach) = (Vec::new(), HashMap::new());
        let suppressions = self.any_suppressions()?;
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY);
        let cancelled = self.any_cancelled()?;
        for entry in entries {
            let id = entry.message.id;
            if entry.attempt > 0 && self.part_is_proved(*department, id, entry.message.parts, entry.part)? {
                if self.delete_live(*department, *lane, entry.place)? {
                    self.next_part(*department, *lane, id, entry.place, (entry.part, entry.resent))?;
                }
                dropped.push(id);
                continue;
            }
            let gone = (cancelled && self.take_cancelled(*department, id)?)
                || ((entry.attempt > 0 || entry.part > 0) && self.is_proved_accepted(*department, id)?);
            if gone {
                if self.delete_live(*department, *lane, entry.place)? {
                    self.count_queued(*lane, -1);
                }
                dropped.push(id);
            } else {
                // The class is 0 or 1; a message has a dozen parts at most.
                bytes.push(entry.place.priority.class() | u8::try_from(entry.part).unwrap_or(127) << 1);
                bytes.extend_from_slice(&entry.place.position.to_le_bytes());
                bytes.extend_from_slice(id.0.as_bytes());
                if *windows || suppressions {
                    let channel = self.channel_of(*lane)?;
                    let wanted = (*windows, suppressions);
                    let found = reach_of(self.connection, (*department, channel, *lane), &entry.message.to, wanted)?;
                    if found != Reach::default() {
                        reach.insert(id, found);
                    }
                }
            }
        }
        if !bytes.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO claim (department, lane, number, at, entries) VALUES (?, ?, ?, ?, ?)")?
                .execute((department, lane, number, at.0, bytes))?;
        }
        if let Some(pace) = pace {
            self.connection.prepare_cached("UPDATE lane SET pace = ?2 WHERE lane = ?1")?.execute((lane, pace))?;
        }
        Ok(ClaimedNow { dropped, reach })
    }

    fn any_suppressions(&mut self) -> Result<bool, StoreError> {
        let any = match self.memory.suppressions {
            Some(any) => any,
            None => self.connection.prepare_cached("SELECT 1 FROM suppression LIMIT 1")?.exists([])?,
        };
        self.memory.suppressions = Some(any);
        Ok(any)
    }

    pub(super) fn is_proved_accepted(&self, department: DepartmentRow, id: MessageId) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM event WHERE department = ?1 AND id = ?2 LIMIT 1")?
            .exists((department, id.0.as_bytes()))?)
    }

    /// Whether an open claim holds this message. A lane has a few dozen claims at most.
    pub(super) fn claimed_entry(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
    ) -> Result<bool, StoreError> {
        let claims = self
            .connection
            .prepare_cached("SELECT entries FROM claim WHERE department = ?1 AND lane = ?2")?
            .query_map((department, lane), |row| row.get::<_, Vec<u8>>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        for entry in claims.iter().flat_map(|entries| entries.chunks_exact(ENTRY)) {
            // Still in the queue: otherwise it has an outcome, and only others of its batch are open.
            if entry.ends_with(id.0.as_bytes())
                && self.live_part(department, lane, place_of(entry)?)? == Some(part_of(entry))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// How a customer can be reached from a lane: the window and the suppressions, as far as they are wanted.
fn reach_of(
    connection: &Connection,
    (department, channel, lane): (DepartmentRow, ChannelRow, LaneRow),
    customer: &str,
    (window, suppressions): (bool, bool),
) -> Result<Reach, StoreError> {
    let mut reach = Reach::default();
    let other = other_spelling(customer);
    if window {
        reach.window_until = connection
            .prepare_cached("SELECT max(until) FROM open_window WHERE lane = ?1 AND customer IN (?2, ?3)")?
            .query_row((lane, customer, &other), |row| row.get::<_, Option<i64>>(0))?
            .map(Timestamp);
    }
    if suppressions {
        let mut query = connection.prepare_cached(
            "SELECT kind FROM suppression WHERE department = ?1 AND customer IN (?2, ?4) AND channel IN (0, ?3)",
        )?;
        for kind in query.query_map((department, customer, channel, &other), |row| row.get::<_, String>(0))? {
            // A kind of a newer version, after a downgrade: rather silent than unwanted.
            let kind = kind?.parse().unwrap_or(Suppressed::All);
            if reach.suppressed != Some(Suppressed::All) {
                reach.suppressed = Some(kind);
            }
        }
    }
    Ok(reach)
}

/// The part that an entry of a claim names.
pub(super) fn part_of(entry: &[u8]) -> u16 {
    entry.first().map_or(0, |class| u16::from(class >> 1))
}

/// The place that an entry of a claim names.
pub(super) fn place_of(entry: &[u8]) -> Result<Place, StoreError> {
    let position = entry.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(i64::from_le_bytes);
    match (entry.first(), position) {
        (Some(class), Some(position)) => Ok(Place { priority: Priority::from_class(class & 1), position }),
        _ => Err(StoreError::Corrupt("a claim's entry is too short".into())),
    }
}
