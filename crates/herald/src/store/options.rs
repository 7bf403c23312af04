//! Which database, and how it is opened.

use super::SqliteOptions;
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};

/// How to open the store.
#[derive(Clone, Debug)]
pub enum Options {
    /// A file.
    Sqlite(SqliteOptions),
    /// A server.
    Postgres(PostgresOptions),
}

/// How to reach a PostgreSQL server.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// `postgres://user:password@host1,host2/database?...`: secret, since it may hold a password.
    pub url: SecretString,
    /// Connections of this node at most.
    pub connections: usize,
    /// How long an operation waits for a connection before it is refused.
    pub wait: Duration,
    /// How long one statement may take, kept by the server.
    pub statement_timeout: Duration,
    /// Certificate authorities to trust, PEM; None: those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Options {
    /// A file, with what suits a small machine.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(SqliteOptions::at(path))
    }
}

impl PostgresOptions {
    /// Sixteen connections: more than two cores of a server keep busy.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            connections: 16,
            wait: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            ca_file: None,
        }
    }
}
