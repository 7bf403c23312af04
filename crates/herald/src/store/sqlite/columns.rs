//! Reading typed values from rows.

use crate::store::{EventKind, InboxKind, Place, Queued, provider_words};
use herald_channels::contract::Pricing;
use herald_rules::{
    ids::MessageId,
    message::{Message, Priority},
    reason::Cause,
    status::Status,
};
use rusqlite::Row;
use std::{str::FromStr, sync::Arc};
use uuid::Uuid;

/// A UUID column.
pub(crate) fn uuid(row: &Row<'_>, index: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(index).map(Uuid::from_bytes)
}

/// A message id.
pub(crate) fn message_id(row: &Row<'_>, index: usize) -> rusqlite::Result<MessageId> {
    uuid(row, index).map(MessageId)
}

/// A message, from its JSON.
pub(crate) fn message(row: &Row<'_>, index: usize) -> rusqlite::Result<Arc<Message>> {
    let body = row.get_ref(index)?.as_bytes()?;
    serde_json::from_slice(body)
        .map(Arc::new)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error)))
}

/// A status, from its code.
pub(crate) fn status(row: &Row<'_>, index: usize) -> rusqlite::Result<Status> {
    code(row, index, Status::from_code)
}

/// What an event tells, from its code.
pub(crate) fn event_kind(row: &Row<'_>, index: usize) -> rusqlite::Result<EventKind> {
    code(row, index, EventKind::from_code)
}

/// One of a closed list, from its code.
pub(crate) fn code<T>(row: &Row<'_>, index: usize, from_code: fn(u8) -> Option<T>) -> rusqlite::Result<T> {
    let code = row.get::<_, u8>(index)?;
    from_code(code).ok_or(rusqlite::Error::IntegralValueOutOfRange(index, i64::from(code)))
}

/// What waits in the inbox, from its code.
pub(crate) fn inbox_kind(row: &Row<'_>, index: usize) -> rusqlite::Result<InboxKind> {
    let code = row.get::<_, i16>(index)?;
    InboxKind::from_code(code).ok_or(rusqlite::Error::IntegralValueOutOfRange(index, i64::from(code)))
}

/// A place, from class and position.
pub(crate) fn place(row: &Row<'_>, class: usize, position: usize) -> rusqlite::Result<Place> {
    Ok(Place { priority: Priority::from_class(row.get(class)?), position: row.get(position)? })
}

/// A message in the queue, from class, position, attempt, resent, part and body, the first of which is at `first`.
pub(crate) fn queued(row: &Row<'_>, first: usize) -> rusqlite::Result<Queued> {
    Ok(Queued {
        place: place(row, first, first + 1)?,
        attempt: row.get(first + 2)?,
        resent: row.get(first + 3)?,
        part: row.get(first + 4)?,
        message: message(row, first + 5)?,
    })
}

/// A word of a closed list.
pub(crate) fn word<T: FromStr>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(index)?.as_str()?;
    text.parse().map_err(|_| rusqlite::Error::InvalidColumnType(index, text.into(), rusqlite::types::Type::Text))
}

/// A cause, from a reason's number and the provider's words.
pub(crate) fn cause(row: &Row<'_>, reason: usize, words: usize) -> rusqlite::Result<Option<Cause>> {
    Ok(provider_words::cause(row.get(reason)?, row.get_ref(words)?.as_str_or_null()?))
}

/// What a provider says that a message costs, from the words of an event.
pub(crate) fn pricing(row: &Row<'_>, words: usize) -> rusqlite::Result<Option<Pricing>> {
    Ok(provider_words::pricing(row.get_ref(words)?.as_str_or_null()?))
}
