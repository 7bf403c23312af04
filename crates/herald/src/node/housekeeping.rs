//! What a node forgets, now and then, in small steps.

use super::app::App;
use crate::store::{EventRetention, StoreError};
use herald_rules::{pace::budget, time::Timestamp};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// Between two steps of a round, so that other work is never far behind.
const BREATH: Duration = Duration::from_millis(20);
/// How long an idempotency key holds (as documented).
const IDEMPOTENCY: Duration = Duration::from_secs(24 * 3600);
/// How long a receipt waits for its message. A provider's reference comes with the answer to the call or with the first
/// receipt that echoes our id, so a day later it is not ours.
const EARLY_RECEIPTS: Duration = Duration::from_secs(24 * 3600);

/// Windows for free text are all looked at so often: there is a row for each customer who has ever written, and no hurry.
const WINDOWS: Duration = Duration::from_secs(12 * 3600);
/// A window that has closed is kept so long, whatever the nodes' clocks say.
const CLOSED_WINDOWS: Duration = Duration::from_secs(3600);

/// Runs until the node stops.
pub(super) async fn run(app: App, stop: CancellationToken) {
    let mut windows_at: Option<Instant> = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        // One of the nodes does it for all.
        if !app.ownership.keeps_house() {
            continue;
        }
        if let Err(error) = round(&app).await {
            tracing::warn!(%error, "housekeeping.failed");
        }
        if windows_at.is_none_or(|at| at.elapsed() >= WINDOWS) {
            match windows(&app).await {
                Ok(()) => windows_at = Some(Instant::now()),
                Err(error) => tracing::warn!(%error, "housekeeping.failed"),
            }
        }
    }
}

async fn round(app: &App) -> Result<(), StoreError> {
    let now = Timestamp::now();
    if let Err(error) = app.store.keep_house(now).await {
        tracing::warn!(%error, "housekeeping.tables_not_made");
    }
    while app.store.prune_idempotency(now - IDEMPOTENCY).await? {
        tokio::time::sleep(BREATH).await;
    }
    orphans(app, now - EARLY_RECEIPTS).await?;
    while app.store.prune_inbox(now - app.config.retention.messages).await? {
        tokio::time::sleep(BREATH).await;
    }
    while app.store.prune_daily_customers(now - budget::WINDOW).await? {
        tokio::time::sleep(BREATH).await;
    }
    let retention = EventRetention {
        deliveries_before: now - app.config.retention.attempts,
        polled_before: now - app.config.events.polling_keep,
        step: 500,
    };
    while app.store.prune_events(retention).await? > 0 {
        tokio::time::sleep(BREATH).await;
    }
    let departments: Vec<_> = app.directory.get().departments().map(|department| department.row).collect();
    for department in departments {
        let mut after = None;
        loop {
            after = app.store.prune_messages(department, now - app.config.retention.messages, after).await?;
            if after.is_none() {
                break;
            }
            tokio::time::sleep(BREATH).await;
        }
        while app.store.prune_inbound(department, now - app.config.retention.messages).await? {
            tokio::time::sleep(BREATH).await;
        }
    }
    Ok(())
}

/// Forgets the windows that have closed.
async fn windows(app: &App) -> Result<(), StoreError> {
    let before = Timestamp::now() - CLOSED_WINDOWS;
    let mut after = None;
    loop {
        after = app.store.prune_windows(before, after).await?;
        if after.is_none() {
            return Ok(());
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Gives up waiting for the messages of receipts that came before a moment.
async fn orphans(app: &App, before: Timestamp) -> Result<(), StoreError> {
    loop {
        let orphans = app.store.prune_early(before).await?;
        if orphans.is_empty() {
            return Ok(());
        }
        for (channel, receipts) in orphans {
            app.metrics.receipt_orphans.inc_by(receipts);
            let id = app.directory.get().channel(channel).map(|channel| channel.id.to_string());
            tracing::warn!(channel.id = id, receipts, "receipts.orphaned");
        }
        tokio::time::sleep(BREATH).await;
    }
}
