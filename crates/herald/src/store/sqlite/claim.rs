//! Reading the head of a lane, moving what is due, and claiming: durable before a provider is called.

use super::{Store, Writing, columns};
use crate::store::{
    Checking, Claim, ClaimedNow, DepartmentRow, Due, HeadPage, LaneRow, Place, Queued, Recovered, StoreError,
};
use herald_rules::{ids::MessageId, lane::Pace, message::Priority, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use std::time::Duration;

/// Class, position, id.
const ENTRY: usize = 1 + 8 + 16;

impl Store {
    /// The next messages of one class after a position, in order.
    pub async fn head(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        priority: Priority,
        after: i64,
        limit: u32,
    ) -> Result<HeadPage, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT l.class, l.position, l.attempt, l.resent, m.body FROM live l
                 JOIN message m ON m.department = l.department AND m.id = l.id
                 WHERE l.department = ?1 AND l.lane = ?2 AND l.class = ?3 AND l.position > ?4
                 ORDER BY l.position LIMIT ?5",
            )?;
            let rows = query.query_map((department, lane, priority.class(), after, limit), |row| queued(row, 0))?;
            let messages = rows.collect::<Result<Vec<_>, _>>()?;
            Ok(HeadPage { complete: messages.len() < limit as usize, messages })
        })
        .await
    }

    /// Moves what is due to the live queue and returns it, with the moment of the next.
    pub async fn due(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        now: Timestamp,
        limit: u32,
    ) -> Result<Due, StoreError> {
        self.write(move |writing| writing.due(department, lane, now, limit)).await
    }

    /// Claims a batch: what is returned may be sent. Cancelled messages, and tried ones that a receipt has meanwhile
    /// proved accepted, are dropped from the queue instead.
    pub async fn claim(&self, claim: Claim) -> Result<ClaimedNow, StoreError> {
        self.write(move |writing| writing.claim(&claim)).await
    }

    /// The pace of a lane after its last claim, so that a restart makes no burst.
    pub async fn pace(&self, lane: LaneRow) -> Result<Pace, StoreError> {
        self.read(move |connection| {
            let json = connection
                .prepare_cached("SELECT pace FROM lane WHERE lane = ?1")?
                .query_row([lane], |row| row.get::<_, String>(0))?;
            Ok(serde_json::from_str(&json)?)
        })
        .await
    }

    /// Messages whose outcome is being found out, those with the earliest deadline first.
    pub async fn checking(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        limit: u32,
    ) -> Result<Vec<Checking>, StoreError> {
        self.read(move |connection| checking(connection, department, lane, limit)).await
    }

    /// After a start: what claims are left of a crash goes to `checking`; returns all that is being checked, and the
    /// customers whose messages are held back.
    pub async fn recover(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        now: Timestamp,
        reconcile_for: Duration,
    ) -> Result<Recovered, StoreError> {
        self.write(move |writing| writing.recover(department, lane, now, reconcile_for)).await
    }
}

/// Reads class, position, attempt, resent, body from the columns that begin at `first`.
fn queued(row: &Row<'_>, first: usize) -> rusqlite::Result<Queued> {
    Ok(Queued {
        place: columns::place(row, first, first + 1)?,
        attempt: row.get(first + 2)?,
        resent: row.get(first + 3)?,
        message: columns::message(row, first + 4)?,
    })
}

impl Writing<'_> {
    fn due(&mut self, department: DepartmentRow, lane: LaneRow, now: Timestamp, limit: u32) -> Result<Due, StoreError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT l.class, l.position, l.attempt, l.resent, m.body, l.due, l.held FROM later l
                 JOIN message m ON m.department = l.department AND m.id = l.id
                 WHERE l.department = ?1 AND l.lane = ?2 AND l.due <= ?3 ORDER BY l.due, l.position LIMIT ?4",
            )?
            .query_map((department, lane, now.0, limit), |row| {
                Ok((queued(row, 0)?, row.get::<_, i64>(5)?, row.get::<_, bool>(6)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        let complete = found.len() < limit as usize;
        let (mut returned, mut arrived) = (Vec::new(), Vec::new());
        for (mut entry, due, held) in found {
            self.connection
                .prepare_cached("DELETE FROM later WHERE department = ? AND lane = ? AND due = ? AND position = ?")?
                .execute((department, lane, due, entry.place.position))?;
            if !held {
                // Its place is where its moment came, not where it was accepted.
                entry.place.position = self.next_position()?;
            }
            self.insert_live(department, lane, &entry)?;
            if held { returned.push(entry) } else { arrived.push(entry) }
        }
        let next = self
            .connection
            .prepare_cached("SELECT min(due) FROM later WHERE department = ?1 AND lane = ?2")?
            .query_row((department, lane), |row| row.get::<_, Option<i64>>(0))?;
        Ok(Due { returned, arrived, complete, next: next.map(Timestamp) })
    }

    pub(super) fn insert_live(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        entry: &Queued,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO live (department, lane, class, position, id, attempt, resent) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                department,
                lane,
                entry.place.priority.class(),
                entry.place.position,
                entry.message.id.0.as_bytes(),
                entry.attempt,
                entry.resent,
            ))?;
        Ok(())
    }

    pub(super) fn delete_live(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        place: Place,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .connection
            .prepare_cached("DELETE FROM live WHERE department = ? AND lane = ? AND class = ? AND position = ?")?
            .execute((department, lane, place.priority.class(), place.position))?;
        Ok(deleted > 0)
    }

    fn is_live(&self, department: DepartmentRow, lane: LaneRow, place: Place) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM live WHERE department = ? AND lane = ? AND class = ? AND position = ?")?
            .exists((department, lane, place.priority.class(), place.position))?)
    }

    fn claim(&mut self, claim: &Claim) -> Result<ClaimedNow, StoreError> {
        let Claim { department, lane, number, at, pace, entries } = claim;
        let mut dropped = Vec::new();
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY);
        let cancelled = self.any_cancelled()?;
        for entry in entries {
            let id = entry.message.id;
            let gone = (cancelled && self.take_cancelled(*department, id)?)
                || (entry.attempt > 0 && self.is_proved_accepted(*department, id)?);
            if gone {
                if self.delete_live(*department, *lane, entry.place)? {
                    self.count_queued(*lane, -1);
                }
                dropped.push(id);
            } else {
                bytes.push(entry.place.priority.class());
                bytes.extend_from_slice(&entry.place.position.to_le_bytes());
                bytes.extend_from_slice(id.0.as_bytes());
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
        Ok(ClaimedNow { dropped })
    }

    fn is_proved_accepted(&self, department: DepartmentRow, id: MessageId) -> Result<bool, StoreError> {
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
            if entry.ends_with(id.0.as_bytes()) && self.is_live(department, lane, place_of(entry)?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn recover(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        now: Timestamp,
        reconcile_for: Duration,
    ) -> Result<Recovered, StoreError> {
        let claims = self
            .connection
            .prepare_cached("SELECT at, entries FROM claim WHERE department = ?1 AND lane = ?2 ORDER BY number")?
            .query_map((department, lane), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        for (at, entries) in claims {
            for place in entries.chunks_exact(ENTRY).map(place_of) {
                self.orphan(department, lane, place?, Timestamp(at), now, reconcile_for)?;
            }
        }
        self.connection
            .prepare_cached("DELETE FROM claim WHERE department = ?1 AND lane = ?2")?
            .execute((department, lane))?;
        self.memory.checking = None;
        Ok(Recovered {
            checking: checking(self.connection, department, lane, u32::MAX)?,
            held: held(self.connection, department, lane)?,
            next_due: self
                .connection
                .prepare_cached("SELECT min(due) FROM later WHERE department = ?1 AND lane = ?2")?
                .query_row((department, lane), |row| row.get::<_, Option<i64>>(0))?
                .map(Timestamp),
        })
    }

    /// A claimed message without an outcome: nobody knows whether the provider was called.
    fn orphan(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        place: Place,
        claimed_at: Timestamp,
        now: Timestamp,
        reconcile_for: Duration,
    ) -> Result<(), StoreError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT id, attempt, resent FROM live WHERE department = ? AND lane = ? AND class = ? AND position = ?",
            )?
            .query_row((department, lane, place.priority.class(), place.position), |row| {
                Ok((columns::message_id(row, 0)?, row.get::<_, u32>(1)?, row.get::<_, bool>(2)?))
            })
            .optional()?;
        let Some((id, attempt, resent)) = found else { return Ok(()) };
        self.delete_live(department, lane, place)?;
        if self.is_proved_accepted(department, id)? {
            self.count_queued(lane, -1);
            return Ok(());
        }
        self.insert_checking(department, lane, id, place, attempt + 1, resent, claimed_at, now + reconcile_for)
    }

    #[expect(clippy::too_many_arguments, reason = "one for each column")]
    pub(super) fn insert_checking(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
        place: Place,
        attempt: u32,
        resent: bool,
        since: Timestamp,
        deadline: Timestamp,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO checking (department, lane, id, class, position, attempt, resent, since, deadline)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                department,
                lane,
                id.0.as_bytes(),
                place.priority.class(),
                place.position,
                attempt,
                resent,
                since.0,
                deadline.0,
            ))?;
        self.memory.checking = None;
        Ok(())
    }
}

fn place_of(entry: &[u8]) -> Result<Place, StoreError> {
    let position = entry.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(i64::from_le_bytes);
    match (entry.first(), position) {
        (Some(class), Some(position)) => Ok(Place { priority: Priority::from_class(*class), position }),
        _ => Err(StoreError::Corrupt("a claim's entry is too short".into())),
    }
}

fn checking(
    connection: &Connection,
    department: DepartmentRow,
    lane: LaneRow,
    limit: u32,
) -> Result<Vec<Checking>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT m.body, c.class, c.position, c.attempt, c.resent, c.since, c.deadline FROM checking c
         JOIN message m ON m.department = c.department AND m.id = c.id
         WHERE c.department = ?1 AND c.lane = ?2 ORDER BY c.deadline, c.position LIMIT ?3",
    )?;
    let rows = query.query_map((department, lane, limit), |row| {
        Ok(Checking {
            message: columns::message(row, 0)?,
            place: columns::place(row, 1, 2)?,
            attempt: row.get(3)?,
            resent: row.get(4)?,
            since: Timestamp(row.get(5)?),
            deadline: Timestamp(row.get(6)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The customers held back by a retry: as many as there are such rows, which a lane bounds.
fn held(
    connection: &Connection,
    department: DepartmentRow,
    lane: LaneRow,
) -> Result<Vec<(String, Priority, Timestamp)>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT m.recipient, l.class, l.due FROM later l
         JOIN message m ON m.department = l.department AND m.id = l.id
         WHERE l.department = ?1 AND l.lane = ?2 AND l.held = 1",
    )?;
    let rows = query.query_map((department, lane), |row| {
        Ok((row.get(0)?, Priority::from_class(row.get(1)?), Timestamp(row.get(2)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
