//! The customers that a portfolio has written to first within the last 24 hours.

use super::{Engine, columns};
use crate::store::{DailyBudgetRow, StoreError};
use herald_rules::time::Timestamp;

/// Rows forgotten in one step.
const STEP: i64 = 5_000;

impl Engine {
    pub(in crate::store) async fn daily_budget(&self, portfolio: String) -> Result<DailyBudgetRow, StoreError> {
        // One statement, so that both are of one moment: the limit is the row without a moment.
        let rows = self
            .rows(
                "SELECT customers, NULL::bigint FROM daily_limit WHERE portfolio = $1
                 UNION ALL SELECT customer, at FROM daily_customer WHERE portfolio = $1",
                &[&portfolio],
            )
            .await?;
        let mut budget = DailyBudgetRow::default();
        for row in &rows {
            match columns::timestamp_or_none(row, 1)? {
                None => budget.limit = Some(columns::number::<i64, _>(row, 0)?),
                Some(at) => budget.customers.push((columns::get::<i64>(row, 0)?.cast_unsigned(), at)),
            }
        }
        Ok(budget)
    }

    pub(in crate::store) async fn set_daily_limit(
        &self,
        portfolio: String,
        limit: Option<u32>,
    ) -> Result<(), StoreError> {
        match limit {
            Some(limit) => {
                self.execute(
                    "INSERT INTO daily_limit (portfolio, customers) VALUES ($1, $2)
                     ON CONFLICT (portfolio) DO UPDATE SET customers = excluded.customers",
                    &[&portfolio, &i64::from(limit)],
                )
                .await
            }
            None => self.execute("DELETE FROM daily_limit WHERE portfolio = $1", &[&portfolio]).await,
        }
        .map(drop)
    }

    pub(in crate::store) async fn prune_daily_customers(&self, before: Timestamp) -> Result<bool, StoreError> {
        let deleted = self
            .execute(
                "DELETE FROM daily_customer WHERE (portfolio, customer) IN (
                     SELECT portfolio, customer FROM daily_customer WHERE at < $1 ORDER BY at LIMIT $2)
                 AND at < $1",
                &[&before.0, &STEP],
            )
            .await?;
        Ok(deleted >= STEP.unsigned_abs())
    }
}
