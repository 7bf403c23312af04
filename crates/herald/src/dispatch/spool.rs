//! What lanes learnt while the store was away, on disk: an outcome that only memory holds would be unknown after a crash.
//!
//! A file for each lane, written whole from the first write that fails on and gone with the first that succeeds. What a start finds
//! goes to the inbox as evidence, where the owner of the lane, whoever that is by then, applies it.

use crate::store::{Evidence, LaneRow, Store};
use anyhow::Context;
use herald_rules::time::Timestamp;
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The folder of these files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spool(Arc<PathBuf>);

impl Spool {
    /// In `spool/` of the data folder; made when it is first needed.
    pub fn new(data: &Path) -> Self {
        Self(Arc::new(data.join("spool")))
    }

    fn file(&self, lane: LaneRow) -> PathBuf {
        self.0.join(format!("lane-{lane}.json"))
    }

    /// Keeps all that is not written of a lane, in place of what was kept of it before.
    ///
    /// # Errors
    /// When the disk does not take it; what was kept before stays.
    pub async fn keep(&self, evidence: Evidence) -> io::Result<()> {
        let (folder, file) = (self.0.clone(), self.file(evidence.lane));
        let write = move || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.as_path())?;
            let new = file.with_extension("new");
            // References and reasons of messages: nobody else's business.
            let mut out = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
            out.write_all(&serde_json::to_vec(&evidence)?)?;
            out.sync_all()?;
            fs::rename(&new, &file)?;
            fs::File::open(folder.as_path())?.sync_all()
        };
        tokio::task::spawn_blocking(write).await.unwrap_or_else(|_| Err(io::Error::other("the write broke off")))
    }

    /// Everything of a lane is written: what was kept is of no use any more. A file that stays does no harm, since evidence
    /// may come twice.
    pub async fn forget(&self, lane: LaneRow) {
        let file = self.file(lane);
        if let Err(error) = tokio::fs::remove_file(&file).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(lane, %error, "spool.not_removed");
        }
    }

    /// Hands over to the store what an earlier run left. A file that cannot be read is set aside, and told of.
    ///
    /// # Errors
    /// When the folder cannot be read or the store cannot be written.
    pub async fn hand_over(&self, store: &Store) -> anyhow::Result<()> {
        let entries = match fs::read_dir(self.0.as_path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", self.0.display())),
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            match serde_json::from_slice::<Evidence>(&bytes) {
                Ok(evidence) => {
                    let (lane, messages) = (evidence.lane, evidence.learnt.len());
                    store.keep_evidence(vec![evidence], Timestamp::now()).await?;
                    fs::remove_file(&path)?;
                    tracing::info!(lane, messages, "spool.handed_over");
                }
                Err(error) => {
                    tracing::error!(file = %path.display(), %error, "spool.unreadable: it is kept as it is, with another name");
                    fs::rename(&path, path.with_extension("unreadable"))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Fate, Learnt, Observer, Options, Place, Queued};
    use herald_rules::{ids::MessageId, message::Priority};

    struct Deaf;

    impl Observer for Deaf {
        fn arrived(&self, _: LaneRow, _: Queued) {}
        fn scheduled(&self, _: LaneRow, _: Timestamp) {}
        fn changed(&self, _: &[crate::store::Change]) {}
    }

    fn evidence(lane: LaneRow) -> Evidence {
        let learnt = Learnt {
            id: MessageId::new(),
            place: Place { priority: Priority::Bulk, position: 3 },
            claimed_as: 1,
            resent: false,
            part: 0,
            parts: 1,
            at: Timestamp(5),
            fate: Fate::Accepted { reference: None },
        };
        Evidence { department: 1, channel: 1, lane, learnt: vec![learnt], standings: vec![], daily_customers: None }
    }

    #[tokio::test]
    async fn what_a_run_left_is_handed_over_by_the_next_once() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path());
        let store = Store::open(&Options::at(folder.path().join("herald.db")), Arc::new(Deaf)).await.unwrap();
        spool.hand_over(&store).await.unwrap();
        assert_eq!(store.inbox_depth().await.unwrap().waiting, 0, "there is no folder yet");
        spool.keep(evidence(1)).await.unwrap();
        spool.keep(evidence(1)).await.unwrap();
        spool.keep(evidence(2)).await.unwrap();
        spool.keep(evidence(3)).await.unwrap();
        spool.forget(3).await;
        spool.forget(3).await;
        fs::write(folder.path().join("spool/lane-9.json"), "{").unwrap();
        spool.hand_over(&store).await.unwrap();
        assert_eq!(store.inbox_depth().await.unwrap().waiting, 2, "one a lane");
        spool.hand_over(&store).await.unwrap();
        assert_eq!(store.inbox_depth().await.unwrap().waiting, 2);
        assert!(folder.path().join("spool/lane-9.unreadable").exists());
    }
}
