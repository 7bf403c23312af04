//! Where servers keep their files: `herald-postgres-USER/` among the temporary files, one folder a server.
//!
//! What need not be durable lies in memory where there is room: a data folder has a thousand files, and copying them
//! took 650 ms on a disk and 65 ms there.
//!
//! A folder is in use as long as its `lock` is held. The kernel frees that with the process, however it ends, so that
//! the next start knows which folders are left over and removes them.

use crate::{binaries::Binaries, options::Options, process};
use anyhow::{Context, ensure};
use std::{
    env,
    fs::{self, File},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

/// A folder whose lock nobody holds may be one that is just being made; no start takes this long.
pub(crate) const YOUNG: Duration = Duration::from_secs(120);

/// A machine with less of `/dev/shm` needs it for something else; a container often has 64 MiB.
const ROOM: u64 = 4 << 30;
const MEMORY: &str = "/dev/shm";

/// A server's folder: made here, removed with the value.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Held as long as the folder is in use.
    _lock: File,
}

impl Folder {
    /// A new one below `root`, and what is left over there removed.
    pub(crate) fn make(root: &Path) -> anyhow::Result<Self> {
        let base = base(root)?;
        sweep(&base, YOUNG);
        let path =
            tempfile::Builder::new().prefix("server-").tempdir_in(&base).context("no folder for a server")?.keep();
        // Its data folder belongs to another user where we are root: that one must get through.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        let lock = File::create(path.join("lock"))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        process::release_memory(&self.path.join("data"));
        // What cannot be removed now is left over, and removed by a later start.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Where a server with these options is to be. It does not depend on what is free at the moment, so that all
/// processes of a run look at one place.
pub(crate) fn root(options: &Options) -> PathBuf {
    let room = || rustix::fs::statvfs(MEMORY).map_or(0, |found| found.f_blocks.saturating_mul(found.f_frsize));
    match &options.folder {
        Some(folder) => folder.clone(),
        None if !options.durable && env::var_os("TMPDIR").is_none() && room() >= ROOM => PathBuf::from(MEMORY),
        None => env::temp_dir(),
    }
}

/// The folder of all our servers below `root`; it is this user's alone.
pub(crate) fn base(root: &Path) -> anyhow::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let base = root.join(format!("herald-postgres-{user}"));
    if let Err(error) = fs::DirBuilder::new().mode(0o755).create(&base) {
        ensure!(error.kind() == std::io::ErrorKind::AlreadyExists, "{} cannot be made: {error}", base.display());
    }
    // Among the temporary files another user could have made it first, and led us elsewhere.
    let found = fs::symlink_metadata(&base)?;
    ensure!(found.is_dir() && found.uid() == user, "{} is not a folder of this user", base.display());
    Ok(base)
}

/// Gives a file or folder to the server's user.
pub(crate) fn own(binaries: &Binaries, path: &Path) -> anyhow::Result<()> {
    if let Some(user) = &binaries.user {
        std::os::unix::fs::chown(path, Some(user.id), Some(user.group))
            .with_context(|| format!("{} cannot be given to {}", path.display(), user.name))?;
    }
    Ok(())
}

/// Makes a folder for the server's user alone: it starts on no other.
pub(crate) fn owned(binaries: &Binaries, path: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path).with_context(|| format!("{} cannot be made", path.display()))?;
    own(binaries, path)
}

/// Copies a folder with its owners and rights; as a clone of its blocks where the file system can.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = Command::new("cp").args(["-a", "--reflink=auto", "--"]).args([from, to]).output().context("cp")?;
    ensure!(copied.status.success(), "cp: {}", String::from_utf8_lossy(&copied.stderr).trim());
    Ok(())
}

/// Removes the folders of servers that nobody runs any more.
pub(crate) fn sweep(base: &Path, young: Duration) {
    let entries = fs::read_dir(base).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("server-")) {
        let path = entry.path();
        let lock = File::options().write(true).open(path.join("lock"));
        let left = !is_young(&path, young) && lock.map_or(true, |lock| lock.try_lock().is_ok());
        if left {
            // It was told to quit when its owner ended; one that was paused then cannot hear that.
            process::end_left_over(&path.join("data"));
            process::release_memory(&path.join("data"));
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the age of a file is told by the system's clock")]
fn is_young(path: &Path, young: Duration) -> bool {
    let changed = fs::metadata(path).and_then(|found| found.modified());
    changed.is_ok_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|age| age < young))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_is_removed_and_what_is_used_stays() {
        let root = tempfile::tempdir().unwrap();
        let used = Folder::make(root.path()).unwrap();
        let left = Folder::make(root.path()).unwrap();
        let path = left.path().to_owned();
        // As after a kill: the lock is free, the folder is there.
        fs::create_dir_all(path.join("data")).unwrap();
        forget(left);
        let base = base(root.path()).unwrap();
        sweep(&base, YOUNG);
        assert!(path.exists());
        sweep(&base, Duration::ZERO);
        assert!(!path.exists());
        assert!(used.path().exists());
        let path = used.path().to_owned();
        drop(used);
        assert!(!path.exists());
    }

    /// Frees the lock and leaves the folder.
    fn forget(folder: Folder) {
        folder._lock.unlock().unwrap();
        std::mem::forget(folder);
    }

    #[test]
    fn a_folder_of_somebody_else_is_not_taken() {
        let root = tempfile::tempdir().unwrap();
        let user = rustix::process::geteuid().as_raw();
        std::os::unix::fs::symlink("/", root.path().join(format!("herald-postgres-{user}"))).unwrap();
        assert!(base(root.path()).is_err());
    }
}
