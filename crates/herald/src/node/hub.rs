//! Hears from the store what has become durable, and tells those who wait for it.

use crate::{
    events,
    observe::metrics::Metrics,
    pace::Lanes,
    store::{Change, LaneRow, Observer, Queued},
};
use herald_rules::time::Timestamp;
use std::{sync::Arc, time::Duration};

/// Passes on what the store's writer reports. Nothing here may block: it runs on the writer's thread.
pub struct Hub {
    lanes: Lanes,
    events: events::Log,
    metrics: Arc<Metrics>,
}

impl Hub {
    /// Tells these lanes, and whoever hands events over.
    pub fn new(lanes: Lanes, events: events::Log, metrics: Arc<Metrics>) -> Self {
        Self { lanes, events, metrics }
    }
}

impl Observer for Hub {
    fn arrived(&self, lane: LaneRow, queued: Queued) {
        self.lanes.arrived(lane, queued);
    }

    fn scheduled(&self, lane: LaneRow, due: Timestamp) {
        self.lanes.scheduled(lane, due);
    }

    fn changed(&self, changes: &[Change]) {
        for change in changes {
            if let Some(status) = change.kind.status() {
                self.metrics.status_changes.of(status).inc();
            }
        }
        self.metrics.events_written.inc_by(changes.len() as u64);
        self.events.changed(changes);
    }

    fn group(&self, operations: usize, took: Duration) {
        self.metrics.store_commit_seconds.observe(took.as_secs_f64());
        self.metrics.store_commit_size.observe(operations as f64);
    }
}
