//! The calls of the simulated providers.

use crate::{
    code::Code,
    control,
    door::hang_up,
    engine::Engine,
    plan::Reply,
    wire::{self, Refusal, json},
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// A hung call holds its connection this long at most, should the client have no time-out.
const LONGEST_HANG: Duration = Duration::from_secs(600);
/// How long an answer waits for its receipt to go first.
const RECEIPT_FIRST: Duration = Duration::from_secs(2);

/// All addresses.
pub(crate) fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/v1/{protocol}/messages", post(send))
        .route("/v1/{protocol}/messages/by-client-reference/{id}", get(look_up))
        .fallback(|| async { Refusal::from(Code::NotFound) })
        .merge(control::router())
        .layer(DefaultBodyLimit::max(256 * 1024))
        .with_state(engine)
}

async fn send(
    State(engine): State<Arc<Engine>>,
    Path(protocol): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let decided = (|| {
        let (key, secret) = engine.account(headers.get(header::AUTHORIZATION))?;
        let protocol = wire::protocol(&protocol)?;
        let send = wire::read(protocol, &body)?;
        engine.send(protocol, (&key, &secret), &send).map_err(Refusal::from)
    })();
    let decision = match decided {
        Ok(decision) => decision,
        Err(refusal) => {
            engine.journal().malformed(refusal.code());
            return refusal.into_response();
        }
    };
    if let Some(first) = decision.receipt_first {
        let _ = timeout(RECEIPT_FIRST, first).await;
    }
    if !decision.latency.is_zero() {
        sleep(decision.latency).await;
    }
    match decision.reply {
        // The reference is of our own making and needs no escaping.
        Reply::Accept => json(StatusCode::OK, format!("{{\"reference\":\"{}\"}}", decision.reference)),
        Reply::Error(code) => Refusal::from(code).into_response(),
        Reply::Throttle(code, seconds) => {
            let mut response = Refusal::from(code).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Reply::DropBefore | Reply::DropAfter => hang_up(),
        Reply::Hang => {
            sleep(LONGEST_HANG).await;
            hang_up()
        }
    }
}

async fn look_up(
    State(engine): State<Arc<Engine>>,
    Path((protocol, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    engine.account(headers.get(header::AUTHORIZATION))?;
    let protocol = wire::protocol(&protocol)?;
    if protocol != herald_rules::protocol::Protocol::SMS {
        return Err(Code::NotFound.into());
    }
    let id: Uuid = id.parse().map_err(|_| Code::InvalidRequest)?;
    let found = engine.look_up(protocol, id).ok_or(Code::MessageNotFound)?;
    let body = serde_json::json!({"reference": found.reference, "status": found.status});
    Ok(json(StatusCode::OK, body.to_string()))
}
