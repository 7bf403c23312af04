//! The lanes that this node works: a worker for each, told of everything the store makes durable.

use super::{Control, Input, LaneReport, LaneSettings, Mailbox, Post};
use crate::{
    config,
    dispatch::{Account, Accounts, Spool, Worker, WorkerContext},
    node::{
        directory::{Lane, Snapshot},
        ownership::Tenure,
    },
    observe::metrics::Metrics,
    store::{Changed, ChannelRow, LaneRow, Queued, StandingChange, Store, StoreError},
};
use arc_swap::ArcSwap;
use herald_rules::{lane::Hold, message::Priority, pace::rate::Rate, time::Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::oneshot;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The lanes of this node. Cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    posts: Arc<ArcSwap<HashMap<LaneRow, Post>>>,
    accounts: Accounts,
    /// How fast the provider says that identifiers may send.
    reported: Arc<Mutex<HashMap<LaneRow, Rate>>>,
    settings: config::Lanes,
    spool: Spool,
    metrics: Arc<Metrics>,
    workers: TaskTracker,
    running: Arc<Mutex<HashMap<LaneRow, Running>>>,
    stop: CancellationToken,
}

/// A lane that is worked here.
struct Running {
    tenure: Arc<Tenure>,
    /// Cancelled when its worker has ended.
    ended: CancellationToken,
}

impl Lanes {
    /// No lane yet: [`Lanes::own`] starts their workers.
    pub fn new(settings: config::Lanes, accounts: Accounts, spool: Spool, metrics: Arc<Metrics>) -> Self {
        Self {
            posts: Arc::default(),
            accounts,
            reported: Arc::default(),
            settings,
            spool,
            metrics,
            workers: TaskTracker::new(),
            running: Arc::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Brings accounts and the settings of running lanes in line with the directory. Called at start and after every change of it.
    pub fn update(&self, snapshot: &Snapshot, store: &Store) {
        self.lifted(store, snapshot, self.accounts.update(snapshot));
        let posts = self.posts.load();
        for lane in snapshot.all_lanes() {
            if let Some((post, settings)) = posts.get(&lane.row).zip(self.settings_of(lane, snapshot)) {
                post.control(Control::Settings(settings));
            }
        }
    }

    /// What a lane is worked by; None where its channel's settings make no adapter.
    fn settings_of(&self, lane: &Lane, snapshot: &Snapshot) -> Option<LaneSettings> {
        let channel = snapshot.channel(lane.channel)?;
        let account = self.accounts.get(lane.channel)?;
        let (rate, pair) = (self.rate_of(lane, &account), account.adapter.capabilities().pair);
        Some(LaneSettings { paused: lane.paused || !channel.active, rate, pair, account })
    }

    /// Forgets what is kept in memory of these channels: another node may have worked them.
    pub fn forget(&self, channels: &[ChannelRow]) {
        self.accounts.forget(channels);
    }

    /// Works these lanes as long as `tenure` lasts. Where an earlier worker of a lane has not ended, it is waited for.
    /// From `settled_at` on no call of an earlier owner of them is under way.
    pub fn own(
        &self,
        snapshot: &Snapshot,
        store: &Store,
        lanes: &[LaneRow],
        tenure: &Arc<Tenure>,
        settled_at: Timestamp,
    ) {
        self.accounts.update(snapshot);
        // Taken before the posts are read: it keeps two changes of them apart.
        let mut running = self.running();
        let mut posts = HashMap::clone(&self.posts.load());
        let mut workers = Vec::new();
        for lane in lanes.iter().filter_map(|lane| snapshot.lane(*lane)) {
            let Some(settings) = self.settings_of(lane, snapshot) else { continue };
            let (post, mailbox) = Mailbox::new();
            let context = WorkerContext {
                department: lane.department,
                channel: lane.channel,
                lane: lane.row,
                tenure: tenure.clone(),
                is_settled: AtomicBool::new(false),
                settled_at,
                protocol: lane.protocol,
                store: store.clone(),
                spool: self.spool.clone(),
                lanes: self.clone(),
                metrics: self.metrics.clone(),
                stop: self.stop.clone(),
            };
            posts.insert(lane.row, post);
            tenure.lane_begun();
            let (head, in_flight) = (self.settings.head.get(), self.settings.in_flight.get());
            let ended = CancellationToken::new();
            let before = running.insert(lane.row, Running { tenure: tenure.clone(), ended: ended.clone() });
            workers.push(async move {
                if let Some(before) = before {
                    before.ended.cancelled().await;
                }
                // However it ends, also by a panic.
                let _ended = ended.drop_guard();
                Worker::run(context, mailbox, settings, (head, in_flight)).await;
            });
        }
        self.posts.store(Arc::new(posts));
        drop(running);
        // Only now: what a worker moves to its queue it hears of through its post.
        for worker in workers {
            self.workers.spawn(worker);
        }
    }

    /// Those of these lanes that can be worked, and are not within this tenure.
    pub fn missing(&self, mut lanes: Vec<LaneRow>, snapshot: &Snapshot, tenure: &Tenure) -> Vec<LaneRow> {
        let running = self.running();
        let is_worked = |running: &Running| running.tenure.epoch() == tenure.epoch() && !running.ended.is_cancelled();
        lanes.retain(|lane| {
            let account = snapshot.lane(*lane).and_then(|lane| self.accounts.get(lane.channel));
            account.is_some() && !running.get(lane).is_some_and(is_worked)
        });
        lanes
    }

    /// Waits until everything of a tenure that is over has ended, and is written.
    pub async fn ended(&self, tenure: &Tenure) {
        let of_it: Vec<_> = self
            .running()
            .iter()
            .filter(|(_, running)| running.tenure.epoch() == tenure.epoch())
            .map(|(lane, running)| (*lane, running.ended.clone()))
            .collect();
        for (_, ended) in &of_it {
            ended.cancelled().await;
        }
        let mut running = self.running();
        let mut posts = HashMap::clone(&self.posts.load());
        for (lane, _) in of_it {
            if running.get(&lane).is_some_and(|running| running.tenure.epoch() == tenure.epoch()) {
                running.remove(&lane);
                posts.remove(&lane);
            }
        }
        self.posts.store(Arc::new(posts));
    }

    /// Whether a lane is worked here.
    pub fn works(&self, lane: LaneRow) -> bool {
        self.posts.load().contains_key(&lane)
    }

    /// Something may wait in a lane's queue that was not told one by one.
    pub fn more(&self, lane: LaneRow) {
        if let Some(post) = self.posts.load().get(&lane) {
            post.more();
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<LaneRow, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With new settings or credentials a stop is over, on disk as well. Were that not written, one message would be tried within a
    /// quarter of an hour after a start.
    fn lifted(&self, store: &Store, snapshot: &Snapshot, lanes: Vec<LaneRow>) {
        let Some(first) = lanes.first().and_then(|lane| snapshot.lane(*lane)).cloned() else { return };
        let store = store.clone();
        self.workers.spawn(async move {
            let change = StandingChange::Lifted { lanes };
            if let Err(error) = store.change_standing(first.department, first.row, change).await {
                tracing::warn!(lane = first.row, %error, "lane.stop_not_lifted");
            }
        });
    }

    /// The provider accounts behind the lanes.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// How fast a lane may send: its own rate, else what the provider has said of the identifier, else the adapter's, else the
    /// configured one.
    pub fn rate_of(&self, lane: &Lane, account: &Account) -> Rate {
        // What cannot be read was written by another version: the default is slower than a wrong guess.
        let own = lane.rate.as_deref().and_then(|text| text.parse().ok());
        own.or_else(|| self.reported().get(&lane.row).copied())
            .or_else(|| account.adapter.capabilities().rate)
            .unwrap_or_else(|| self.settings.default_rate.of(lane.protocol))
    }

    /// The provider says how fast an identifier may send. Holds unless somebody has set the lane's rate.
    pub(super) fn reported_rate(&self, lane: &Lane, rate: Rate) {
        self.reported().insert(lane.row, rate);
        if lane.rate.is_none() {
            self.tell(lane.row, Control::Rate(rate));
        }
    }

    fn reported(&self) -> MutexGuard<'_, HashMap<LaneRow, Rate>> {
        // A plain table: a panic elsewhere leaves it whole.
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, lane: LaneRow, control: Control) {
        if let Some(post) = self.posts.load().get(&lane) {
            post.control(control);
        }
    }

    /// A message may go.
    pub fn arrived(&self, lane: LaneRow, queued: Queued) {
        if let Some(post) = self.posts.load().get(&lane) {
            post.input(Input::Arrived(queued));
        }
    }

    /// A message waits for a moment.
    pub fn scheduled(&self, lane: LaneRow, due: Timestamp) {
        if let Some(post) = self.posts.load().get(&lane) {
            post.input(Input::Scheduled(due));
        }
    }

    /// The provider asked the whole account to slow down.
    pub fn throttle(&self, lanes: &[LaneRow], retry_after: Option<Duration>) {
        let posts = self.posts.load();
        for post in lanes.iter().filter_map(|lane| posts.get(lane)) {
            post.control(Control::Throttled(retry_after));
        }
    }

    /// They may go on.
    pub fn wake(&self, lanes: &[LaneRow]) {
        let posts = self.posts.load();
        for post in lanes.iter().filter_map(|lane| posts.get(lane)) {
            post.control(Control::Wake);
        }
    }

    /// Somebody says that a lane which its provider has stopped can send again.
    pub async fn lift_stop(&self, store: &Store, lane: &Lane) -> Result<(), StoreError> {
        let Some(account) = self.accounts.get(lane.channel) else { return Ok(()) };
        let lanes = account.stops.lift(lane.row, &account.lanes);
        if !lanes.is_empty() {
            store.change_standing(lane.department, lane.row, StandingChange::Lifted { lanes: lanes.clone() }).await?;
            self.wake(&lanes);
        } else if !self.works(lane.row) && store.standing(lane.row).await?.stop.is_some() {
            // The node that works it hears of the change.
            let lanes = account.lanes.clone();
            store.change_standing(lane.department, lane.row, StandingChange::Lifted { lanes }).await?;
            store.announce(Changed::Standing).await?;
        }
        Ok(())
    }

    /// Somebody has changed on another node how lanes stand: a stop that was lifted there ends here.
    pub async fn standings_changed(&self, store: &Store, snapshot: &Snapshot) -> Result<(), StoreError> {
        let worked: Vec<_> = snapshot.all_lanes().filter(|lane| self.works(lane.row)).cloned().collect();
        for lane in worked {
            let Some(account) = self.accounts.get(lane.channel) else { continue };
            if account.stops.of(lane.row).is_some() && store.standing(lane.row).await?.stop.is_none() {
                let lanes = account.stops.lift(lane.row, &account.lanes);
                self.wake(&lanes);
            }
        }
        Ok(())
    }

    /// What a lane says of itself; None where it is not worked here.
    pub async fn report(&self, lane: LaneRow) -> Option<LaneReport> {
        let (answer, answered) = oneshot::channel();
        self.posts.load().get(&lane)?.control(Control::Report(answer));
        answered.await.ok()
    }

    /// Why messages of a class to a customer wait, where it is for that customer alone.
    pub async fn held(&self, lane: LaneRow, customer: &str, priority: Priority) -> Option<Hold> {
        let (answer, answered) = oneshot::channel();
        self.posts.load().get(&lane)?.control(Control::Held(customer.to_owned(), priority, answer));
        answered.await.ok()?
    }

    /// Stops claiming, waits for what is at the providers' doors and for its outcomes to be durable.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.workers.close();
        self.workers.wait().await;
    }
}
