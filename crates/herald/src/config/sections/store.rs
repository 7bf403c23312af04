//! `[store]`: the database.

use crate::config::{Data, duration::optional};
use serde::Deserialize;
use std::{num::NonZeroUsize, path::PathBuf};

/// The database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Where it is, if not in the data folder. Use [`Store::sqlite_path`].
    #[serde(deserialize_with = "optional")]
    pub url: Option<String>,
    /// Connections that read.
    pub readers: NonZeroUsize,
    /// Memory for pages.
    pub cache_mib: NonZeroUsize,
    /// The size of the write-ahead log at which it is folded back.
    pub checkpoint_mib: NonZeroUsize,
}

impl Store {
    /// The database file. Loading refuses every URL that does not begin with `sqlite:`.
    pub fn sqlite_path(&self, data: &Data) -> PathBuf {
        let path = self.url.as_deref().map_or("", |url| url.strip_prefix("sqlite:").unwrap_or(url));
        if path.is_empty() { data.folder.join("herald.db") } else { path.into() }
    }
}
