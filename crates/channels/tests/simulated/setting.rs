//! A simulator, an adapter of one protocol and a receiver of callbacks, each test its own.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use herald_channels::{
    contract::{Callback, LookUp, Notice, Outcome, Outgoing, Receipt, Reference},
    registry::Adapter,
};
use herald_rules::{
    ids::MessageId,
    message::{Message, Priority},
    protocol::{Protocol, Provider},
    reason::{Cause, Reason},
    status::Status,
    time::Timestamp,
};
use herald_simulators::{Behaviour, Options, Simulator};
use serde_json::json;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, time::timeout};

/// Long enough for a machine that is busy with other things; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Received {
    receipts: Mutex<Vec<Receipt>>,
    posts: AtomicUsize,
    answer: AtomicU16,
}

pub struct Setting {
    pub simulator: Simulator,
    pub adapter: Adapter,
    protocol: Protocol,
    received: Arc<Received>,
}

/// An adapter for a provider at `base_url`.
pub fn adapter(protocol: Protocol, base_url: &str, callback_url: &str, timeout_ms: u64) -> Adapter {
    Adapter::build(
        Provider::Simulated,
        protocol,
        &json!({"base_url": base_url, "callback_url": callback_url, "timeout_ms": timeout_ms}),
        &json!({"key": "simulator-key", "callback_secret": "simulator-secret"}),
    )
    .unwrap()
}

/// A message to `to`.
pub fn outgoing(protocol: Protocol, to: &str) -> Outgoing {
    let from = if protocol == Protocol::AppleBusinessChat { "urn:biz:test" } else { "4930123456" };
    let message = Message {
        id: MessageId::new(),
        protocol,
        from: from.to_owned(),
        to: to.to_owned(),
        text: "Hello".to_owned(),
        files: Vec::new(),
        parts: 1,
        template: None,
        refused: None,
        metadata: None,
        priority: Priority::default(),
        accepted_at: Timestamp::now(),
        send_at: None,
        expires_at: None,
    };
    Outgoing { message: Arc::new(message), kinds: Vec::new(), part: 0, attempt: 0 }
}

/// A recipient of the protocol's form that ends in `digits`.
pub fn recipient(protocol: Protocol, digits: &str) -> String {
    match protocol {
        Protocol::AppleBusinessChat => format!("urn:mbid:AQAAY1{digits}"),
        _ => format!("49170555{digits}"),
    }
}

impl Setting {
    pub async fn new(protocol: Protocol) -> Self {
        Self::with(protocol, 10_000, |_| ()).await
    }

    /// With a time-out of calls and a behaviour.
    pub async fn with(protocol: Protocol, timeout_ms: u64, change: impl Fn(&mut Behaviour)) -> Self {
        let mut options = Options { seed: Some(7), ..Options::default() };
        options.behaviours.each(change);
        let simulator = Simulator::start(options).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::listening(protocol, timeout_ms, simulator, listener)
    }

    fn listening(protocol: Protocol, timeout_ms: u64, simulator: Simulator, listener: TcpListener) -> Self {
        let callback_url = format!("http://{}/callbacks/1", listener.local_addr().unwrap());
        let adapter = adapter(protocol, &simulator.base_url(), &callback_url, timeout_ms);
        let received = Arc::new(Received { answer: AtomicU16::new(200), ..Received::default() });
        let state = (adapter.clone(), Arc::clone(&received));
        let router = Router::new().route("/callbacks/1", post(receive)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { simulator, adapter, protocol, received }
    }

    /// Makes the receiver answer with another status.
    pub fn answer_callbacks(&self, status: u16) {
        self.received.answer.store(status, Ordering::Relaxed);
    }

    pub fn message(&self, digits: &str) -> Outgoing {
        outgoing(self.protocol, &recipient(self.protocol, digits))
    }

    /// Sends a message until it is no longer told to retry, as `dispatch` would; the outcomes in their order.
    pub async fn send(&self, message: &Outgoing) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            outcomes.push(self.adapter.send(message).await);
            if !matches!(outcomes.last(), Some(Outcome::Retry { .. })) || outcomes.len() > 5 {
                return outcomes;
            }
        }
    }

    pub fn receipts(&self) -> Vec<Receipt> {
        self.received.receipts.lock().unwrap().clone()
    }

    pub fn posts(&self) -> usize {
        self.received.posts.load(Ordering::Relaxed)
    }

    /// Waits for so many receipts and for no more to be on their way.
    pub async fn receipts_when(&self, count: usize) -> Vec<Receipt> {
        let enough = async {
            loop {
                let receipts = self.receipts();
                if receipts.len() >= count && self.simulator.summary().receipts_waiting == 0 {
                    return receipts;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, enough).await.unwrap_or_else(|_| panic!("{count} receipts: {:?}", self.receipts()))
    }

    pub async fn statuses_when(&self, count: usize) -> Vec<Status> {
        self.receipts_when(count).await.into_iter().map(|receipt| receipt.status).collect()
    }

    pub async fn look_up(&self, message: &Outgoing) -> LookUp {
        self.adapter.look_up(message.message.id).await
    }
}

async fn receive(
    State((adapter, received)): State<(Adapter, Arc<Received>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    received.posts.fetch_add(1, Ordering::Relaxed);
    let answer = StatusCode::from_u16(received.answer.load(Ordering::Relaxed)).unwrap();
    if answer.is_success() {
        adapter.verify(Callback { headers: &headers, body: &body }).unwrap();
        received.receipts.lock().unwrap().extend(receipts(adapter.read(&body).unwrap()));
    }
    answer
}

/// The receipts among what a callback told.
pub fn receipts(notices: Vec<Notice>) -> Vec<Receipt> {
    notices
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Receipt(receipt) => Some(receipt),
            _ => None,
        })
        .collect()
}

/// The reason of whatever went wrong.
pub fn reason(outcome: &Outcome) -> Option<Reason> {
    match outcome {
        Outcome::Accepted { .. } => None,
        Outcome::Refused(cause) | Outcome::NotSent(cause) | Outcome::Unknown(cause) => Some(cause.reason),
        Outcome::Retry { cause, .. } | Outcome::Stopped { cause, .. } => Some(cause.reason),
    }
}

/// The provider's own code of whatever went wrong.
pub fn code(cause: &Cause) -> Option<&str> {
    cause.provider_code.as_deref()
}

/// How many receipts each message got.
pub fn by_message(receipts: &[Receipt]) -> HashMap<Reference, usize> {
    let mut counts = HashMap::new();
    for receipt in receipts {
        *counts.entry(receipt.reference.clone()).or_default() += 1;
    }
    counts
}

/// An address at which nobody listens.
pub async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
