//! The queue of a lane: what may go now, and what waits for a moment.

use crate::store::{
    DepartmentRow, LaneRow, Place, Queued, StoreError,
    logic::{LiveRow, PutAway, Tried},
    sqlite::{Writing, columns},
};
use herald_rules::{reason::Reason, time::Timestamp};
use rusqlite::OptionalExtension;

pub(super) fn live(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    place: Place,
) -> Result<Option<LiveRow>, StoreError> {
    Ok(writing
        .connection
        .prepare_cached(
            "SELECT id, attempt, resent, part FROM live WHERE department = ? AND lane = ? AND class = ? AND position = ?",
        )?
        .query_row((department, lane, place.priority.class(), place.position), |row| {
            Ok(LiveRow {
                id: columns::message_id(row, 0)?,
                attempt: row.get(1)?,
                resent: row.get(2)?,
                part: row.get(3)?,
            })
        })
        .optional()?)
}

pub(super) fn insert_live(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    queued: &Queued,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT INTO live (department, lane, class, position, id, attempt, resent, part) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((
            department,
            lane,
            queued.place.priority.class(),
            queued.place.position,
            queued.message.id.0.as_bytes(),
            queued.attempt,
            queued.resent,
            queued.part,
        ))?;
    Ok(())
}

pub(super) fn delete_live(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    place: Place,
) -> Result<bool, StoreError> {
    let deleted = writing
        .connection
        .prepare_cached("DELETE FROM live WHERE department = ? AND lane = ? AND class = ? AND position = ?")?
        .execute((department, lane, place.priority.class(), place.position))?;
    Ok(deleted > 0)
}

pub(super) fn insert_later(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    tried: &Tried,
    due: Timestamp,
    reason: Option<Reason>,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT INTO later (department, lane, due, position, class, id, attempt, resent, part, reason, held)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        )?
        .execute((
            department,
            lane,
            due.0,
            tried.place.position,
            tried.place.priority.class(),
            tried.id.0.as_bytes(),
            tried.attempt,
            tried.resent,
            tried.part,
            reason.map(Reason::number),
        ))?;
    Ok(())
}

pub(super) fn delete_later(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    due: Timestamp,
    position: i64,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("DELETE FROM later WHERE department = ? AND lane = ? AND due = ? AND position = ?")?
        .execute((department, lane, due.0, position))?;
    Ok(())
}

/// All lanes share one order here; each of them sees its own part of it.
pub(super) fn next_position(writing: &mut Writing<'_>, _: LaneRow) -> Result<i64, StoreError> {
    Ok(writing.position())
}

/// What is put away in a lane until this moment or an earlier one, in order.
pub(in crate::store::sqlite) fn put_away(
    writing: &Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<PutAway>, StoreError> {
    let mut query = writing.connection.prepare_cached(
        "SELECT l.class, l.position, l.attempt, l.resent, l.part, m.body, l.due, l.held FROM later l
         JOIN message m ON m.department = l.department AND m.id = l.id
         WHERE l.department = ?1 AND l.lane = ?2 AND l.due <= ?3 ORDER BY l.due, l.position LIMIT ?4",
    )?;
    let rows = query.query_map((department, lane, until.0, limit), |row| {
        Ok(PutAway { queued: columns::queued(row, 0)?, due: Timestamp(row.get(6)?), held: row.get(7)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
