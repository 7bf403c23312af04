//! What is on disk, in the words of the domain: whole operations in batches, each one transaction.
//!
//! When an operation has answered, what it wrote is durable. Two engines: SQLite for one node (`sqlite/`), PostgreSQL for
//! several (`postgres/`). Callers see no SQL and no engine; operations are declared in `engine/`.

mod access;
mod administration;
mod engine;
mod event_codec;
mod event_codes;
mod events;
mod evidence;
mod inbox;
mod logic;
mod migrations;
mod node;
mod options;
mod people;
mod postgres;
mod provider_words;
mod queue;
mod sqlite;
mod standing;
mod story;
#[cfg(test)]
mod suite;
mod template;
pub mod upkeep;

use access::KEEP_EXPIRED;
pub use access::*;
pub use administration::*;
pub use engine::Store;
pub use events::*;
pub use evidence::*;
pub use inbox::*;
pub use node::*;
pub use options::{Options, PostgresOptions};
use people::ALL_CHANNELS;
pub use people::*;
pub use queue::*;
pub use sqlite::Options as SqliteOptions;

pub use standing::*;
pub use story::*;
use story::{first_id_of, range};
use template::STEPS_KEPT;
pub use template::*;

/// Why an operation was not done. But for [`StoreError::Uncertain`], nothing of it was written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be written or read now (disk full, server away, stopping): 503, and try again later.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The connection broke while the server was to commit: it is done, or it is not. Every operation may be repeated.
    #[error("the store did not say whether it is done: {0}")]
    Uncertain(String),
    /// Another node owns the lane by now; nothing was written.
    #[error("another node owns the lane")]
    Fenced,
    /// Something of the same name or key is there already.
    #[error("it exists already: {0}")]
    Conflict(String),
    /// A row cannot be understood: a fault of ours or damage to the file.
    #[error("the store holds something that cannot be read: {0}")]
    Corrupt(String),
}

/// Hears of what has become durable, in the order of the commits. It must not block: SQLite calls it on the writer's thread.
pub trait Observer: Send + Sync {
    /// A message may go: it was accepted, or its moment has come. Positions rise from one call to the next, since the
    /// lane takes a lower one for something that it has seen already.
    fn arrived(&self, lane: LaneRow, queued: Queued);
    /// A message waits for a moment.
    fn scheduled(&self, lane: LaneRow, due: herald_rules::time::Timestamp);
    /// Statuses changed.
    fn changed(&self, changes: &[Change]);
    /// Whether this node works the lane: what it is told of others' lanes nobody here needs.
    fn works(&self, _lane: LaneRow) -> bool {
        true
    }
    /// Something may wait in this lane's queue that is not told one by one: another node took it. It is to be read.
    fn more(&self, _lane: LaneRow) {}
    /// Another node has written this far in a lane's log.
    fn grown(&self, _department: DepartmentRow, _log: EventKey) {}
    /// Callbacks wait in the inbox that another node has taken.
    fn called_back(&self) {}
    /// Another node has given something up.
    fn freed(&self) {}
    /// Another node has changed something that this one may keep in memory.
    fn elsewhere(&self, _what: Changed) {}
    /// One group of operations was committed (or failed) in this time.
    fn group(&self, _operations: usize, _took: std::time::Duration) {}
    /// A server was asked so many statements at once, and their answers were waited for.
    fn asked(&self, _statements: usize) {}
}
