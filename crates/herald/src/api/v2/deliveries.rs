//! Deliveries and their attempts: what was handed over, what was not and why, and the same once more.

use super::subscriptions;
use crate::{
    api::{
        body::{Json, Query, id},
        codes::Code,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
    store::{Attempt, Delivery, DeliveryFilter, DeliveryKind, DeliveryState, SubscriptionKind, SubscriptionRow},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::{
    ids::{DeliveryId, SubscriptionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A delivery: one batch of events for one subscription. What it holds never changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// `webhook-id`: the same in all its attempts.
    #[schema(value_type = String, format = "uuid")]
    id: DeliveryId,
    /// Whose.
    #[schema(value_type = String, format = "uuid")]
    subscription: SubscriptionId,
    /// `events`, `replay` or `test`.
    kind: DeliveryKind,
    /// `waiting`, `parked`, `taken`, `exhausted`, or `split`: refused as a whole, its parts go on alone.
    state: DeliveryState,
    /// How many events.
    events: usize,
    /// Tries so far.
    attempts: u32,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
    /// The next try; null once it has ended.
    #[schema(value_type = Option<String>, format = "date-time")]
    next_attempt_at: Option<Timestamp>,
    /// When it ended; null before.
    #[schema(value_type = Option<String>, format = "date-time")]
    ended_at: Option<Timestamp>,
    /// The delivery that it replays, or is a part of.
    #[schema(value_type = Option<String>, format = "uuid")]
    origin: Option<DeliveryId>,
}

/// A delivery with all its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryStory {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// Its attempts, in order.
    history: Vec<AttemptView>,
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attempt)]
pub struct AttemptView {
    /// From 1; `X-Glassix-Request-Count`.
    number: u32,
    /// When it began.
    #[schema(value_type = String, format = "date-time")]
    at: Timestamp,
    /// How long it took.
    milliseconds: f64,
    /// The HTTP status; null: there was no answer.
    #[schema(example = 200)]
    status: Option<u16>,
    /// Why there was none.
    error: Option<String>,
    /// The beginning of a refusal, long digits masked.
    answer: Option<String>,
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            at: attempt.at,
            milliseconds: attempt.took.as_secs_f64() * 1_000.0,
            status: attempt.status,
            error: attempt.error,
            answer: attempt.answer,
        }
    }
}

impl DeliveryView {
    fn of(subscription: SubscriptionId, delivery: &Delivery) -> Self {
        let open = matches!(delivery.state, DeliveryState::Waiting | DeliveryState::Parked);
        Self {
            id: delivery.id,
            subscription,
            kind: delivery.kind,
            state: delivery.state,
            events: delivery.events.len(),
            attempts: delivery.attempts,
            created_at: made_at(delivery.id),
            next_attempt_at: open.then_some(delivery.due),
            ended_at: (!open).then_some(delivery.due),
            origin: delivery.origin,
        }
    }
}

/// A UUIDv7 begins with its milliseconds.
fn made_at(id: DeliveryId) -> Timestamp {
    let (high, _) = id.0.as_u64_pair();
    Timestamp(i64::try_from(high >> 16).unwrap_or(0) * 1_000)
}

/// Which deliveries to list. All conditions hold together.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// Only in this state: `waiting`, `parked`, `taken`, `exhausted` or `split`.
    #[param(example = "exhausted")]
    state: Option<String>,
    /// Made at this moment or later (RFC 3339).
    since: Option<String>,
    /// Made before this moment (RFC 3339).
    until: Option<String>,
    /// At most so many: 1 to 500, else 100.
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A span of time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayRequest {
    /// Deliveries made at this moment or later.
    #[schema(value_type = String, format = "date-time")]
    since: Timestamp,
    /// Deliveries made before this moment; absent: until now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    until: Option<Timestamp>,
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// New deliveries, which go out as the endpoint takes them.
    deliveries: u64,
}

/// List a subscription's deliveries
#[utoipa::path(
    get,
    path = "/api/v2/subscriptions/{id}/deliveries",
    operation_id = "listDeliveries",
    tag = "deliveries",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        DeliveriesQuery,
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "Newest first", body = Page<DeliveryView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = ProblemBody<'static>),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
    query: Query<DeliveriesQuery>,
) -> Result<axum::Json<Page<DeliveryView>>, Problem> {
    let subscription = subscriptions::find(&app, caller.department.row, &path).await?;
    let query = query.0;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = DeliveryFilter {
        state: query.state.as_deref().map(state).transpose()?,
        since: query.since.as_deref().map(|text| moment(text, "since")).transpose()?,
        until: query.until.as_deref().map(|text| moment(text, "until")).transpose()?,
        before: page.after::<DeliveryId>()?,
        limit: page.rows(),
    };
    let rows = app.store.deliveries(subscription.row, filter).await?;
    let view = |delivery| DeliveryView::of(subscription.id, &delivery);
    Ok(axum::Json(page.of_rows(rows, |delivery| delivery.id.to_string(), view)))
}

/// Show a delivery with its attempts
#[utoipa::path(
    get,
    path = "/api/v2/deliveries/{id}",
    operation_id = "getDelivery",
    tag = "deliveries",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The header `webhook-id`"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "The delivery", body = DeliveryStory),
        (status = 404, description = "`delivery_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
) -> Result<axum::Json<DeliveryStory>, Problem> {
    let (row, subscription, delivery) = find(&app, caller.department.row, &path).await?;
    let attempts = app.store.attempts(row, delivery.id).await?;
    let history = attempts.into_iter().map(Into::into).collect();
    Ok(axum::Json(DeliveryStory { delivery: DeliveryView::of(subscription, &delivery), history }))
}

/// Replay a delivery
///
/// A new delivery with the same events, under an id of its own.
#[utoipa::path(
    post,
    path = "/api/v2/deliveries/{id}/replay",
    operation_id = "replayDelivery",
    tag = "deliveries",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The header `webhook-id`"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 202, description = "The new delivery", body = DeliveryView),
        (status = 400, description = "`invalid_value`: a test", body = ProblemBody<'static>),
        (status = 404, description = "`delivery_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn replay(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
) -> Result<(StatusCode, axum::Json<DeliveryView>), Problem> {
    let department = caller.department.row;
    let (row, subscription, delivery) = find(&app, department, &path).await?;
    if delivery.kind == DeliveryKind::Test {
        let detail = "A test holds no events. POST /api/v2/subscriptions/{id}/test sends another.";
        return Err(Problem::new(Code::InvalidValue, detail));
    }
    let made = app.store.replay_delivery(row, delivery.id, Timestamp::now()).await?.ok_or_else(not_found)?;
    app.subscription_changed(row).await?;
    let (.., delivery) = app.store.delivery(department, made).await?.ok_or_else(not_found)?;
    Ok((StatusCode::ACCEPTED, axum::Json(DeliveryView::of(subscription, &delivery))))
}

/// Replay a span of time
///
/// Every delivery that was made then and has ended (taken or exhausted) goes once more, under new ids. Replays, tests and
/// deliveries that were divided are left out: their events are in others.
#[utoipa::path(
    post,
    path = "/api/v2/subscriptions/{id}/replay",
    operation_id = "replaySubscription",
    tag = "deliveries",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body = ReplayRequest,
    responses(
        (status = 202, description = "How many", body = Replayed),
        (status = 400, description = "`invalid_body`, `invalid_value`", body = ProblemBody<'static>),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn replay_span(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
    body: Json<ReplayRequest>,
) -> Result<(StatusCode, axum::Json<Replayed>), Problem> {
    let subscription = subscriptions::find(&app, caller.department.row, &path).await?;
    if subscription.kind == SubscriptionKind::Polling {
        return Err(Problem::new(Code::InvalidValue, "What was polled and deleted is gone; replays are for webhooks."));
    }
    let now = Timestamp::now();
    let until = body.0.until.unwrap_or(now);
    if until <= body.0.since {
        return Err(Problem::new(Code::InvalidValue, "until must be later than since.").at("/until"));
    }
    let deliveries = app.store.replay_range(subscription.row, body.0.since, until, now).await?;
    app.subscription_changed(subscription.row).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Replayed { deliveries })))
}

async fn find(app: &App, department: i64, text: &str) -> Result<(SubscriptionRow, SubscriptionId, Delivery), Problem> {
    app.store.delivery(department, id(text, not_found)?).await?.ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::new(
        Code::DeliveryNotFound,
        "This department has no delivery of this id; deliveries that ended are kept for 30 days, unless configured otherwise.",
    )
}

fn state(text: &str) -> Result<DeliveryState, Problem> {
    let value = serde_json::Value::String(text.trim().to_ascii_lowercase());
    serde_json::from_value(value).map_err(|_| {
        Problem::new(Code::InvalidQuery, "state is waiting, parked, taken, exhausted or split.").at("state")
    })
}

fn moment(text: &str, name: &'static str) -> Result<Timestamp, Problem> {
    // A plus sign in an address that was not encoded comes as a blank.
    text.trim().replace(' ', "+").parse().map_err(|_| {
        Problem::new(Code::InvalidQuery, format!("{name} is no moment as in RFC 3339: 2026-11-22T12:00:00Z.")).at(name)
    })
}
