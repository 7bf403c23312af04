//! A small pool of read-only connections.

use crate::store::StoreError;
use rusqlite::Connection;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self { permits: Semaphore::new(connections.len()), idle: Mutex::new(connections) }
    }

    pub(super) async fn run<T, F>(self: &std::sync::Arc<Self>, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let gone = |_| StoreError::Unavailable("the store is closed".into());
        let _permit = self.permits.acquire().await.map_err(|_| StoreError::Unavailable("closed".into()))?;
        let readers = self.clone();
        tokio::task::spawn_blocking(move || {
            let taken = readers.lock().pop();
            // A permit stands for a connection; none is there only when a query panicked and took its own along.
            let Some(connection) = taken else {
                return Err(StoreError::Unavailable("no reader left".into()));
            };
            let result = query(&connection);
            readers.lock().push(connection);
            result
        })
        .await
        .map_err(gone)?
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
