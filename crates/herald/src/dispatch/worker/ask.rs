//! What a worker asks of the store and the provider.

use super::{Answer, STORE_PAUSE, Worker, WorkerContext};
use crate::{
    dispatch::{
        check::{self, Whose},
        prepare::{self, Tried},
    },
    node::crash,
    pace::DailyBudget,
    store::{Claim, Evidence, Learnt, Outcomes, Queued, StoreError},
};
use futures_util::FutureExt;
use herald_channels::contract::{Outcome, Outgoing};
use herald_rules::{admission::Reach, lane::LoadWish, message::Message, reason::Reason, time::Timestamp};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

/// Rows moved by one operation when something is due.
const DUE_PAGE: u32 = 512;

impl Worker {
    pub(super) fn recover(&mut self, after: Duration) {
        let Self { context, account, answers, .. } = self;
        let (store, owned) = (context.store.clone(), context.owned());
        let reconcile_for = account.reconcile_for();
        let settled_at = context.settled_at;
        answers.push(
            async move {
                tokio::time::sleep(after).await;
                let now = Timestamp::now();
                let recovered = store.recover(owned, now, settled_at.max(now), reconcile_for);
                Answer::Recovered(crash::around("recover", recovered).await)
            }
            .boxed(),
        );
    }

    pub(super) fn load(&mut self, wish: LoadWish) {
        let (store, department, lane) = (self.context.store.clone(), self.context.department, self.context.lane);
        let limit = u32::try_from(wish.limit).unwrap_or(u32::MAX);
        self.answers.push(
            async move {
                Answer::Loaded(wish.priority, store.head(department, lane, wish.priority, wish.after, limit).await)
            }
            .boxed(),
        );
    }

    pub(super) fn claim(&mut self, entries: Vec<Queued>, now: Timestamp) {
        self.claiming = true;
        let number = self.next_claim;
        self.next_claim += 1;
        let pace = (!self.machine.rate().is_unlimited()).then(|| serde_json::to_string(&self.machine.pace()).ok());
        let claim = Claim {
            department: self.context.department,
            lane: self.context.lane,
            epoch: self.context.tenure.epoch(),
            number,
            at: now,
            pace: pace.flatten(),
            entries: entries.clone(),
            windows: self.account.terms().needs_window,
        };
        let store = self.context.store.clone();
        self.answers.push(
            async move {
                let claimed = crash::around("claim", store.claim(claim)).await;
                Answer::Claimed(entries, number, now, claimed)
            }
            .boxed(),
        );
    }

    pub(super) fn record(&mut self) {
        self.recording = true;
        let outcomes = Outcomes {
            department: self.context.department,
            channel: self.context.channel,
            lane: self.context.lane,
            epoch: self.context.tenure.epoch(),
            ended: std::mem::take(&mut self.ended),
            closed: std::mem::take(&mut self.closed),
            standings: std::mem::take(&mut self.standings),
            daily_customers: self.account.daily_budget().and_then(DailyBudget::unwritten),
        };
        let unsent = std::mem::take(&mut self.unsent);
        let (context, spooled) = (self.context.clone(), self.spooled);
        self.answers.push(
            async move {
                let recorded = crash::around("record", context.store.record(outcomes.clone())).await;
                match &recorded {
                    Ok(()) if spooled => context.spool.forget(context.lane).await,
                    Ok(()) => {}
                    Err(StoreError::Fenced) => bear_witness(&context, evidence(&outcomes, &unsent)).await,
                    Err(_) => keep(&context, evidence(&outcomes, &unsent)).await,
                }
                Answer::Recorded(outcomes, unsent, recorded)
            }
            .boxed(),
        );
    }

    pub(super) fn move_due(&mut self, now: Timestamp) {
        self.moving = true;
        // What becomes known while it runs must not be overwritten by its answer.
        self.next_due = None;
        let (store, owned) = (self.context.store.clone(), self.context.owned());
        self.answers.push(
            async move {
                let due = store.due(owned, now, DUE_PAGE);
                Answer::Due(now, crash::around("due", due).await)
            }
            .boxed(),
        );
    }

    pub(super) fn check(&mut self, now: Timestamp) {
        self.checking = true;
        self.next_check = None;
        let whose = Whose { owned: self.context.owned(), channel: self.context.channel };
        let round = check::round(self.context.store.clone(), self.account.clone(), whose, now);
        self.answers.push(round.map(Answer::Checked).boxed());
    }

    /// What waits for this reason need not wait any longer.
    pub(super) fn hasten(&mut self, reason: Reason) {
        let (store, owned) = (self.context.store.clone(), self.context.owned());
        self.answers.push(
            async move {
                let hastened = store.hasten(owned, reason, Timestamp::now()).await;
                Answer::Hastened(reason, hastened)
            }
            .boxed(),
        );
    }

    pub(super) fn call(&self, queued: &Queued, message: Arc<Message>, closed: Option<Reach>, first: bool) {
        let outgoing = Outgoing { message, kinds: Vec::new(), part: queued.part, attempt: queued.attempt };
        let (account, outcomes, id) = (self.account.clone(), self.outcomes.0.clone(), queued.message.id);
        let tenure = self.context.tenure.clone();
        // A task of its own, so that calls of one lane run on all cores.
        tokio::spawn(async move {
            let started = std::time::Instant::now();
            let tried =
                AssertUnwindSafe(prepare::tried(account, &tenure, outgoing, closed, first)).catch_unwind().await;
            // A fault of ours must not keep the message at the door for ever: nobody knows how far it came.
            let tried = tried.unwrap_or_else(|_| Tried::Called(Outcome::Unknown(Reason::ProviderUnavailable.into())));
            // The worker outlives its calls: it waits for them when it stops.
            drop(outcomes.send((id, tried, started.elapsed())));
        });
    }
}

/// What outcomes say that could not be written.
fn evidence(outcomes: &Outcomes, unsent: &[Learnt]) -> Evidence {
    let mut evidence = Evidence::of(outcomes);
    evidence.learnt.extend_from_slice(unsent);
    evidence
}

/// Keeps it on disk until it can be written.
async fn keep(context: &WorkerContext, evidence: Evidence) {
    if evidence.is_empty() {
        return;
    }
    if let Err(error) = context.spool.keep(evidence).await {
        // Memory still has it.
        tracing::warn!(lane = context.lane, %error, "spool.not_written");
    }
}

/// Another node owns the lane: what is known here is told to it, however long that takes. After a stop the next start does it.
async fn bear_witness(context: &WorkerContext, evidence: Evidence) {
    if evidence.is_empty() {
        return;
    }
    tracing::info!(lane = context.lane, messages = evidence.learnt.len(), "lane.evidence");
    while let Err(error) = context.store.keep_evidence(vec![evidence.clone()], Timestamp::now()).await {
        tracing::warn!(lane = context.lane, %error, "lane.evidence_waits");
        keep(context, evidence.clone()).await;
        if context.stop.is_cancelled() {
            return;
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }
    context.spool.forget(context.lane).await;
}
