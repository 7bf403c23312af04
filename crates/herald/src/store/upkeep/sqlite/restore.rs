//! A backup becomes the database.

use super::{backup, look_at, make_durable};
use crate::store::{sqlite::open, upkeep::Trouble};
use rusqlite::Connection;
use serde::Serialize;
use std::{os::unix::fs::MetadataExt, path::Path};

/// What was restored.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// Messages that waited when the backup was made. They would be sent, again where they have been sent since.
    pub waiting: u64,
    /// Lanes that were paused by the restore.
    pub lanes_paused: u64,
}

/// Makes the backup at `from` the database at `to`. The caller holds the folder's lock.
///
/// # Errors
/// When there is a database with a department already, or when the backup is damaged or no database of ours.
pub fn restore(from: &Path, to: &Path, pause_lanes: bool) -> Result<Restored, Trouble> {
    if !from.is_file() {
        return Err(Trouble::Failed(format!("There is no file {}.", from.display())));
    }
    refuse_to_overwrite(to)?;
    {
        let mut backup = look_at(from)?;
        let schema = open::schema(&mut backup)?;
        if schema.database == 0 {
            return Err(Trouble::refused(
                format!("{} is no database of Herald.", from.display()),
                "Give a file that `herald db backup` has made.",
            ));
        }
        super::check(&backup, from)?;
    }
    let part = backup::with_suffix(to, ".restored");
    let mut restored = Restored { waiting: 0, lanes_paused: 0 };
    backup::copy(
        from,
        &part,
        |_, _| {},
        |copy| {
            restored.waiting = copy
                .query_row("SELECT coalesce(sum(queued), 0) FROM lane", [], |row| row.get::<_, i64>(0))?
                .unsigned_abs();
            if pause_lanes {
                restored.lanes_paused = copy.execute("UPDATE lane SET paused = 1 WHERE paused = 0", [])? as u64;
            }
            Ok(())
        },
    )?;
    for old in ["-wal", "-shm"] {
        // An empty database's: beside the new one they would be taken for its own.
        drop(std::fs::remove_file(backup::with_suffix(to, old)));
    }
    // Restored by root, it is to be opened by whom the folder belongs to.
    if let Some(folder) = to.parent().and_then(|folder| std::fs::metadata(folder).ok())
        && folder.uid() != std::fs::metadata(&part)?.uid()
    {
        std::os::unix::fs::chown(&part, Some(folder.uid()), Some(folder.gid()))?;
    }
    std::fs::rename(&part, to)?;
    make_durable(to)?;
    Ok(restored)
}

fn refuse_to_overwrite(to: &Path) -> Result<(), Trouble> {
    if !to.exists() || std::fs::metadata(to)?.len() == 0 {
        return Ok(());
    }
    let departments = |connection: &Connection| -> rusqlite::Result<i64> {
        match connection.table_exists(None, "department")? {
            true => connection.query_row("SELECT count(*) FROM department", [], |row| row.get(0)),
            false => connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)),
        }
    };
    match look_at(to).map(|connection| departments(&connection)) {
        Ok(Ok(0)) => Ok(()),
        _ => Err(Trouble::refused(
            format!("{} is there already, and it is not empty.", to.display()),
            "Move it away, with the -wal and -shm files beside it, and keep it: it is all that is left of what came after the backup.",
        )),
    }
}
