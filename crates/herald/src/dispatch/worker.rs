//! The worker of one lane: does what the machine in `rules::lane` wants. What it asks of store and provider is in `ask`,
//! what it makes of the answers in `hear`.
//!
//! At most one claim and one record are with the store at a time; what happens meanwhile goes into the next, so that
//! under load a group commit carries dozens of messages of each lane.

mod ask;
mod hear;

use super::{Account, Spool, check::Round, prepare::Tried};
use crate::{
    node::ownership::Tenure,
    observe::metrics::Metrics,
    pace::{Input, LaneSettings, Lanes, Mailbox},
    store::{
        ChannelRow, ClaimedNow, DepartmentRow, Due, Ended, HeadPage, LaneRow, Learnt, Outcomes, Owned, Queued,
        Recorded, Recovered, StandingChange, Store, StoreError, UNTIL_LIFTED,
    },
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use herald_rules::{
    breaker::Permit,
    ids::MessageId,
    lane::{Held, Lane, Settings},
    message::Priority,
    protocol::Protocol,
    reason::Reason,
    time::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Outcomes that may wait to be written. Beyond it nothing more is claimed: the store is away or slow.
const UNWRITTEN: usize = 4_096;
/// After the store refused something.
const STORE_PAUSE: Duration = Duration::from_millis(250);

/// What a worker works with.
pub struct WorkerContext {
    /// Whose.
    pub department: DepartmentRow,
    /// The lane's channel.
    pub channel: ChannelRow,
    /// Which lane.
    pub lane: LaneRow,
    /// This node's hold on it.
    pub tenure: Arc<Tenure>,
    /// What an earlier owner has left claimed is known.
    pub is_settled: AtomicBool,
    /// When no call of an earlier owner can be under way any more.
    pub settled_at: Timestamp,
    /// The channel's protocol.
    pub protocol: Protocol,
    /// What is on disk.
    pub store: Store,
    /// Where outcomes are kept while the store is away.
    pub spool: Spool,
    /// The other lanes, for limits of the whole account.
    pub lanes: Lanes,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the node stops.
    pub stop: CancellationToken,
}

impl WorkerContext {
    /// The lane with the epoch in which it is this node's.
    pub fn owned(&self) -> Owned {
        Owned { department: self.department, lane: self.lane, epoch: self.tenure.epoch() }
    }

    /// What an earlier owner has left claimed is known, and the lane may be given up to another.
    fn settled(&self) {
        if !self.is_settled.swap(true, Ordering::Relaxed) {
            self.tenure.lane_settled();
        }
    }

    /// Nothing more is to be begun: the node stops, or the lane is another's.
    fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.tenure.ended().is_cancelled()
    }

    /// Waits until nothing more is to be begun.
    async fn over(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.tenure.ended().cancelled() => {}
        }
    }
}

/// What the store or a provider has answered.
enum Answer {
    Recovered(Result<Recovered, StoreError>),
    Loaded(Priority, Result<HeadPage, StoreError>),
    Claimed(Vec<Queued>, i64, Timestamp, Result<ClaimedNow, StoreError>),
    Recorded(Outcomes, Vec<Learnt>, Result<(), StoreError>),
    Due(Timestamp, Result<Due, StoreError>),
    Checked(Result<Round, StoreError>),
    Hastened(Reason, Result<bool, StoreError>),
}

/// What became of a message at the door: of which, what it was, how long it took.
type Answered = (MessageId, Tried, Duration);

struct AtTheDoor {
    queued: Queued,
    claim: i64,
    taken_at: Timestamp,
}

/// The worker of one lane.
pub struct Worker {
    context: Arc<WorkerContext>,
    account: Arc<Account>,
    machine: Lane,
    answers: FuturesUnordered<BoxFuture<'static, Answer>>,
    outcomes: (mpsc::UnboundedSender<Answered>, mpsc::UnboundedReceiver<Answered>),
    door: HashMap<MessageId, AtTheDoor>,
    /// Open messages of each claim.
    claims: HashMap<i64, usize>,
    next_claim: i64,
    claiming: bool,
    ended: Vec<Ended>,
    closed: Vec<i64>,
    /// Claimed messages of claims that are to be closed without a call: told to another owner where they cannot be.
    unsent: Vec<Learnt>,
    /// Something of this lane is in the spool.
    spooled: bool,
    standings: Vec<StandingChange>,
    recording: bool,
    next_due: Option<Timestamp>,
    moving: bool,
    returned: Vec<Queued>,
    next_check: Option<Timestamp>,
    checking: bool,
    ready: bool,
    store_away_until: Option<Timestamp>,
    breaker_until: Option<Timestamp>,
    stopped_until: Option<Timestamp>,
    /// The store did not say whether something is done: what is in memory may differ from the tables, and is read anew.
    begins_anew: bool,
}

impl Worker {
    /// Works a lane until it is given up, lost to another node, or the node stops. `head` messages of each class in memory,
    /// `in_flight` at the provider's door.
    pub async fn run(
        context: WorkerContext,
        mut mailbox: Mailbox,
        settings: LaneSettings,
        (head, in_flight): (usize, usize),
    ) {
        let context = Arc::new(context);
        let LaneSettings { mut paused, mut rate, mut account, .. } = settings;
        while !context.is_over() {
            let pair = account.adapter.capabilities().pair;
            let settings = Settings { pair, ..Settings::new(rate, head, in_flight) };
            let mut worker = Self::new(context.clone(), account, settings, paused).await;
            worker.work(&mut mailbox).await;
            (paused, rate, account) = (worker.machine.is_paused(), worker.machine.rate(), worker.account);
        }
    }

    async fn new(context: Arc<WorkerContext>, account: Arc<Account>, settings: Settings, paused: bool) -> Self {
        let pace = context.store.pace(context.lane).await.unwrap_or_default();
        let mut worker = Self {
            machine: Lane::new(settings, pace, paused),
            account,
            answers: FuturesUnordered::new(),
            outcomes: mpsc::unbounded_channel(),
            door: HashMap::new(),
            claims: HashMap::new(),
            next_claim: 1,
            claiming: false,
            ended: Vec::new(),
            closed: Vec::new(),
            unsent: Vec::new(),
            spooled: false,
            standings: Vec::new(),
            recording: false,
            next_due: None,
            moving: false,
            returned: Vec::new(),
            next_check: None,
            checking: false,
            ready: false,
            store_away_until: None,
            breaker_until: None,
            stopped_until: None,
            begins_anew: false,
            context,
        };
        worker.remember_pairs().await;
        worker.remember_standing().await;
        worker.recover(Duration::ZERO);
        worker
    }

    async fn work(&mut self, mailbox: &mut Mailbox) {
        let context = self.context.clone();
        loop {
            if mailbox.take_overflow() {
                self.machine.overflowed();
            }
            self.next_due = earlier(self.next_due, mailbox.take_missed());
            let wake_at = self.advance();
            let over = context.is_over();
            if (over || self.begins_anew) && self.is_drained() {
                return;
            }
            let pause = wake_at.map_or(Duration::from_secs(3600), |at| at.since(Timestamp::now()));
            tokio::select! {
                Some((id, tried, took)) = self.outcomes.1.recv() => {
                    self.tried(id, tried, took);
                    while let Ok((id, tried, took)) = self.outcomes.1.try_recv() {
                        self.tried(id, tried, took);
                    }
                }
                Some(answer) = self.answers.next(), if !self.answers.is_empty() => self.answer(answer),
                Some(input) = mailbox.inputs.recv() => {
                    self.heard(mailbox, input);
                    while let Ok(input) = mailbox.inputs.try_recv() {
                        self.heard(mailbox, input);
                    }
                }
                Some(control) = mailbox.control.recv() => self.control(control),
                () = context.over(), if !over => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// What did not fit, or was not told, came before what is heard after it: the lane must know that there is a gap before it
    /// takes this for the next of its queue.
    fn heard(&mut self, mailbox: &Mailbox, input: Input) {
        if mailbox.take_overflow() {
            self.machine.overflowed();
        }
        self.input(input);
    }

    /// What went to customers before the start still counts for the pair limit.
    async fn remember_pairs(&mut self) {
        let Some(limit) = self.machine.pair() else { return };
        let since = Timestamp::now() - limit.memory();
        match self.context.store.recent_customers(self.context.department, self.context.lane, since).await {
            Ok(sent) => sent.iter().for_each(|(customer, at)| self.machine.sent_before(customer, *at)),
            // The provider says so where it is too often, and is believed.
            Err(error) => tracing::warn!(lane = self.context.lane, %error, "lane.recent_customers_not_read"),
        }
    }

    /// What the provider said of the sender before the start still holds.
    async fn remember_standing(&mut self) {
        match self.context.store.standing(self.context.lane).await {
            Ok(standing) => {
                if let Some(stop) = standing.stop {
                    self.account.stops.restore(self.context.lane, stop);
                }
                if let Some(until) = standing.restricted_until.filter(|until| *until > Timestamp::now()) {
                    let until = (until != UNTIL_LIFTED).then_some(until);
                    self.account.stops.restrict(until);
                }
            }
            // The next message finds it out.
            Err(error) => tracing::warn!(lane = self.context.lane, %error, "lane.standing_not_read"),
        }
        // What was counted in the last 24 hours must be known before the first message: it is waited for.
        while let Some(budget) = self.account.daily_budget()
            && let Err(error) = budget.read(&self.context.store).await
            && !self.context.is_over()
        {
            tracing::warn!(lane = self.context.lane, %error, "lane.daily_budget_not_read");
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }

    fn is_drained(&self) -> bool {
        self.door.is_empty()
            && self.ended.is_empty()
            && self.closed.is_empty()
            && self.standings.is_empty()
            && !self.recording
            && !self.claiming
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
        let stopping = self.context.is_over() || self.begins_anew;
        if !self.claiming && !stopping {
            let most = self.may_claim(now);
            let effects = self.machine.take(now, most);
            let until = self.breaker_until.max(self.stopped_until);
            wake(effects.wake_at.map(|at| until.map_or(at, |until| at.max(until))));
            for queued in effects.expired {
                self.ended.push(unclaimed(&queued, now, Recorded::Rejected(Reason::Expired.into())));
            }
            for Held { queued, due, reason } in effects.held {
                self.next_due = earlier(self.next_due, Some(due));
                self.ended.push(unclaimed(&queued, now, Recorded::Held { due, reason, cause: None }));
            }
            for wish in effects.load {
                self.load(wish);
            }
            if !effects.claim.is_empty() {
                self.account.stops.trying(self.context.lane, now);
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
        let unwritten = !self.ended.is_empty() || !self.closed.is_empty() || !self.standings.is_empty();
        if !self.recording && unwritten {
            self.record();
        }
        wake_at
    }

    /// How many messages may be claimed now, as far as provider and store are concerned.
    fn may_claim(&mut self, now: Timestamp) -> usize {
        // Past the lease's end another node may work the lane. The next renewal wakes it.
        if self.ended.len() >= UNWRITTEN || !self.context.tenure.may_call() {
            return 0;
        }
        (self.breaker_until, self.stopped_until) = (None, None);
        let most = match self.account.stops.may_call(self.context.lane, now) {
            Permit::Go => usize::MAX,
            Permit::Probe => 1,
            Permit::WaitUntil(until) => {
                self.stopped_until = Some(until);
                return 0;
            }
        };
        match self.account.may_call(now) {
            Permit::Go => most,
            Permit::Probe => 1,
            Permit::WaitUntil(until) => {
                self.breaker_until = Some(until);
                0
            }
        }
    }
}

/// What became of a message that was not claimed.
fn unclaimed(queued: &Queued, at: Timestamp, outcome: Recorded) -> Ended {
    Ended { claimed_as: None, ..ended(queued, at, outcome) }
}

fn ended(queued: &Queued, at: Timestamp, outcome: Recorded) -> Ended {
    Ended {
        id: queued.message.id,
        place: queued.place,
        attempt: queued.attempt,
        claimed_as: Some(queued.attempt + 1),
        resent: queued.resent,
        part: queued.part,
        parts: queued.message.parts,
        at,
        outcome,
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    [a, b].into_iter().flatten().min()
}
