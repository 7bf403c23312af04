//! Subscriptions as they are answered.

use crate::{
    api::{problem::Problem, v2::deliveries::AttemptView},
    events::Hidden,
    node::app::App,
    store::{Attempt, Delivery, DeliveryState, Subscription, SubscriptionKind, SubscriptionState},
};
use herald_rules::{
    ids::{DeliveryId, SubscriptionId},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
pub struct SubscriptionView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: SubscriptionId,
    /// Webhook or polling.
    kind: SubscriptionKind,
    /// For people.
    name: String,
    /// `active`, `paused`, or `paused_by_failure`: nothing was taken for days. Events are kept in all of them.
    state: SubscriptionState,
    /// Where to.
    url: Option<String>,
    /// Which events; empty: all.
    events: Vec<String>,
    /// The names of its headers; their values are never shown.
    headers: Vec<String>,
    /// The most events in one delivery; null: the instance's number.
    max_batch: Option<u32>,
    /// The API secret that makes the v1.2 signatures; null: the department's oldest one in force.
    secret_name: Option<String>,
    /// Set while nothing is taken: the endpoint gets one delivery at a time to see whether it is back.
    failing: Option<FailingView>,
    /// Events that have not been put into a delivery, or wait behind one.
    events_behind: u64,
    /// Deliveries under way or waiting for their next try.
    deliveries_waiting: u64,
    /// Events that were refused while others passed, each with a schedule of its own.
    events_parked: u64,
    /// Deliveries given up after 3 days. They can be replayed.
    deliveries_exhausted: u64,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
}

/// Nothing is taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Failing)]
pub struct FailingView {
    /// Since when.
    #[schema(value_type = String, format = "date-time")]
    since: Timestamp,
    /// What the last failure was.
    #[schema(example = "HTTP 503")]
    problem: Option<String>,
    /// Tries that failed since.
    failures: u32,
    /// When the next one goes.
    #[schema(value_type = String, format = "date-time")]
    retry_at: Timestamp,
}

/// A subscription with its new secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionMade {
    #[serde(flatten)]
    pub(super) subscription: SubscriptionView,
    /// Signs every delivery by Standard Webhooks. Keep it; it cannot be shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_...")]
    pub(super) secret: Option<String>,
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestResult {
    /// The endpoint answered 2xx.
    taken: bool,
    /// The delivery, as it is kept.
    #[schema(value_type = String, format = "uuid")]
    delivery: DeliveryId,
    /// The one attempt.
    attempt: AttemptView,
}

impl TestResult {
    pub(super) fn of(delivery: Delivery, attempt: Attempt) -> Self {
        Self { taken: delivery.state == DeliveryState::Taken, delivery: delivery.id, attempt: attempt.into() }
    }
}

impl SubscriptionView {
    pub(super) async fn of(app: &App, subscription: Subscription) -> Result<Self, Problem> {
        let backlog = app.store.backlog(subscription.row).await?;
        let hidden = Hidden::open(&subscription, app.events.secrets()).unwrap_or_default();
        let failing = subscription.failing.map(|failing| FailingView {
            since: failing.since,
            problem: subscription.problem.clone(),
            failures: failing.failures,
            retry_at: failing.retry_at,
        });
        Ok(Self {
            id: subscription.id,
            kind: subscription.kind,
            name: subscription.name,
            state: subscription.state,
            url: subscription.url,
            events: subscription.settings.events,
            headers: hidden.headers.into_iter().map(|(name, _)| name).collect(),
            max_batch: subscription.settings.max_batch,
            secret_name: subscription.settings.secret_name,
            failing,
            events_behind: backlog.behind,
            deliveries_waiting: backlog.waiting,
            events_parked: backlog.parked,
            deliveries_exhausted: backlog.exhausted,
            created_at: subscription.created_at,
        })
    }
}
