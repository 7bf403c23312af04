//! The lanes' logs, and the notes of messages' stories.

use crate::store::{
    Change, DepartmentRow, StoreError,
    logic::{History, NewEvent, NewNote},
    provider_words,
    sqlite::{Writing, columns},
};
use herald_rules::{ids::MessageId, status::Status};
use rusqlite::OptionalExtension;

pub(super) fn history(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
) -> Result<History, StoreError> {
    let mut query = writing.connection.prepare_cached(
        "SELECT i.lane, i.sequence, i.status, e.reason, e.resent FROM event i
         JOIN event e ON e.department = i.department AND e.lane = i.lane AND e.sequence = i.sequence
         WHERE i.department = ?1 AND i.id = ?2",
    )?;
    let mut rows = query.query((department, id.0.as_bytes()))?;
    let mut history = History::new();
    while let Some(row) = rows.next()? {
        history.add((row.get(0)?, row.get(1)?), columns::status(row, 2)?, row.get(3)?, row.get(4)?);
    }
    if history.is_a_guess() {
        let said = writing
            .connection
            .prepare_cached("SELECT reason FROM note WHERE department = ?1 AND id = ?2 AND status = ?3 LIMIT 1")?
            .query_row((department, id.0.as_bytes(), Status::Failed.code()), |row| row.get::<_, Option<u16>>(0))
            .optional()?;
        if let Some(reason) = said {
            history.confirmed(reason);
        }
    }
    Ok(history)
}

pub(super) fn has_event(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
) -> Result<bool, StoreError> {
    Ok(writing
        .connection
        .prepare_cached("SELECT 1 FROM event WHERE department = ?1 AND id = ?2 LIMIT 1")?
        .exists((department, id.0.as_bytes()))?)
}

pub(super) fn insert_event(writing: &mut Writing<'_>, event: NewEvent) -> Result<Change, StoreError> {
    let NewEvent { department, lane, id, kind, at, reason, resent, words } = event;
    let sequence = writing.next_sequence(department, lane)?;
    writing
        .connection
        .prepare_cached(
            "INSERT INTO event (department, lane, sequence, id, status, at, reason, resent, provider)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((department, lane, sequence, id.0.as_bytes(), kind.code(), at.0, reason, resent, words))?;
    let change = Change { department, lane, sequence, id, kind };
    writing.memory.changes.push(change);
    Ok(change)
}

pub(super) fn add_words(writing: &mut Writing<'_>, change: &Change, words: String) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "UPDATE event SET provider = json_patch(coalesce(provider, '{}'), ?4)
             WHERE department = ?1 AND lane = ?2 AND sequence = ?3",
        )?
        .execute((change.department, change.lane, change.sequence, words))?;
    Ok(())
}

pub(super) fn add_note(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
    note: &NewNote<'_>,
) -> Result<(), StoreError> {
    let NewNote { at, kind, status, cause } = note;
    let (reason, words) = provider_words::split_cause(*cause)?;
    writing
        .connection
        .prepare_cached(
            "INSERT INTO note (department, id, number, at, kind, status, reason, provider)
             SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5, ?6, ?7 FROM note
             WHERE department = ?1 AND id = ?2
             HAVING coalesce(max(number), 0) < 100",
        )?
        .execute((department, id.0.as_bytes(), at.0, kind, status.map(Status::code), reason, words))?;
    Ok(())
}
