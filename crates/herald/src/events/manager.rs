//! One worker for each active webhook: starting, changing, stopping them.

use super::{
    client::clients,
    endpoint::Endpoint,
    log::Log,
    secrets::Secrets,
    settings::Settings,
    test_event,
    worker::{Shared, Worker},
};
use crate::{
    net::Guard,
    node::{directory::Directory, ownership::Tenure},
    observe::metrics::Metrics,
    store::{Attempt, Delivery, DepartmentRow, Store, StoreError, Subscription, SubscriptionKind, SubscriptionRow},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// Why events cannot be handed over.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client of webhooks cannot be made: {0}")]
    Client(String),
}

/// This node's hold on a subscription; None: it is another node's.
pub type Owner = Arc<dyn Fn(SubscriptionRow) -> Option<Arc<Tenure>> + Send + Sync>;

/// The hand-over of events of this node. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Shared,
    secrets: Arc<dyn Secrets>,
    stop: watch::Sender<bool>,
    owner: Owner,
    workers: Mutex<HashMap<SubscriptionRow, Running>>,
    /// Active webhooks, whosever they are.
    webhooks: Mutex<BTreeSet<SubscriptionRow>>,
    /// Changes of one subscription must not overtake each other.
    changing: tokio::sync::Mutex<()>,
}

struct Running {
    endpoint: watch::Sender<Arc<Endpoint>>,
    wake: Arc<Notify>,
    tenure: Arc<Tenure>,
    task: JoinHandle<()>,
}

impl Events {
    /// Reads the subscriptions, and starts a worker for each active webhook that `owner` says is this node's. `log` is the one
    /// that the store's observer tells of changes.
    ///
    /// # Errors
    /// When the store cannot be read, or no HTTP client can be made.
    pub async fn start(
        store: Store,
        directory: Directory,
        log: Log,
        secrets: Arc<dyn Secrets>,
        settings: Settings,
        metrics: Arc<Metrics>,
        owner: Owner,
    ) -> Result<Self, EventsError> {
        let guard = Guard::new(settings.allow_networks.clone());
        let clients = clients(guard).map_err(EventsError::Client)?;
        for (department, heads) in store.log_heads(Vec::new()).await? {
            log.known(department, &heads);
        }
        let shared = Shared { store, directory, log, settings, clients, metrics };
        let inner = Inner {
            shared,
            secrets,
            stop: watch::Sender::new(false),
            owner,
            workers: Mutex::default(),
            webhooks: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        };
        let events = Self { inner: Arc::new(inner) };
        events.reload().await?;
        Ok(events)
    }

    /// Reads all subscriptions anew: another node may have changed any of them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.inner.changing.lock().await;
        let subscriptions = self.inner.shared.store.subscriptions(None).await?;
        let known: BTreeSet<_> = subscriptions.iter().map(|subscription| subscription.row).collect();
        let gone: Vec<_> = self.workers().keys().copied().filter(|row| !known.contains(row)).collect();
        for subscription in subscriptions {
            self.apply(subscription).await;
        }
        gone.into_iter().for_each(|row| self.deleted(row));
        self.webhook_rows().retain(|row| known.contains(row));
        Ok(())
    }

    /// The active webhooks of the instance.
    pub fn webhooks(&self) -> BTreeSet<SubscriptionRow> {
        self.webhook_rows().clone()
    }

    /// Whether a webhook is worked here.
    pub fn is_worked(&self, row: SubscriptionRow) -> bool {
        let workers = self.workers();
        workers.get(&row).is_some_and(|running| !running.task.is_finished() && !running.tenure.ended().is_cancelled())
    }

    /// Waits until the worker of a subscription, whose tenure is over, has ended.
    pub async fn disowned(&self, row: SubscriptionRow, tenure: &Tenure) {
        let running = {
            let mut workers = self.workers();
            let is_of_it = workers.get(&row).is_some_and(|running| running.tenure.epoch() == tenure.epoch());
            is_of_it.then(|| workers.remove(&row)).flatten()
        };
        if let Some(running) = running {
            // Its endpoint stays connected until it has ended.
            drop(running.task.await);
        }
    }

    /// Call it after a subscription was made or changed in any way, and after a replay was asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn changed(&self, row: SubscriptionRow) -> Result<(), StoreError> {
        let _one_at_a_time = self.inner.changing.lock().await;
        match self.inner.shared.store.subscription(row).await? {
            Some(subscription) => self.apply(subscription).await,
            None => self.deleted(row),
        }
        Ok(())
    }

    /// The worker finishes what is under way and ends.
    fn deleted(&self, row: SubscriptionRow) {
        self.webhook_rows().remove(&row);
        if let Some(running) = self.workers().remove(&row) {
            running.endpoint.send_modify(|endpoint| *endpoint = Arc::new(endpoint.deleted()));
        }
    }

    /// Call it after an API secret of a department was made, changed or revoked: it may sign webhooks.
    ///
    /// # Errors
    /// When the subscriptions cannot be read.
    pub async fn secrets_changed(&self, department: DepartmentRow) -> Result<(), StoreError> {
        for subscription in self.inner.shared.store.subscriptions(Some(department)).await? {
            self.changed(subscription.row).await?;
        }
        Ok(())
    }

    /// Ends: no new attempt begins, and those under way have until `deadline`. What they come to after that is not
    /// known, and they are made again after the next start.
    pub async fn stop(&self, deadline: Instant) {
        self.inner.stop.send_replace(true);
        let workers: Vec<_> = self.workers().drain().map(|(_, running)| running).collect();
        for mut running in workers {
            if timeout_at(deadline, &mut running.task).await.is_err() {
                running.task.abort();
            }
        }
    }

    /// Posts a made-up event to a subscription's endpoint, once, and says what came of it.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn test(&self, subscription: Subscription) -> Result<(Delivery, Attempt), StoreError> {
        let endpoint = self.endpoint(subscription).await;
        test_event::send(&self.inner.shared, &endpoint).await
    }

    /// Judges the addresses that webhooks may have.
    pub fn guard(&self) -> &Guard {
        self.inner.shared.clients.guard()
    }

    /// Seals and opens what subscriptions keep secret.
    pub fn secrets(&self) -> &dyn Secrets {
        self.inner.secrets.as_ref()
    }

    /// The largest batch that is configured.
    pub fn settings(&self) -> &Settings {
        &self.inner.shared.settings
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    async fn endpoint(&self, subscription: Subscription) -> Endpoint {
        let department = {
            let snapshot = self.inner.shared.directory.get();
            snapshot.department(subscription.department).map(|department| department.id)
        };
        // A department is never deleted before its subscriptions; nil only keeps this total.
        let department = department.unwrap_or(herald_rules::ids::DepartmentId(uuid::Uuid::nil()));
        Endpoint::new(department, subscription, self.guard(), self.secrets()).await
    }

    /// Gives the running worker what is new, or starts one.
    async fn apply(&self, subscription: Subscription) {
        if subscription.kind != SubscriptionKind::Webhook {
            return;
        }
        let row = subscription.row;
        let endpoint = Arc::new(self.endpoint(subscription).await);
        match endpoint.is_active() {
            true => self.webhook_rows().insert(row),
            false => self.webhook_rows().remove(&row),
        };
        let owned = (self.inner.owner)(row);
        let mut workers = self.workers();
        let previous = match workers.remove(&row) {
            Some(running) if !running.task.is_finished() => {
                let was_active = running.endpoint.borrow().is_active();
                running.endpoint.send_replace(endpoint.clone());
                running.wake.notify_one();
                // One that is ending, on account of a pause or since it was another node's for a while, cannot be called back:
                // the next begins when it is done.
                let ending = !was_active || running.tenure.ended().is_cancelled();
                if !ending || !endpoint.is_active() {
                    workers.insert(row, running);
                    return;
                }
                Some(running.task)
            }
            _ => None,
        };
        let Some(tenure) = owned.filter(|_| endpoint.is_active() && !*self.inner.stop.borrow()) else { return };
        let (sender, receiver) = watch::channel(endpoint);
        let wake = Arc::new(Notify::new());
        let (shared, stop, woken) = (self.inner.shared.clone(), self.inner.stop.subscribe(), wake.clone());
        let held = tenure.clone();
        let task = tokio::spawn(async move {
            if let Some(previous) = previous {
                // Whatever became of it, it is over.
                let _ = previous.await;
            }
            Worker::run(shared, receiver, stop, woken, held).await;
        });
        workers.insert(row, Running { endpoint: sender, wake, tenure, task });
    }

    fn webhook_rows(&self) -> MutexGuard<'_, BTreeSet<SubscriptionRow>> {
        self.inner.webhooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<SubscriptionRow, Running>> {
        self.inner.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
