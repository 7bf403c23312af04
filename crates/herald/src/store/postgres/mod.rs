//! The PostgreSQL engine: statements over whole batches, a small pool, and nothing held in memory that another node
//! could change.
//!
//! An operation takes at most a few round trips whatever its size: one pipelined flight that locks and reads, one that writes
//! and commits. What an operation means is in `logic/`, the same for both engines.

mod accept;
mod access;
mod administration;
mod change;
mod columns;
mod contact;
mod daily;
mod directory;
mod error;
mod events;
mod flight;
mod gather;
mod head;
mod inbox;
mod lane;
mod messages;
pub(super) mod month;
mod node;
pub(super) mod open;
mod outcome;
mod owner;
pub(super) mod partitions;
mod pipeline;
mod positions;
mod prune;
mod receipt;
mod standing;
mod suppression;
mod template;
mod transaction;
mod wake;
mod working_set;

use super::{Accepted, NewMessage, Observer, StoreError};
use deadpool_postgres::{Object, Pool};
use std::sync::Arc;

/// A server that several nodes share. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pool: Pool,
    observer: Arc<dyn Observer>,
    wakes: Arc<wake::Wakes>,
    statistics: Arc<pipeline::Statistics>,
    positions: Arc<positions::Positions>,
    accepting: Arc<gather::Gather<Vec<NewMessage>, Vec<Accepted>>>,
    keeping: Arc<gather::Gather<inbox::Callback, ()>>,
    kept: Arc<partitions::Kept>,
}

impl Engine {
    /// A connection, within the configured time.
    async fn client(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(error::of_pool)
    }

    pub(in crate::store) async fn probe(&self) -> Result<(), StoreError> {
        // A server that has become a standby answers reads: it must be able to write.
        let row = self.row("SELECT pg_is_in_recovery()", &[]).await?;
        match row.map_or(Ok(false), |row| columns::get(&row, 0))? {
            false => Ok(()),
            true => Err(StoreError::Unavailable("the server is a standby and takes no writes".into())),
        }
    }

    pub(in crate::store) async fn close(&self) {
        tokio::join!(self.accepting.close(), self.keeping.close());
        self.wakes.close();
        self.pool.close();
    }
}
