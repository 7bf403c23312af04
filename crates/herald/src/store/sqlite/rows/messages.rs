//! Messages as they were accepted, and the channels of their lanes.

use crate::store::{
    ChannelRow, DepartmentRow, LaneRow, StoreError,
    sqlite::{Writing, columns},
};
use herald_rules::{ids::MessageId, message::Message};
use rusqlite::OptionalExtension;
use std::sync::Arc;

pub(super) fn message(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
) -> Result<Option<Arc<Message>>, StoreError> {
    Ok(writing
        .connection
        .prepare_cached("SELECT body FROM message WHERE department = ?1 AND id = ?2")?
        .query_row((department, id.0.as_bytes()), |row| columns::message(row, 0))
        .optional()?)
}

pub(super) fn lane_of_message(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    id: MessageId,
) -> Result<Option<LaneRow>, StoreError> {
    Ok(writing
        .connection
        .prepare_cached("SELECT lane FROM message WHERE department = ?1 AND id = ?2")?
        .query_row((department, id.0.as_bytes()), |row| row.get(0))
        .optional()?)
}

pub(super) fn channel_of(writing: &mut Writing<'_>, lane: LaneRow) -> Result<ChannelRow, StoreError> {
    if let Some(channel) = writing.memory.channels.get(&lane) {
        return Ok(*channel);
    }
    let channel = writing
        .connection
        .prepare_cached("SELECT channel FROM lane WHERE lane = ?1")?
        .query_row([lane], |row| row.get(0))?;
    writing.memory.channels.insert(lane, channel);
    Ok(channel)
}
