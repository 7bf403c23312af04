//! Checkpoints, outside the writer.
//!
//! A thread of its own copies the log into the database while the writer goes on. That never empties the log under
//! load, since new frames come meanwhile; so when the log has reached its size (`store.checkpoint_mib`) and the thread has just caught up,
//! the writer copies the small rest itself, and its next transaction starts the log anew.

use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

pub(super) struct Checkpointer {
    caught_up: Arc<AtomicBool>,
    log: PathBuf,
    /// The log size at which the writer finishes the copy itself; the thread begins at a quarter of it.
    log_size: u64,
    // Dropping it ends the thread.
    _stop: mpsc::Sender<()>,
}

pub(super) fn start(database: &Path, log_size: u64, connection: Connection) -> Checkpointer {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    let (stop, stopped) = mpsc::channel::<()>();
    let caught_up = Arc::new(AtomicBool::new(false));
    let (flag, path) = (caught_up.clone(), log.clone());
    // The thread owns its connection; if it cannot be started the writer still resets the log by itself.
    let spawned = std::thread::Builder::new().name("checkpoint".into()).spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(100)) == Err(mpsc::RecvTimeoutError::Timeout) {
            if size(&path) >= log_size / 4 {
                match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                    Ok(()) => flag.store(true, Ordering::Release),
                    Err(error) => tracing::warn!(%error, "store.checkpoint_failed"),
                }
            }
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "store.checkpoint_thread_missing");
        caught_up.store(true, Ordering::Release);
    }
    Checkpointer { caught_up, log, log_size, _stop: stop }
}

impl Checkpointer {
    /// Called by the writer between two groups.
    pub(super) fn between_groups(&self, writer: &Connection) {
        if self.caught_up.load(Ordering::Acquire) && size(&self.log) >= self.log_size {
            self.caught_up.store(false, Ordering::Release);
            // Busy only means that the thread is at it: the next time will do.
            if let Err(error) = writer.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                tracing::debug!(%error, "store.checkpoint_postponed");
            }
        }
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}
