//! Who works what: this node's leases, and what begins and ends with them.
//!
//! Every 0.75 s a node renews its leases with one statement, sees what others hold, and acts on `rules::lease::plan`. What it takes
//! begins from the tables; what it gives up is brought to an end first. What it has lost, because it stood still or the database
//! was away, ends by itself: nothing is called past the lease's end, and nothing is written past the epoch.

mod groups;
mod tenure;

pub use tenure::{Tenure, since_boot};

use super::app::App;
use crate::config::Role;
use crate::store::{
    ChannelRow, Epoch, Group, LaneRow, NodeId, NodeRow, NodesNow, Renewal, StoreError, SubscriptionRow, Taken,
};
use arc_swap::ArcSwap;
use futures_util::future::join_all;
use groups::Groups;
use herald_rules::{
    lease::{Kind, RENEW_EVERY, plan},
    time::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A renewal that has no answer by then is given up and sent again: the lease lasts 3 s.
const RENEWED_WITHIN: Duration = Duration::from_millis(1_200);

/// Taking and beginning: together with a renewal less than a lease.
const BEGUN_WITHIN: Duration = Duration::from_millis(1_200);
/// A call of an account that this node knows nothing of has ended by then.
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// The database's clock may be set forward by so much, as at a fail-over to another machine, without harm.
const CLOCKS: Duration = Duration::from_secs(2);

/// What this node holds. Cheap to clone.
#[derive(Clone)]
pub struct Ownership(Arc<Inner>);

struct Inner {
    node: NodeId,
    name: String,
    works: AtomicBool,
    answers: bool,
    held: Mutex<HashMap<Group, Held>>,
    groups: ArcSwap<Groups>,
    /// As they were at the last look.
    nodes: ArcSwap<Vec<NodeRow>>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
    wake: Notify,
    away: AtomicBool,
}

struct Held {
    tenure: Arc<Tenure>,
    /// It is being given up.
    ending: bool,
}

impl Ownership {
    /// Nothing is held yet. A node that does not work takes nothing.
    pub fn new(name: String, role: Role) -> Self {
        Self(Arc::new(Inner {
            node: NodeId::new(),
            name,
            works: AtomicBool::new(role.works()),
            answers: role.answers(),
            held: Mutex::default(),
            groups: ArcSwap::default(),
            nodes: ArcSwap::default(),
            looking: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            away: AtomicBool::new(false),
        }))
    }

    /// Which run of the program this is.
    pub fn node(&self) -> NodeId {
        self.0.node
    }

    /// The nodes that live, as of the last look.
    pub fn nodes(&self) -> Arc<Vec<NodeRow>> {
        self.0.nodes.load_full()
    }

    /// How many groups of each kind are held.
    pub fn held(&self) -> HashMap<Kind, usize> {
        let mut counts = HashMap::new();
        for group in self.lock().keys() {
            *counts.entry(group.kind).or_default() += 1;
        }
        counts
    }

    /// This node's hold on a channel's lanes; None: another node works them, or nobody yet.
    pub fn of_channel(&self, channel: ChannelRow) -> Option<Arc<Tenure>> {
        self.of(&self.0.groups.load().of_channel(channel)?)
    }

    /// This node's hold on a subscription.
    pub fn of_subscription(&self, row: SubscriptionRow) -> Option<Arc<Tenure>> {
        self.of(&groups::subscription(row))
    }

    /// Whether this node does what one does for all.
    pub fn keeps_house(&self) -> bool {
        self.of(&groups::housekeeping()).is_some_and(|tenure| tenure.may_call())
    }

    fn of(&self, group: &Group) -> Option<Arc<Tenure>> {
        self.lock().get(group).filter(|held| !held.ending).map(|held| held.tenure.clone())
    }

    /// Looks soon: another node has given something up.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Takes nothing more; others share out what is given up.
    pub fn rest(&self) {
        self.0.works.store(false, Ordering::Release);
    }

    /// Renews, and takes and gives up what is this node's to take and give up.
    ///
    /// # Errors
    /// When the store is away. What is held is called for no longer than its lease lasts.
    pub async fn look(&self, app: &App) -> Result<(), StoreError> {
        let _one_at_a_time = self.0.looking.lock().await;
        let works = self.0.works.load(Ordering::Acquire);
        let held = self.lock().iter().map(|(group, held)| (group.clone(), held.tenure.epoch())).collect();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let renewal =
            Renewal { node: self.0.node, name: self.0.name.clone(), version, works, answers: self.0.answers, held };
        let sent = since_boot();
        let now = tokio::time::timeout(RENEWED_WITHIN, app.store.renew(renewal))
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("leases were not renewed in time".into())))?;
        self.renewed(app, &now, sent);
        let groups = {
            let snapshot = app.directory.get();
            Groups::of(&snapshot, app.lanes.accounts(), app.events.webhooks())
        };
        let plan = plan(self.0.node, now.now, &now.nodes, &groups.all(), &now.leases);
        self.0.groups.store(Arc::new(groups));
        app.quotas.shared_by(now.nodes.iter().filter(|row| row.answers && row.until > now.now).count());
        self.0.nodes.store(Arc::new(now.nodes));
        if !works {
            // A node that stops gives up in its own order.
            return Ok(());
        }
        for group in plan.release {
            self.give_up(app, group);
        }
        let begun = async {
            join_all(plan.take.into_iter().map(|group| self.take(app, group))).await;
            self.complete(app).await;
        };
        // A late writer's lock must not hold up the next renewal. What is cut off is begun at the next look, or runs out.
        if tokio::time::timeout(BEGUN_WITHIN, begun).await.is_err() {
            tracing::warn!("node.groups_not_begun_in_time");
        }
        Ok(())
    }

    /// Takes note of what was renewed and what is lost.
    fn renewed(&self, app: &App, now: &NodesNow, sent: Duration) {
        let mine: HashMap<&Group, Epoch> =
            now.leases.iter().filter(|row| row.node == Some(self.0.node)).map(|row| (&row.group, row.epoch)).collect();
        let mut lost = Vec::new();
        let mut again = Vec::new();
        self.lock().retain(|group, held| {
            if mine.get(group) != Some(&held.tenure.epoch()) {
                lost.push((group.clone(), held.tenure.clone()));
                return false;
            }
            if !held.tenure.may_call() {
                again.push(group.clone());
            }
            held.tenure.renewed(sent);
            true
        });
        let over: Vec<Group> = self
            .lock()
            .iter()
            .filter(|(_, held)| held.tenure.ended().is_cancelled())
            .map(|(group, _)| group.clone())
            .collect();
        for group in over {
            // A write of it was fenced: a lane of it is another group's by now. It is taken anew, with another epoch.
            self.give_up(app, group);
        }
        for (group, tenure) in lost {
            tracing::warn!(%group, epoch = %tenure.epoch(), "node.lease_lost");
            tenure.end();
            app.metrics.leases_lost.inc();
            let app = app.clone();
            tokio::spawn(async move { Self::ended(&app, &group, &tenure).await });
        }
        let groups = self.0.groups.load();
        for group in again {
            let lanes = groups.lanes(&group, &app.directory.get());
            app.lanes.wake(&lanes);
        }
    }

    async fn take(&self, app: &App, group: Group) {
        let sent = since_boot();
        match app.store.take_lease(self.0.node, group.clone()).await {
            Ok(Some(taken)) => {
                if let Err(error) = self.begin(app, &group, taken, sent).await {
                    // It runs out, or is renewed and completed at the next look.
                    tracing::warn!(%group, %error, "node.group_not_begun");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%group, %error, "node.lease_not_taken"),
        }
    }

    /// Begins to work a group.
    async fn begin(&self, app: &App, group: &Group, taken: Taken, sent: Duration) -> Result<(), StoreError> {
        let snapshot = Arc::clone(&app.directory.get());
        let groups = self.0.groups.load_full();
        // Whoever held it before may have called a provider just before the lease ran out.
        let under_way = if taken.ran_out {
            let accounts = groups.channels(group).iter().filter_map(|channel| app.lanes.accounts().get(*channel));
            let longest = accounts.map(|account| account.adapter.capabilities().longest_call).max();
            longest.unwrap_or(LONGEST_CALL) + CLOCKS
        } else {
            Duration::ZERO
        };
        let tenure = Tenure::new(taken.epoch, sent, Timestamp::now() + under_way);
        tracing::info!(%group, epoch = %taken.epoch, ran_out = taken.ran_out, "node.group_taken");
        self.lock().insert(group.clone(), Held { tenure: tenure.clone(), ending: false });
        match (group.kind, groups::subscription_of(group)) {
            (_, Some(row)) => self.begin_subscription(app, row, &tenure).await,
            (Kind::Lanes, _) => {
                let lanes = app.lanes.missing(groups.lanes(group, &snapshot), &snapshot, &tenure);
                let lanes = app.store.own_lanes(taken.epoch, lanes).await?;
                // What another node may have changed meanwhile is read anew; as it is after the wait.
                let snapshot = Arc::clone(&app.directory.get());
                app.lanes.forget(groups.channels(group));
                app.lanes.own(&snapshot, &app.store, &lanes, &tenure, tenure.settled_at());
                self.begun(app, &tenure);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn begin_subscription(&self, app: &App, row: SubscriptionRow, tenure: &Tenure) -> Result<(), StoreError> {
        if app.store.own_subscription(tenure.epoch(), row).await? {
            app.events.changed(row).await?;
        }
        Ok(())
    }

    /// Begins what was left: lanes that are new in a group, and what could not be begun when it was taken.
    async fn complete(&self, app: &App) {
        let snapshot = Arc::clone(&app.directory.get());
        let groups = self.0.groups.load_full();
        let held: Vec<(Group, Arc<Tenure>)> = self
            .lock()
            .iter()
            .filter(|(_, held)| !held.ending)
            .map(|(group, held)| (group.clone(), held.tenure.clone()))
            .collect();
        for (group, tenure) in held {
            let begun = match groups::subscription_of(&group) {
                Some(row) if !app.events.is_worked(row) => self.begin_subscription(app, row, &tenure).await,
                Some(_) => Ok(()),
                None => {
                    let missing = app.lanes.missing(groups.lanes(&group, &snapshot), &snapshot, &tenure);
                    match missing.is_empty() {
                        true => {
                            self.begun(app, &tenure);
                            Ok(())
                        }
                        false => self.join(app, &group, missing, &tenure).await,
                    }
                }
            };
            if let Err(error) = begun {
                tracing::warn!(%group, %error, "node.group_not_completed");
            }
        }
    }

    /// All lanes of a group are worked.
    fn begun(&self, app: &App, tenure: &Tenure) {
        if !tenure.is_begun() {
            tenure.all_begun();
            app.inbox.wake();
            app.templates.wake();
        }
    }

    /// Lanes that come to a group which is held: new ones, or another group's before.
    async fn join(
        &self,
        app: &App,
        group: &Group,
        lanes: Vec<LaneRow>,
        tenure: &Arc<Tenure>,
    ) -> Result<(), StoreError> {
        let owned = app.store.own_lanes(tenure.epoch(), lanes.clone()).await?;
        let snapshot = Arc::clone(&app.directory.get());
        // The owner before does not know it yet, and may be calling.
        app.lanes.own(&snapshot, &app.store, &owned, tenure, Timestamp::now() + LONGEST_CALL + CLOCKS);
        if owned.len() < lanes.len() {
            // They were last owned under a later epoch than this group's: with a new one they are ours.
            self.give_up(app, group.clone());
        }
        Ok(())
    }

    /// Waits until everything of a tenure that is over has ended.
    async fn ended(app: &App, group: &Group, tenure: &Tenure) {
        match groups::subscription_of(group) {
            Some(row) => app.events.disowned(row, tenure).await,
            None => app.lanes.ended(tenure).await,
        }
    }

    /// Brings a group to an end, then frees its lease.
    fn give_up(&self, app: &App, group: Group) {
        let tenure = match self.lock().get_mut(&group) {
            Some(held) if !held.ending => {
                held.ending = true;
                held.tenure.clone()
            }
            _ => return,
        };
        tracing::info!(%group, "node.group_given_up");
        tenure.end();
        let (ownership, app) = (self.clone(), app.clone());
        tokio::spawn(async move {
            Self::ended(&app, &group, &tenure).await;
            ownership.free(&app, group, &tenure).await;
        });
    }

    async fn free(&self, app: &App, group: Group, tenure: &Tenure) {
        if group.kind == Kind::Lanes && !tenure.is_settled() {
            tracing::warn!(%group, "node.lease_left_to_run_out");
        } else if let Err(error) = app.store.free_lease(group.clone(), tenure.epoch()).await {
            // It runs out.
            tracing::warn!(%group, %error, "node.lease_not_freed");
        }
        let mut held = self.lock();
        if held.get(&group).is_some_and(|held| held.tenure.epoch() == tenure.epoch()) {
            held.remove(&group);
        }
    }

    /// Frees the leases of some kinds, of which everything has ended. For a stop.
    pub async fn free_all(&self, app: &App, kinds: &[Kind]) {
        let held: Vec<(Group, Arc<Tenure>)> = self
            .lock()
            .iter()
            .filter(|(group, _)| kinds.contains(&group.kind))
            .map(|(group, held)| (group.clone(), held.tenure.clone()))
            .collect();
        join_all(held.into_iter().map(async |(group, tenure)| self.free(app, group, &tenure).await)).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Group, Held>> {
        // A plain table: a panic elsewhere leaves it whole.
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks every 0.75 s, and when woken, until the node has stopped.
pub(super) async fn run(app: App, stop: CancellationToken) {
    let ownership = app.ownership.clone();
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW_EVERY) => {}
            () = ownership.0.wake.notified() => {}
            () = stop.cancelled() => return,
        }
        let looked = ownership.look(&app).await;
        if ownership.0.away.swap(looked.is_err(), Ordering::Relaxed) != looked.is_err() {
            match looked {
                Ok(()) => tracing::info!("node.store_is_back"),
                Err(error) => tracing::warn!(%error, "node.leases_not_renewed"),
            }
        }
    }
}
