//! Asks providers for the limits of their accounts: at start, after a change of settings, and now and then, since the callback
//! that tells of a change may be lost.

use crate::{
    node::{app::App, directory::Channel},
    store::ChannelRow,
};
use futures_util::StreamExt;
use herald_rules::time::Timestamp;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between two questions. Meta raises a limit within some six hours.
const EVERY: Duration = Duration::from_secs(6 * 3600);
/// After a question without an answer.
const AGAIN: Duration = Duration::from_secs(15 * 60);
/// How often channels that are new or changed are looked for.
const LOOK: Duration = Duration::from_secs(5);
/// Questions under way.
const AT_ONCE: usize = 4;

/// When a channel is asked about next, and with which settings it was last.
struct Asked {
    built_at: Timestamp,
    next: Timestamp,
}

/// Runs until the node stops.
pub async fn run(app: App, stop: CancellationToken) {
    let mut asked: HashMap<ChannelRow, Asked> = HashMap::new();
    loop {
        let channels: Vec<_> = app.directory.get().all_channels().cloned().collect();
        let due: Vec<_> = channels.into_iter().filter(|channel| is_due(&app, &asked, channel)).collect();
        let answers = futures_util::stream::iter(due).map(|channel| ask(&app, channel)).buffer_unordered(AT_ONCE);
        tokio::select! {
            answers = answers.collect::<Vec<_>>() => asked.extend(answers.into_iter().flatten()),
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

fn is_due(app: &App, asked: &HashMap<ChannelRow, Asked>, channel: &Channel) -> bool {
    if app.ownership.of_channel(channel.row).is_none() {
        return false;
    }
    let Some(account) = app.lanes.accounts().get(channel.row) else { return false };
    let now = Timestamp::now();
    asked.get(&channel.row).is_none_or(|asked| asked.built_at != account.built_at || asked.next <= now)
}

async fn ask(app: &App, channel: Arc<Channel>) -> Option<(ChannelRow, Asked)> {
    let account = app.lanes.accounts().get(channel.row)?;
    let wait = match account.adapter.report().await {
        Ok(report) => {
            let snapshot = Arc::clone(&app.directory.get());
            for notice in &report.changes {
                let noticed = app.lanes.noticed(&app.store, &snapshot, &channel, notice, Timestamp::now()).await;
                if let Err(error) = noticed {
                    tracing::warn!(channel.id = %channel.id, %error, "account.notice_not_kept");
                }
            }
            EVERY
        }
        Err(cause) => {
            let code = cause.provider_code.as_deref();
            tracing::warn!(channel.id = %channel.id, reason = %cause.reason, code, "account.not_reported");
            AGAIN
        }
    };
    Some((channel.row, Asked { built_at: account.built_at, next: Timestamp::now() + wait }))
}
