//! The words in which subscriptions, deliveries and the log of events are written and read back.

use super::{DepartmentRow, Epoch, EventKind, LaneRow};
use herald_rules::{
    ids::{DeliveryId, MessageId, SubscriptionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// The row number of a subscription.
pub type SubscriptionRow = i64;

/// An event's place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey {
    /// The lane's log.
    pub lane: LaneRow,
    /// Its number there.
    pub sequence: i64,
}

/// A row of the log with its message, as it lies in the store: what an event's JSON is made from.
#[derive(Clone, Copy, Debug)]
pub struct LogRow<'a> {
    /// Its place.
    pub key: EventKey,
    /// The message; an id of its own where it is about none.
    pub id: MessageId,
    /// What it tells.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// The reason's number.
    pub reason: Option<u16>,
    /// The message went again after an unknown outcome.
    pub resent: bool,
    /// The provider's own words, JSON.
    pub provider: Option<&'a str>,
    /// The message, JSON; empty where it is about none.
    pub message: &'a str,
}

/// An event, read and rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedEvent {
    /// Its place.
    pub key: EventKey,
    /// The message it is about.
    pub id: MessageId,
    /// When it happened.
    pub at: Timestamp,
    /// Its JSON.
    pub json: Box<[u8]>,
}

/// How a subscription gets its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionKind {
    /// They are posted to a URL.
    Webhook,
    /// They wait to be fetched.
    Polling,
}

/// Whether a subscription gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// It does.
    Active,
    /// Somebody paused it. Its events are kept.
    Paused,
    /// Nothing was taken for days, so Herald paused it. Its events are kept and go on when it is resumed.
    PausedByFailure,
    /// Deleted; what is left of it is being cleared away.
    #[serde(skip)]
    Deleted,
}

/// What of a subscription is no secret and rarely asked for in queries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionSettings {
    /// The events it wants; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// The most events in one delivery; absent: the configured number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_batch: Option<u32>,
    /// The API secret that signs the v1.2 headers; absent: the department's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
}

/// Nothing has been taken for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// Probes that failed.
    pub failures: u32,
    /// When the next one goes.
    pub retry_at: Timestamp,
}

/// A subscription as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Its row.
    pub row: SubscriptionRow,
    /// Whose.
    pub department: DepartmentRow,
    /// Its id.
    pub id: SubscriptionId,
    /// Webhook or polling.
    pub kind: SubscriptionKind,
    /// The polling queue that v1.2's `getevents` reads.
    pub standard: bool,
    /// For people.
    pub name: String,
    /// Whether it gets events.
    pub state: SubscriptionState,
    /// Where to, for webhooks.
    pub url: Option<String>,
    /// The rest.
    pub settings: SubscriptionSettings,
    /// Its secrets and headers, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Set while nothing is taken.
    pub failing: Option<Failing>,
    /// What the last failure was.
    pub problem: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A subscription to be made.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Whose.
    pub department: DepartmentRow,
    /// Its id.
    pub id: SubscriptionId,
    /// Webhook or polling.
    pub kind: SubscriptionKind,
    /// For people.
    pub name: String,
    /// Where to, for webhooks.
    pub url: Option<String>,
    /// The rest.
    pub settings: SubscriptionSettings,
    /// Its secrets and headers, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Now. It gets what happens from now on.
    pub created_at: Timestamp,
}

/// How far a subscription is behind, and what of it could not be handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events in the log that were not yet put into a delivery.
    pub behind: u64,
    /// Deliveries under way or waiting for their next try.
    pub waiting: u64,
    /// Events refused while others pass, each waiting for its next try.
    pub parked: u64,
    /// Deliveries given up, which can be replayed.
    pub exhausted: u64,
}

/// What a delivery carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryKind {
    /// Events, for the first time.
    Events,
    /// The events of an earlier delivery once more.
    Replay,
    /// A made-up event, sent once to try the endpoint.
    Test,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Under way, or waiting for its next try.
    Waiting,
    /// One event that the endpoint refused while it took others; tried again by its own schedule.
    Parked,
    /// The endpoint answered 2xx.
    Taken,
    /// Given up after 3 days. Can be replayed.
    Exhausted,
    /// Refused as a whole and divided; its parts go on alone.
    Split,
}

/// A delivery as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// `webhook-id`.
    pub id: DeliveryId,
    /// What it carries.
    pub kind: DeliveryKind,
    /// Where it stands.
    pub state: DeliveryState,
    /// Tries so far.
    pub attempts: u32,
    /// When it is tried next; once ended, when that was.
    pub due: Timestamp,
    /// The time of its oldest event.
    pub oldest: Timestamp,
    /// Its events, in order.
    pub events: Vec<EventKey>,
    /// The delivery that it replays or is a part of.
    pub origin: Option<DeliveryId>,
}

/// One try at handing a delivery over.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// From 1.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// The first bytes of a refusal.
    pub answer: Option<String>,
}

/// One step of a subscription's way through the log: results, new batches and the cursor, durable together.
#[derive(Clone, Debug, Default)]
pub struct DeliveryStep {
    /// Which subscription.
    pub subscription: SubscriptionRow,
    /// The owner's epoch: with an earlier one than the last owner's it is refused.
    pub epoch: Epoch,
    /// Tries to be kept.
    pub attempts: Vec<Attempt>,
    /// Deliveries whose state, tries or due time changed.
    pub moved: Vec<Moved>,
    /// Batches frozen now.
    pub frozen: Vec<Delivery>,
    /// The lanes of which more was frozen or held: up to which number.
    pub cursors: Vec<EventKey>,
    /// Events that wait from now on, and the message for which they do.
    pub held: Vec<(EventKey, MessageId)>,
    /// Events that no longer wait: they are in `frozen`.
    pub released: Vec<EventKey>,
    /// Set when it changed: whether anything is taken, and what the last failure was.
    pub failing: Option<(Option<Failing>, Option<String>)>,
    /// It has failed for too long.
    pub pause: bool,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Which.
    pub id: DeliveryId,
    /// Its state now.
    pub state: DeliveryState,
    /// Its tries.
    pub attempts: u32,
    /// When it is tried next, or when it ended.
    pub due: Timestamp,
}

impl DeliveryStep {
    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
            && self.moved.is_empty()
            && self.frozen.is_empty()
            && self.cursors.is_empty()
            && self.failing.is_none()
            && !self.pause
    }
}

/// Where a subscription stands when its worker starts.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Up to which number each lane was frozen or held.
    pub cursors: Vec<EventKey>,
    /// Events that wait, in order, and their messages.
    pub held: Vec<(EventKey, MessageId)>,
    /// Unfinished deliveries, replays aside, with the messages of their events.
    pub open: Vec<(Delivery, Vec<MessageId>)>,
}

/// Which deliveries to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only made at or after.
    pub since: Option<Timestamp>,
    /// Only made before.
    pub until: Option<Timestamp>,
    /// Only older than this one: where the last page ended.
    pub before: Option<DeliveryId>,
    /// At most so many.
    pub limit: u32,
}

/// An event handed to a poller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolledEvent {
    /// Its place.
    pub key: EventKey,
    /// How often it was handed out, this time included.
    pub taken: u32,
}

/// Makes an event's JSON from its row; in memory only, called on a reader's thread.
pub type Render = Arc<dyn Fn(&LogRow<'_>, &mut Vec<u8>) + Send + Sync>;

/// How a polling queue is read.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    /// Now.
    pub now: Timestamp,
    /// At most so many events.
    pub limit: usize,
    /// How long they are hidden from the next reader.
    pub hidden_for: Duration,
    /// How long an event that nobody takes is kept.
    pub keep: Duration,
    /// They are taken as they are read: no handle brings them back.
    pub delete: bool,
}

/// What may be cleared away.
#[derive(Clone, Copy, Debug)]
pub struct EventRetention {
    /// Deliveries that ended, and their attempts: made before this moment.
    pub deliveries_before: Timestamp,
    /// What a poller was given and never deleted: before this moment.
    pub polled_before: Timestamp,
    /// Rows to delete of each kind in one step.
    pub step: u32,
}
