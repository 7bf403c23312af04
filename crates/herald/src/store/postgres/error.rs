//! What PostgreSQL's errors mean to us.

use crate::store::StoreError;
use deadpool_postgres::PoolError;
use tokio_postgres::{Error, error::SqlState};

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let Some(state) = error.code() else {
            return match error.is_closed() {
                true => Self::Unavailable("the connection to the database is closed".into()),
                // Its own text says only "error communicating with the server".
                false => Self::Unavailable(with_source(&error)),
            };
        };
        let text = || error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        match state {
            &SqlState::UNIQUE_VIOLATION | &SqlState::FOREIGN_KEY_VIOLATION => Self::Conflict(text()),
            // Another transaction's turn first; nothing of this one was written, and it may be repeated.
            &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE => Self::Unavailable(text()),
            // Class 22, data exception; class 23, other constraints; class 42, syntax or an unknown name; class XX, damage.
            state if ["22", "23", "42", "XX"].iter().any(|class| state.code().starts_with(class)) => {
                Self::Corrupt(text())
            }
            _ => Self::Unavailable(text()),
        }
    }
}

/// An error at COMMIT: where the server did not say no, it may have said yes.
pub(super) fn at_commit(error: Error) -> StoreError {
    match error.code() {
        // The server was shut down, broke off on a fault of its disk, or its standby did not answer: the commit may be on its
        // disk, and be found there when it starts again.
        Some(state) if ["57", "08", "53", "58", "XX"].iter().any(|class| state.code().starts_with(class)) => {
            StoreError::Uncertain(error.to_string())
        }
        Some(_) => error.into(),
        None => StoreError::Uncertain(with_source(&error)),
    }
}

pub(super) fn of_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => StoreError::from(error),
        PoolError::Timeout(_) => StoreError::Unavailable("no connection to the database came free in time".into()),
        PoolError::Closed => StoreError::Unavailable("the store is closed".into()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

fn with_source(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
