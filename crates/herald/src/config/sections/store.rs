//! `[store]`: the database.

use crate::{
    config::{
        Data,
        duration::{human, optional},
    },
    store::{Options, PostgresOptions, SqliteOptions},
};
use serde::Deserialize;
use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

/// The database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Which, if not a file in the data folder: `sqlite:PATH` or `postgres://...`. Use [`Store::options`].
    #[serde(deserialize_with = "optional")]
    pub url: Option<String>,
    /// Connections to a PostgreSQL server, at most.
    pub connections: NonZeroUsize,
    /// How long an operation waits for one of them.
    #[serde(deserialize_with = "human")]
    pub wait: Duration,
    /// How long a statement may take on the server.
    #[serde(deserialize_with = "human")]
    pub statement_timeout: Duration,
    /// Certificate authorities to trust for TLS to the server, PEM; without it, those of the system.
    #[serde(deserialize_with = "optional")]
    pub ca_file: Option<String>,
    /// Connections that read.
    pub readers: NonZeroUsize,
    /// Memory for pages.
    pub cache_mib: NonZeroUsize,
    /// The size of the write-ahead log at which it is folded back.
    pub checkpoint_mib: NonZeroUsize,
}

impl Store {
    /// How to open it. Loading refuses every other kind of URL.
    pub fn options(&self, data: &Data) -> Options {
        match self.sqlite_path(data) {
            Some(path) => Options::Sqlite(SqliteOptions {
                path,
                readers: self.readers.get(),
                cache_mib: u32::try_from(self.cache_mib.get()).unwrap_or(u32::MAX),
                checkpoint_mib: u32::try_from(self.checkpoint_mib.get()).unwrap_or(u32::MAX),
            }),
            None => Options::Postgres(PostgresOptions {
                connections: self.connections.get(),
                wait: self.wait,
                statement_timeout: self.statement_timeout,
                ca_file: self.ca_file.as_ref().map(PathBuf::from),
                ..PostgresOptions::at(self.url.clone().unwrap_or_default())
            }),
        }
    }

    /// Whether the database is a PostgreSQL server, which several nodes may share.
    pub fn is_postgres(&self) -> bool {
        self.url.as_deref().is_some_and(|url| url.starts_with("postgres:") || url.starts_with("postgresql:"))
    }

    /// The database file; None where it is a server.
    pub fn sqlite_path(&self, data: &Data) -> Option<PathBuf> {
        if self.is_postgres() {
            return None;
        }
        let path = self.url.as_deref().map_or("", |url| url.strip_prefix("sqlite:").unwrap_or(url));
        Some(if path.is_empty() { data.folder.join("herald.db") } else { path.into() })
    }
}
