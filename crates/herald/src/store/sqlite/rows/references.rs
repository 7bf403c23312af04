//! Providers' own ids of messages, and receipts that wait for one.

use crate::store::{
    ChannelRow, StoreError,
    sqlite::{Writing, columns},
};
use herald_rules::{ids::MessageId, status::Status, time::Timestamp};
use rusqlite::OptionalExtension;

pub(super) fn reference(
    writing: &mut Writing<'_>,
    channel: ChannelRow,
    reference: &str,
) -> Result<Option<(MessageId, u16)>, StoreError> {
    Ok(writing
        .connection
        .prepare_cached("SELECT id, part FROM reference WHERE channel = ?1 AND reference = ?2")?
        .query_row((channel, reference), |row| Ok((columns::message_id(row, 0)?, row.get(1)?)))
        .optional()?)
}

pub(super) fn insert_reference(
    writing: &mut Writing<'_>,
    channel: ChannelRow,
    reference: &str,
    id: MessageId,
    part: u16,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("INSERT OR IGNORE INTO reference (channel, reference, id, part) VALUES (?, ?, ?, ?)")?
        .execute((channel, reference, id.0.as_bytes(), part))?;
    Ok(())
}

pub(super) fn any_early(writing: &mut Writing<'_>) -> Result<bool, StoreError> {
    let any = match writing.memory.early {
        Some(any) => any,
        None => writing.connection.prepare_cached("SELECT 1 FROM early LIMIT 1")?.exists([])?,
    };
    writing.memory.early = Some(any);
    Ok(any)
}

pub(super) fn take_early(
    writing: &mut Writing<'_>,
    channel: ChannelRow,
    reference: &str,
) -> Result<Vec<(Status, String)>, StoreError> {
    let waiting = writing
        .connection
        .prepare_cached("SELECT status, receipt FROM early WHERE channel = ?1 AND reference = ?2 ORDER BY status")?
        .query_map((channel, reference), |row| Ok((columns::status(row, 0)?, row.get(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    if !waiting.is_empty() {
        writing
            .connection
            .prepare_cached("DELETE FROM early WHERE channel = ?1 AND reference = ?2")?
            .execute((channel, reference))?;
        writing.memory.early = None;
    }
    Ok(waiting)
}

pub(super) fn insert_early(
    writing: &mut Writing<'_>,
    channel: ChannelRow,
    reference: &str,
    status: Status,
    received_at: Timestamp,
    receipt: String,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT OR IGNORE INTO early (channel, reference, status, received_at, receipt) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute((channel, reference, status.code(), received_at.0, receipt))?;
    writing.memory.early = None;
    Ok(())
}
