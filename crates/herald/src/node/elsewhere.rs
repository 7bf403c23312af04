//! What another node has changed is read anew here.

use super::app::App;
use crate::store::{Changed, StoreError};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A store that is away is asked again after this time.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until the node stops.
pub(super) async fn run(app: App, mut changes: mpsc::UnboundedReceiver<Changed>, stop: CancellationToken) {
    let mut open = HashSet::new();
    loop {
        let pause = if open.is_empty() { Duration::from_secs(3600) } else { PAUSE };
        tokio::select! {
            Some(change) = changes.recv() => {
                open.insert(change);
            }
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        while let Ok(change) = changes.try_recv() {
            open.insert(change);
        }
        for change in open.clone() {
            match read_anew(&app, change).await {
                Ok(()) => {
                    open.remove(&change);
                }
                Err(error) => tracing::warn!(?change, %error, "node.change_not_read"),
            }
        }
    }
}

async fn read_anew(app: &App, change: Changed) -> Result<(), StoreError> {
    match change {
        Changed::Directory => app.directory_changed().await,
        Changed::Access => {
            app.access.forget_tokens();
            // Webhooks are signed with API secrets.
            app.events.reload().await
        }
        Changed::Templates => {
            let snapshot = Arc::clone(&app.directory.get());
            app.templates.reload(&app.store, &snapshot).await
        }
        Changed::Subscriptions => {
            app.events.reload().await?;
            app.ownership.look(app).await
        }
        Changed::Standing => app.lanes.standings_changed(&app.store, &app.directory.get()).await,
    }
}
