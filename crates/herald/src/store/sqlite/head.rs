//! The queue of a lane on disk: reading its head, moving what is due, putting in and taking out.

use super::{Engine, Writing, columns};
use crate::store::{DepartmentRow, Due, HeadPage, LaneRow, Owned, Place, Queued, StoreError};
use herald_rules::{message::Priority, protocol::Protocol, reason::Reason, time::Timestamp};
use rusqlite::{OptionalExtension, Row};

/// Rows made due by one operation.
const HASTENED: u32 = 1_000;

impl Engine {
    pub(in crate::store) async fn head(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        priority: Priority,
        after: i64,
        limit: u32,
    ) -> Result<HeadPage, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT l.class, l.position, l.attempt, l.resent, l.part, m.body FROM live l
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

    pub(in crate::store) async fn waiting_by_protocol(&self) -> Result<Vec<(Protocol, i64)>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT protocol, sum(queued) FROM lane GROUP BY protocol")?;
            let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            Ok(rows.into_iter().filter_map(|(name, length)| Some((name.parse().ok()?, length))).collect())
        })
        .await
    }

    pub(in crate::store) async fn hasten(
        &self,
        owned: Owned,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let moved = writing
                .connection
                .prepare_cached(
                    // Left to itself the planner takes the primary key and walks all that is scheduled.
                    "UPDATE later SET due = ?4 WHERE (department, lane, due, position) IN (
                         SELECT department, lane, due, position FROM later INDEXED BY later_waiting
                         WHERE department = ?1 AND lane = ?2 AND due > ?4 AND held = 1 AND reason = ?3
                         ORDER BY due, position LIMIT ?5)",
                )?
                .execute((owned.department, owned.lane, reason.number(), now.0, HASTENED))?;
            Ok(moved == HASTENED as usize)
        })
        .await
    }

    pub(in crate::store) async fn due(&self, owned: Owned, now: Timestamp, limit: u32) -> Result<Due, StoreError> {
        self.write(move |writing| writing.due(owned.department, owned.lane, now, limit)).await
    }
}

/// Reads class, position, attempt, resent, part, body from the columns that begin at `first`.
fn queued(row: &Row<'_>, first: usize) -> rusqlite::Result<Queued> {
    Ok(Queued {
        place: columns::place(row, first, first + 1)?,
        attempt: row.get(first + 2)?,
        resent: row.get(first + 3)?,
        part: row.get(first + 4)?,
        message: columns::message(row, first + 5)?,
    })
}

impl Writing<'_> {
    fn due(&mut self, department: DepartmentRow, lane: LaneRow, now: Timestamp, limit: u32) -> Result<Due, StoreError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT l.class, l.position, l.attempt, l.resent, l.part, m.body, l.due, l.held FROM later l
                 JOIN message m ON m.department = l.department AND m.id = l.id
                 WHERE l.department = ?1 AND l.lane = ?2 AND l.due <= ?3 ORDER BY l.due, l.position LIMIT ?4",
            )?
            .query_map((department, lane, now.0, limit), |row| {
                Ok((queued(row, 0)?, row.get::<_, i64>(6)?, row.get::<_, bool>(7)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        let complete = found.len() < limit as usize;
        let mut returned = Vec::new();
        for (mut entry, due, held) in found {
            self.connection
                .prepare_cached("DELETE FROM later WHERE department = ? AND lane = ? AND due = ? AND position = ?")?
                .execute((department, lane, due, entry.place.position))?;
            if held {
                self.insert_live(department, lane, &entry)?;
                returned.push(entry);
            } else {
                // Its place is where its moment came, not where it was accepted. It is told of like everything that
                // arrives: by another way it would overtake what has a place before it.
                entry.place.position = self.next_position();
                self.insert_live(department, lane, &entry)?;
                self.memory.arrived.push((lane, entry));
            }
        }
        let next = self
            .connection
            .prepare_cached("SELECT min(due) FROM later WHERE department = ?1 AND lane = ?2")?
            .query_row((department, lane), |row| row.get::<_, Option<i64>>(0))?;
        Ok(Due { returned, complete, next: next.map(Timestamp) })
    }

    pub(super) fn insert_live(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        entry: &Queued,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO live (department, lane, class, position, id, attempt, resent, part) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                department,
                lane,
                entry.place.priority.class(),
                entry.place.position,
                entry.message.id.0.as_bytes(),
                entry.attempt,
                entry.resent,
                entry.part,
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

    /// Which part of the message at a place goes next; None: nothing stands there.
    pub(super) fn live_part(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        place: Place,
    ) -> Result<Option<u16>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT part FROM live WHERE department = ? AND lane = ? AND class = ? AND position = ?")?
            .query_row((department, lane, place.priority.class(), place.position), |row| row.get(0))
            .optional()?)
    }
}
