//! The customers that a portfolio has written to first within the last 24 hours.

use super::Engine;
use crate::store::{DailyBudgetRow, StoreError};
use herald_rules::time::Timestamp;
use rusqlite::OptionalExtension;

/// Rows forgotten in one step.
const STEP: u32 = 5_000;

impl Engine {
    pub(in crate::store) async fn daily_budget(&self, portfolio: String) -> Result<DailyBudgetRow, StoreError> {
        self.read(move |connection| {
            let limit = connection
                .prepare_cached("SELECT customers FROM daily_limit WHERE portfolio = ?1")?
                .query_row([&portfolio], |row| row.get(0))
                .optional()?;
            let mut query =
                connection.prepare_cached("SELECT customer, at FROM daily_customer WHERE portfolio = ?1")?;
            let rows = query
                .query_map([&portfolio], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), Timestamp(row.get(1)?))))?;
            Ok(DailyBudgetRow { limit, customers: rows.collect::<Result<_, _>>()? })
        })
        .await
    }

    pub(in crate::store) async fn set_daily_limit(
        &self,
        portfolio: String,
        limit: Option<u32>,
    ) -> Result<(), StoreError> {
        self.write(move |writing| {
            match limit {
                Some(limit) => writing
                    .connection
                    .prepare_cached("INSERT OR REPLACE INTO daily_limit (portfolio, customers) VALUES (?1, ?2)")?
                    .execute((&portfolio, limit))?,
                None => writing
                    .connection
                    .prepare_cached("DELETE FROM daily_limit WHERE portfolio = ?1")?
                    .execute([&portfolio])?,
            };
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn prune_daily_customers(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let deleted = writing
                .connection
                .prepare_cached(
                    "DELETE FROM daily_customer WHERE (portfolio, customer) IN (
                         SELECT portfolio, customer FROM daily_customer WHERE at < ?1 LIMIT ?2)",
                )?
                .execute((before.0, STEP))?;
            Ok(deleted >= STEP as usize)
        })
        .await
    }
}
