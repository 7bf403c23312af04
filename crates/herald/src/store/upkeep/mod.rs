//! What an operator does to a database as a whole: migrate it, look at it, keep a copy of it, move it to another engine.
//!
//! Nothing here runs inside a node. Each opens the database by itself; what must not happen while a node lives is refused.

pub mod copy;
pub mod postgres;
pub mod sqlite;
mod status;

pub use super::migrations::Schema;
pub use status::{Content, DatabaseStatus, InboxStatus, LaneStatus, LeaseStatus, NodeStatus, TableStatus};

use super::{Options, StoreError};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It would do harm; nothing was changed.
    #[error("{sentence}")]
    Refused {
        /// What speaks against it.
        sentence: String,
        /// What to do.
        way_out: String,
    },
    /// The database server cannot be reached.
    #[error("The database cannot be reached: {0}.")]
    Unreachable(String),
    /// It went wrong.
    #[error("{0}")]
    Failed(String),
}

impl Trouble {
    fn refused(sentence: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self::Refused { sentence: sentence.into(), way_out: way_out.into() }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(format!("The database cannot be used: {error}."))
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(format!("SQLite says: {error}."))
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => Self::Failed(format!("PostgreSQL says: {}.", said.message())),
            None => Self::Failed(format!("The connection to PostgreSQL broke: {error}.")),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(format!("{error}."))
    }
}

/// Which migrations the database has had; changes nothing.
///
/// # Errors
/// When it cannot be read, or when this program must not work with it.
pub async fn schema(options: &Options) -> Result<Schema, Trouble> {
    match options {
        Options::Sqlite(options) => sqlite::schema(&options.path),
        Options::Postgres(options) => postgres::schema(options).await,
    }
}

/// Runs the migrations that are missing, and tells how it was before.
///
/// # Errors
/// When one of them fails (those before it have been done), or when this program must not work with the database.
pub async fn migrate(options: &Options) -> Result<Schema, Trouble> {
    match options {
        Options::Sqlite(options) => sqlite::migrate(&options.path),
        Options::Postgres(options) => postgres::migrate(options).await,
    }
}

/// What there is in the database; changes nothing. `tables`: with the sizes of SQLite's tables, for which all of it is read.
///
/// # Errors
/// When it cannot be read.
pub async fn status(options: &Options, tables: bool) -> Result<DatabaseStatus, Trouble> {
    match options {
        Options::Sqlite(options) => sqlite::status(&options.path, tables),
        Options::Postgres(options) => postgres::status(options).await,
    }
}
