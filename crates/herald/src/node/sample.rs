//! Metrics that are read off now and then, because nothing tells of them when they change.

use super::app::App;
use crate::store::InboxDepth;
use herald_rules::{lease::Kind, time::Timestamp};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Between two readings; a usual scrape comes every 15 s.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until the node stops.
pub(super) async fn run(app: App, stop: CancellationToken) {
    loop {
        read_off(&app).await;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn read_off(app: &App) {
    // Through the writer, as for /readyz. A disk or a network that hangs answers nothing at all, and that is no "ready".
    let ready = timeout(EVERY, app.store.probe()).await.is_ok_and(|answer| answer.is_ok());
    app.metrics.store_ready.set(i64::from(ready));
    let paused = app.directory.get().all_lanes().filter(|lane| lane.paused).count();
    app.metrics.lanes_paused.set(i64::try_from(paused).unwrap_or(i64::MAX));
    let stopped = app.lanes.accounts().stopped();
    app.metrics.lanes_stopped.set(i64::try_from(stopped).unwrap_or(i64::MAX));
    let held = app.ownership.held();
    for kind in Kind::ALL {
        app.metrics.leases.of(kind).set(held.get(&kind).copied().unwrap_or(0) as i64);
    }
    app.metrics.nodes.set(i64::try_from(app.ownership.nodes().len()).unwrap_or(i64::MAX));
    match app.store.waiting_by_protocol().await {
        Ok(lengths) => {
            for (protocol, length) in lengths {
                app.metrics.queue_length.of(protocol).set(length);
            }
        }
        // The readiness check says so too; here it only means that the last figures stand.
        Err(error) => tracing::debug!(%error, "metrics.queue_lengths_not_read"),
    }
    match app.store.inbox_depth().await {
        Ok(InboxDepth { waiting, oldest, unreadable }) => {
            let age = oldest.map_or(0.0, |oldest| Timestamp::now().since(oldest).as_secs_f64());
            app.metrics.inbox_length.set(i64::try_from(waiting).unwrap_or(i64::MAX));
            app.metrics.inbox_age_seconds.set(age);
            app.metrics.inbox_unreadable.set(i64::try_from(unreadable).unwrap_or(i64::MAX));
        }
        Err(error) => tracing::debug!(%error, "metrics.inbox_depth_not_read"),
    }
}
