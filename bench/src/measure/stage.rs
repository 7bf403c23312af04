//! Where a measurement takes place.

use crate::{
    herald::{Binary, Herald},
    load::{Plan, Report, Until},
    provider::Packing,
    tenant::{Lane, Tenant},
    tools::Tools,
};
use anyhow::ensure;
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tempfile::TempDir;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) connections: usize,
    /// Of the open loop: enough that arrivals seldom wait for a free one.
    pub(crate) open_connections: usize,
    /// Of one measurement of accepting.
    pub(crate) accept: Duration,
    /// Messages of one measurement from end to end.
    pub(crate) end_to_end: u64,
    /// Messages of one measurement of draining.
    pub(crate) drain: u64,
    /// Messages in the queue.
    pub(crate) backlog: u64,
}

/// The binary, the tools, and where data goes.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) binary: Binary,
    pub(crate) tools: Tools,
    pub(crate) sizes: Sizes,
    /// In it each measurement has a folder of its own.
    pub(crate) data: PathBuf,
    /// The next message's number: no recipient comes twice.
    next: AtomicU64,
}

/// A Herald that has just been set up; its folder goes with it.
pub(crate) struct Fresh {
    pub(crate) herald: Herald,
    pub(crate) tenant: Tenant,
    pub(crate) packing: Packing,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) fn new(binary: Binary, tools: Tools, sizes: Sizes, data: PathBuf) -> Self {
        Self { binary, tools, sizes, data, next: AtomicU64::new(0) }
    }

    /// Starts a Herald with nothing in it, and channels on a provider of that kind.
    pub(crate) async fn fresh(&self, packing: Packing) -> anyhow::Result<Fresh> {
        let folder = tempfile::Builder::new().prefix("herald-bench-").tempdir_in(&self.data)?;
        let herald = self.binary.start(folder.path(), None).await?;
        let tenant = Tenant::make(&herald, &self.tools, packing).await?;
        Ok(Fresh { herald, tenant, packing, folder })
    }

    /// Sends; fails where anything is refused, as then the figures mean something else.
    pub(crate) async fn load(
        &self,
        fresh: &Fresh,
        lane: Lane,
        until: Until,
        rate: Option<f64>,
    ) -> anyhow::Result<Report> {
        let connections = if rate.is_some() { self.sizes.open_connections } else { self.sizes.connections };
        let senders = vec![fresh.tenant.sender(lane)];
        let first = self.next.load(Relaxed);
        let plan = Plan { targets: vec![fresh.herald.public], senders, connections, until, rate, first };
        let report = plan.drive().await?;
        ensure!(report.refused.is_empty(), "refused: {:?}\n{}", report.refused, fresh.herald.last_words());
        self.next.fetch_add(report.accepted, Relaxed);
        Ok(report)
    }

    /// Sends as fast as answers come, for the time of one measurement. Also Herald's processor time for 1,000 messages.
    pub(crate) async fn accept(&self, fresh: &Fresh, lane: Lane) -> anyhow::Result<(Report, f64)> {
        let before = fresh.herald.processor_time()?;
        let report = self.load(fresh, lane, Until::Elapsed(self.sizes.accept), None).await?;
        let used = fresh.herald.processor_time()?.saturating_sub(before);
        let processor = used.as_secs_f64() * 1000.0 / report.accepted as f64;
        Ok((report, processor))
    }
}
