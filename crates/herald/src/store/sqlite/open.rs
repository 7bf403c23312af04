//! Opening the database: pragmas, migrations, the threads.

use super::{Engine, checkpoint, node::Leases, readers::Readers, writer::Writer};
use crate::store::{
    Observer, StoreError,
    migrations::{HISTORY, Schema, compare, failed, runner},
};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

refinery::embed_migrations!("migrations/sqlite");

/// How to open the store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file; its folder must exist.
    pub path: PathBuf,
    /// Connections for reading.
    pub readers: usize,
    /// Page cache of all connections together, MiB: half for the writer, half for the readers.
    pub cache_mib: u32,
    /// Size of the write-ahead log at which it is folded back into the database, MiB.
    pub checkpoint_mib: u32,
}

impl Options {
    /// Four readers and 64 MiB: enough for the heads of the trees of a backlog of ten million.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4, cache_mib: 64, checkpoint_mib: 64 }
    }
}

impl Engine {
    pub(in crate::store) fn open(options: &Options, observer: Arc<dyn Observer>) -> Result<Self, StoreError> {
        make_private(&options.path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let mut connection = connect(&options.path, (options.cache_mib / 2).max(2), false)?;
        migrate(&mut connection)?;
        let log_size = u64::from(options.checkpoint_mib.max(4)) << 20;
        let checkpointer = checkpoint::start(&options.path, log_size, connect(&options.path, 1, false)?);
        let readers = options.readers.max(1);
        let share = options.cache_mib / 2 / u32::try_from(readers).unwrap_or(u32::MAX);
        let readers =
            (0..readers).map(|_| connect(&options.path, share.max(2), true)).collect::<Result<Vec<_>, _>>()?;
        let leases = Arc::new(Leases::read(&connection)?);
        let writer = Writer::start(connection, observer, checkpointer)?;
        Ok(Self { writer: Arc::new(writer), readers: Arc::new(Readers::new(readers)), leases })
    }
}

/// Runs the migrations that are missing, and tells which.
pub(in crate::store) fn migrate(connection: &mut Connection) -> Result<Schema, StoreError> {
    let schema = schema(connection)?;
    if !schema.missing.is_empty() {
        runner(migrations::runner()).run(connection).map_err(|error| failed(&error))?;
    }
    Ok(schema)
}

/// The migrations that the database has had.
pub(in crate::store) fn schema(connection: &mut Connection) -> Result<Schema, StoreError> {
    let runner = migrations::runner();
    let applied = match connection.table_exists(None, HISTORY)? {
        true => runner.get_applied_migrations(connection).map_err(|error| failed(&error))?,
        false => vec![],
    };
    compare(runner.get_migrations(), &applied)
}

/// Makes the file, if it is not there, so that only its owner can read it; SQLite gives its log the same rights.
pub(in crate::store) fn make_private(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

pub(in crate::store) fn connect(path: &Path, cache_mib: u32, read_only: bool) -> Result<Connection, StoreError> {
    let mode = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    // Without the planner's stability guarantee SQLite plans a cached statement anew whenever a bound value differs from
    // the last: that was half of the cost of applying a receipt.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if !read_only {
        // 8 KiB pages hold some ten messages of usual size, so that the message tree stays flat.
        connection.pragma_update(None, "page_size", 8192)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Checkpoints run outside the writer: see `checkpoint`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
    }
    connection.pragma_update(None, "cache_size", -i64::from(cache_mib) * 1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
