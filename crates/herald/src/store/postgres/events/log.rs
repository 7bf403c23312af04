//! Reading the log: one query for all lanes, each event with its message by primary key. Kinds from 100 on are about no
//! message.

use super::step::columns_of;
use crate::store::{
    DepartmentRow, EventKey, LogRow, LoggedEvent, Render, StoreError,
    postgres::{
        Engine,
        columns::{self, as_limit},
    },
};
use std::collections::HashMap;
use tokio_postgres::Row;

/// What one read of the log brings, whatever the number of events asked for: texts may be long.
const READ_BYTES: usize = 4 << 20;

impl Engine {
    pub(in crate::store) async fn log_after(
        &self,
        department: DepartmentRow,
        after: Vec<EventKey>,
        limit: usize,
        render: Render,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let mut found: Vec<Vec<Row>> = after.iter().map(|_| Vec::new()).collect();
        // The lanes that may have more, and where they stand.
        let mut open: Vec<(usize, EventKey)> = after.into_iter().enumerate().collect();
        let mut room = limit;
        while room > 0 && !open.is_empty() {
            // Shared evenly, so that a busy lane does not keep the others waiting; what is left of it is shared again.
            let share = (room / open.len()).max(1);
            open.truncate(room);
            let places: Vec<EventKey> = open.iter().map(|(_, place)| *place).collect();
            let mut came: Vec<usize> = vec![0; open.len()];
            for row in self.events_after(department, &places, share).await? {
                let number = columns::number::<i64, usize>(&row, 9)?.saturating_sub(1);
                let sequence = columns::get(&row, 1)?;
                if let (Some(count), Some((lane, place))) = (came.get_mut(number), open.get_mut(number)) {
                    *count += 1;
                    place.sequence = sequence;
                    room = room.saturating_sub(1);
                    if let Some(rows) = found.get_mut(*lane) {
                        rows.push(row);
                    }
                }
            }
            let mut counts = came.into_iter();
            open.retain(|_| counts.next().is_some_and(|count| count == share));
        }
        rendered(found.into_iter().flatten().collect(), render, READ_BYTES).await
    }

    pub(in crate::store) async fn log_of(
        &self,
        department: DepartmentRow,
        keys: Vec<EventKey>,
        render: Render,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let (lanes, sequences) = columns_of(&keys);
        let rows = self
            .rows(
                "SELECT e.lane, e.sequence, e.id, e.status, e.at, e.reason, e.resent, e.provider, m.body
                 FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS k (lane, sequence, number)
                 CROSS JOIN LATERAL (
                     SELECT * FROM event e WHERE e.department + 0 = $1 AND e.lane = k.lane AND e.sequence = k.sequence
                     LIMIT 1) AS e
                 LEFT JOIN LATERAL (
                     SELECT id, body FROM message m WHERE m.department = $1 AND m.id = e.id LIMIT 1) AS m ON true
                 WHERE m.id IS NOT NULL OR e.status >= 100 ORDER BY k.number",
                &[&department, &lanes, &sequences],
            )
            .await?;
        // All of them: to the caller what is missing was cleared away.
        rendered(rows, render, usize::MAX).await
    }

    pub(in crate::store) async fn log_heads(
        &self,
        departments: Vec<DepartmentRow>,
    ) -> Result<HashMap<DepartmentRow, Vec<EventKey>>, StoreError> {
        let rows = self
            .rows(
                "SELECT department, lane, sequence FROM lane_log
                 WHERE cardinality($1::bigint[]) = 0 OR department = ANY ($1) ORDER BY lane",
                &[&departments],
            )
            .await?;
        let mut heads: HashMap<_, Vec<_>> = HashMap::new();
        for row in &rows {
            let head = EventKey { lane: columns::get(row, 1)?, sequence: columns::get(row, 2)? };
            heads.entry(columns::get(row, 0)?).or_default().push(head);
        }
        Ok(heads)
    }

    /// The first `share` events after each place, with the number of the place, from 1.
    async fn events_after(
        &self,
        department: DepartmentRow,
        places: &[EventKey],
        share: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let (lanes, sequences) = columns_of(places);
        self.rows(
            "SELECT e.lane, e.sequence, e.id, e.status, e.at, e.reason, e.resent, e.provider, e.body, k.number
             FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS k (lane, sequence, number)
             CROSS JOIN LATERAL (
                 SELECT e.lane, e.sequence, e.id, e.status, e.at, e.reason, e.resent, e.provider, m.body FROM event e
                 LEFT JOIN LATERAL (
                     SELECT id, body FROM message m WHERE m.department = $1 AND m.id = e.id LIMIT 1) AS m ON true
                 WHERE e.department + 0 = $1 AND e.lane = k.lane AND e.sequence > k.sequence
                 AND (m.id IS NOT NULL OR e.status >= 100) ORDER BY e.sequence LIMIT $4) AS e
             ORDER BY k.number, e.sequence",
            &[&department, &lanes, &sequences, &as_limit(share)],
        )
        .await
    }
}

/// Makes the events, up to so many bytes, off the async threads: a thousand of them take milliseconds.
async fn rendered(rows: Vec<Row>, render: Render, enough: usize) -> Result<Vec<LoggedEvent>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let work = tokio::task::spawn_blocking(move || {
        let mut scratch = Vec::with_capacity(1024);
        let mut events = Vec::with_capacity(rows.len());
        let mut bytes = 0;
        for row in &rows {
            let event = logged(row, &render, &mut scratch)?;
            bytes += event.json.len();
            events.push(event);
            if bytes >= enough {
                break;
            }
        }
        Ok(events)
    });
    work.await.map_err(|error| StoreError::Unavailable(format!("reading the log: {error}")))?
}

fn logged(row: &Row, render: &Render, scratch: &mut Vec<u8>) -> Result<LoggedEvent, StoreError> {
    let reason = columns::get::<Option<i16>>(row, 5)?;
    let log = LogRow {
        key: EventKey { lane: columns::get(row, 0)?, sequence: columns::get(row, 1)? },
        id: columns::message_id(row, 2)?,
        kind: columns::event_kind(row, 3)?,
        at: columns::timestamp(row, 4)?,
        reason: reason.map(|_| columns::small(row, 5)).transpose()?,
        resent: columns::get(row, 6)?,
        provider: columns::get(row, 7)?,
        message: columns::get::<Option<&str>>(row, 8)?.unwrap_or_default(),
    };
    scratch.clear();
    render(&log, scratch);
    Ok(LoggedEvent { key: log.key, id: log.id, at: log.at, json: scratch.as_slice().into() })
}
