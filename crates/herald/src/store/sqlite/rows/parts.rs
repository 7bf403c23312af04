//! The parts of messages that take several calls.

use crate::store::{
    DepartmentRow, StoreError,
    sqlite::{Writing, columns},
};
use herald_rules::{ids::MessageId, message::Message, part::Part, status::Status, time::Timestamp};

/// A row for each part of a message that is accepted.
pub(in crate::store::sqlite) fn insert_parts(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    message: &Message,
) -> Result<(), StoreError> {
    let mut insert = writing
        .connection
        .prepare_cached("INSERT INTO part (department, id, part, status, at) VALUES (?, ?, ?, ?, ?)")?;
    for part in 0..message.parts {
        let status = Status::Pending.code();
        insert.execute((department, message.id.0.as_bytes(), part, status, message.accepted_at.0))?;
    }
    writing.memory.parts = Some(true);
    Ok(())
}

/// Once there was a message of several parts, the table is asked each time.
pub(super) fn any_parts(writing: &mut Writing<'_>) -> Result<bool, StoreError> {
    let any = match writing.memory.parts {
        Some(any) => any,
        None => writing.connection.prepare_cached("SELECT 1 FROM part LIMIT 1")?.exists([])?,
    };
    writing.memory.parts = Some(any);
    Ok(any)
}

pub(super) fn parts(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
) -> Result<Vec<Part>, StoreError> {
    let mut query = writing
        .connection
        .prepare_cached("SELECT status, reason, provider FROM part WHERE department = ?1 AND id = ?2 ORDER BY part")?;
    let rows = query.query_map((department, id.0.as_bytes()), |row| {
        Ok(Part { status: columns::status(row, 0)?, cause: columns::cause(row, 1, 2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn set_part(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
    part: u16,
    (status, at, reason): (Status, Timestamp, Option<u16>),
    words: Option<String>,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "UPDATE part SET status = ?4, at = ?5, reason = ?6, provider = coalesce(?7, provider)
             WHERE department = ?1 AND id = ?2 AND part = ?3",
        )?
        .execute((department, id.0.as_bytes(), part, status.code(), at.0, reason, words))?;
    Ok(())
}
