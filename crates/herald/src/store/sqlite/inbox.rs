//! Callbacks: kept as they came, then worked off page by page.

use super::{Engine, columns};
use crate::store::{
    Applied, CallbackWork, ChannelRow, DepartmentRow, Evidence, InboxDepth, InboxKind, InboxLimits, InboxPage,
    StoreError, WaitingCallback, WorkedOff, logic,
};
use axum::body::Bytes;
use herald_channels::contract::Receipt;
use herald_rules::time::Timestamp;
use rusqlite::Connection;

impl Engine {
    pub(in crate::store) async fn keep_callback(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        body: Bytes,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached("INSERT INTO inbox (department, channel, at, body) VALUES (?, ?, ?, ?)")?
                .execute((department, channel, at.0, body.as_ref()))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn keep_evidence(
        &self,
        evidence: Vec<Evidence>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |writing| {
            let mut insert = writing
                .connection
                .prepare_cached("INSERT INTO inbox (department, channel, at, kind, body) VALUES (?, ?, ?, ?, ?)")?;
            for evidence in &evidence {
                let body = serde_json::to_vec(evidence)?;
                insert.execute((evidence.department, evidence.channel, at.0, InboxKind::Evidence.code(), body))?;
            }
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn inbox(
        &self,
        after: ChannelRow,
        except: Vec<ChannelRow>,
        limits: InboxLimits,
    ) -> Result<Vec<InboxPage>, StoreError> {
        self.read(move |connection| {
            let mut pages = Vec::new();
            let mut last = after;
            while pages.len() < limits.channels
                && let Some(channel) = next_channel(connection, last)?
            {
                last = channel;
                if !except.contains(&channel) {
                    pages.push(page(connection, channel, limits)?);
                }
            }
            Ok(pages)
        })
        .await
    }

    pub(in crate::store) async fn work_off(&self, work: CallbackWork) -> Result<WorkedOff, StoreError> {
        self.write(move |writing| {
            writing.owned_channel(work.channel, work.epoch)?;
            logic::work_off(writing, &work)
        })
        .await
    }

    pub(in crate::store) async fn apply(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        receipts: Vec<Receipt>,
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        self.write(move |writing| logic::apply(writing, department, channel, &receipts, now)).await
    }

    pub(in crate::store) async fn inbox_depth(&self) -> Result<InboxDepth, StoreError> {
        self.read(|connection| {
            // Rows are few unless something is wrong, and numbers rise with time.
            let count = |sql| -> Result<u64, StoreError> {
                let rows: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
                Ok(u64::try_from(rows).unwrap_or(0))
            };
            let waiting = count("SELECT count(*) FROM inbox WHERE problem IS NULL")?;
            let unreadable = count("SELECT count(*) FROM inbox").map(|all| all.saturating_sub(waiting))?;
            let oldest = connection
                .prepare_cached(
                    "SELECT min(at) FROM inbox WHERE number = (SELECT min(number) FROM inbox WHERE problem IS NULL)",
                )?
                .query_row([], |row| row.get::<_, Option<i64>>(0))?;
            Ok(InboxDepth { waiting, oldest: oldest.map(Timestamp), unreadable })
        })
        .await
    }
}

fn next_channel(connection: &Connection, after: ChannelRow) -> Result<Option<ChannelRow>, StoreError> {
    let mut query =
        connection.prepare_cached("SELECT min(channel) FROM inbox WHERE problem IS NULL AND channel > ?1")?;
    Ok(query.query_row([after], |row| row.get(0))?)
}

fn page(connection: &Connection, channel: ChannelRow, limits: InboxLimits) -> Result<InboxPage, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT number, at, body, department, kind FROM inbox WHERE channel = ?1 AND problem IS NULL
         ORDER BY number LIMIT ?2",
    )?;
    let mut rows = query.query((channel, i64::try_from(limits.callbacks).unwrap_or(i64::MAX)))?;
    let mut page = InboxPage { department: 0, channel, callbacks: Vec::new() };
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(2)?;
        bytes += body.len();
        if bytes > limits.bytes && !page.callbacks.is_empty() {
            break;
        }
        page.department = row.get(3)?;
        page.callbacks.push(WaitingCallback {
            number: row.get(0)?,
            kind: columns::inbox_kind(row, 4)?,
            at: Timestamp(row.get(1)?),
            body,
        });
    }
    Ok(page)
}
