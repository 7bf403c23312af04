//! A transaction whose statements are sent in flights: several at once, without waiting for each answer.

use super::{
    Engine, error,
    pipeline::{Answers, Around, NO_ANSWER, Pipeline, Statistics, send},
};
use crate::store::StoreError;
use deadpool_postgres::{ClientWrapper, Object};
use std::sync::Arc;

/// A connection with a transaction on it. Dropped before it has ended, it closes the connection, so that the server takes
/// everything back.
pub(super) struct Transaction {
    client: Option<Object>,
    statistics: Arc<Statistics>,
}

impl Engine {
    /// A connection for a transaction, which [`Transaction::begin`] opens: send it together with the first statements.
    pub(super) async fn transaction(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction { client: Some(self.client().await?), statistics: self.statistics.clone() })
    }

    /// Opens a transaction and sends the first statements with it.
    pub(super) async fn begin(&self, pipeline: Pipeline<'_>) -> Result<(Transaction, Answers), StoreError> {
        let transaction = self.transaction().await?;
        let answers = send(transaction.client()?, pipeline, Around::Begin, &self.statistics).await?;
        Ok((transaction, answers))
    }
}

impl Transaction {
    /// The connection.
    pub(super) fn client(&self) -> Result<&ClientWrapper, StoreError> {
        self.client.as_deref().ok_or_else(|| StoreError::Corrupt("the transaction has ended".into()))
    }

    /// What is asked of the server is counted here.
    pub(super) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Opens it. Polled first in a `try_join!`, it leaves in one flight with the statements that follow.
    #[allow(dead_code, reason = "for the operations that need no pipeline")]
    pub(super) async fn begin(&self) -> Result<(), StoreError> {
        Ok(self.client()?.batch_execute("BEGIN").await?)
    }

    /// Sends further statements.
    pub(super) async fn send(&self, pipeline: Pipeline<'_>) -> Result<Answers, StoreError> {
        send(self.client()?, pipeline, Around::Nothing, &self.statistics).await
    }

    /// Sends the last statements and makes everything durable.
    pub(super) async fn commit_with(mut self, pipeline: Pipeline<'_>) -> Result<Answers, StoreError> {
        let answers = send(self.client()?, pipeline, Around::Commit, &self.statistics).await?;
        // Back to the pool.
        drop(self.client.take());
        Ok(answers)
    }

    /// Makes it durable. What was sent before it without waiting must have been answered without an error: a COMMIT after a
    /// failed statement rolls back and says so only in its tag, so flights that end in COMMIT are checked as a whole.
    #[allow(dead_code, reason = "for the operations that need no pipeline")]
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        // The server's statement_timeout does not count the wait for a synchronous standby.
        match self.statistics.in_time(self.client()?.batch_execute("COMMIT")).await {
            Some(committed) => committed.map_err(error::at_commit)?,
            None => return Err(StoreError::Uncertain(NO_ANSWER.into())),
        }
        // Back to the pool.
        drop(self.client.take());
        Ok(())
    }

    /// Takes everything back, and keeps the connection.
    pub(super) async fn roll_back(mut self) -> Result<(), StoreError> {
        self.statistics.count(1);
        match self.statistics.in_time(self.client()?.batch_execute("ROLLBACK")).await {
            Some(rolled_back) => rolled_back?,
            None => return Err(StoreError::Unavailable(NO_ANSWER.into())),
        }
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
