//! Claims, outcomes that are being found out, and marks of what was cancelled.

use crate::store::{
    DepartmentRow, LaneRow, StoreError,
    logic::{CheckedPlace, Tried},
    sqlite::{Writing, columns},
};
use herald_rules::{ids::MessageId, time::Timestamp};
use rusqlite::OptionalExtension;

pub(super) fn insert_claim(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    number: i64,
    at: Timestamp,
    entries: Vec<u8>,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("INSERT INTO claim (department, lane, number, at, entries) VALUES (?, ?, ?, ?, ?)")?
        .execute((department, lane, number, at.0, entries))?;
    Ok(())
}

pub(super) fn delete_claim(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    number: i64,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("DELETE FROM claim WHERE department = ?1 AND lane = ?2 AND number = ?3")?
        .execute((department, lane, number))?;
    Ok(())
}

pub(super) fn claims(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
) -> Result<Vec<(Timestamp, Vec<u8>)>, StoreError> {
    let mut query = writing
        .connection
        .prepare_cached("SELECT at, entries FROM claim WHERE department = ?1 AND lane = ?2 ORDER BY number")?;
    let rows = query.query_map((department, lane), |row| Ok((Timestamp(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn delete_claims(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("DELETE FROM claim WHERE department = ?1 AND lane = ?2")?
        .execute((department, lane))?;
    Ok(())
}

pub(super) fn insert_checking(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    tried: &Tried,
    since: Timestamp,
    deadline: Timestamp,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT OR REPLACE INTO checking (department, lane, id, class, position, attempt, resent, part, since, deadline,
                 claimed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((
            department,
            lane,
            tried.id.0.as_bytes(),
            tried.place.priority.class(),
            tried.place.position,
            tried.attempt,
            tried.resent,
            tried.part,
            since.0,
            deadline.0,
            tried.claimed_at.0,
        ))?;
    writing.memory.checking = None;
    Ok(())
}

pub(super) fn delete_checking(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    id: MessageId,
) -> Result<bool, StoreError> {
    let deleted = writing
        .connection
        .prepare_cached("DELETE FROM checking WHERE department = ?1 AND lane = ?2 AND id = ?3")?
        .execute((department, lane, id.0.as_bytes()))?;
    if deleted > 0 {
        writing.memory.checking = None;
    }
    Ok(deleted > 0)
}

pub(super) fn checked(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    lane: LaneRow,
    id: MessageId,
) -> Result<Option<CheckedPlace>, StoreError> {
    Ok(writing
        .connection
        .prepare_cached(
            "SELECT class, position, attempt, part, resent, claimed_at FROM checking WHERE department = ? AND lane = ? AND id = ?",
        )?
        .query_row((department, lane, id.0.as_bytes()), |row| {
            Ok(CheckedPlace {
                place: columns::place(row, 0, 1)?,
                attempt: row.get(2)?,
                part: row.get(3)?,
                resent: row.get(4)?,
                claimed_at: Timestamp(row.get(5)?),
            })
        })
        .optional()?)
}

pub(super) fn any_checking(writing: &mut Writing<'_>) -> Result<bool, StoreError> {
    let any = match writing.memory.checking {
        Some(any) => any,
        None => writing.connection.prepare_cached("SELECT 1 FROM checking LIMIT 1")?.exists([])?,
    };
    writing.memory.checking = Some(any);
    Ok(any)
}

pub(super) fn any_cancelled(writing: &mut Writing<'_>) -> Result<bool, StoreError> {
    let any = match writing.memory.cancelled {
        Some(any) => any,
        None => writing.connection.prepare_cached("SELECT 1 FROM cancelled LIMIT 1")?.exists([])?,
    };
    writing.memory.cancelled = Some(any);
    Ok(any)
}

pub(super) fn insert_cancelled(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("INSERT OR IGNORE INTO cancelled (department, id) VALUES (?, ?)")?
        .execute((department, id.0.as_bytes()))?;
    writing.memory.cancelled = None;
    Ok(())
}

pub(super) fn take_cancelled(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
) -> Result<bool, StoreError> {
    let taken = writing
        .connection
        .prepare_cached("DELETE FROM cancelled WHERE department = ?1 AND id = ?2")?
        .execute((department, id.0.as_bytes()))?;
    if taken > 0 {
        writing.memory.cancelled = None;
    }
    Ok(taken > 0)
}
