//! Events by polling.

use crate::{
    api::{
        body::{JsonBytes, Query},
        codes::Code,
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    events::Handle,
    node::app::App,
    store::Subscription,
};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use herald_rules::{ids::SubscriptionId, time::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// The most handles in one request: ten answers' worth.
const MOST_HANDLES: usize = 1_000;

/// How events are read.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GetEvents {
    /// `true`: they are taken as they are read, at most once. Else they are hidden for 60 seconds and come again unless
    /// they are deleted.
    #[serde(rename = "deleteEvents", alias = "deleteevents", alias = "DeleteEvents")]
    #[param(example = "false")]
    delete_events: Option<String>,
    /// Another polling subscription than the department's own.
    subscription: Option<String>,
}

/// A polled event that is to be deleted. Whole events may be posted: other fields are not read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "the document's form; the values are read one by one, as clients write nulls and other types"
)]
pub struct PolledEvent {
    /// As it came with the event.
    queue_receipt_handle: String,
    /// As it came with the event.
    queue_message_id: Option<String>,
}

/// What became of the handles.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedEvents {
    /// Events that were there and are gone.
    deleted: u64,
    /// Handles that name nothing: deleted before, too old, or not this department's.
    unknown: u64,
    /// The same in words.
    message: String,
}

/// Read events from the queue
///
/// At most 100, oldest first, events of one message in their order. With `deleteEvents=false` (also when it is absent) an
/// event is hidden from the next reader for 60 seconds; delete it by its handle when it is dealt with, or it comes again.
/// With `true` it is gone as this answers: should the answer be lost, so is the event. Events are kept for 14 days.
#[utoipa::path(
    get,
    path = "/api/v1.2/webhooks/getevents",
    operation_id = "getEvents",
    tag = "v1.2",
    security(("bearer" = ["events"])),
    params(GetEvents),
    responses(
        (status = 200, description = "Events in the envelope of webhooks, each with `queueReceiptHandle` and `queueMessageId`", body = Vec<Object>),
        (status = 400, description = "`invalid_query`", body = ProblemBody<'static>),
        (status = 401, description = "`token_missing`, `token_invalid`", body = ProblemBody<'static>),
        (status = 404, description = "`subscription_not_found`", body = ProblemBody<'static>),
        (status = 503, description = "`store_unavailable`, with `Retry-After`", body = ProblemBody<'static>),
    )
)]
pub async fn get(app: State<App>, caller: Caller<needs::Events>, query: Query<GetEvents>) -> Result<Response, Problem> {
    let delete = boolean(query.0.delete_events.as_deref())?;
    let queue = queue(&app, &caller, query.0.subscription.as_deref()).await?;
    let events = app.events.poll(caller.department.id, queue, delete).await?;
    let mut response = format!("[{}]", events.join(",")).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    Ok(response)
}

/// Delete events that were read from the queue
///
/// Handles that name nothing are counted, and are no error: what is gone cannot be deleted twice.
#[utoipa::path(
    post,
    path = "/api/v1.2/webhooks/deleteevents",
    operation_id = "deleteEvents",
    tag = "v1.2",
    security(("bearer" = ["events"])),
    request_body(content = Vec<PolledEvent>, content_type = "application/json"),
    responses(
        (status = 200, description = "How many were deleted", body = DeletedEvents),
        (status = 400, description = "`malformed_json`, `invalid_body`", body = ProblemBody<'static>),
        (status = 401, description = "`token_missing`, `token_invalid`", body = ProblemBody<'static>),
        (status = 503, description = "`store_unavailable`, with `Retry-After`", body = ProblemBody<'static>),
    )
)]
pub async fn delete(
    app: State<App>,
    caller: Caller<needs::Events>,
    body: JsonBytes,
) -> Result<axum::Json<DeletedEvents>, Problem> {
    let (handles, given) = handles(&body.0)?;
    let deleted = app.events.delete_polled(caller.department.row, handles).await?;
    let unknown = (given as u64).saturating_sub(deleted);
    let message = format!("{deleted} of {given} events were deleted.");
    Ok(axum::Json(DeletedEvents { deleted, unknown, message }))
}

/// The department's own queue, or the one that was named.
async fn queue(app: &App, caller: &Caller<needs::Events>, named: Option<&str>) -> Result<Subscription, Problem> {
    let Some(named) = named else {
        return Ok(app.store.standard_queue(caller.department.row, Timestamp::now()).await?);
    };
    let missing = || {
        Problem::new(
            Code::SubscriptionNotFound,
            "There is no such polling subscription in this department. GET /api/v2/subscriptions lists them.",
        )
    };
    let id: SubscriptionId = named.trim().parse().map_err(|_| missing())?;
    let found = app.store.subscription_by_id(caller.department.row, id).await?;
    found.filter(|found| found.kind == crate::store::SubscriptionKind::Polling).ok_or_else(missing)
}

/// `true` and `false` in any case, as clients of several languages write them; absent is false.
fn boolean(text: Option<&str>) -> Result<bool, Problem> {
    match text.map(str::trim) {
        None | Some("") => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(Problem::new(Code::InvalidQuery, "deleteEvents is true or false; absent, it is false.")),
    }
}

/// The handles that are ours, and how many were given. One object is taken for a list of one.
fn handles(body: &[u8]) -> Result<(Vec<Handle>, usize), Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::new(Code::MalformedJson, format!("The body is not JSON: {error}.")))?;
    let items = match body {
        Value::Array(items) => items,
        object @ Value::Object(_) => vec![object],
        _ => {
            return Err(Problem::new(Code::InvalidBody, "The body must be a list of objects with queueReceiptHandle."));
        }
    };
    if items.len() > MOST_HANDLES {
        let detail = format!("At most {MOST_HANDLES} handles go in one request. Send the others in a further one.");
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    let text = |item: &Value| {
        let fields = item.as_object()?;
        let handle = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("queueReceiptHandle"));
        handle.and_then(|(_, value)| Handle::parse(value.as_str()?))
    };
    // The same handle twice is one event, and one that is unknown.
    let mut seen = std::collections::HashSet::new();
    let handles = items.iter().filter_map(text).filter(|handle| seen.insert(handle.key)).collect();
    Ok((handles, items.len()))
}
