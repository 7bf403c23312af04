//! The listener: accepts connections, reads calls, and closes without an answer where that is the answer.

use crate::{
    code::Code,
    control,
    engine::Engine,
    plan::Reply,
    wire::{self, Refusal, json},
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower::Service;
use uuid::Uuid;

/// A hung call holds its connection this long at most, should the client have no time-out.
const LONGEST_HANG: Duration = Duration::from_secs(600);
/// How long an answer waits for its receipt to go first.
const RECEIPT_FIRST: Duration = Duration::from_secs(2);

/// Marks a response that must not be written: the connection closes instead.
#[derive(Clone, Copy, Debug)]
struct HangUp;

/// Accepts connections until the engine is stopped.
pub(crate) async fn listen(listener: TcpListener, engine: Arc<Engine>) {
    let stopped = engine.stopped.clone();
    let router = Router::new()
        .route("/v1/{protocol}/messages", post(send))
        .route("/v1/{protocol}/messages/by-client-reference/{id}", get(look_up))
        .fallback(|| async { Refusal::from(Code::NotFound) })
        .merge(control::router())
        .layer(DefaultBodyLimit::max(256 * 1024))
        .with_state(engine);
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    tokio::spawn(async move { stopped.run_until_cancelled(serve(stream, router)).await });
                }
                // Out of file descriptors, mostly: the connection waits in the kernel's queue meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "the simulator cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    stopped.run_until_cancelled(accept).await;
}

async fn serve(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let mut router = router.clone();
        async move {
            // A router never fails.
            let Ok(response) = router.call(request).await;
            if response.extensions().get::<HangUp>().is_some() { Err(HungUp) } else { Ok(response) }
        }
    });
    // An error is the client's going away, or our hanging up.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up on purpose")
    }
}

impl std::error::Error for HungUp {}

fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
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
