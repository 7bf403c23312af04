//! Forgetting what has served its time, in small steps between other work.

use super::Store;
use crate::store::StoreError;
use herald_rules::time::Timestamp;

/// Rows a step: some milliseconds of the writer.
const STEP: u32 = 500;

impl Store {
    /// Forgets idempotency keys used before a moment; tells whether there may be more.
    pub async fn prune_idempotency(&self, before: Timestamp) -> Result<bool, StoreError> {
        // Row numbers rise with time, so the oldest are at the low end and no index by time is needed.
        self.prune(
            "DELETE FROM idempotency WHERE number IN (SELECT number FROM idempotency ORDER BY number LIMIT ?2) AND at < ?1",
            before,
        )
        .await
    }

    /// Forgets receipts whose message never became known; tells whether there may be more.
    pub async fn prune_early(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.prune(
            "DELETE FROM early WHERE (channel, reference, status) IN
             (SELECT channel, reference, status FROM early WHERE received_at < ?1 LIMIT ?2)",
            before,
        )
        .await
    }

    async fn prune(&self, sql: &'static str, before: Timestamp) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let deleted = writing.connection.prepare_cached(sql)?.execute((before.0, STEP))?;
            Ok(deleted >= STEP as usize)
        })
        .await
    }
}
