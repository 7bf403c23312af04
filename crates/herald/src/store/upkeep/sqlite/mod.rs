//! SQLite: one file, which one node at a time works on.

mod backup;
mod restore;
mod status;

pub use backup::back_up;
pub use restore::{Restored, restore};
pub use status::status;

use super::{Schema, Trouble};
use crate::store::sqlite::open;
use rusqlite::{Connection, OpenFlags};
use std::{path::Path, time::Duration};

/// How long another process's transaction is waited for.
const BUSY: Duration = Duration::from_secs(10);

pub(super) fn schema(path: &Path) -> Result<Schema, Trouble> {
    if !path.exists() {
        // Nothing is made by looking: an empty database in memory lacks what a new file would.
        return Ok(open::schema(&mut Connection::open_in_memory()?)?);
    }
    Ok(open::schema(&mut look_at(path)?)?)
}

pub(super) fn migrate(path: &Path) -> Result<Schema, Trouble> {
    open::make_private(path)?;
    let mut connection = open::connect(path, 8, false)?;
    Ok(open::migrate(&mut connection)?)
}

/// A connection that changes nothing. It may be the first on a database with a log, which it must be able to write for that.
fn look_at(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(connection)
}

/// Has what SQLite wrote to a file on disk, and its name in the folder.
fn make_durable(path: &Path) -> Result<(), Trouble> {
    std::fs::File::open(path)?.sync_all()?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Reads all of a file and every index; an error names the first damage.
fn check(connection: &Connection, path: &Path) -> Result<(), Trouble> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        damage => Err(Trouble::Failed(format!("{} is damaged: {damage}.", path.display()))),
    }
}
