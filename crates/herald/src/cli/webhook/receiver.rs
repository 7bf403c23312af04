//! A receiver of webhooks: takes deliveries, verifies both families of signatures, and passes on what came.

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use herald_rules::{
    signature::{EndpointSecret, SignatureError, TOLERANCE, X_GLASSIX_REQUEST_COUNT, verify_standard, verify_v1_2},
    time::Timestamp,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::{net::TcpListener, sync::mpsc};

/// Deliveries that wait to be shown. When there are more, Herald waits for its answers: nothing is lost.
const WAITING: usize = 64;
/// Above the 1 MB that a delivery holds at most.
const LARGEST: usize = 4 * 1024 * 1024;

/// With what signatures are checked.
#[derive(Debug, Default)]
pub(in super::super) struct Keys {
    /// The department's API secret: the v1.2 family.
    pub(in super::super) api_secret: Option<SecretString>,
    /// The subscription's secret: Standard Webhooks.
    pub(in super::super) endpoint: Option<EndpointSecret>,
}

/// What a check of one family came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Verdict {
    /// It matches.
    Good,
    /// There is no secret to check it with.
    Unchecked,
    /// It does not.
    Wrong(SignatureError),
}

impl Verdict {
    /// In a word.
    pub(in super::super) fn word(self) -> String {
        match self {
            Self::Good => "good".to_owned(),
            Self::Unchecked => "unchecked".to_owned(),
            Self::Wrong(error) => format!("wrong: {error}"),
        }
    }
}

/// One delivery that came.
#[derive(Debug)]
pub(in super::super) struct Received {
    /// When.
    pub(in super::super) at: Timestamp,
    /// `webhook-id`: the same in all attempts.
    pub(in super::super) delivery: String,
    /// Which attempt it is.
    pub(in super::super) attempt: String,
    /// The v1.2 family.
    pub(in super::super) v1_2: Verdict,
    /// Standard Webhooks.
    pub(in super::super) standard: Verdict,
    /// What it was answered with.
    pub(in super::super) answer: StatusCode,
    /// Its events; empty where the body is no list.
    pub(in super::super) events: Vec<Value>,
}

impl Received {
    /// Whether no signature is wrong.
    pub(in super::super) fn is_genuine(&self) -> bool {
        !matches!((self.v1_2, self.standard), (Verdict::Wrong(_), _) | (_, Verdict::Wrong(_)))
    }
}

/// A receiver that listens until it is dropped.
#[derive(Debug)]
pub(in super::super) struct Receiver {
    /// Where Herald posts to.
    pub(in super::super) url: String,
    /// What came, in order.
    pub(in super::super) received: mpsc::Receiver<Received>,
    keys: Arc<RwLock<Keys>>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Desk {
    keys: Arc<RwLock<Keys>>,
    out: mpsc::Sender<Received>,
    answer: StatusCode,
}

impl Receiver {
    /// Listens, and answers what is genuine with `answer`.
    pub(in super::super) async fn start(address: SocketAddr, answer: StatusCode) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| format!("Cannot listen on {address}"))?;
        let url = format!("http://{}/webhook", listener.local_addr()?);
        let (out, received) = mpsc::channel(WAITING);
        let keys = Arc::<RwLock<Keys>>::default();
        let desk = Desk { keys: keys.clone(), out, answer };
        let limit = axum::extract::DefaultBodyLimit::max(LARGEST);
        // At any path: whoever set up the subscription may have chosen another.
        let router = Router::new().fallback(post(take)).layer(limit).with_state(desk);
        let server = tokio::spawn(async move {
            // Ends with the task alone: errors of single connections are not its own.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, received, keys, server })
    }

    /// Sets with what signatures are checked from now on.
    pub(in super::super) fn check_with(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let now = Timestamp::now();
    let header = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
    let (v1_2, standard) = {
        let keys = desk.keys.read().unwrap_or_else(PoisonError::into_inner);
        let judge = |result: Option<Result<(), SignatureError>>| match result {
            None => Verdict::Unchecked,
            Some(Ok(())) => Verdict::Good,
            Some(Err(error)) => Verdict::Wrong(error),
        };
        let secret = keys.api_secret.as_ref();
        let v1_2 = secret.map(|secret| verify_v1_2(secret.expose_secret(), header, &body, now, TOLERANCE));
        let standard = keys.endpoint.as_ref().map(|secret| verify_standard(secret, header, &body, now, TOLERANCE));
        (judge(v1_2), judge(standard))
    };
    let events = serde_json::from_slice::<Vec<Value>>(&body);
    let mut received = Received {
        at: now,
        delivery: header("webhook-id").unwrap_or_default().to_owned(),
        attempt: header(X_GLASSIX_REQUEST_COUNT).unwrap_or_default().to_owned(),
        v1_2,
        standard,
        answer: desk.answer,
        events: Vec::new(),
    };
    if !received.is_genuine() {
        received.answer = StatusCode::UNAUTHORIZED;
    }
    match events {
        Ok(events) => received.events = events,
        Err(_) => received.answer = StatusCode::BAD_REQUEST,
    }
    let answer = received.answer;
    // Nobody looks any more: the program is ending, and Herald should come again.
    if desk.out.send(received).await.is_err() { StatusCode::SERVICE_UNAVAILABLE } else { answer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_rules::{
        ids::{DeliveryId, DepartmentId},
        signature::{Attempt, headers},
    };

    async fn post(url: &str, body: &str, signed_with: &str) -> StatusCode {
        let delivery = DeliveryId::new();
        let attempt = Attempt { department: DepartmentId::new(), delivery, attempt: 1, at: Timestamp::now(), body };
        let endpoint = EndpointSecret::parse(signed_with).unwrap();
        let mut request = reqwest::Request::new(http::Method::POST, url.parse().unwrap());
        for (name, value) in headers(&attempt, Some("api-secret"), &[endpoint]) {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        *request.body_mut() = Some(body.to_owned().into());
        let client = herald_channels::http::Client::new(herald_channels::http::Limits::default()).unwrap();
        client.execute(request).await.unwrap().status
    }

    #[tokio::test]
    async fn both_signatures_are_checked() {
        let mut receiver = Receiver::start(([127, 0, 0, 1], 0).into(), StatusCode::OK).await.unwrap();
        let (right, wrong) = (EndpointSecret::write(&[1; 32]), EndpointSecret::write(&[2; 32]));
        assert_eq!(post(&receiver.url, "[{}]", &right).await, 200);
        let first = receiver.received.recv().await.unwrap();
        assert_eq!((first.v1_2, first.standard, first.events.len()), (Verdict::Unchecked, Verdict::Unchecked, 1));
        let endpoint = EndpointSecret::parse(&right).unwrap();
        receiver.check_with(Keys { api_secret: Some("api-secret".into()), endpoint: Some(endpoint) });
        assert_eq!(post(&receiver.url, "[]", &right).await, 200);
        let good = receiver.received.recv().await.unwrap();
        assert_eq!((good.v1_2, good.standard, good.attempt.as_str()), (Verdict::Good, Verdict::Good, "1"));
        assert_eq!(post(&receiver.url, "[]", &wrong).await, 401);
        let bad = receiver.received.recv().await.unwrap();
        assert!(!bad.is_genuine() && bad.v1_2 == Verdict::Good, "{bad:?}");
        assert_eq!(post(&receiver.url, "{", &right).await, 400);
    }
}
