//! Clearing away, in small steps, so that nobody waits for it.

use super::log;
use crate::store::{
    EventRetention, StoreError, SubscriptionRow, first_id_of,
    sqlite::{Engine, Writing},
};

impl Engine {
    pub(in crate::store) async fn prune_events(&self, retention: EventRetention) -> Result<u64, StoreError> {
        self.write(move |writing| writing.prune_events(&retention)).await
    }
}

impl Writing<'_> {
    fn prune_events(&mut self, retention: &EventRetention) -> Result<u64, StoreError> {
        let subscriptions = {
            let mut query =
                self.connection.prepare_cached("SELECT subscription, department, state FROM subscription")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, u8>(2)?)))?;
            rows.collect::<Result<Vec<(SubscriptionRow, i64, u8)>, _>>()?
        };
        let mut gone = 0;
        for (row, department, state) in subscriptions {
            gone += if state == 3 {
                self.prune_deleted(row, retention.step)?
            } else {
                self.prune_old(row, department, retention)?
            };
        }
        Ok(gone)
    }

    fn prune_old(&mut self, row: SubscriptionRow, department: i64, keep: &EventRetention) -> Result<u64, StoreError> {
        let before = first_id_of(keep.deliveries_before).into_bytes();
        let mut gone = self
            .connection
            .prepare_cached(
                "DELETE FROM attempt WHERE (subscription, delivery, number) IN (
                     SELECT subscription, delivery, number FROM attempt
                     WHERE subscription = ?1 AND delivery < ?2 LIMIT ?3)",
            )?
            .execute((row, before, keep.step))?;
        gone += self
            .connection
            .prepare_cached(
                "DELETE FROM delivery WHERE (subscription, id) IN (
                     SELECT subscription, id FROM delivery
                     WHERE subscription = ?1 AND id < ?2 AND state IN (2, 3, 4) LIMIT ?3)",
            )?
            .execute((row, before, keep.step))?;
        // Numbers rise with time, so each lane's old rows are one range of the key.
        let lanes = {
            let mut query = self.connection.prepare_cached("SELECT lane FROM lane WHERE department = ?1")?;
            query.query_map([department], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?
        };
        for lane in lanes {
            let Some(lowest) = self
                .connection
                .prepare_cached("SELECT min(sequence) FROM polled WHERE subscription = ?1 AND lane = ?2")?
                .query_row((row, lane), |row| row.get::<_, Option<i64>>(0))?
            else {
                continue;
            };
            let first = log::first_since(self.connection, department, lane, lowest - 1, keep.polled_before)?;
            gone += self
                .connection
                .prepare_cached(
                    "DELETE FROM polled WHERE (subscription, lane, sequence) IN (
                         SELECT subscription, lane, sequence FROM polled
                         WHERE subscription = ?1 AND lane = ?2 AND sequence < ?3 LIMIT ?4)",
                )?
                .execute((row, lane, first, keep.step))?;
        }
        Ok(gone as u64)
    }

    fn prune_deleted(&mut self, row: SubscriptionRow, step: u32) -> Result<u64, StoreError> {
        let mut gone = 0;
        for (table, key) in [
            ("attempt", "subscription, delivery, number"),
            ("delivery", "subscription, id"),
            ("polled", "subscription, lane, sequence"),
            ("held", "subscription, lane, sequence"),
            ("cursor", "subscription, lane"),
        ] {
            gone += self
                .connection
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE subscription = ?1 LIMIT ?2)"
                ))?
                .execute((row, step))?;
        }
        if gone == 0 {
            gone = self
                .connection
                .prepare_cached("DELETE FROM subscription WHERE subscription = ?1 AND state = 3")?
                .execute([row])?;
        }
        Ok(gone as u64)
    }
}
