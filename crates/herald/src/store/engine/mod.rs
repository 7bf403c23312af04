//! The engines behind one face: every operation of the store, by what it is about.
//!
//! What an operation promises is written here, once; how an engine keeps the promise is in `sqlite/` and `postgres/`, and
//! `suite/` holds both to it. Operations answer when what they wrote is durable.

mod access;
mod administration;
mod events;
mod inbox;
mod lane;
mod message;
mod node;
mod people;
mod retention;
mod template;

use super::{Observer, StoreError, postgres, sqlite};
use std::sync::Arc;

/// The store of this instance. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    /// A file of ours, for one node.
    Sqlite(sqlite::Engine),
    /// A server that several nodes share.
    Postgres(postgres::Engine),
}

impl Store {
    /// Opens or makes the database, runs the migrations that are missing, and starts what the engine needs.
    ///
    /// `observer` hears of everything that becomes durable here; what of other nodes' work it hears is said at [`Observer`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be opened, reached or migrated.
    pub async fn open(options: &super::Options, observer: Arc<dyn Observer>) -> Result<Self, StoreError> {
        match options {
            super::Options::Sqlite(options) => sqlite::Engine::open(options, observer).map(Self::Sqlite),
            super::Options::Postgres(options) => postgres::Engine::open(options, observer).await.map(Self::Postgres),
        }
    }

    /// Whether other nodes may use the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Waits until everything that was asked for is durable, then ends what the engine has started. For a clean stop.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(engine) => engine.close().await,
            Self::Postgres(engine) => engine.close().await,
        }
    }
}

/// Declares operations: each is passed on to the engine.
macro_rules! operations {
    ($( $(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $answer:ty; )*) => {
        impl crate::store::Store {
            $(
                $(#[$doc])*
                pub async fn $name(&self, $($argument: $type),*) -> Result<$answer, crate::store::StoreError> {
                    match self {
                        Self::Sqlite(engine) => engine.$name($($argument),*).await,
                        Self::Postgres(engine) => engine.$name($($argument),*).await,
                    }
                }
            )*
        }
    };
}
use operations;

#[cfg(test)]
impl Store {
    /// SQLite's engine, for tests that look into its tables.
    pub(crate) fn sqlite(&self) -> &sqlite::Engine {
        match self {
            Self::Sqlite(engine) => engine,
            Self::Postgres(_) => panic!("this test is about SQLite"),
        }
    }
}
