//! Deliveries made anew from earlier ones, and tests of an endpoint. Their events are copied by the server as they lie there.

use super::deliveries::{delivery, select_deliveries};
use crate::store::{
    Attempt, Delivery, DeliveryStep, StoreError, SubscriptionRow, first_id_of,
    postgres::{Engine, change::changing, columns},
};
use herald_rules::{ids::DeliveryId, time::Timestamp};
use uuid::Uuid;

/// Deliveries copied in one statement.
const CHUNK: usize = 200;

impl Engine {
    pub(in crate::store) async fn replay_delivery(
        &self,
        subscription: SubscriptionRow,
        id: DeliveryId,
        now: Timestamp,
    ) -> Result<Option<DeliveryId>, StoreError> {
        let replay = DeliveryId::new();
        let made = self
            .execute(
                changing!(
                    Subscriptions,
                    "INSERT INTO delivery (subscription, id, kind, state, attempts, due, oldest, count, events, origin)
                     SELECT subscription, $3, 1, 0, 0, $4, $4, count, events, id FROM delivery
                     WHERE subscription = $1 AND id = $2"
                ),
                &[&subscription, &id.0, &replay.0, &now.0],
            )
            .await?;
        Ok((made > 0).then_some(replay))
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
            let replays: Vec<Uuid> = (0..CHUNK).map(|_| DeliveryId::new().0).collect();
            let copied = self
                .write(
                    changing!(
                        Subscriptions,
                        ", found AS (
                             SELECT id, count, events, row_number() OVER (ORDER BY id) AS number FROM (
                                 SELECT id, count, events FROM delivery
                                 WHERE subscription = $1 AND id >= $2 AND id < $3 AND kind = 0 AND state IN (2, 3)
                                 ORDER BY id LIMIT cardinality($4::uuid[])) AS oldest)
                         INSERT INTO delivery (subscription, id, kind, state, attempts, due, oldest, count, events,
                             origin)
                         SELECT $1, replay.id, 1, 0, 0, $5, $5, found.count, found.events, found.id
                         FROM unnest($4) WITH ORDINALITY AS replay (id, number) JOIN found USING (number)
                         RETURNING origin"
                    ),
                    &[&subscription, &after, &high, &replays, &now.0],
                )
                .await?;
            made += copied.len() as u64;
            let mut last = None;
            for row in &copied {
                last = last.max(Some(columns::uuid(row, 0)?));
            }
            match last {
                // The smallest id after the last one.
                Some(last) if copied.len() == CHUNK => after = Uuid::from_u128(last.as_u128().saturating_add(1)),
                _ => return Ok(made),
            }
        }
    }

    pub(in crate::store) async fn waiting_replays(
        &self,
        subscription: SubscriptionRow,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows = self
            .rows(
                select_deliveries!(
                    "FROM delivery d WHERE subscription = $1 AND state = 0 AND state <> 2 AND kind = 1
                     ORDER BY id LIMIT $2"
                ),
                &[&subscription, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(delivery).collect()
    }

    pub(in crate::store) async fn keep_test(
        &self,
        subscription: SubscriptionRow,
        delivery: Delivery,
        attempt: Attempt,
    ) -> Result<(), StoreError> {
        let step = DeliveryStep { frozen: vec![delivery], attempts: vec![attempt], ..DeliveryStep::default() };
        self.write_step(subscription, &step, None).await
    }
}
