//! What the configuration says about events, and the two things that tests replace: the clock and the schedule.

use crate::config::{self, Config};
use herald_rules::{retry, time::Timestamp};
use ipnet::IpNet;
use std::{fmt, sync::Arc, time::Duration};

/// How events are handed over.
#[derive(Clone)]
pub struct Settings {
    /// Time to answer the first attempt of a delivery.
    pub first_timeout: Duration,
    /// Time to answer a later one.
    pub retry_timeout: Duration,
    /// From the oldest event of a delivery to its last attempt.
    pub max_age: Duration,
    /// How long nothing may be taken before a subscription is paused.
    pub disable_after: Duration,
    /// Networks that may be reached although they are not on the public internet.
    pub allow_networks: Arc<[IpNet]>,
    /// The most events in a delivery.
    pub max_batch: usize,
    /// The largest body, in bytes; a single event may be larger.
    pub max_bytes: usize,
    /// How long a delivery waits for more events while they keep coming.
    pub linger: Duration,
    /// Deliveries to one endpoint under way at once.
    pub concurrency: usize,
    /// How long a polling queue keeps an event.
    pub polling_keep: Duration,
    /// How long a polled event is hidden.
    pub visibility: Duration,
    /// The wait after so many failed attempts, given what the endpoint asked for.
    pub wait: Arc<dyn Fn(u32, Option<Duration>) -> Duration + Send + Sync>,
    /// The present moment.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("max_batch", &self.max_batch).finish_non_exhaustive()
    }
}

impl Settings {
    /// As configured.
    pub fn of(webhooks: &config::Webhooks, events: &config::Events) -> Self {
        Self {
            first_timeout: webhooks.first_timeout,
            retry_timeout: webhooks.retry_timeout,
            max_age: webhooks.max_age,
            disable_after: webhooks.disable_after,
            allow_networks: webhooks.allow_networks.clone().into(),
            max_batch: webhooks.max_batch.get(),
            max_bytes: 1 << 20,
            linger: webhooks.linger,
            concurrency: webhooks.concurrency.get(),
            polling_keep: events.polling_keep,
            visibility: events.visibility,
            wait: Arc::new(wait),
            clock: Arc::new(Timestamp::now),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self::of(&config.webhooks, &config.events)
    }
}

/// The rule's step and jitter. Its age limit is left out, because here that one is configured and counts from the event.
fn wait(failed: u32, wish: Option<Duration>) -> Duration {
    let now = Timestamp::now();
    let random = getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX));
    retry::next_delivery(failed, now, now, wish, random).map_or(Duration::from_secs(6 * 60 * 60), |at| at.since(now))
}
