//! Messages: hand one in, look at one, list them, cancel one.

use super::{
    inbound_view::{Direction, EitherMessage, EitherStory, InboundView},
    message_view::{MessageStory, MessageView},
};
use crate::{
    accept::{self, OptionalKey, SendRequest, Warning},
    api::{
        body::{JsonBytes, Query, id},
        codes::Code,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::{app::App, crash},
    store::{Cancelled, DepartmentRow, InboundFilter, MessageFilter, StoreError},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use herald_rules::{identifier, ids::MessageId, protocol::Protocol, status::Status, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{str::FromStr, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// How many messages one page of a filtered list looks at: some 50 ms of a reader's time.
const LOOK_AT: usize = 10_000;

/// A message that was accepted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageAccepted {
    #[serde(flatten)]
    message: MessageView,
    /// What was left out or changed.
    warnings: Vec<Warning>,
}

/// Which messages to list. All conditions hold together.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessagesQuery {
    /// `outbound`: what was sent (absent: this). `inbound`: what customers wrote.
    #[param(example = "inbound")]
    direction: Option<String>,
    /// Only those in this status now; outbound alone has one.
    #[param(example = "Failed")]
    status: Option<String>,
    /// Outbound: only those to this customer. Inbound: only those to this identifier.
    #[param(example = "972550000002")]
    to: Option<String>,
    /// Outbound: only those from this identifier. Inbound: only those from this customer.
    #[param(example = "972550000001")]
    from: Option<String>,
    /// Only those of this protocol.
    #[param(example = "WhatsApp")]
    protocol: Option<String>,
    /// Accepted (inbound: received) at this moment or later (RFC 3339).
    since: Option<String>,
    /// Accepted (inbound: received) before this moment (RFC 3339).
    until: Option<String>,
    /// At most so many: 1 to 500, else 100.
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Hand in a message
///
/// The same body, checks and promises as `POST /api/v1.2/protocols/send`, with the answer in the form of this API.
#[utoipa::path(
    post,
    path = "/api/v2/messages",
    operation_id = "createMessage",
    tag = "messages",
    security(("bearer" = ["send"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible characters, a new one for each message"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body(content = SendRequest<'static>, content_type = "application/json"),
    responses(
        (status = 202, description = "It is on disk", body = MessageAccepted),
        (status = 400, description = "Malformed or impossible", body = ProblemBody<'static>),
        (status = 403, description = "`channel_inactive`, `non_ticket_not_enabled`, `scope_missing`", body = ProblemBody<'static>),
        (status = 404, description = "`from_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`idempotency_key_used`", body = ProblemBody<'static>),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = ProblemBody<'static>),
        (status = 503, description = "`store_unavailable`, with `Retry-After`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Send>,
    key: OptionalKey,
    body: JsonBytes,
) -> Result<Response, Problem> {
    let accepted = accept::accept(&app, &caller.department, SendRequest::read(&body.0)?, key.0).await?;
    let warnings = serde_json::from_str(&accepted.warnings).map_err(StoreError::from)?;
    let snapshot = Arc::clone(&app.directory.get());
    let lane = snapshot.lane_of(accepted.message.protocol, &accepted.message.from).map_or(0, |lane| lane.row);
    let message = MessageView::of(&snapshot, lane, accepted.message, None);
    let mut response = (StatusCode::ACCEPTED, axum::Json(MessageAccepted { message, warnings })).into_response();
    accepted.allowance.write(response.headers_mut());
    Ok(response)
}

/// Show a message with its whole history
///
/// A message that a customer wrote has no history: `direction` tells the two apart.
#[utoipa::path(
    get,
    path = "/api/v2/messages/{id}",
    operation_id = "getMessage",
    tag = "messages",
    security(("bearer" = ["messages"])),
    params(
        ("id" = String, Path, format = "uuid", description = "`providerMessageId` of the answer of the send, or the id of a list"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "The message", body = EitherStory),
        (status = 404, description = "`message_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    caller: Caller<needs::Messages>,
    path: Path<String>,
) -> Result<axum::Json<EitherStory>, Problem> {
    let (department, id) = (caller.department.row, id(&path, not_found)?);
    let shown = match story(&app, department, id).await {
        Err(problem) if problem.code() == Code::MessageNotFound => {
            let kept = app.store.inbound(department, id).await?.ok_or(problem)?;
            EitherStory::Inbound(InboundView::of(&app.directory.get(), kept).into())
        }
        story => EitherStory::Outbound(story?.into()),
    };
    Ok(axum::Json(shown))
}

/// List messages, newest first
///
/// A page looks at no more than 10,000 messages. With a filter that few of them pass, a page may be short or even empty
/// while `nextCursor` says that there is more: go on until it is null. `since` and `until` cost nothing; `to` and `status`
/// look at each message in between.
#[utoipa::path(
    get,
    path = "/api/v2/messages",
    operation_id = "listMessages",
    tag = "messages",
    security(("bearer" = ["messages"])),
    params(MessagesQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses(
        (status = 200, description = "Newest first", body = Page<EitherMessage>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = ProblemBody<'static>),
    )
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Messages>,
    query: Query<MessagesQuery>,
) -> Result<axum::Json<Page<EitherMessage>>, Problem> {
    let direction = query.0.direction.as_deref().map(|text| word::<Direction>(text, "direction")).transpose()?;
    if direction == Some(Direction::Inbound) {
        return inbound(&app, caller.department.row, query.0).await.map(axum::Json);
    }
    let filter = filter(&app, caller.department.row, query.0)?;
    let page = app.store.list(filter).await?;
    let snapshot = app.directory.get();
    let view = |summary| EitherMessage::Outbound(MessageView::of_summary(&snapshot, summary).into());
    let items = page.messages.into_iter().map(view).collect();
    Ok(axum::Json(Page { items, next_cursor: page.next.map(|id| id.to_string()) }))
}

/// What customers wrote.
async fn inbound(app: &App, department: DepartmentRow, query: MessagesQuery) -> Result<Page<EitherMessage>, Problem> {
    if query.status.is_some() {
        return Err(Problem::new(Code::InvalidQuery, "A customer's message has no status: leave `status` out."));
    }
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let protocol = query.protocol.as_deref().map(|text| word::<Protocol>(text, "protocol")).transpose()?;
    let filter = InboundFilter {
        department,
        lanes: lanes(app, department, protocol, query.to.as_deref()),
        from: query.from.map(|from| normalised(protocol, &from)),
        since: query.since.as_deref().map(|text| moment(text, "since")).transpose()?,
        until: query.until.as_deref().map(|text| moment(text, "until")).transpose()?,
        before: page.after()?,
        limit: page.limit(),
        look_at: LOOK_AT,
    };
    let found = app.store.list_inbound(filter).await?;
    let snapshot = app.directory.get();
    let view = |kept| EitherMessage::Inbound(InboundView::of(&snapshot, kept).into());
    let items = found.messages.into_iter().map(view).collect();
    Ok(Page { items, next_cursor: found.next.map(|id| id.to_string()) })
}

/// Cancel a message
///
/// Works while the message waits: it ends as `Rejected` with `cancelled`. Once it is at the provider's door it is too late.
#[utoipa::path(
    post,
    path = "/api/v2/messages/{id}/cancel",
    operation_id = "cancelMessage",
    tag = "messages",
    security(("bearer" = ["send"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "It will not be sent", body = MessageStory),
        (status = 404, description = "`message_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`too_late_to_cancel`, with the present status as `messageStatus`", body = ProblemBody<'static>),
    )
)]
pub async fn cancel(
    app: State<App>,
    caller: Caller<needs::Send>,
    path: Path<String>,
) -> Result<axum::Json<MessageStory>, Problem> {
    let (department, id) = (caller.department.row, id(&path, not_found)?);
    match crash::around("cancel", app.store.cancel(department, id, Timestamp::now())).await? {
        Cancelled::Done(_) => story(&app, department, id).await.map(axum::Json),
        Cancelled::NotFound => Err(not_found()),
        Cancelled::TooLate(status) => {
            let detail = match status {
                Status::Pending => {
                    "The message is being handed to the provider at this moment, so it cannot be called \
                                    back. Its status will say what became of it."
                        .to_owned()
                }
                status => format!("The message is {status} already, so it cannot be cancelled."),
            };
            Err(Problem::new(Code::TooLateToCancel, detail).with_message_status(status))
        }
    }
}

async fn story(app: &App, department: DepartmentRow, id: MessageId) -> Result<MessageStory, Problem> {
    let story = app.store.story(department, id).await?.ok_or_else(not_found)?;
    let (mut held, mut lane) = (None, None);
    if story.changes.is_empty() {
        held = super::lanes::held(app, story.lane, &story.message).await;
        lane = super::lanes::now(app, story.lane).await.map(|now| now.waiting);
    }
    Ok(MessageStory::of(&app.directory.get(), story, held, lane, Timestamp::now()))
}

fn not_found() -> Problem {
    Problem::new(
        Code::MessageNotFound,
        "This department has no message of this id. The id is `providerMessageId` of the answer of the send.",
    )
}

fn filter(app: &App, department: DepartmentRow, query: MessagesQuery) -> Result<MessageFilter, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let protocol = query.protocol.as_deref().map(|text| word::<Protocol>(text, "protocol")).transpose()?;
    let status = query.status.as_deref().map(|text| word::<Status>(text, "status")).transpose()?;
    Ok(MessageFilter {
        department,
        lanes: lanes(app, department, protocol, query.from.as_deref()),
        to: query.to.map(|to| normalised(protocol, &to)),
        status,
        since: query.since.as_deref().map(|text| moment(text, "since")).transpose()?,
        until: query.until.as_deref().map(|text| moment(text, "until")).transpose()?,
        before: page.after()?,
        limit: page.limit(),
        look_at: LOOK_AT,
    })
}

/// The lanes that protocol and an identifier of ours leave; None: all.
fn lanes(
    app: &App,
    department: DepartmentRow,
    protocol: Option<Protocol>,
    from: Option<&str>,
) -> Option<Vec<crate::store::LaneRow>> {
    if protocol.is_none() && from.is_none() {
        return None;
    }
    let fits = |lane: &crate::node::directory::Lane| {
        protocol.is_none_or(|protocol| protocol == lane.protocol)
            && from
                .is_none_or(|from| identifier::parse_own(lane.protocol, from).is_ok_and(|own| own == lane.identifier))
    };
    let lanes = app.directory.get().lanes(department);
    Some(lanes.into_iter().filter(|lane| fits(lane)).map(|lane| lane.row).collect())
}

/// A customer's identifier as it is stored; what cannot be read finds nothing.
pub(super) fn normalised(protocol: Option<Protocol>, to: &str) -> String {
    let protocols = protocol.as_ref().map_or(&Protocol::ALL[..], std::slice::from_ref);
    let found = protocols.iter().find_map(|protocol| identifier::parse_customer(*protocol, to).ok());
    found.unwrap_or_else(|| to.to_owned())
}

pub(super) fn word<T: FromStr>(text: &str, parameter: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| {
        let words = match parameter {
            "direction" => "outbound or inbound",
            "status" => "Pending, Accepted, Delivered, Read, Rejected or Failed",
            _ => "WhatsApp, SMS or AppleBusinessChat",
        };
        Problem::new(Code::InvalidQuery, format!("{parameter} must be {words}."))
    })
}

fn moment(text: &str, parameter: &str) -> Result<Timestamp, Problem> {
    // A `+` in an address stands for a space unless it is escaped, and clients forget to.
    text.trim().replace(' ', "+").parse().map_err(|_| {
        let detail = format!("{parameter} must be a moment (RFC 3339), such as 2026-11-22T08:00:00Z.");
        Problem::new(Code::InvalidQuery, detail)
    })
}
