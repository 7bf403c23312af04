//! Reading the log: one query a lane and batch, each event with its message by primary key. Kinds from 100 on are about no
//! message.

use crate::store::{
    DepartmentRow, EventKey, LaneRow, LogRow, LoggedEvent, Render, StoreError,
    sqlite::{Engine, columns},
};
use herald_rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// What one read may bring, whatever the number of events asked for: texts may be long.
const READ_BYTES: usize = 4 << 20;

impl Engine {
    pub(in crate::store) async fn log_after(
        &self,
        department: DepartmentRow,
        after: Vec<EventKey>,
        limit: usize,
        render: Render,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT e.sequence, e.id, e.status, e.at, e.reason, e.resent, e.provider, m.body FROM event e
                 LEFT JOIN message m ON m.department = e.department AND m.id = e.id
                 WHERE (m.id IS NOT NULL OR e.status >= 100) AND e.department = ?1 AND e.lane = ?2 AND e.sequence > ?3 ORDER BY e.sequence LIMIT ?4",
            )?;
            let (mut events, mut bytes) = (Vec::new(), 0);
            let mut scratch = Vec::with_capacity(1024);
            for (index, place) in after.iter().enumerate() {
                // What is left is shared evenly, so that a busy lane does not keep the others waiting.
                let share = (limit - events.len()).div_ceil(after.len() - index);
                let mut rows = query.query((department, place.lane, place.sequence, share as i64))?;
                while let Some(row) = rows.next()? {
                    let event = rendered(row, place.lane, &render, &mut scratch)?;
                    bytes += event.json.len();
                    events.push(event);
                    if bytes >= READ_BYTES {
                        return Ok(events);
                    }
                }
            }
            Ok(events)
        })
        .await
    }

    pub(in crate::store) async fn log_of(
        &self,
        department: DepartmentRow,
        keys: Vec<EventKey>,
        render: Render,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT e.sequence, e.id, e.status, e.at, e.reason, e.resent, e.provider, m.body FROM event e
                 LEFT JOIN message m ON m.department = e.department AND m.id = e.id
                 WHERE (m.id IS NOT NULL OR e.status >= 100) AND e.department = ?1 AND e.lane = ?2 AND e.sequence = ?3",
            )?;
            let mut scratch = Vec::with_capacity(1024);
            let mut events = Vec::with_capacity(keys.len());
            for key in keys {
                let mut rows = query.query((department, key.lane, key.sequence))?;
                if let Some(row) = rows.next()? {
                    events.push(rendered(row, key.lane, &render, &mut scratch)?);
                }
            }
            Ok(events)
        })
        .await
    }

    pub(in crate::store) async fn log_heads(
        &self,
        departments: Vec<DepartmentRow>,
    ) -> Result<HashMap<DepartmentRow, Vec<EventKey>>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT department, lane FROM lane")?;
            let lanes = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<Vec<(DepartmentRow, LaneRow)>, _>>()?;
            let mut heads: HashMap<_, Vec<_>> = HashMap::new();
            for (department, lane) in lanes {
                if departments.is_empty() || departments.contains(&department) {
                    let sequence = head(connection, department, lane)?;
                    heads.entry(department).or_default().push(EventKey { lane, sequence });
                }
            }
            Ok(heads)
        })
        .await
    }
}

/// The last number of a lane's log; one look-up.
pub(super) fn head(connection: &Connection, department: DepartmentRow, lane: LaneRow) -> Result<i64, StoreError> {
    Ok(connection
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM event WHERE department = ?1 AND lane = ?2")?
        .query_row((department, lane), |row| row.get(0))?)
}

/// The number of the first event of a lane that happened at or after a moment, by halving: numbers rise with time but
/// for the difference of two providers' clocks. Only what comes after `from` is looked at.
pub(super) fn first_since(
    connection: &Connection,
    department: DepartmentRow,
    lane: LaneRow,
    from: i64,
    since: Timestamp,
) -> Result<i64, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT sequence, at FROM event WHERE department = ?1 AND lane = ?2 AND sequence >= ?3 ORDER BY sequence LIMIT 1",
    )?;
    let (mut low, mut high) = (from + 1, head(connection, department, lane)? + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = query
            .query_row((department, lane, middle), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        match found {
            Some((sequence, at)) if at < since.0 => low = sequence + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

fn rendered(row: &Row<'_>, lane: LaneRow, render: &Render, scratch: &mut Vec<u8>) -> Result<LoggedEvent, StoreError> {
    let text = |error: rusqlite::types::FromSqlError| StoreError::Corrupt(error.to_string());
    let log = LogRow {
        key: EventKey { lane, sequence: row.get(0)? },
        id: columns::message_id(row, 1)?,
        kind: columns::event_kind(row, 2)?,
        at: Timestamp(row.get(3)?),
        reason: row.get(4)?,
        resent: row.get(5)?,
        provider: row.get_ref(6)?.as_str_or_null().map_err(text)?,
        message: row.get_ref(7)?.as_str_or_null().map_err(text)?.unwrap_or_default(),
    };
    scratch.clear();
    render(&log, scratch);
    Ok(LoggedEvent { key: log.key, id: log.id, at: log.at, json: scratch.as_slice().into() })
}
