//! What is on disk, in the words of the domain: whole operations in batches, each one transaction.
//!
//! When an operation has answered, what it wrote is durable. One engine so far: SQLite, in `sqlite/`. Callers see no SQL
//! and no engine, so that a second engine changes none of them.

mod access;
mod administration;
mod events;
mod inbox;
mod people;
mod queue;
mod sqlite;
mod standing;
mod story;
#[cfg(test)]
mod suite;
mod template;

pub use access::*;
pub use administration::*;
pub use events::*;
pub use inbox::*;
pub use people::*;
pub use queue::*;
pub use sqlite::{EventRetention, Options, Poll, Render, Store};
pub use standing::*;
pub use story::*;
pub use template::*;

/// Why an operation was not done. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be written or read now (disk full, file gone, stopping): 503, and try again later.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// Something of the same name or key is there already.
    #[error("it exists already: {0}")]
    Conflict(String),
    /// A row cannot be understood: a fault of ours or damage to the file.
    #[error("the store holds something that cannot be read: {0}")]
    Corrupt(String),
}

/// Hears of what has become durable, in the order of the commits. Called on the writer's thread: it must not block.
pub trait Observer: Send + Sync {
    /// A message may go: it was accepted, or its moment has come. Positions rise from one call to the next, since the
    /// lane takes a lower one for something that it has seen already.
    fn arrived(&self, lane: LaneRow, queued: Queued);
    /// A message waits for a moment.
    fn scheduled(&self, lane: LaneRow, due: herald_rules::time::Timestamp);
    /// Statuses changed.
    fn changed(&self, changes: &[Change]);
    /// One group of operations was committed (or failed) in this time.
    fn group(&self, _operations: usize, _took: std::time::Duration) {}
}
