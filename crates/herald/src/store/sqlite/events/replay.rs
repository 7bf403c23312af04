//! Deliveries made anew from earlier ones, and tests of an endpoint.

use super::{deliveries, step};
use crate::store::{
    Attempt, Delivery, StoreError, SubscriptionRow, first_id_of,
    sqlite::{Engine, Writing},
};
use herald_rules::{ids::DeliveryId, time::Timestamp};
use uuid::Uuid;

/// Deliveries copied in one transaction: some milliseconds of the writer.
const CHUNK: u32 = 200;

impl Engine {
    pub(in crate::store) async fn replay_delivery(
        &self,
        subscription: SubscriptionRow,
        id: DeliveryId,
        now: Timestamp,
    ) -> Result<Option<DeliveryId>, StoreError> {
        self.write(move |writing| match deliveries::by_id(writing.connection, subscription, id)? {
            Some(delivery) => writing.replay(subscription, &delivery, now).map(Some),
            None => Ok(None),
        })
        .await
    }

    pub(in crate::store) async fn replay_range(
        &self,
        subscription: SubscriptionRow,
        since: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let high = first_id_of(until.min(now));
        let (mut after, mut made) = (first_id_of(since), 0);
        loop {
            let (last, count) = self.write(move |writing| writing.replay_chunk(subscription, after, high, now)).await?;
            made += count;
            match last {
                // The smallest id after the last one.
                Some(last) => after = Uuid::from_u128(last.as_u128().saturating_add(1)),
                None => return Ok(made),
            }
        }
    }

    pub(in crate::store) async fn waiting_replays(
        &self,
        subscription: SubscriptionRow,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {} FROM delivery INDEXED BY delivery_open
                 WHERE subscription = ?1 AND state = 0 AND state <> 2 AND kind = 1 ORDER BY id LIMIT ?2",
                deliveries::COLUMNS
            ))?;
            let rows = query.query((subscription, limit))?;
            rows.mapped(deliveries::delivery).map(|row| deliveries::finished(row?)).collect()
        })
        .await
    }

    pub(in crate::store) async fn keep_test(
        &self,
        subscription: SubscriptionRow,
        delivery: Delivery,
        attempt: Attempt,
    ) -> Result<(), StoreError> {
        self.write(move |writing| {
            step::insert(writing.connection, subscription, &delivery)?;
            step::keep_attempts(writing.connection, subscription, &[attempt])
        })
        .await
    }
}

impl Writing<'_> {
    fn replay(
        &mut self,
        subscription: SubscriptionRow,
        of: &Delivery,
        now: Timestamp,
    ) -> Result<DeliveryId, StoreError> {
        let replayed = of.replay(now);
        step::insert(self.connection, subscription, &replayed)?;
        Ok(replayed.id)
    }

    fn replay_chunk(
        &mut self,
        subscription: SubscriptionRow,
        after: Uuid,
        high: Uuid,
        now: Timestamp,
    ) -> Result<(Option<Uuid>, u64), StoreError> {
        let found = {
            let mut query = self.connection.prepare_cached(&format!(
                "SELECT {} FROM delivery WHERE subscription = ?1 AND id >= ?2 AND id < ?3
                 AND kind = 0 AND state IN (2, 3) ORDER BY id LIMIT ?4",
                deliveries::COLUMNS
            ))?;
            let rows = query.query((subscription, after.into_bytes(), high.into_bytes(), CHUNK))?;
            rows.mapped(deliveries::delivery)
                .map(|row| deliveries::finished(row?))
                .collect::<Result<Vec<_>, StoreError>>()?
        };
        for delivery in &found {
            self.replay(subscription, delivery, now)?;
        }
        Ok((found.last().map(|delivery| delivery.id.0), found.len() as u64))
    }
}
