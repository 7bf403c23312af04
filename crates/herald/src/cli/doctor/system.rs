//! Space, clock and limits of the host.

use super::Finding;
use crate::config::Config;
use rustix::process::{Resource, getrlimit};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const MIB: u64 = 1024 * 1024;
/// A million waiting messages take about 600 MiB with their history and the write-ahead log.
const ENOUGH_SPACE: u64 = 1024 * MIB;
const HARDLY_SPACE: u64 = 100 * MIB;
/// Each connection of a client, a provider and a webhook is a file; lanes with 256 calls under way need most.
const ENOUGH_FILES: u64 = 4096;
/// Clocks are allowed to differ that much from a file server's.
const SKEW: Duration = Duration::from_secs(60);

pub(super) fn look(config: &Config) -> Vec<Finding> {
    vec![space(&config.data.folder), clock(config), open_files()]
}

fn space(folder: &Path) -> Finding {
    const CHECK: &str = "disk space";
    // Before the first start: the folder it will be made in.
    let mut there = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    while !there.exists() && there.pop() {}
    let free = match rustix::fs::statvfs(&there) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return Finding::warn(
                CHECK,
                format!("The space for {} cannot be found out: {error}.", there.display()),
                "",
            );
        }
    };
    let sentence = format!("{} MiB are free for {}.", free / MIB, folder.display());
    let way_out = "Make room, or put data.folder on a larger disk. On a full disk Herald refuses new messages.";
    match free {
        0..HARDLY_SPACE => Finding::fail(CHECK, sentence, way_out),
        HARDLY_SPACE..ENOUGH_SPACE => Finding::warn(CHECK, sentence, way_out),
        _ => Finding::ok(CHECK, sentence),
    }
}

fn clock(config: &Config) -> Finding {
    const CHECK: &str = "clock";
    let now = jiff::Timestamp::now();
    let database = config.store.sqlite_path(&config.data);
    let files = database.map(|database| [PathBuf::from(format!("{}-wal", database.display())), database]);
    let newest = files
        .iter()
        .flatten()
        .filter_map(|path| jiff::Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok())
        .max();
    if let Some(newest) = newest.filter(|newest| newest.duration_since(now) > SKEW.try_into().unwrap_or_default()) {
        return Finding::fail(
            CHECK,
            format!("The clock says {now:.0}, and the database was written at {newest:.0}."),
            "Set the clock: ids, pace and expiry go by it. timedatectl shows its state.",
        );
    }
    // systemd's own service leaves this mark; other services leave none, so its absence alone means nothing.
    let service = Path::new("/run/systemd/timesync");
    if service.exists() && !service.join("synchronized").exists() {
        return Finding::warn(CHECK, "The clock is not synchronised.", "timedatectl set-ntp true");
    }
    Finding::ok(CHECK, format!("{now:.0}"))
}

fn open_files() -> Finding {
    const CHECK: &str = "open files";
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < ENOUGH_FILES => Finding::warn(
            CHECK,
            format!("A process may open {limit} files and connections."),
            format!("Raise it: LimitNOFILE={} in the systemd unit, or ulimit -n.", ENOUGH_FILES * 16),
        ),
        Some(limit) => Finding::ok(CHECK, format!("A process may open {limit} files and connections.")),
        None => Finding::ok(CHECK, "A process may open any number of files and connections."),
    }
}
