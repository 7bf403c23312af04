//! The worker of one lane: does what the machine in `rules::lane` wants.
//!
//! At most one claim and one record are with the store at a time; what happens meanwhile goes into the next, so that
//! under load a group commit carries dozens of messages of each lane.

use super::{
    Account,
    check::{self, Round, Whose},
    settle::{Health, Settled, Written, settle},
};
use crate::{
    node::crash,
    observe::metrics::{Metrics, OutcomeKind},
    pace::{Control, Input, LaneReport, Lanes, Mailbox},
    store::{
        ChannelRow, Claim, ClaimedNow, DepartmentRow, Due, Ended, HeadPage, LaneRow, Outcomes, Queued, Recorded,
        Recovered, Store, StoreError,
    },
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use herald_channels::contract::{Outcome, Outgoing, Throttled};
use herald_rules::{
    breaker::Permit,
    ids::MessageId,
    lane::{Lane, Released, Settings},
    message::Priority,
    pace::rate::Rate,
    protocol::Protocol,
    reason::Reason,
    time::Timestamp,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Outcomes that may wait to be written. Beyond it nothing more is claimed: the store is away or slow.
const UNWRITTEN: usize = 4_096;
/// After the store refused something.
const STORE_PAUSE: Duration = Duration::from_millis(250);
/// Rows moved by one operation when something is due.
const DUE_PAGE: u32 = 512;

/// What a worker works with.
pub struct WorkerContext {
    /// Whose.
    pub department: DepartmentRow,
    /// The lane's channel.
    pub channel: ChannelRow,
    /// Which lane.
    pub lane: LaneRow,
    /// The channel's protocol.
    pub protocol: Protocol,
    /// What is on disk.
    pub store: Store,
    /// The other lanes, for limits of the whole account.
    pub lanes: Lanes,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the node stops.
    pub stop: CancellationToken,
}

/// What the store or a provider has answered.
enum Answer {
    Recovered(Result<Recovered, StoreError>),
    Loaded(Priority, Result<HeadPage, StoreError>),
    Claimed(Vec<Queued>, i64, Timestamp, Result<ClaimedNow, StoreError>),
    Recorded(Outcomes, Result<(), StoreError>),
    Due(Timestamp, Result<Due, StoreError>),
    Checked(Result<Round, StoreError>),
}

struct AtTheDoor {
    queued: Queued,
    claim: i64,
    taken_at: Timestamp,
}

/// The worker of one lane.
pub struct Worker {
    context: WorkerContext,
    account: Arc<Account>,
    machine: Lane,
    answers: FuturesUnordered<BoxFuture<'static, Answer>>,
    outcomes: (
        mpsc::UnboundedSender<(MessageId, Outcome, Duration)>,
        mpsc::UnboundedReceiver<(MessageId, Outcome, Duration)>,
    ),
    door: HashMap<MessageId, AtTheDoor>,
    /// Open messages of each claim.
    claims: HashMap<i64, usize>,
    next_claim: i64,
    claiming: bool,
    ended: Vec<Ended>,
    closed: Vec<i64>,
    recording: bool,
    next_due: Option<Timestamp>,
    moving: bool,
    returned: Vec<Queued>,
    next_check: Option<Timestamp>,
    checking: bool,
    ready: bool,
    store_away_until: Option<Timestamp>,
    breaker_until: Option<Timestamp>,
}

impl Worker {
    /// Works a lane until the node stops.
    pub async fn run(
        context: WorkerContext,
        mailbox: Mailbox,
        account: Arc<Account>,
        (rate, head, in_flight, paused): (Rate, usize, usize, bool),
    ) {
        let pace = context.store.pace(context.lane).await.unwrap_or_default();
        let mut worker = Self {
            machine: Lane::new(Settings::new(rate, head, in_flight), pace, paused),
            account,
            answers: FuturesUnordered::new(),
            outcomes: mpsc::unbounded_channel(),
            door: HashMap::new(),
            claims: HashMap::new(),
            next_claim: 1,
            claiming: false,
            ended: Vec::new(),
            closed: Vec::new(),
            recording: false,
            next_due: None,
            moving: false,
            returned: Vec::new(),
            next_check: None,
            checking: false,
            ready: false,
            store_away_until: None,
            breaker_until: None,
            context,
        };
        worker.recover();
        worker.work(mailbox).await;
    }

    async fn work(&mut self, mut mailbox: Mailbox) {
        let stop = self.context.stop.clone();
        loop {
            if mailbox.take_overflow() {
                self.machine.overflowed();
            }
            let wake_at = self.advance();
            if stop.is_cancelled() && self.is_drained() {
                return;
            }
            let pause = wake_at.map_or(Duration::from_secs(3600), |at| at.since(Timestamp::now()));
            tokio::select! {
                Some((id, outcome, took)) = self.outcomes.1.recv() => {
                    self.outcome(id, outcome, took);
                    while let Ok((id, outcome, took)) = self.outcomes.1.try_recv() {
                        self.outcome(id, outcome, took);
                    }
                }
                Some(answer) = self.answers.next(), if !self.answers.is_empty() => self.answer(answer),
                Some(input) = mailbox.inputs.recv() => {
                    self.input(input);
                    while let Ok(input) = mailbox.inputs.try_recv() {
                        self.input(input);
                    }
                }
                Some(control) = mailbox.control.recv() => self.control(control),
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.door.is_empty() && self.ended.is_empty() && self.closed.is_empty() && !self.recording && !self.claiming
    }

    /// Starts whatever can be started; returns when to look again.
    fn advance(&mut self) -> Option<Timestamp> {
        let now = Timestamp::now();
        if self.store_away_until.is_some_and(|until| until > now) {
            return self.store_away_until;
        }
        self.store_away_until = None;
        if !self.ready {
            return None;
        }
        let mut wake_at = None;
        let mut wake = |at: Option<Timestamp>| wake_at = earlier(wake_at, at);
        let stopping = self.context.stop.is_cancelled();
        if !self.claiming && !stopping {
            let most = self.may_claim(now);
            let effects = self.machine.take(now, most);
            wake(effects.wake_at.map(|at| self.breaker_until.map_or(at, |until| at.max(until))));
            for queued in effects.expired {
                self.ended.push(ended(&queued, now, Recorded::Rejected(Reason::Expired.into())));
            }
            for (queued, due) in effects.held {
                self.next_due = earlier(self.next_due, Some(due));
                self.ended.push(ended(&queued, now, Recorded::Held { due }));
            }
            for wish in effects.load {
                self.load(wish);
            }
            if !effects.claim.is_empty() {
                self.claim(effects.claim, now);
            }
        }
        if !stopping && !self.moving {
            // A hold may end without a row on disk to bring back, and a row may be due without a hold.
            match [self.next_due, self.machine.next_release()].into_iter().flatten().min() {
                Some(due) if due <= now => self.move_due(now),
                due => wake(due),
            }
        }
        if !stopping && !self.checking {
            match self.next_check {
                Some(at) if at <= now => self.check(now),
                at => wake(at),
            }
        }
        if !self.recording && !(self.ended.is_empty() && self.closed.is_empty()) {
            self.record();
        }
        wake_at
    }

    /// How many messages may be claimed now, as far as provider and store are concerned.
    fn may_claim(&mut self, now: Timestamp) -> usize {
        if self.ended.len() >= UNWRITTEN {
            return 0;
        }
        self.breaker_until = None;
        match self.account.may_call(now) {
            Permit::Go => usize::MAX,
            Permit::Probe => 1,
            Permit::WaitUntil(until) => {
                self.breaker_until = Some(until);
                0
            }
        }
    }

    fn recover(&mut self) {
        let Self { context, account, answers, .. } = self;
        let (store, department, lane) = (context.store.clone(), context.department, context.lane);
        let reconcile_for = account.reconcile_for();
        answers.push(
            async move {
                let recovered = store.recover(department, lane, Timestamp::now(), reconcile_for);
                Answer::Recovered(crash::around("recover", recovered).await)
            }
            .boxed(),
        );
    }

    fn load(&mut self, wish: herald_rules::lane::LoadWish) {
        let (store, department, lane) = (self.context.store.clone(), self.context.department, self.context.lane);
        let limit = u32::try_from(wish.limit).unwrap_or(u32::MAX);
        self.answers.push(
            async move {
                Answer::Loaded(wish.priority, store.head(department, lane, wish.priority, wish.after, limit).await)
            }
            .boxed(),
        );
    }

    fn claim(&mut self, entries: Vec<Queued>, now: Timestamp) {
        self.claiming = true;
        let number = self.next_claim;
        self.next_claim += 1;
        let pace = (!self.machine.rate().is_unlimited()).then(|| serde_json::to_string(&self.machine.pace()).ok());
        let claim = Claim {
            department: self.context.department,
            lane: self.context.lane,
            number,
            at: now,
            pace: pace.flatten(),
            entries: entries.clone(),
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

    fn record(&mut self) {
        self.recording = true;
        let outcomes = Outcomes {
            department: self.context.department,
            channel: self.context.channel,
            lane: self.context.lane,
            ended: std::mem::take(&mut self.ended),
            closed: std::mem::take(&mut self.closed),
        };
        let store = self.context.store.clone();
        self.answers.push(
            async move {
                let recorded = crash::around("record", store.record(outcomes.clone())).await;
                Answer::Recorded(outcomes, recorded)
            }
            .boxed(),
        );
    }

    fn move_due(&mut self, now: Timestamp) {
        self.moving = true;
        // What becomes known while it runs must not be overwritten by its answer.
        self.next_due = None;
        let (store, department, lane) = (self.context.store.clone(), self.context.department, self.context.lane);
        self.answers.push(
            async move {
                let due = store.due(department, lane, now, DUE_PAGE);
                Answer::Due(now, crash::around("due", due).await)
            }
            .boxed(),
        );
    }

    fn check(&mut self, now: Timestamp) {
        self.checking = true;
        self.next_check = None;
        let WorkerContext { department, channel, lane, .. } = self.context;
        let whose = Whose { department, channel, lane };
        let round = check::round(self.context.store.clone(), self.account.clone(), whose, now);
        self.answers.push(round.map(Answer::Checked).boxed());
    }

    fn store_away(&mut self, error: &StoreError) {
        tracing::warn!(lane = self.context.lane, %error, "lane.store_away");
        self.store_away_until = Some(Timestamp::now() + STORE_PAUSE);
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Recovered(Ok(recovered)) => self.recovered(recovered),
            Answer::Recovered(Err(error)) => {
                self.store_away(&error);
                self.recover();
            }
            Answer::Loaded(priority, Ok(page)) => self.machine.loaded(priority, page.messages, page.complete),
            Answer::Loaded(priority, Err(error)) => {
                self.machine.load_failed(priority);
                self.store_away(&error);
            }
            Answer::Claimed(entries, number, at, Ok(claimed)) => self.claimed(entries, number, at, &claimed),
            Answer::Claimed(entries, _, at, Err(error)) => {
                self.claiming = false;
                for queued in entries {
                    self.machine.not_sent(queued, at);
                }
                self.store_away(&error);
            }
            Answer::Recorded(outcomes, Ok(())) => {
                self.recording = false;
                for ended in &outcomes.ended {
                    self.watch(ended);
                }
            }
            Answer::Recorded(mut outcomes, Err(error)) => {
                // Kept, in order, until the store is back.
                self.recording = false;
                outcomes.ended.append(&mut self.ended);
                outcomes.closed.append(&mut self.closed);
                (self.ended, self.closed) = (outcomes.ended, outcomes.closed);
                self.store_away(&error);
            }
            Answer::Due(asked, Ok(due)) => self.due(asked, due),
            Answer::Due(asked, Err(error)) => {
                self.moving = false;
                self.next_due = earlier(self.next_due, Some(asked));
                self.store_away(&error);
            }
            Answer::Checked(Ok(round)) => {
                self.checking = false;
                self.next_check = earlier(self.next_check, round.next);
                // Back at their places; if their customers are still held back they go when the hold ends.
                self.machine.returned(round.again, Timestamp::default());
            }
            Answer::Checked(Err(error)) => {
                self.checking = false;
                self.next_check = Some(Timestamp::now());
                self.store_away(&error);
            }
        }
    }

    fn recovered(&mut self, recovered: Recovered) {
        let now = Timestamp::now();
        for (customer, priority, until) in recovered.held {
            self.machine.hold(&customer, priority, until);
        }
        for checking in &recovered.checking {
            let until = (now + Duration::from_secs(30)).min(checking.deadline).max(now);
            self.machine.hold(&checking.message.to, checking.place.priority, until);
        }
        if !recovered.checking.is_empty() {
            self.next_check = Some(now);
        }
        self.next_due = earlier(self.next_due, recovered.next_due);
        self.ready = true;
    }

    /// After a write: what has to be looked at later because of it.
    fn watch(&mut self, ended: &Ended) {
        match &ended.outcome {
            Recorded::Again { due, .. } | Recorded::Held { due } => {
                self.next_due = earlier(self.next_due, Some(*due));
            }
            Recorded::Unknown { .. } => self.next_check = Some(Timestamp::now()),
            Recorded::Accepted { .. } | Recorded::Rejected(_) => {}
        }
    }

    fn claimed(&mut self, entries: Vec<Queued>, number: i64, at: Timestamp, claimed: &ClaimedNow) {
        self.claiming = false;
        let now = Timestamp::now();
        let mut open = 0;
        for queued in entries {
            let id = queued.message.id;
            if claimed.dropped.contains(&id) {
                self.machine.released(id, Released::Ended);
                continue;
            }
            if queued.message.expires_at.is_some_and(|expires| expires <= now) {
                self.machine.released(id, Released::Ended);
                self.ended.push(ended(&queued, now, Recorded::Rejected(Reason::Expired.into())));
                continue;
            }
            open += 1;
            self.call(&queued);
            self.door.insert(id, AtTheDoor { queued, claim: number, taken_at: at });
        }
        self.context.metrics.claimed.of(self.context.protocol).inc_by(open as u64);
        if open > 0 {
            self.claims.insert(number, open);
        } else {
            self.closed.push(number);
        }
    }

    fn call(&self, queued: &Queued) {
        let outgoing = Outgoing { message: queued.message.clone(), attempt: queued.attempt };
        let (account, outcomes) = (self.account.clone(), self.outcomes.0.clone());
        // A task of its own, so that calls of one lane run on all cores.
        tokio::spawn(async move {
            let started = std::time::Instant::now();
            let outcome = crash::around("call", account.adapter.send(&outgoing)).await;
            // The worker outlives its calls: it waits for them when it stops.
            drop(outcomes.send((outgoing.message.id, outcome, started.elapsed())));
        });
    }

    fn outcome(&mut self, id: MessageId, outcome: Outcome, took: Duration) {
        let Some(AtTheDoor { queued, claim, taken_at }) = self.door.remove(&id) else { return };
        if let Some(open) = self.claims.get_mut(&claim) {
            *open -= 1;
            if *open == 0 {
                self.claims.remove(&claim);
                self.closed.push(claim);
            }
        }
        let metrics = &self.context.metrics;
        metrics.outcomes.of(self.context.protocol, kind(&outcome)).inc();
        metrics.provider_call_seconds.of(self.context.protocol).observe(took.as_secs_f64());
        let now = Timestamp::now();
        let Settled { recorded, health, throttled } = settle(&self.account, &queued, outcome, now, random());
        match health {
            Health::Answered => self.account.answered(now),
            Health::Failed => self.account.failed(now),
        }
        match throttled {
            Some((Throttled::Identifier, wish)) => self.machine.throttled(now, wish),
            Some((Throttled::Account, wish)) => self.context.lanes.throttle(&self.account.lanes, wish),
            // Its customer is held back by the retry itself.
            Some((Throttled::Pair, _)) | None => {}
        }
        match recorded {
            Some(Written { recorded, released }) => {
                self.machine.released(id, released);
                let mut ended = ended(&queued, now, recorded);
                ended.attempt += 1;
                self.ended.push(ended);
            }
            None => self.machine.not_sent(queued, taken_at),
        }
    }

    fn due(&mut self, asked: Timestamp, due: Due) {
        self.returned.extend(due.returned);
        for queued in due.arrived {
            self.machine.arrived(queued);
        }
        if due.complete {
            self.moving = false;
            self.next_due = earlier(self.next_due, due.next);
            self.machine.returned(std::mem::take(&mut self.returned), asked);
        } else {
            self.move_due(asked);
        }
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Arrived(queued) => self.machine.arrived(queued),
            Input::Scheduled(due) => self.next_due = earlier(self.next_due, Some(due)),
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Settings { paused, rate, account } => {
                self.machine.set_paused(paused);
                self.machine.set_rate(rate);
                self.account = account;
            }
            Control::Throttled(wish) => self.machine.throttled(Timestamp::now(), wish),
            // Whoever asked may have gone.
            Control::Report(answer) => {
                let _ = answer.send(LaneReport::of(&self.machine, self.breaker_until, Timestamp::now()));
            }
        }
    }
}

fn ended(queued: &Queued, at: Timestamp, outcome: Recorded) -> Ended {
    Ended { id: queued.message.id, place: queued.place, attempt: queued.attempt, resent: queued.resent, at, outcome }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    [a, b].into_iter().flatten().min()
}

fn kind(outcome: &Outcome) -> OutcomeKind {
    match outcome {
        Outcome::Accepted { .. } => OutcomeKind::Accepted,
        Outcome::Refused(_) => OutcomeKind::Refused,
        Outcome::Retry { .. } => OutcomeKind::Retry,
        Outcome::NotSent(_) => OutcomeKind::NotSent,
        Outcome::Unknown(_) => OutcomeKind::Unknown,
    }
}

/// In 0..1, for jitter.
fn random() -> f64 {
    // Without randomness from the system, all retries wait half their jitter: that only bunches them.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
