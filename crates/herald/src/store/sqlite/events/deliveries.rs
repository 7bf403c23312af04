//! Reading deliveries and their attempts.

use crate::store::{
    Attempt, Delivery, DeliveryFilter, DeliveryKind, DeliveryState, DepartmentRow, StoreError, SubscriptionRow,
    event_codec, first_id_of,
    sqlite::{Engine, columns},
};
use herald_rules::{
    ids::{DeliveryId, SubscriptionId},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row};
use std::time::Duration;
use uuid::Uuid;

pub(super) const COLUMNS: &str = "id, kind, state, attempts, due, oldest, events, origin";

impl Engine {
    pub(in crate::store) async fn deliveries(
        &self,
        subscription: SubscriptionRow,
        filter: DeliveryFilter,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |connection| {
            let low = filter.since.map_or(Uuid::nil(), first_id_of);
            let mut high = filter.until.map_or(Uuid::max(), first_id_of);
            if let Some(before) = filter.before {
                high = high.min(before.0);
            }
            let of_state = match filter.state {
                None => "",
                // The key is the order of time, so taken ones are found along it; the others are few and have an index.
                Some(DeliveryState::Taken) => "AND state = ?5",
                Some(_) => "AND state = ?5 AND state <> 2",
            };
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM delivery WHERE subscription = ?1 AND id >= ?2 AND id < ?3 {of_state}
                 ORDER BY id DESC LIMIT ?4"
            ))?;
            let range = (subscription, low.into_bytes(), high.into_bytes(), filter.limit);
            let rows = match filter.state {
                None => query.query(range)?,
                Some(state) => query.query((range.0, range.1, range.2, range.3, state.code()))?,
            };
            rows.mapped(delivery).map(|row| finished(row?)).collect()
        })
        .await
    }

    pub(in crate::store) async fn delivery(
        &self,
        department: DepartmentRow,
        id: DeliveryId,
    ) -> Result<Option<(SubscriptionRow, SubscriptionId, Delivery)>, StoreError> {
        self.read(move |connection| {
            let mut query = connection
                .prepare_cached("SELECT subscription, id FROM subscription WHERE department = ?1 AND state <> 3")?;
            let owners = query
                .query_map([department], |row| Ok((row.get(0)?, SubscriptionId(columns::uuid(row, 1)?))))?
                .collect::<Result<Vec<_>, _>>()?;
            for (row, subscription) in owners {
                if let Some(delivery) = by_id(connection, row, id)? {
                    return Ok(Some((row, subscription, delivery)));
                }
            }
            Ok(None)
        })
        .await
    }

    pub(in crate::store) async fn attempts(
        &self,
        subscription: SubscriptionRow,
        delivery: DeliveryId,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT number, at, took, status, error, answer FROM attempt
                 WHERE subscription = ?1 AND delivery = ?2 ORDER BY number",
            )?;
            let rows = query.query_map((subscription, delivery.0.as_bytes()), |row| {
                Ok(Attempt {
                    delivery,
                    number: row.get(0)?,
                    at: Timestamp(row.get(1)?),
                    took: Duration::from_micros(row.get::<_, i64>(2)?.unsigned_abs()),
                    status: row.get(3)?,
                    error: row.get(4)?,
                    answer: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// All unfinished deliveries but replays, oldest first.
pub(super) fn unfinished(connection: &Connection, row: SubscriptionRow) -> Result<Vec<Delivery>, StoreError> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery INDEXED BY delivery_open
         WHERE subscription = ?1 AND state IN (0, 1) AND state <> 2 AND kind = 0"
    ))?;
    let mut found: Vec<Delivery> =
        query.query([row])?.mapped(delivery).map(|row| finished(row?)).collect::<Result<_, _>>()?;
    found.sort_by_key(|delivery| delivery.id);
    Ok(found)
}

pub(super) fn by_id(
    connection: &Connection,
    row: SubscriptionRow,
    id: DeliveryId,
) -> Result<Option<Delivery>, StoreError> {
    let mut query =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM delivery WHERE subscription = ?1 AND id = ?2"))?;
    query.query_row((row, id.0.as_bytes()), delivery).optional()?.map(finished).transpose()
}

/// A delivery whose events are still bytes.
type Raw = (Delivery, Vec<u8>);

pub(super) fn delivery(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let delivery = Delivery {
        id: DeliveryId(columns::uuid(row, 0)?),
        kind: columns::code(row, 1, DeliveryKind::from_code)?,
        state: columns::code(row, 2, DeliveryState::from_code)?,
        attempts: row.get(3)?,
        due: Timestamp(row.get(4)?),
        oldest: Timestamp(row.get(5)?),
        events: Vec::new(),
        origin: row.get::<_, Option<[u8; 16]>>(7)?.map(|id| DeliveryId(Uuid::from_bytes(id))),
    };
    Ok((delivery, row.get(6)?))
}

pub(super) fn finished((mut delivery, events): Raw) -> Result<Delivery, StoreError> {
    delivery.events = event_codec::decode(&events)?;
    Ok(delivery)
}
