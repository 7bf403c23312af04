//! Hears from the store what has become durable, and tells those who wait for it.

use super::ownership::Ownership;
use crate::{
    events,
    inbound::Inbox,
    observe::metrics::Metrics,
    pace::Lanes,
    store::{Change, Changed, DepartmentRow, EventKey, LaneRow, Observer, Queued},
};
use herald_rules::time::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Passes on what the store's writer reports. Nothing here may block: it runs on the writer's thread.
pub struct Hub {
    lanes: Lanes,
    events: events::Log,
    inbox: Inbox,
    ownership: Ownership,
    elsewhere: mpsc::UnboundedSender<Changed>,
    metrics: Arc<Metrics>,
}

impl Hub {
    /// Tells these lanes, whoever hands events over, and whoever empties the inbox. What has changed on another node comes out of
    /// the receiver.
    pub fn new(
        lanes: Lanes,
        events: events::Log,
        inbox: Inbox,
        ownership: Ownership,
        metrics: Arc<Metrics>,
    ) -> (Self, mpsc::UnboundedReceiver<Changed>) {
        let (elsewhere, changes) = mpsc::unbounded_channel();
        (Self { lanes, events, inbox, ownership, elsewhere, metrics }, changes)
    }
}

impl Observer for Hub {
    fn arrived(&self, lane: LaneRow, queued: Queued) {
        self.lanes.arrived(lane, queued);
    }

    fn scheduled(&self, lane: LaneRow, due: Timestamp) {
        self.lanes.scheduled(lane, due);
    }

    fn works(&self, lane: LaneRow) -> bool {
        self.lanes.works(lane)
    }

    fn more(&self, lane: LaneRow) {
        self.lanes.more(lane);
    }

    fn grown(&self, department: DepartmentRow, log: EventKey) {
        self.events.grown(department, log);
    }

    fn called_back(&self) {
        self.inbox.wake();
    }

    fn freed(&self) {
        self.ownership.wake();
    }

    fn elsewhere(&self, what: Changed) {
        // Whoever reads it has not begun, or has ended: then nobody holds anything that could be old.
        let _ = self.elsewhere.send(what);
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

    fn asked(&self, statements: usize) {
        self.metrics.store_statements.inc_by(statements as u64);
        self.metrics.store_round_trips.inc();
    }
}
