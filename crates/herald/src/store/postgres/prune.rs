//! Forgetting what has served its time, in small steps between other work. Messages: see `partitions`.

use super::{Engine, columns};
use crate::store::{ChannelRow, DepartmentRow, LaneRow, StoreError, WindowPlace};
use herald_rules::{ids::MessageId, time::Timestamp};

/// Rows a step.
const STEP: i64 = 500;

impl Engine {
    pub(in crate::store) async fn prune_idempotency(&self, before: Timestamp) -> Result<bool, StoreError> {
        // Row numbers rise with time, so the oldest are at the low end and no index by time is needed.
        self.prune(
            "DELETE FROM idempotency WHERE number IN (SELECT number FROM idempotency ORDER BY number LIMIT $2)
             AND at < $1",
            before,
        )
        .await
    }

    pub(in crate::store) async fn prune_early(&self, before: Timestamp) -> Result<Vec<(ChannelRow, u64)>, StoreError> {
        let rows = self
            .write(
                "WITH gone AS (
                     DELETE FROM early WHERE (channel, reference, status) IN
                     (SELECT channel, reference, status FROM early WHERE received_at < $1 LIMIT $2) RETURNING channel)
                 SELECT channel, count(*) FROM gone GROUP BY channel ORDER BY channel",
                &[&before.0, &STEP],
            )
            .await?;
        rows.iter().map(|row| Ok((columns::get(row, 0)?, columns::number::<i64, _>(row, 1)?))).collect()
    }

    pub(in crate::store) async fn prune_inbound(
        &self,
        department: DepartmentRow,
        before: Timestamp,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .execute(
                "DELETE FROM inbound WHERE (department, id) IN
                 (SELECT department, id FROM inbound WHERE department = $1 AND id < $2 ORDER BY id LIMIT $3)",
                &[&department, &MessageId::first_at(before).0, &STEP],
            )
            .await?;
        Ok(deleted >= STEP.unsigned_abs())
    }

    pub(in crate::store) async fn prune_inbox(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.prune(
            "DELETE FROM inbox WHERE number IN
             (SELECT number FROM inbox WHERE problem IS NOT NULL AND at < $1 ORDER BY number LIMIT $2)",
            before,
        )
        .await
    }

    pub(in crate::store) async fn prune_windows(
        &self,
        before: Timestamp,
        after: Option<WindowPlace>,
    ) -> Result<Option<WindowPlace>, StoreError> {
        let (lane, customer) = after.unwrap_or_default();
        // By key, since an index by time would be written with everything that a customer sends.
        let last = self
            .row(
                "SELECT lane, customer FROM open_window WHERE (lane, customer) > ($1, $2)
                 ORDER BY lane, customer LIMIT 1 OFFSET $3",
                &[&lane, &customer, &(STEP - 1)],
            )
            .await?;
        let last: Option<WindowPlace> =
            last.map(|row| Ok::<_, StoreError>((columns::get(&row, 0)?, columns::get(&row, 1)?))).transpose()?;
        let (last_lane, last_customer) = last.clone().unwrap_or((LaneRow::MAX, String::new()));
        self.execute(
            "DELETE FROM open_window WHERE (lane, customer) > ($1, $2) AND (lane, customer) <= ($3, $4) AND until < $5",
            &[&lane, &customer, &last_lane, &last_customer, &before.0],
        )
        .await?;
        Ok(last)
    }

    async fn prune(&self, sql: &'static str, before: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(sql, &[&before.0, &STEP]).await? >= STEP.unsigned_abs())
    }
}
