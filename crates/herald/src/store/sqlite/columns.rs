//! Reading typed values from rows.

use crate::store::{EventKind, Place, StoreError};
use herald_channels::contract::Pricing;
use herald_rules::{
    ids::MessageId,
    message::{Message, Priority},
    reason::{Cause, Reason},
    status::Status,
};
use rusqlite::Row;
use serde::{Deserialize, Serialize};
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
    let code = row.get::<_, u8>(index)?;
    Status::from_code(code).ok_or(rusqlite::Error::IntegralValueOutOfRange(index, i64::from(code)))
}

/// What an event tells, from its code.
pub(crate) fn event_kind(row: &Row<'_>, index: usize) -> rusqlite::Result<EventKind> {
    let code = row.get::<_, u8>(index)?;
    EventKind::from_code(code).ok_or(rusqlite::Error::IntegralValueOutOfRange(index, i64::from(code)))
}

/// A place, from class and position.
pub(crate) fn place(row: &Row<'_>, class: usize, position: usize) -> rusqlite::Result<Place> {
    Ok(Place { priority: Priority::from_class(row.get(class)?), position: row.get(position)? })
}

/// A word of a closed list.
pub(crate) fn word<T: FromStr>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(index)?.as_str()?;
    text.parse().map_err(|_| rusqlite::Error::InvalidColumnType(index, text.into(), rusqlite::types::Type::Text))
}

/// The provider's own words, beside a reason's number.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct ProviderWords {
    /// Its id for the message, with the status `Accepted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pricing: Option<Pricing>,
}

/// A cause as two columns: the reason's number and the provider's words as JSON.
pub(crate) fn split_cause(cause: Option<&Cause>) -> Result<(Option<u16>, Option<String>), StoreError> {
    let Some(cause) = cause else { return Ok((None, None)) };
    let words = match (&cause.provider_code, &cause.provider_text, &cause.detail) {
        (None, None, None) => None,
        (code, text, detail) => {
            let (code, text, detail) = (code.clone(), text.clone(), detail.clone());
            Some(serde_json::to_string(&ProviderWords { code, text, detail, ..Default::default() })?)
        }
    };
    Ok((Some(cause.reason.number()), words))
}

/// A provider's reference as the words of an event.
pub(crate) fn reference_words(reference: &str) -> Result<String, StoreError> {
    Ok(serde_json::to_string(&ProviderWords { reference: Some(reference.to_owned()), ..Default::default() })?)
}

/// What a receipt says beside status and cause, as the words of an event.
pub(crate) fn receipt_words(reference: Option<&str>, pricing: Option<&Pricing>) -> Result<String, StoreError> {
    let (reference, pricing) = (reference.map(str::to_owned), pricing.cloned());
    Ok(serde_json::to_string(&ProviderWords { reference, pricing, ..Default::default() })?)
}

/// The inverse of [`split_cause`].
pub(crate) fn cause(row: &Row<'_>, reason: usize, words: usize) -> rusqlite::Result<Option<Cause>> {
    let Some(number) = row.get::<_, Option<u16>>(reason)? else { return Ok(None) };
    let words = match row.get_ref(words)?.as_str_or_null()? {
        Some(json) => serde_json::from_str::<ProviderWords>(json).unwrap_or_default(),
        None => ProviderWords::default(),
    };
    Ok(Some(Cause {
        // A number of a newer version after a downgrade: it must still be shown.
        reason: Reason::from_number(number).unwrap_or(Reason::Unspecified),
        provider_code: words.code,
        provider_text: words.text,
        detail: words.detail,
    }))
}

/// What a provider says that a message costs, from the words of an event.
pub(crate) fn pricing(row: &Row<'_>, words: usize) -> rusqlite::Result<Option<Pricing>> {
    let json = row.get_ref(words)?.as_str_or_null()?;
    Ok(json.and_then(|json| serde_json::from_str::<ProviderWords>(json).ok()?.pricing))
}
