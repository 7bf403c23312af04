//! Reading messages back: one with its story, or a page of many.

use super::{Engine, columns};
use crate::store::{
    BeingChecked, DepartmentRow, LaneRow, MessageFilter, MessagePage, Note, PartState, Step, StoreError, Story,
    Summary, range,
};
use herald_rules::{ids::MessageId, message::Message, part::Part, status::Status, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;

impl Engine {
    pub(in crate::store) async fn story(
        &self,
        department: DepartmentRow,
        id: MessageId,
    ) -> Result<Option<Story>, StoreError> {
        self.read(move |connection| {
            // One transaction: between two statements a receipt may come in, and the story would contradict itself.
            let transaction = connection.unchecked_transaction()?;
            let story = story(&transaction, department, id);
            transaction.finish()?;
            story
        })
        .await
    }

    pub(in crate::store) async fn answered(
        &self,
        department: DepartmentRow,
        key_hash: [u8; 16],
        body_hash: [u8; 16],
    ) -> Result<Option<(Arc<Message>, String)>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT m.body, i.warnings FROM idempotency i
                 JOIN message m ON m.department = i.department AND m.id = i.id
                 WHERE i.department = ?1 AND i.key_hash = ?2 AND i.body_hash = ?3",
            )?;
            let found =
                query.query_row((department, key_hash, body_hash), |row| Ok((columns::message(row, 0)?, row.get(1)?)));
            Ok(found.optional()?)
        })
        .await
    }

    pub(in crate::store) async fn list(&self, filter: MessageFilter) -> Result<MessagePage, StoreError> {
        self.read(move |connection| list(connection, &filter)).await
    }
}

fn story(connection: &Connection, department: DepartmentRow, id: MessageId) -> Result<Option<Story>, StoreError> {
    let Some((lane, message)) = message(connection, department, id)? else { return Ok(None) };
    Ok(Some(Story {
        lane,
        message,
        changes: changes(connection, department, id)?,
        notes: notes(connection, department, id)?,
        checking: checking(connection, department, lane, id)?,
        parts: parts(connection, department, id)?,
    }))
}

fn parts(connection: &Connection, department: DepartmentRow, id: MessageId) -> Result<Vec<PartState>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT status, reason, provider, at FROM part WHERE department = ?1 AND id = ?2 ORDER BY part",
    )?;
    let rows = query.query_map((department, id.0.as_bytes()), |row| {
        let part = Part { status: columns::status(row, 0)?, cause: columns::cause(row, 1, 2)? };
        Ok(PartState { part, at: Timestamp(row.get(3)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn message(
    connection: &Connection,
    department: DepartmentRow,
    id: MessageId,
) -> Result<Option<(LaneRow, Arc<Message>)>, StoreError> {
    let mut query = connection.prepare_cached("SELECT lane, body FROM message WHERE department = ?1 AND id = ?2")?;
    let found = query.query_row((department, id.0.as_bytes()), |row| Ok((row.get(0)?, columns::message(row, 1)?)));
    Ok(found.optional()?)
}

fn changes(connection: &Connection, department: DepartmentRow, id: MessageId) -> Result<Vec<Step>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT status, at, reason, provider, resent FROM event WHERE department = ?1 AND id = ?2 ORDER BY sequence",
    )?;
    let rows = query.query_map((department, id.0.as_bytes()), step)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn step(row: &Row<'_>) -> rusqlite::Result<Step> {
    Ok(Step {
        status: columns::status(row, 0)?,
        at: Timestamp(row.get(1)?),
        cause: columns::cause(row, 2, 3)?,
        possible_duplicate: row.get(4)?,
        pricing: columns::pricing(row, 3)?,
    })
}

fn notes(connection: &Connection, department: DepartmentRow, id: MessageId) -> Result<Vec<Note>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT kind, at, status, reason, provider FROM note WHERE department = ?1 AND id = ?2 ORDER BY number",
    )?;
    let rows = query.query_map((department, id.0.as_bytes()), |row| {
        Ok(Note {
            kind: row.get(0)?,
            at: Timestamp(row.get(1)?),
            status: row.get::<_, Option<u8>>(2)?.and_then(Status::from_code),
            cause: columns::cause(row, 3, 4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn checking(
    connection: &Connection,
    department: DepartmentRow,
    lane: LaneRow,
    id: MessageId,
) -> Result<Option<BeingChecked>, StoreError> {
    let mut query = connection
        .prepare_cached("SELECT since, deadline FROM checking WHERE department = ?1 AND lane = ?2 AND id = ?3")?;
    let found = query.query_row((department, lane, id.0.as_bytes()), |row| {
        Ok(BeingChecked { since: Timestamp(row.get(0)?), deadline: Timestamp(row.get(1)?) })
    });
    Ok(found.optional()?)
}

fn list(connection: &Connection, filter: &MessageFilter) -> Result<MessagePage, StoreError> {
    let (from, below) = range(filter.since, filter.until, filter.before);
    let mut query = connection.prepare_cached(
        "SELECT id, lane, recipient, at, body FROM message WHERE department = ?1 AND id < ?2 AND id >= ?3
         ORDER BY id DESC LIMIT ?4",
    )?;
    let look_at = i64::try_from(filter.look_at).unwrap_or(i64::MAX);
    let mut rows = query.query((filter.department, below.as_bytes(), from.as_bytes(), look_at))?;
    let mut page = MessagePage { messages: Vec::new(), next: None };
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        let id = columns::message_id(row, 0)?;
        if let Some(summary) = passes(connection, filter, row, id)? {
            page.messages.push(summary);
        }
        if page.messages.len() >= filter.limit || looked_at >= filter.look_at {
            page.next = Some(id);
            break;
        }
    }
    Ok(page)
}

/// The cheap conditions first: the body is read only of what is returned.
fn passes(
    connection: &Connection,
    filter: &MessageFilter,
    row: &Row<'_>,
    id: MessageId,
) -> Result<Option<Summary>, StoreError> {
    let lane: LaneRow = row.get(1)?;
    let at = Timestamp(row.get(3)?);
    if filter.lanes.as_ref().is_some_and(|lanes| !lanes.contains(&lane))
        || filter.since.is_some_and(|since| at < since)
        || filter.until.is_some_and(|until| at >= until)
    {
        return Ok(None);
    }
    if let Some(to) = &filter.to
        && row.get_ref(2)?.as_bytes().map_err(rusqlite::Error::from)? != to.as_bytes()
    {
        return Ok(None);
    }
    let last = connection
        .prepare_cached(
            "SELECT status, at, reason, provider, resent FROM event WHERE department = ?1 AND id = ?2
             ORDER BY sequence DESC LIMIT 1",
        )?
        .query_row((filter.department, id.0.as_bytes()), step)
        .optional()?;
    let status = last.as_ref().map_or(Status::Pending, |step| step.status);
    if filter.status.is_some_and(|wanted| wanted != status) {
        return Ok(None);
    }
    Ok(Some(Summary { lane, message: columns::message(row, 4)?, last }))
}
