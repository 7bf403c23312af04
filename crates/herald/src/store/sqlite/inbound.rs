//! What customers wrote, read back.

use super::{Engine, columns};
use crate::store::range;
use crate::store::{DepartmentRow, InboundFilter, InboundPage, KeptInbound, LaneRow, StoreError};
use herald_rules::{ids::MessageId, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

impl Engine {
    pub(in crate::store) async fn inbound(
        &self,
        department: DepartmentRow,
        id: MessageId,
    ) -> Result<Option<KeptInbound>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, channel, lane, received_at, body FROM inbound WHERE department = ?1 AND id = ?2",
            )?;
            Ok(query.query_row((department, id.0.as_bytes()), kept).optional()?)
        })
        .await
    }

    pub(in crate::store) async fn list_inbound(&self, filter: InboundFilter) -> Result<InboundPage, StoreError> {
        self.read(move |connection| list(connection, &filter)).await
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptInbound> {
    Ok(KeptInbound {
        id: columns::message_id(row, 0)?,
        channel: row.get(1)?,
        lane: row.get(2)?,
        received_at: Timestamp(row.get(3)?),
        inbound: serde_json::from_slice(row.get_ref(4)?.as_bytes()?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(error))
        })?,
    })
}

fn list(connection: &Connection, filter: &InboundFilter) -> Result<InboundPage, StoreError> {
    let (from, below) = range(filter.since, filter.until, filter.before);
    let mut query = connection.prepare_cached(
        "SELECT id, channel, lane, received_at, body, customer FROM inbound
         WHERE department = ?1 AND id < ?2 AND id >= ?3 ORDER BY id DESC LIMIT ?4",
    )?;
    let look_at = i64::try_from(filter.look_at).unwrap_or(i64::MAX);
    let mut rows = query.query((filter.department, below.as_bytes(), from.as_bytes(), look_at))?;
    let mut page = InboundPage { messages: Vec::new(), next: None };
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        if passes(filter, row)? {
            page.messages.push(kept(row)?);
        }
        if page.messages.len() >= filter.limit || looked_at >= filter.look_at {
            page.next = Some(columns::message_id(row, 0)?);
            break;
        }
    }
    Ok(page)
}

/// The body is read only of what is returned.
fn passes(filter: &InboundFilter, row: &Row<'_>) -> Result<bool, StoreError> {
    let lane: LaneRow = row.get(2)?;
    let at = Timestamp(row.get(3)?);
    let customer = row.get_ref(5)?.as_bytes().map_err(rusqlite::Error::from)?;
    Ok(filter.lanes.as_ref().is_none_or(|lanes| lanes.contains(&lane))
        && filter.from.as_ref().is_none_or(|from| from.as_bytes() == customer)
        && filter.since.is_none_or(|since| at >= since)
        && filter.until.is_none_or(|until| at < until))
}
