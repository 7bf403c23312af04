//! The queue of a lane on disk: reading its head, and moving what is due.

use super::{Engine, columns, rows::put_away};
use crate::store::{DepartmentRow, Due, HeadPage, LaneRow, Owned, StoreError, logic};
use herald_rules::{message::Priority, protocol::Protocol, reason::Reason, time::Timestamp};
use rusqlite::Connection;

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
            let rows =
                query.query_map((department, lane, priority.class(), after, limit), |row| columns::queued(row, 0))?;
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
            writing.owned(owned.lane, owned.epoch)?;
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
        self.write(move |writing| {
            let Owned { department, lane, epoch } = owned;
            writing.owned(lane, epoch)?;
            let found = put_away(writing, department, lane, now, limit)?;
            let complete = found.len() < limit as usize;
            let returned = logic::move_due(writing, department, lane, found)?;
            Ok(Due { returned, complete, next: next_due(writing.connection, department, lane)? })
        })
        .await
    }
}

/// When the next of what is put away is due.
pub(super) fn next_due(
    connection: &Connection,
    department: DepartmentRow,
    lane: LaneRow,
) -> Result<Option<Timestamp>, StoreError> {
    let due = connection
        .prepare_cached("SELECT min(due) FROM later WHERE department = ?1 AND lane = ?2")?
        .query_row((department, lane), |row| row.get::<_, Option<i64>>(0))?;
    Ok(due.map(Timestamp))
}
