//! A copy of the database as it stands at one moment, while a node works on it.

use super::{check, look_at, make_durable};
use crate::store::upkeep::Trouble;
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use std::{
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Pages copied between two words about progress: 32 MiB of them.
const STEP: i32 = 4_096;

/// Copies the database at `from` into a new file, checks the copy, and returns its size. `told` hears of pages: how many are left of
/// how many. The copy is one file without a log, which only its owner may read; it is there when it is whole.
///
/// # Errors
/// When there is a file already, or when something cannot be read or written; no half copy is left.
pub fn back_up(from: &Path, to: &Path, told: impl FnMut(u64, u64)) -> Result<u64, Trouble> {
    if to.exists() {
        return Err(Trouble::refused(
            format!("{} exists already.", to.display()),
            "Give another name; nothing is overwritten.",
        ));
    }
    let part = with_suffix(to, ".part");
    let copied = copy(from, &part, told, |_| Ok(()));
    let kept = copied.and_then(|()| {
        // Unlike a rename it replaces no file that has come meanwhile.
        std::fs::hard_link(&part, to)?;
        make_durable(to)
    });
    // Also where it is whole: the name is no longer needed. That it cannot be removed changes nothing.
    drop(std::fs::remove_file(&part));
    kept?;
    Ok(std::fs::metadata(to)?.len())
}

/// Copies a database into a new file, lets `change` at the copy, checks it and has it on disk.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    mut told: impl FnMut(u64, u64),
    change: impl FnOnce(&Connection) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    // Left by an earlier copy that was killed.
    drop(std::fs::remove_file(to));
    std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(to)?;
    let source = look_at(from)?;
    // What is committed from now on is not in the copy. Without it each commit of the node would begin the copy anew.
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let mut target = Connection::open(to)?;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(STEP)?;
            let progress = backup.progress();
            told(progress.remaining.unsigned_abs().into(), progress.pagecount.unsigned_abs().into());
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                // A checkpoint of the node: it is over in a moment.
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
    source.execute_batch("COMMIT")?;
    // One file that can be moved; a node makes it a database with a log again.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    change(&target)?;
    check(&target, to)?;
    target.close().map_err(|(_, error)| error)?;
    make_durable(to)
}

/// A name beside another.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
