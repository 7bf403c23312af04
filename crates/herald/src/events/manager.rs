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
    node::directory::Directory,
    observe::metrics::Metrics,
    store::{Attempt, Delivery, DepartmentRow, Store, StoreError, Subscription, SubscriptionKind, SubscriptionRow},
};
use std::{
    collections::HashMap,
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

/// The hand-over of events of this node. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Shared,
    secrets: Arc<dyn Secrets>,
    stop: watch::Sender<bool>,
    workers: Mutex<HashMap<SubscriptionRow, Running>>,
    /// Changes of one subscription must not overtake each other.
    changing: tokio::sync::Mutex<()>,
}

struct Running {
    endpoint: watch::Sender<Arc<Endpoint>>,
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Events {
    /// Starts a worker for each active webhook. `log` is the one that the store's observer tells of changes.
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
    ) -> Result<Self, EventsError> {
        let guard = Guard::new(settings.allow_networks.clone());
        let clients = clients(guard).map_err(EventsError::Client)?;
        for (department, heads) in store.log_heads(Vec::new()).await? {
            log.known(department, &heads);
        }
        let subscriptions = store.subscriptions(None).await?;
        let shared = Shared { store, directory, log, settings, clients, metrics };
        let inner = Inner {
            shared,
            secrets,
            stop: watch::Sender::new(false),
            workers: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        };
        let events = Self { inner: Arc::new(inner) };
        for subscription in subscriptions {
            events.apply(subscription).await;
        }
        Ok(events)
    }

    /// Call it after a subscription was made or changed in any way, and after a replay was asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn changed(&self, row: SubscriptionRow) -> Result<(), StoreError> {
        let _one_at_a_time = self.inner.changing.lock().await;
        match self.inner.shared.store.subscription(row).await? {
            Some(subscription) => self.apply(subscription).await,
            // Deleted: the worker finishes what is under way and ends.
            None => {
                if let Some(running) = self.workers().remove(&row) {
                    running.endpoint.send_modify(|endpoint| *endpoint = Arc::new(endpoint.deleted()));
                }
            }
        }
        Ok(())
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
        let mut workers = self.workers();
        let previous = match workers.remove(&row) {
            Some(running) if !running.task.is_finished() => {
                let was_active = running.endpoint.borrow().is_active();
                running.endpoint.send_replace(endpoint.clone());
                running.wake.notify_one();
                // One that is ending on account of a pause cannot be called back: the next begins when it is done.
                if was_active || !endpoint.is_active() {
                    workers.insert(row, running);
                    return;
                }
                Some(running.task)
            }
            _ => None,
        };
        if !endpoint.is_active() || *self.inner.stop.borrow() {
            return;
        }
        let (sender, receiver) = watch::channel(endpoint);
        let wake = Arc::new(Notify::new());
        let (shared, stop, woken) = (self.inner.shared.clone(), self.inner.stop.subscribe(), wake.clone());
        let task = tokio::spawn(async move {
            if let Some(previous) = previous {
                // Whatever became of it, it is over.
                let _ = previous.await;
            }
            Worker::run(shared, receiver, stop, woken).await;
        });
        workers.insert(row, Running { endpoint: sender, wake, task });
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<SubscriptionRow, Running>> {
        self.inner.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
