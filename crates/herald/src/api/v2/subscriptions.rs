//! Subscriptions: who wants which events, and how they get them.

use super::{
    name,
    subscription_request::{
        RotateRequest, SubscriptionPatch, SubscriptionRequest, checked_url, events, headers, invalid, max_batch,
        secret_name,
    },
    subscription_view::{SubscriptionMade, SubscriptionView, TestResult},
};
use crate::{
    api::{
        body::{Json, Query, id},
        codes::Code,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    events::{Hidden, SigningSecret},
    node::app::App,
    store::{DepartmentRow, NewSubscription, Subscription, SubscriptionKind, SubscriptionSettings, SubscriptionState},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::{ids::SubscriptionId, signature::EndpointSecret, time::Timestamp};

/// Subscribe
///
/// It gets what happens from now on. A webhook's deliveries are JSON arrays, signed in both families of headers; the answer
/// holds the secret of Standard Webhooks, this once. The URL is checked now and at every connection.
#[utoipa::path(
    post,
    path = "/api/v2/subscriptions",
    operation_id = "createSubscription",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(("department" = Option<String>, Query, description = "For the administrator: which department")),
    request_body = SubscriptionRequest,
    responses(
        (status = 201, description = "Made", body = SubscriptionMade),
        (status = 400, description = "`invalid_body`, `invalid_value`, `url_forbidden`", body = ProblemBody<'static>),
        (status = 404, description = "`secret_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    body: Json<SubscriptionRequest>,
) -> Result<(StatusCode, axum::Json<SubscriptionMade>), Problem> {
    let request = body.0;
    let department = caller.department.row;
    let is_webhook = request.kind == SubscriptionKind::Webhook;
    let url = match (is_webhook, request.url) {
        (true, Some(url)) => Some(checked_url(&app, &url).await?),
        (true, None) => return Err(invalid("A webhook needs a url.", "/url")),
        (false, None) => None,
        (false, Some(_)) => return Err(invalid("A polling subscription has no url: its events are fetched.", "/url")),
    };
    let id = SubscriptionId::new();
    let settings = SubscriptionSettings {
        events: events(request.events)?,
        max_batch: max_batch(request.max_batch)?,
        secret_name: secret_name(&app, department, request.secret_name).await?,
    };
    let secret = is_webhook.then(new_secret);
    let hidden = Hidden {
        secrets: secret.iter().map(|value| SigningSecret { value: value.clone(), until: None }).collect(),
        headers: headers(request.headers)?,
    };
    let new = NewSubscription {
        department,
        id,
        kind: request.kind,
        name: name(&request.name, "/name")?,
        url,
        settings,
        sealed: is_webhook.then(|| hidden.seal(id, app.events.secrets())),
        created_at: Timestamp::now(),
    };
    let made = app.store.create_subscription(new).await?;
    app.subscription_changed(made.row).await?;
    let subscription = SubscriptionView::of(&app, made).await?;
    Ok((StatusCode::CREATED, axum::Json(SubscriptionMade { subscription, secret })))
}

/// List the subscriptions
#[utoipa::path(
    get,
    path = "/api/v2/subscriptions",
    operation_id = "listSubscriptions",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(PageQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses((status = 200, description = "Oldest first", body = Page<SubscriptionView>))
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    page: Query<PageQuery>,
) -> Result<axum::Json<Page<SubscriptionView>>, Problem> {
    let all = app.store.subscriptions(Some(caller.department.row)).await?;
    let cut = page.0.cut(all, |subscription| subscription.row, |subscription| subscription)?;
    let mut items = Vec::with_capacity(cut.items.len());
    for subscription in cut.items {
        items.push(SubscriptionView::of(&app, subscription).await?);
    }
    Ok(axum::Json(Page { items, next_cursor: cut.next_cursor }))
}

/// Show a subscription
#[utoipa::path(
    get,
    path = "/api/v2/subscriptions/{id}",
    operation_id = "getSubscription",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "The subscription, how far it is behind, and what is wrong with it", body = SubscriptionView),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
) -> Result<axum::Json<SubscriptionView>, Problem> {
    let subscription = find(&app, caller.department.row, &path).await?;
    SubscriptionView::of(&app, subscription).await.map(axum::Json)
}

/// Change a subscription
///
/// What is under way ends as it began; the next attempt uses what is new.
#[utoipa::path(
    patch,
    path = "/api/v2/subscriptions/{id}",
    operation_id = "updateSubscription",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body = SubscriptionPatch,
    responses(
        (status = 200, description = "As it is now", body = SubscriptionView),
        (status = 400, description = "`invalid_body`, `invalid_value`, `url_forbidden`", body = ProblemBody<'static>),
        (status = 404, description = "`subscription_not_found`, `secret_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn update(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
    body: Json<SubscriptionPatch>,
) -> Result<axum::Json<SubscriptionView>, Problem> {
    let mut subscription = find(&app, caller.department.row, &path).await?;
    let patch = body.0;
    if let Some(text) = patch.name {
        subscription.name = name(&text, "/name")?;
    }
    if subscription.kind == SubscriptionKind::Polling && (patch.url.is_some() || patch.headers.is_some()) {
        return Err(invalid("A polling subscription has no url and no headers: its events are fetched.", "/url"));
    }
    if let Some(url) = patch.url {
        subscription.url = Some(checked_url(&app, &url).await?);
    }
    if let Some(list) = patch.events {
        subscription.settings.events = events(list)?;
    }
    if let Some(most) = patch.max_batch {
        subscription.settings.max_batch = max_batch(most)?;
    }
    if let Some(named) = patch.secret_name {
        subscription.settings.secret_name = secret_name(&app, caller.department.row, named).await?;
    }
    if let Some(given) = patch.headers {
        let hidden = Hidden { headers: headers(given)?, ..opened(&app, &subscription)? };
        subscription.sealed = Some(hidden.seal(subscription.id, app.events.secrets()));
    }
    save(&app, subscription).await.map(axum::Json)
}

/// Pause a subscription
///
/// Its events are kept and go on when it is resumed. Attempts under way end.
#[utoipa::path(
    post,
    path = "/api/v2/subscriptions/{id}/pause",
    operation_id = "pauseSubscription",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "As it is now", body = SubscriptionView),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn pause(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
) -> Result<axum::Json<SubscriptionView>, Problem> {
    set_state(&app, find(&app, caller.department.row, &path).await?, SubscriptionState::Paused).await
}

/// Resume a subscription
///
/// Whoever paused it: everything that happened meanwhile is handed over, in order.
#[utoipa::path(
    post,
    path = "/api/v2/subscriptions/{id}/resume",
    operation_id = "resumeSubscription",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "As it is now", body = SubscriptionView),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn resume(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
) -> Result<axum::Json<SubscriptionView>, Problem> {
    set_state(&app, find(&app, caller.department.row, &path).await?, SubscriptionState::Active).await
}

/// Delete a subscription
///
/// Its deliveries go with it. What it was not given yet, it will not get.
#[utoipa::path(
    delete,
    path = "/api/v2/subscriptions/{id}",
    operation_id = "deleteSubscription",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn delete(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
) -> Result<StatusCode, Problem> {
    let subscription = find(&app, caller.department.row, &path).await?;
    app.store.set_subscription_state(subscription.row, SubscriptionState::Deleted).await?;
    app.subscription_changed(subscription.row).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Exchange the signing secret
///
/// The answer holds the new secret, this once. For a day (or as long as is asked) both sign, so that the receiver can change
/// over without losing a delivery.
#[utoipa::path(
    post,
    path = "/api/v2/subscriptions/{id}/rotate-secret",
    operation_id = "rotateSubscriptionSecret",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body = RotateRequest,
    responses(
        (status = 200, description = "With the new secret", body = SubscriptionMade),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn rotate(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
    body: Json<RotateRequest>,
) -> Result<axum::Json<SubscriptionMade>, Problem> {
    let mut subscription = webhook_of(find(&app, caller.department.row, &path).await?)?;
    let overlap = body.0.overlap()?;
    let mut hidden = opened(&app, &subscription)?;
    let secret = new_secret();
    hidden.rotate(secret.clone(), overlap, Timestamp::now());
    subscription.sealed = Some(hidden.seal(subscription.id, app.events.secrets()));
    let subscription = save(&app, subscription).await?;
    Ok(axum::Json(SubscriptionMade { subscription, secret: Some(secret) }))
}

/// Send a test event
///
/// A made-up event (`providerMessageId` is all zeros, `metadata` is `{"test": true}`) is posted once, at once, whatever the
/// state of the subscription; the answer says what came of it.
#[utoipa::path(
    post,
    path = "/api/v2/subscriptions/{id}/test",
    operation_id = "testSubscription",
    tag = "subscriptions",
    security(("bearer" = ["subscriptions"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "What came of it", body = TestResult),
        (status = 400, description = "`invalid_value`: not a webhook", body = ProblemBody<'static>),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn test(
    app: State<App>,
    caller: Caller<needs::Subscriptions>,
    path: Path<String>,
) -> Result<axum::Json<TestResult>, Problem> {
    let subscription = webhook_of(find(&app, caller.department.row, &path).await?)?;
    let (delivery, attempt) = app.events.test(subscription).await?;
    Ok(axum::Json(TestResult::of(delivery, attempt)))
}

pub(super) async fn find(app: &App, department: DepartmentRow, text: &str) -> Result<Subscription, Problem> {
    let missing = || {
        Problem::new(
            Code::SubscriptionNotFound,
            "This department has no subscription of this id. GET /api/v2/subscriptions lists those it has.",
        )
    };
    let found = app.store.subscription_by_id(department, id(text, missing)?).await?;
    found.ok_or_else(missing)
}

fn webhook_of(subscription: Subscription) -> Result<Subscription, Problem> {
    match subscription.kind {
        SubscriptionKind::Webhook => Ok(subscription),
        SubscriptionKind::Polling => Err(Problem::new(Code::InvalidValue, "This is for webhooks; this one is polled.")),
    }
}

async fn set_state(
    app: &App,
    subscription: Subscription,
    state: SubscriptionState,
) -> Result<axum::Json<SubscriptionView>, Problem> {
    app.store.set_subscription_state(subscription.row, state).await?;
    app.subscription_changed(subscription.row).await?;
    let now = app.store.subscription(subscription.row).await?.unwrap_or(subscription);
    SubscriptionView::of(app, now).await.map(axum::Json)
}

async fn save(app: &App, subscription: Subscription) -> Result<SubscriptionView, Problem> {
    app.store.update_subscription(subscription.clone()).await?;
    app.subscription_changed(subscription.row).await?;
    SubscriptionView::of(app, subscription).await
}

fn opened(app: &App, subscription: &Subscription) -> Result<Hidden, Problem> {
    Hidden::open(subscription, app.events.secrets()).ok_or_else(|| {
        tracing::error!(subscription = %subscription.id, "api.subscription_not_opened");
        Problem::new(Code::Internal, "The secrets of this subscription cannot be opened: tell the operator.")
    })
}

fn new_secret() -> String {
    EndpointSecret::write(&crate::access::random_bytes())
}
