//! The worker of one webhook: reads the log, makes each step durable, makes the attempts. It decides nothing itself.

use super::{
    attempt::{Outcome, Tried, post},
    endpoint::Endpoint,
    envelope,
    log::Log,
    outbox::{Bounds, Outbox, Start},
    settings::Settings,
};
use crate::{
    net::Clients,
    node::{crash, directory::Directory, ownership::Tenure},
    observe::metrics::Metrics,
    store::{Attempt, Delivery, DeliveryStep, EventKey, LoggedEvent, Render, Store, StoreError},
};
use futures_util::FutureExt;
use herald_rules::{ids::DeliveryId, redact};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

/// What all workers share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) directory: Directory,
    pub(super) log: Log,
    pub(super) settings: Settings,
    pub(super) clients: Clients,
    pub(super) metrics: Arc<Metrics>,
}

/// What was read meanwhile.
enum Read {
    Log { heads: Vec<EventKey>, events: Result<Vec<LoggedEvent>, StoreError> },
    Held { asked: Vec<EventKey>, events: Result<Vec<LoggedEvent>, StoreError> },
    Replays(Result<Vec<Delivery>, StoreError>),
}

pub(super) struct Worker {
    shared: Shared,
    endpoint: watch::Receiver<Arc<Endpoint>>,
    stop: watch::Receiver<bool>,
    tenure: Arc<Tenure>,
    connected: bool,
    wake: Arc<Notify>,
    render: Render,
    outbox: Outbox,
    attempts: JoinSet<Tried>,
    reading: Option<JoinHandle<Read>>,
    /// Replays may have been added to the store.
    look_for_replays: bool,
    step: DeliveryStep,
}

impl Worker {
    /// Works until the subscription is no longer active or everything stops. Attempts under way are finished first.
    pub(super) async fn run(
        shared: Shared,
        mut endpoint: watch::Receiver<Arc<Endpoint>>,
        stop: watch::Receiver<bool>,
        wake: Arc<Notify>,
        tenure: Arc<Tenure>,
    ) {
        let now = endpoint.borrow_and_update().clone();
        let (row, department) = (now.subscription.row, now.subscription.department);
        let progress = loop {
            match shared.store.progress(&now.subscription).await {
                Ok(progress) => break progress,
                Err(error) if *stop.borrow() || tenure.ended().is_cancelled() => {
                    tracing::warn!(subscription = %now.subscription.id, %error, "webhook.not_started");
                    return;
                }
                Err(error) => {
                    tracing::warn!(subscription = %now.subscription.id, %error, "webhook.start_postponed");
                    sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let bounds = Bounds::of(&shared.settings, now.subscription.settings.max_batch);
        let outbox = Outbox::new(bounds, progress, now.subscription.failing);
        let render = envelope::renderer(now.department, shared.directory.clone());
        shared.log.listen(department, wake.clone());
        let log = shared.log.clone();
        let mut worker = Self {
            shared,
            endpoint,
            stop,
            tenure: tenure.clone(),
            connected: true,
            wake: wake.clone(),
            render,
            outbox,
            attempts: JoinSet::new(),
            reading: None,
            look_for_replays: true,
            step: DeliveryStep { subscription: row, epoch: tenure.epoch(), ..DeliveryStep::default() },
        };
        worker.work().await;
        log.forget(department, &wake);
    }

    async fn work(&mut self) {
        loop {
            let running = !self.is_over() && self.endpoint.borrow().is_active() && !self.step.pause;
            let now = self.shared.settings.now();
            if running {
                self.read();
                self.outbox.freeze(now, &mut self.step);
            }
            let paused = self.step.pause;
            if !self.make_durable().await {
                return;
            }
            if paused {
                self.notice();
                return;
            }
            // Past the lease's end another node may be handing over the same.
            if running && self.tenure.may_call() {
                for start in self.outbox.starts(now) {
                    self.attempt(start);
                }
            } else if !running && self.outbox.is_idle() {
                return;
            }
            self.wait(running).await;
        }
    }

    /// The node stops, or another has the subscription.
    fn is_over(&self) -> bool {
        *self.stop.borrow() || self.tenure.ended().is_cancelled()
    }

    /// Reads ahead in the background, one thing at a time: what was held first, then the log, then replays.
    fn read(&mut self) {
        if self.reading.is_some() {
            return;
        }
        let department = self.endpoint.borrow().subscription.department;
        let (store, render) = (self.shared.store.clone(), self.render.clone());
        let asked = self.outbox.take_free(self.outbox.bounds.max_batch);
        if !asked.is_empty() {
            self.reading = Some(tokio::spawn(async move {
                let events = store.log_of(department, asked.clone(), render).await;
                Read::Held { asked, events }
            }));
            return;
        }
        let room = self.outbox.room();
        let heads = match room {
            0 => Vec::new(),
            _ => self.shared.log.news(department, self.outbox.read_to()),
        };
        if !heads.is_empty() {
            let read_to = self.outbox.read_to();
            let after = heads
                .iter()
                .map(|head| EventKey { sequence: read_to.get(&head.lane).copied().unwrap_or(0), ..*head })
                .collect();
            // What has been frozen and held was wanted when it was; only what is new is chosen from.
            let render = envelope::only(self.endpoint.borrow().subscription.settings.events.clone(), render);
            self.reading = Some(tokio::spawn(async move {
                let events = store.log_after(department, after, room, render).await;
                Read::Log { heads, events }
            }));
            return;
        }
        if self.look_for_replays && self.outbox.room_for_replays() > 0 {
            self.look_for_replays = false;
            let row = self.step.subscription;
            // Those that are here already are in the page too, hence twice as many.
            let limit = 2 * super::outbox::REPLAYS as u32;
            self.reading = Some(tokio::spawn(async move { Read::Replays(store.waiting_replays(row, limit).await) }));
        }
    }

    async fn took(&mut self, read: Read) {
        let now = self.shared.settings.now();
        let failed = match read {
            Read::Log { heads, events: Ok(events) } => {
                self.outbox.loaded(&heads, events, now);
                None
            }
            Read::Held { asked, events: Ok(events) } => {
                self.outbox.came_back(&asked, events);
                None
            }
            Read::Replays(Ok(replays)) => {
                self.outbox.add_replays(replays);
                None
            }
            Read::Held { events: Err(error), .. } => {
                self.outbox.did_not_come_back();
                Some(error)
            }
            Read::Replays(Err(error)) => {
                self.look_for_replays = true;
                Some(error)
            }
            Read::Log { events: Err(error), .. } => Some(error),
        };
        if let Some(error) = failed {
            tracing::warn!(subscription = %self.endpoint.borrow().subscription.id, %error, "webhook.log_not_read");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Writes the step, as often as it takes: what it says has been decided. Only a stop gives up; then what was
    /// handed over may be handed over once more after the start.
    async fn make_durable(&mut self) -> bool {
        if self.step.is_empty() {
            return true;
        }
        let (subscription, epoch) = (self.step.subscription, self.step.epoch);
        let empty = DeliveryStep { subscription, epoch, ..DeliveryStep::default() };
        let step = std::mem::replace(&mut self.step, empty);
        let mut pause = Duration::from_millis(20);
        loop {
            let name = if step.frozen.is_empty() { "delivered" } else { "freeze" };
            let recorded = crash::around(name, self.shared.store.record_step(step.clone())).await;
            let Err(error) = recorded else { return true };
            if matches!(error, StoreError::Fenced) {
                // Another node goes on from the last step that was written.
                self.tenure.end();
                return false;
            }
            if self.is_over() {
                return false;
            }
            tracing::warn!(subscription = %self.endpoint.borrow().subscription.id, %error, "webhook.step_postponed");
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    fn attempt(&mut self, start: Start) {
        let endpoint = self.endpoint.borrow().clone();
        let (shared, render) = (self.shared.clone(), self.render.clone());
        let (id, number) = (start.id, start.number);
        self.attempts.spawn(async move {
            let tried = AssertUnwindSafe(make(&shared, &endpoint, render, start)).catch_unwind().await;
            // A fault of ours must not keep the delivery in flight for ever.
            tried.unwrap_or_else(|_| broken(&shared, id, number, "internal error"))
        });
    }

    /// Waits for whatever comes first, and takes it.
    async fn wait(&mut self, running: bool) {
        let now = self.shared.settings.now();
        let due = self.outbox.next_due().filter(|_| running);
        // At least a millisecond, so that a mistake in a due time cannot become a loop without a pause; and while the lease
        // waits for its renewal nothing can begin.
        let least = Duration::from_millis(if self.tenure.may_call() { 1 } else { 250 });
        let due = due.map(|due| Instant::now() + due.since(now).max(least));
        let far = Instant::now() + Duration::from_secs(3600);
        let mut stop = self.stop.clone();
        let tenure = self.tenure.clone();
        tokio::select! {
            Some(tried) = self.attempts.join_next() => {
                self.settle(tried);
                while let Some(tried) = self.attempts.try_join_next() {
                    self.settle(tried);
                }
            }
            read = async { self.reading.as_mut().map(|reading| reading.fuse()) }.then(finished), if self.reading.is_some() => {
                self.reading = None;
                if let Some(read) = read {
                    self.took(read).await;
                }
            }
            () = self.wake.notified(), if running => self.look_for_replays = true,
            () = sleep_until(due.unwrap_or(far)), if due.is_some() => {}
            changed = self.endpoint.changed(), if self.connected => {
                // Its owner has gone: nothing will change any more.
                self.connected = changed.is_ok();
                let subscription = &self.endpoint.borrow().subscription;
                self.outbox.bounds = Bounds::of(&self.shared.settings, subscription.settings.max_batch);
            }
            // Awake for a stop, and for the end of whoever could ask for one.
            _ = stop.changed(), if running && self.connected => {}
            () = tenure.ended().cancelled(), if running => {}
        }
    }

    fn settle(&mut self, tried: Result<Tried, tokio::task::JoinError>) {
        // Attempts catch their own panics, and are only aborted with the worker itself.
        let Ok(tried) = tried else { return };
        let now = self.shared.settings.now();
        let replays = self.outbox.room_for_replays();
        let wait = self.shared.settings.wait.clone();
        if let Some((result, age)) = self.outbox.settle(tried, now, wait.as_ref(), &mut self.step) {
            self.shared.metrics.deliveries.of(result).inc();
            if result == crate::observe::metrics::DeliveryResult::Delivered {
                self.shared.metrics.webhook_lag_seconds.observe(age.as_secs_f64());
            }
        }
        self.look_for_replays |= self.outbox.room_for_replays() > replays;
    }

    fn notice(&self) {
        let endpoint = self.endpoint.borrow();
        tracing::error!(
            subscription = %endpoint.subscription.id,
            name = endpoint.subscription.name,
            url = endpoint.subscription.url.as_deref().map(redact::url),
            "webhook.paused_by_failure: nothing was taken for days; its events are kept until it is resumed"
        );
    }
}

/// Polls a read to its end; `None` where its task broke.
async fn finished(reading: Option<futures_util::future::Fuse<&mut JoinHandle<Read>>>) -> Option<Read> {
    reading?.await.ok()
}

/// Makes the body where there is none, and posts it.
async fn make(shared: &Shared, endpoint: &Endpoint, render: Render, start: Start) -> Tried {
    let Start { id, number, body, events } = start;
    let body = match body {
        Some(body) => body,
        None => match shared.store.log_of(endpoint.subscription.department, events, render).await {
            Ok(events) if events.is_empty() => {
                return Tried { outcome: Outcome::Gone, ..broken(shared, id, number, "its events are gone") };
            }
            Ok(events) => body_of(&events),
            Err(error) => return broken(shared, id, number, &error.to_string()),
        },
    };
    crash::around("delivery", post(&shared.clients, &shared.settings, endpoint, id, number, body)).await
}

/// The same bytes as when it was frozen: an array of the events' JSON.
fn body_of(events: &[LoggedEvent]) -> Vec<u8> {
    let mut body = Vec::with_capacity(events.iter().map(|event| event.json.len() + 1).sum::<usize>() + 1);
    for (index, event) in events.iter().enumerate() {
        body.push(if index == 0 { b'[' } else { b',' });
        body.extend_from_slice(&event.json);
    }
    body.push(b']');
    body
}

/// An attempt that never reached the network.
fn broken(shared: &Shared, delivery: DeliveryId, number: u32, error: &str) -> Tried {
    let at = shared.settings.now();
    let error = Some(error.to_owned());
    Tried {
        attempt: Attempt { delivery, number, at, took: Duration::ZERO, status: None, error, answer: None },
        outcome: Outcome::Down { wish: None },
    }
}
