//! Reading typed values from rows, and numbers as the tables keep them.
//!
//! What cannot be read is damage, or a row of a newer version: [`StoreError::Corrupt`].

use crate::store::{EventKind, Place, StoreError, provider_words};
use herald_channels::contract::Pricing;
use herald_rules::{
    ids::MessageId,
    message::{Message, Priority},
    reason::Cause,
    status::Status,
    time::Timestamp,
};
use serde::de::DeserializeOwned;
use std::{str::FromStr, sync::Arc};
use tokio_postgres::{Row, types::FromSql};
use uuid::Uuid;

type Result<T> = std::result::Result<T, StoreError>;

/// Any column of a type that PostgreSQL has too.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| StoreError::Corrupt(format!("column {index}: {error}")))
}

/// A number that is not negative, of whatever width here and there.
pub(super) fn number<'a, Kept, T>(row: &'a Row, index: usize) -> Result<T>
where
    Kept: FromSql<'a>,
    T: TryFrom<Kept>,
{
    T::try_from(get::<Kept>(row, index)?).map_err(|_| out_of_range(index))
}

/// An `integer`.
pub(super) fn count(row: &Row, index: usize) -> Result<u32> {
    number::<i32, _>(row, index)
}

/// A `smallint`.
pub(super) fn small(row: &Row, index: usize) -> Result<u16> {
    number::<i16, _>(row, index)
}

/// A moment.
pub(super) fn timestamp(row: &Row, index: usize) -> Result<Timestamp> {
    get(row, index).map(Timestamp)
}

/// A moment that may be missing.
pub(super) fn timestamp_or_none(row: &Row, index: usize) -> Result<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, index)?.map(Timestamp))
}

/// A UUID column.
pub(super) fn uuid(row: &Row, index: usize) -> Result<Uuid> {
    get(row, index)
}

/// A message id.
pub(super) fn message_id(row: &Row, index: usize) -> Result<MessageId> {
    uuid(row, index).map(MessageId)
}

/// JSON that is kept as text.
pub(super) fn json<T: DeserializeOwned>(row: &Row, index: usize) -> Result<T> {
    Ok(serde_json::from_str(get(row, index)?)?)
}

/// A message, from its JSON.
pub(super) fn message(row: &Row, index: usize) -> Result<Arc<Message>> {
    json(row, index).map(Arc::new)
}

/// A status, from its code.
pub(super) fn status(row: &Row, index: usize) -> Result<Status> {
    code(row, index, Status::from_code)
}

/// What an event tells, from its code.
pub(super) fn event_kind(row: &Row, index: usize) -> Result<EventKind> {
    code(row, index, EventKind::from_code)
}

/// One of a closed list, from its code.
pub(super) fn code<T>(row: &Row, index: usize, from_code: impl FnOnce(u8) -> Option<T>) -> Result<T> {
    from_code(number::<i16, _>(row, index)?).ok_or_else(|| out_of_range(index))
}

/// A place, from class and position.
pub(super) fn place(row: &Row, class: usize, position: usize) -> Result<Place> {
    Ok(Place { priority: Priority::from_class(number::<i16, _>(row, class)?), position: get(row, position)? })
}

/// A word of a closed list.
pub(super) fn word<T: FromStr>(row: &Row, index: usize) -> Result<T> {
    let text: &str = get(row, index)?;
    text.parse().map_err(|_| StoreError::Corrupt(format!("column {index} holds an unknown word")))
}

/// A cause, from a reason's number and the provider's words.
pub(super) fn cause(row: &Row, reason: usize, words: usize) -> Result<Option<Cause>> {
    let number = get::<Option<i16>>(row, reason)?.map(|_| small(row, reason)).transpose()?;
    Ok(provider_words::cause(number, get(row, words)?))
}

/// What a provider says that a message costs, from the words of an event.
pub(super) fn pricing(row: &Row, words: usize) -> Result<Option<Pricing>> {
    Ok(provider_words::pricing(get(row, words)?))
}

/// An unsigned number as an `integer`: attempts and the like, which never come near its end.
pub(super) fn as_integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// An unsigned number as a `smallint`: parts, reasons, HTTP statuses.
pub(super) fn as_small(value: u16) -> i16 {
    i16::try_from(value).unwrap_or(i16::MAX)
}

/// How many rows at most, as LIMIT takes it.
pub(super) fn as_limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn out_of_range(index: usize) -> StoreError {
    StoreError::Corrupt(format!("column {index} is out of range"))
}
