//! A transaction whose statements are sent in flights: several at once, without waiting for each answer.

use super::{Engine, error};
use crate::store::StoreError;
use deadpool_postgres::{ClientWrapper, Object};

/// A connection with a transaction on it. Dropped before it has ended, it closes the connection, so that the server takes
/// everything back.
pub(super) struct Transaction {
    client: Option<Object>,
}

impl Engine {
    /// A connection for a transaction, which [`Transaction::begin`] opens: send it together with the first statements.
    pub(super) async fn transaction(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction { client: Some(self.client().await?) })
    }
}

impl Transaction {
    /// The connection.
    pub(super) fn client(&self) -> Result<&ClientWrapper, StoreError> {
        self.client.as_deref().ok_or_else(|| StoreError::Corrupt("the transaction has ended".into()))
    }

    /// Opens it. Polled first in a `try_join!`, it leaves in one flight with the statements that follow.
    pub(super) async fn begin(&self) -> Result<(), StoreError> {
        Ok(self.client()?.batch_execute("BEGIN").await?)
    }

    /// Makes it durable. What was sent before it without waiting must have been answered without an error: a COMMIT after a
    /// failed statement rolls back and says so only in its tag, so flights that end in COMMIT are checked as a whole.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.client()?.batch_execute("COMMIT").await.map_err(error::at_commit)?;
        // Back to the pool.
        drop(self.client.take());
        Ok(())
    }

    /// Takes everything back, and keeps the connection.
    pub(super) async fn roll_back(mut self) -> Result<(), StoreError> {
        self.client()?.batch_execute("ROLLBACK").await?;
        drop(self.client.take());
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // Out of the pool: dropping the client closes the connection.
            drop(Object::take(client));
        }
    }
}
