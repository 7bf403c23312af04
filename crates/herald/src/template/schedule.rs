//! Has every channel's templates compared with Meta's: at start, every so often, and when a callback tells of a change.

use super::{plan::Plan, registry::has_templates, sync};
use crate::{
    node::{app::App, directory::Channel},
    store::ChannelRow,
};
use herald_rules::{reason::Reason, time::Timestamp};
use std::{sync::Arc, time::Duration};
use sync::SyncError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Comparisons under way: each holds all templates of an account in memory.
const AT_ONCE: usize = 4;
/// A clock that is set back must not stop it for long.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Runs until the node stops. What is under way then is given up: each write is whole.
pub async fn run(app: App, stop: CancellationToken) {
    let mut plan = Plan::new(app.config.templates.sync_every);
    let mut under_way: JoinSet<(ChannelRow, Option<Reason>)> = JoinSet::new();
    let slots = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    loop {
        let channels: Vec<_> = app.directory.get().all_channels().filter(|c| has_templates(c)).cloned().collect();
        // Each channel's by the node that works it.
        let channels: Vec<_> = channels.into_iter().filter(|c| app.ownership.of_channel(c.row).is_some()).collect();
        let now = Timestamp::now();
        plan.update(channels.iter().map(|channel| (channel.row, source(&app, channel))), now);
        for channel in app.templates.take_asked() {
            plan.ask(channel, now);
        }
        for row in plan.begin(now) {
            let Some(channel) = channels.iter().find(|channel| channel.row == row).cloned() else { continue };
            let (app, slots) = (app.clone(), slots.clone());
            under_way.spawn(async move {
                // Never closed.
                let _slot = slots.acquire_owned().await;
                (row, compared(&app, &channel).await)
            });
        }
        let wait = plan.next().map_or(LONGEST_SLEEP, |next| next.since(Timestamp::now()).min(LONGEST_SLEEP));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.templates.woken() => {}
            Some(ended) = under_way.join_next() => {
                // One that panicked is not tried again before the next start: it would panic again.
                if let Ok((row, failed)) = ended {
                    plan.end(row, failed, Timestamp::now(), random());
                }
            }
            () = stop.cancelled() => return,
        }
    }
}

/// What a comparison depends on: with another token or account it is worth trying at once.
fn source(app: &App, channel: &Channel) -> (serde_json::Value, Option<Vec<u8>>, bool) {
    let has_account = sync::adapter(app, channel).is_ok();
    (channel.settings.provider.clone(), channel.sealed_credentials.clone(), has_account)
}

/// Why it failed, if it did.
async fn compared(app: &App, channel: &Channel) -> Option<Reason> {
    match sync::now(app, channel).await {
        Ok(_) => None,
        Err(SyncError::Provider(cause)) => Some(cause.reason),
        // Until it has an identifier and usable settings, of which the directory tells.
        Err(SyncError::NoAccount) => Some(Reason::ProviderThrottled),
        Err(SyncError::Store(_)) => Some(Reason::ProviderUnavailable),
    }
}

fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
