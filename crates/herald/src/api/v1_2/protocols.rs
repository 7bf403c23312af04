//! The non-ticket send.

use crate::{
    accept::{self, OptionalKey, SendRequest},
    api::{
        body::JsonBytes,
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
    store::StoreError,
};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// Send a message to one customer
///
/// When this answers 200, the message is on disk: it will be tried, whatever happens to this process. The answer's
/// `status` is always `Pending`; what becomes of the message comes as `NON_TICKET_MESSAGE_STATUS` events with the same
/// `providerMessageId`, or is asked from `GET /api/v2/messages/{id}`.
///
/// Give an `Idempotency-Key` (a new UUID for each message) and repeat the request without fear when an answer was lost: the
/// same key with the same request gets the same answer for 24 hours, and nothing is sent twice.
#[utoipa::path(
    post,
    path = "/api/v1.2/protocols/send",
    operation_id = "sendMessage",
    tag = "v1.2",
    security(("bearer" = ["send"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible characters, a new one for each message")),
    request_body(content = SendRequest<'static>, content_type = "application/json"),
    responses(
        (status = 200, description = "It is on disk", body = accept::MessageAnswer<'static>, headers(
            ("RateLimit-Limit" = u32, description = "Messages at once"),
            ("RateLimit-Remaining" = u32, description = "Of these, so many are left"),
            ("RateLimit-Reset" = u32, description = "Seconds until all are there again"),
        )),
        (status = 400, description = "Malformed or impossible: `one_recipient_only`, `text_required`, `unknown_protocol` and others", body = ProblemBody<'static>),
        (status = 401, description = "`token_missing`, `token_invalid`", body = ProblemBody<'static>),
        (status = 403, description = "`channel_inactive`, `non_ticket_not_enabled`, `scope_missing`", body = ProblemBody<'static>),
        (status = 404, description = "`from_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`idempotency_key_used`", body = ProblemBody<'static>),
        (status = 413, description = "`body_too_large`", body = ProblemBody<'static>),
        (status = 415, description = "`wrong_content_type`", body = ProblemBody<'static>),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = ProblemBody<'static>),
        (status = 503, description = "`store_unavailable`, with `Retry-After`", body = ProblemBody<'static>),
    )
)]
pub async fn send(
    app: State<App>,
    caller: Caller<needs::Send>,
    key: OptionalKey,
    body: JsonBytes,
) -> Result<Response, Problem> {
    let request = SendRequest::read(&body.0)?;
    let accepted = accept::accept(&app, &caller.department, request, key.0).await?;
    let json = accepted.to_json().map_err(StoreError::from)?;
    let mut response = json.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    accepted.allowance.write(response.headers_mut());
    Ok(response)
}
