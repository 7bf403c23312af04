//! Reading messages back: one with its story, or a page of many.

use super::{
    Engine,
    columns::{self, as_limit},
    flight::Flight,
};
use crate::store::{
    BeingChecked, DepartmentRow, MessageFilter, MessagePage, Note, PartState, Step, StoreError, Story, Summary, range,
};
use herald_rules::{ids::MessageId, message::Message, part::Part, status::Status};
use std::sync::Arc;
use tokio_postgres::Row;

/// The conditions that cost nothing stand inside, those that need the log outside: the log is looked at for what passes
/// the others, and no further than the page goes.
const PAGE: &str = "SELECT m.id, m.lane, m.body, e.status, e.at, e.reason, e.provider, e.resent
    FROM (SELECT id, lane, recipient, at, body FROM message
          WHERE department = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4) AS m
    LEFT JOIN LATERAL (
        SELECT status, at, reason, provider, resent FROM event e
        WHERE e.department = $1 AND e.id = m.id ORDER BY sequence DESC LIMIT 1) AS e ON true
    WHERE ($5::bigint[] IS NULL OR m.lane = ANY ($5)) AND ($6::text IS NULL OR m.recipient = $6)
    AND ($7::bigint IS NULL OR m.at >= $7) AND ($8::bigint IS NULL OR m.at < $8)
    AND ($9::smallint IS NULL OR coalesce(e.status, $10::smallint) = $9)
    ORDER BY m.id DESC LIMIT $11";

impl Engine {
    pub(in crate::store) async fn story(
        &self,
        department: DepartmentRow,
        id: MessageId,
    ) -> Result<Option<Story>, StoreError> {
        let mut flight = Flight::default();
        let key: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&department, &id.0];
        let message = flight.add("SELECT lane, body FROM message WHERE department = $1 AND id = $2", &key);
        let changes = flight.add(
            "SELECT status, at, reason, provider, resent FROM event WHERE department = $1 AND id = $2
             ORDER BY sequence",
            &key,
        );
        let notes = flight.add(
            "SELECT kind, at, status, reason, provider FROM note WHERE department = $1 AND id = $2 ORDER BY number",
            &key,
        );
        let parts = flight
            .add("SELECT status, reason, provider, at FROM part WHERE department = $1 AND id = $2 ORDER BY part", &key);
        let checking = flight.add(
            "SELECT c.since, c.deadline FROM message m
             JOIN checking c ON c.department = m.department AND c.lane = m.lane AND c.id = m.id
             WHERE m.department = $1 AND m.id = $2",
            &key,
        );
        // One moment: between two statements a receipt may come in, and the story would contradict itself.
        let read = flight.read(self).await?;
        let Some(found) = read[message].first() else { return Ok(None) };
        Ok(Some(Story {
            lane: columns::get(found, 0)?,
            message: columns::message(found, 1)?,
            changes: read[changes].iter().map(|row| step(row, 0)).collect::<Result<_, _>>()?,
            notes: read[notes].iter().map(note).collect::<Result<_, _>>()?,
            parts: read[parts].iter().map(part).collect::<Result<_, _>>()?,
            checking: read[checking].first().map(being_checked).transpose()?,
        }))
    }

    pub(in crate::store) async fn answered(
        &self,
        department: DepartmentRow,
        key_hash: [u8; 16],
        body_hash: [u8; 16],
    ) -> Result<Option<(Arc<Message>, String)>, StoreError> {
        let found = self
            .row(
                "SELECT m.body, i.warnings FROM idempotency i
                 CROSS JOIN LATERAL (
                     SELECT body FROM message m WHERE m.department = i.department AND m.id = i.id LIMIT 1) AS m
                 WHERE i.department = $1 AND i.key_hash = $2 AND i.body_hash = $3",
                &[&department, &key_hash.as_slice(), &body_hash.as_slice()],
            )
            .await?;
        found.map(|row| Ok((columns::message(&row, 0)?, columns::get(&row, 1)?))).transpose()
    }

    pub(in crate::store) async fn list(&self, filter: MessageFilter) -> Result<MessagePage, StoreError> {
        let (from, below) = range(filter.since, filter.until, filter.before);
        let (look_at, limit) = (as_limit(filter.look_at), as_limit(filter.limit));
        let (since, until) = (filter.since.map(|at| at.0), filter.until.map(|at| at.0));
        let status = filter.status.map(|status| i16::from(status.code()));
        let pending = i16::from(Status::Pending.code());
        let mut flight = Flight::default();
        flight.add(
            PAGE,
            &[
                &filter.department,
                &below,
                &from,
                &look_at,
                &filter.lanes,
                &filter.to,
                &since,
                &until,
                &status,
                &pending,
                &limit,
            ],
        );
        let transaction = self.transaction().await?;
        let read = flight.open_reading(&transaction).await?;
        let rows = read.first().map(Vec::as_slice).unwrap_or_default();
        let mut next = None;
        if rows.len() >= filter.limit {
            next = rows.last().map(|row| columns::message_id(row, 0)).transpose()?;
        } else {
            // A short page: was everything looked at, and if not, up to where?
            let mut flight = Flight::default();
            flight.add(
                "SELECT id FROM message WHERE department = $1 AND id < $2 AND id >= $3
                 ORDER BY id DESC OFFSET greatest($4::bigint, 1) - 1 LIMIT 1",
                &[&filter.department, &below, &from, &look_at],
            );
            for row in flight.send(transaction.client()?).await?.iter().flatten() {
                next = Some(columns::message_id(row, 0)?);
            }
        }
        transaction.commit().await?;
        Ok(MessagePage { messages: rows.iter().map(summary).collect::<Result<_, _>>()?, next })
    }
}

fn summary(row: &Row) -> Result<Summary, StoreError> {
    let last = columns::get::<Option<i16>>(row, 3)?.map(|_| step(row, 3)).transpose()?;
    Ok(Summary { lane: columns::get(row, 1)?, message: columns::message(row, 2)?, last })
}

/// A change of status, in five columns from the first on.
fn step(row: &Row, first: usize) -> Result<Step, StoreError> {
    let [status, at, reason, provider, resent] = [first, first + 1, first + 2, first + 3, first + 4];
    Ok(Step {
        status: columns::status(row, status)?,
        at: columns::timestamp(row, at)?,
        cause: columns::cause(row, reason, provider)?,
        possible_duplicate: columns::get(row, resent)?,
        pricing: columns::pricing(row, provider)?,
    })
}

fn note(row: &Row) -> Result<Note, StoreError> {
    let status = columns::get::<Option<i16>>(row, 2)?;
    Ok(Note {
        kind: columns::get(row, 0)?,
        at: columns::timestamp(row, 1)?,
        status: status.and_then(|code| Status::from_code(u8::try_from(code).ok()?)),
        cause: columns::cause(row, 3, 4)?,
    })
}

fn part(row: &Row) -> Result<PartState, StoreError> {
    let part = Part { status: columns::status(row, 0)?, cause: columns::cause(row, 1, 2)? };
    Ok(PartState { part, at: columns::timestamp(row, 3)? })
}

fn being_checked(row: &Row) -> Result<BeingChecked, StoreError> {
    Ok(BeingChecked { since: columns::timestamp(row, 0)?, deadline: columns::timestamp(row, 1)? })
}
