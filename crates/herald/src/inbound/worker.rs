//! The worker that empties the inbox: one a node.
//!
//! It takes a page of each channel that has something, all channels alike, and applies a page in one operation that
//! also takes it out of the inbox. What cannot be done now is left where it is and tried again after a pause, which
//! holds for that channel alone. A crash leaves the rest to the next start.

use super::{
    notices,
    sort::{Sorted, sort},
};
use crate::{
    node::{app::App, crash, directory::Channel},
    observe::metrics::NoticeKind,
    store::{CallbackWork, ChannelRow, InboxKind, InboxLimits, InboxPage, StoreError, WaitingCallback, WorkedOff},
};
use futures_util::future::join_all;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A page applies some 700 receipts at most, so that a send does not wait long for the store's writer.
const LIMITS: InboxLimits = InboxLimits { channels: 16, callbacks: 64, bytes: 128 << 10 };
/// The first pause after a failure; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The pause where the inbox itself cannot be read.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Runs until the node stops, and then until the inbox is empty or something fails.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut pauses = Pauses::default();
    // What a crash left comes first: no callback need come in for it.
    let mut last = 0;
    loop {
        let pause = match round(&app, &mut pauses, &mut last).await {
            Ok(true) => continue,
            Ok(false) => pauses.next(Instant::now()),
            Err(error) => {
                tracing::error!(%error, "inbox.not_read");
                Instant::now() + STORE_PAUSE
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = app.inbox.filled() => {}
            () = tokio::time::sleep_until(pause) => {}
        }
    }
}

/// Works off a page of each of the next channels; tells whether there may be more.
async fn round(app: &App, pauses: &mut Pauses, last: &mut ChannelRow) -> Result<bool, StoreError> {
    let (began, began_after) = (Instant::now(), *last);
    // Those of other nodes' channels are theirs to work off.
    let mut except = pauses.at(began);
    let foreign = |channel: &ChannelRow| app.ownership.of_channel(*channel).is_none_or(|tenure| !tenure.may_call());
    except.extend(app.directory.get().all_channels().map(|channel| channel.row).filter(foreign));
    let pages = app.store.inbox(began_after, except, LIMITS).await?;
    // In turn, so that the first channels are not served before all others. Past the last it goes on with the first.
    *last = if pages.len() < LIMITS.channels { 0 } else { pages.last().map_or(0, |page| page.channel) };
    let found = !pages.is_empty() || began_after > 0;
    // Side by side, since they share a commit.
    let results = join_all(pages.into_iter().map(async |page| (page.channel, work_off(app, page).await))).await;
    for (channel, result) in results {
        match result {
            Ok(()) => pauses.done(channel),
            Err(error) => {
                tracing::warn!(channel, %error, "inbox.page_waits");
                pauses.failed(channel, Instant::now());
            }
        }
    }
    pauses.forget_until(began);
    Ok(found)
}

/// Works off a page. Where the store cannot take what one of its callbacks tells, the others are worked off without it.
async fn work_off(app: &App, page: InboxPage) -> Result<(), Undone> {
    let InboxPage { department, channel, ref callbacks } = page;
    match work_off_at_once(app, page.clone()).await {
        Err(Undone::Store(StoreError::Conflict(_) | StoreError::Corrupt(_))) => {}
        other => return other,
    }
    for callback in callbacks {
        let one = InboxPage { department, channel, callbacks: vec![callback.clone()] };
        match work_off_at_once(app, one).await {
            Err(Undone::Store(StoreError::Conflict(_) | StoreError::Corrupt(_))) => {}
            other => {
                other?;
                continue;
            }
        }
        tracing::error!(channel, callback = callback.number, "inbox.cannot_be_applied");
        let unreadable = vec![(callback.number, "what it tells cannot be written".to_owned())];
        let epoch = app.ownership.of_channel(channel).ok_or(Undone::NotOurs)?.epoch();
        app.store.work_off(CallbackWork { department, channel, epoch, unreadable, ..Default::default() }).await?;
        app.metrics.callbacks_unreadable.inc();
    }
    Ok(())
}

/// Works off a page in one operation.
async fn work_off_at_once(app: &App, page: InboxPage) -> Result<(), Undone> {
    let snapshot = Arc::clone(&app.directory.get());
    let channel = snapshot.channel(page.channel).cloned().ok_or(Undone::NoAdapter)?;
    let account = app.lanes.accounts().get(page.channel);
    let readable = |callback: &WaitingCallback| account.is_some() || callback.kind == InboxKind::Evidence;
    if !page.callbacks.iter().any(readable) {
        return Err(Undone::NoAdapter);
    }
    let epoch = app.ownership.of_channel(page.channel).ok_or(Undone::NotOurs)?.epoch();
    // A large page takes milliseconds to read: not on the threads that answer requests.
    let (channel, sorted) = tokio::task::spawn_blocking(move || {
        let sorted = sort(&page, account.as_ref().map(|account| &account.adapter), &channel, &snapshot);
        (channel, sorted)
    })
    .await
    .map_err(|_| Undone::Fault)?;
    let Sorted { mut work, templates, accounts, ignored } = sorted;
    let counts = [
        (NoticeKind::Receipt, work.receipts.len() as u64),
        (NoticeKind::Inbound, work.inbound.len() as u64),
        (NoticeKind::Marketing, work.marketing.len() as u64),
        (NoticeKind::Template, templates.len() as u64),
        (NoticeKind::Account, accounts.len() as u64),
        (NoticeKind::Ignored, ignored.values().sum()),
    ];
    let unreadable = work.unreadable.clone();
    work.epoch = epoch;
    let worked = crash::around("drain", app.store.work_off(work)).await?;

    // From here on it is durable: what is only counted and told comes last, so that no page is counted twice.
    for (kind, notices) in counts {
        app.metrics.notices.of(kind).inc_by(notices);
    }
    app.metrics.receipts.of(channel.protocol).inc_by(counts[0].1);
    for (field, notices) in ignored {
        app.metrics.ignored_notices.count(&field, notices);
    }
    for (number, problem) in &unreadable {
        app.metrics.callbacks_unreadable.inc();
        tracing::error!(channel.id = %channel.id, callback = number, problem, "inbox.unreadable");
    }
    tell(app, &channel, &worked);
    for notice in templates {
        notices::template_noticed(app, &channel, notice).await;
    }
    for notice in accounts {
        notices::account_noticed(app, &channel, notice).await;
    }
    Ok(())
}

fn tell(app: &App, channel: &Channel, worked: &WorkedOff) {
    if worked.receipts.unknown > 0 {
        // They name an id of ours that is no message of this channel: nothing will ever make it known.
        app.metrics.receipt_orphans.inc_by(worked.receipts.unknown.into());
        tracing::warn!(channel.id = %channel.id, receipts = worked.receipts.unknown, "receipts.of_no_message");
    }
    if worked.settled > 0 {
        tracing::info!(channel.id = %channel.id, messages = worked.settled, "evidence.settled");
    }
    notices::customers_wrote(channel, &worked.inbound);
}

/// Why a page was not done.
#[derive(Debug, thiserror::Error)]
enum Undone {
    /// The channel's settings make no adapter: its callbacks wait until they do.
    #[error("the channel has no adapter")]
    NoAdapter,
    /// Another node works the channel by now.
    #[error("another node works the channel")]
    NotOurs,
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread that read them is gone.
    #[error("a fault while callbacks were read")]
    Fault,
}

/// Channels that failed: how often in a row, and when they are tried again.
#[derive(Debug, Default)]
struct Pauses(HashMap<ChannelRow, (u32, Instant)>);

impl Pauses {
    fn failed(&mut self, channel: ChannelRow, now: Instant) {
        let failures = self.0.get(&channel).map_or(0, |(failures, _)| *failures);
        let pause = PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
        self.0.insert(channel, (failures.saturating_add(1), now + pause));
    }

    fn done(&mut self, channel: ChannelRow) {
        self.0.remove(&channel);
    }

    /// Those whose turn came by this moment and that have not failed again.
    fn forget_until(&mut self, moment: Instant) {
        self.0.retain(|_, (_, until)| *until > moment);
    }

    /// The channels that are left alone at a moment.
    fn at(&self, moment: Instant) -> Vec<ChannelRow> {
        self.0.iter().filter(|(_, (_, until))| *until > moment).map(|(channel, _)| *channel).collect()
    }

    /// When the first of them ends; far away where there is none.
    fn next(&self, now: Instant) -> Instant {
        let far = now + Duration::from_secs(3600);
        self.0.values().map(|(_, until)| *until).min().unwrap_or(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_fails_is_left_alone_for_longer_and_longer() {
        let mut pauses = Pauses::default();
        let mut now = Instant::now();
        let mut lengths = Vec::new();
        for _ in 0..9 {
            pauses.failed(7, now);
            assert_eq!(pauses.at(now), [7]);
            lengths.push(pauses.next(now) - now);
            now = pauses.next(now);
            assert!(pauses.at(now).is_empty());
        }
        assert_eq!(lengths[0], PAUSE);
        assert!(lengths.is_sorted());
        assert_eq!(lengths[8], LONGEST_PAUSE);
        pauses.forget_until(now);
        pauses.failed(7, now);
        assert_eq!(pauses.next(now) - now, PAUSE, "what went well once begins anew");
    }
}
