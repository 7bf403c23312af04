//! Reading deliveries and their attempts.

use crate::store::{
    Attempt, Delivery, DeliveryFilter, DeliveryKind, DeliveryState, DepartmentRow, StoreError, SubscriptionRow,
    event_codec, first_id_of,
    postgres::{Engine, columns},
};
use herald_rules::ids::{DeliveryId, SubscriptionId};
use std::time::Duration;
use tokio_postgres::Row;
use uuid::Uuid;

/// A statement that answers the columns which [`delivery`] reads, and what follows them.
macro_rules! select_deliveries {
    ($after:literal) => {
        concat!("SELECT d.id, d.kind, d.state, d.attempts, d.due, d.oldest, d.events, d.origin ", $after)
    };
}
pub(super) use select_deliveries;

impl Engine {
    pub(in crate::store) async fn deliveries(
        &self,
        subscription: SubscriptionRow,
        filter: DeliveryFilter,
    ) -> Result<Vec<Delivery>, StoreError> {
        let low = filter.since.map_or(Uuid::nil(), first_id_of);
        let mut high = filter.until.map_or(Uuid::max(), first_id_of);
        if let Some(before) = filter.before {
            high = high.min(before.0);
        }
        let limit = i64::from(filter.limit);
        let rows = match filter.state {
            None => {
                self.rows(
                    select_deliveries!(
                        "FROM delivery d WHERE subscription = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4"
                    ),
                    &[&subscription, &low, &high, &limit],
                )
                .await?
            }
            // The key is the order of time, so taken ones are found along it; the others are few and have an index.
            Some(DeliveryState::Taken) => {
                self.rows(
                    select_deliveries!(
                        "FROM delivery d WHERE subscription = $1 AND id >= $2 AND id < $3 AND state = 2
                         ORDER BY id DESC LIMIT $4"
                    ),
                    &[&subscription, &low, &high, &limit],
                )
                .await?
            }
            Some(state) => {
                self.rows(
                    select_deliveries!(
                        "FROM delivery d WHERE subscription = $1 AND id >= $2 AND id < $3 AND state = $5 AND state <> 2
                         ORDER BY id DESC LIMIT $4"
                    ),
                    &[&subscription, &low, &high, &limit, &i16::from(state.code())],
                )
                .await?
            }
        };
        rows.iter().map(delivery).collect()
    }

    pub(in crate::store) async fn delivery(
        &self,
        department: DepartmentRow,
        id: DeliveryId,
    ) -> Result<Option<(SubscriptionRow, SubscriptionId, Delivery)>, StoreError> {
        let found = self
            .row(
                select_deliveries!(
                    ", s.subscription, s.id FROM subscription s JOIN delivery d ON d.subscription = s.subscription
                     WHERE s.department = $1 AND s.state <> 3 AND d.id = $2"
                ),
                &[&department, &id.0],
            )
            .await?;
        found
            .map(|row| Ok((columns::get(&row, 8)?, SubscriptionId(columns::uuid(&row, 9)?), delivery(&row)?)))
            .transpose()
    }

    pub(in crate::store) async fn attempts(
        &self,
        subscription: SubscriptionRow,
        delivery: DeliveryId,
    ) -> Result<Vec<Attempt>, StoreError> {
        let rows = self
            .rows(
                "SELECT number, at, took, status, error, answer FROM attempt
                 WHERE subscription = $1 AND delivery = $2 ORDER BY number",
                &[&subscription, &delivery.0],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let status = columns::get::<Option<i32>>(row, 3)?;
                Ok(Attempt {
                    delivery,
                    number: columns::count(row, 0)?,
                    at: columns::timestamp(row, 1)?,
                    took: Duration::from_micros(columns::number::<i64, _>(row, 2)?),
                    status: status.map(|_| columns::number::<i32, _>(row, 3)).transpose()?,
                    error: columns::get(row, 4)?,
                    answer: columns::get(row, 5)?,
                })
            })
            .collect()
    }
}

/// A delivery, from the columns of [`select_deliveries`].
pub(super) fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: DeliveryId(columns::uuid(row, 0)?),
        kind: columns::code(row, 1, DeliveryKind::from_code)?,
        state: columns::code(row, 2, DeliveryState::from_code)?,
        attempts: columns::count(row, 3)?,
        due: columns::timestamp(row, 4)?,
        oldest: columns::timestamp(row, 5)?,
        events: event_codec::decode(columns::get(row, 6)?)?,
        origin: columns::get::<Option<Uuid>>(row, 7)?.map(DeliveryId),
    })
}
