//! A simulated Graph API, an adapter for it and a receiver of its webhooks, each test its own.

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use herald_channels::{
    contract::{Callback, Notice, Outcome, Outgoing, Provider, Receipt, Reference},
    whatsapp_cloud::{Credentials, Settings, WhatsappCloud},
};
use herald_rules::{
    ids::MessageId,
    message::{Message, Priority},
    protocol::Protocol,
    status::Status,
    template::{Category, TemplateMessage},
    time::Timestamp,
};
use herald_simulators::whatsapp_cloud::{GraphBehaviour, GraphOptions, GraphSimulator};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

/// Long enough for a machine that is busy with other things; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The number of the simulator's own account, Meta's id of it, and a customer of it (not in the USA).
pub const OURS: &str = "15550100200";
pub const NUMBER: &str = "104433221100998";
pub const CUSTOMER: &str = "491701234567";

type Received = Arc<Mutex<Vec<Notice>>>;

pub struct Setting {
    pub simulator: GraphSimulator,
    pub adapter: Arc<WhatsappCloud>,
    received: Received,
}

/// The adapter of the simulator's own account, with other settings laid over.
pub fn adapter(base_url: &str, change: Value) -> WhatsappCloud {
    let mut settings = json!({
        "waba_id": "109876543210987",
        "phone_numbers": {(OURS): NUMBER},
        "graph_url": base_url,
        "timeout_ms": 10_000,
    });
    for (name, value) in change.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    let credentials = json!({
        "access_token": "EAAGtoken",
        "app_secret": "f6a0b3c1d2e4958677a1b2c3d4e5f607",
        "verify_token": "verify-token",
    });
    let settings: Settings = serde_json::from_value(settings).unwrap();
    let credentials: Credentials = serde_json::from_value(credentials).unwrap();
    WhatsappCloud::new(settings, credentials).unwrap()
}

impl Setting {
    pub async fn new() -> Self {
        Self::with(|_| (), Value::Null).await
    }

    /// With a behaviour, and with other settings of the adapter.
    pub async fn with(change: impl FnOnce(&mut GraphBehaviour), settings: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut options = GraphOptions { seed: Some(7), ..GraphOptions::default() };
        options.accounts[0].callback_url = Some(format!("http://{}/callbacks/1", listener.local_addr().unwrap()));
        change(&mut options.behaviour);
        let simulator = GraphSimulator::start(options).await.unwrap();
        let adapter = Arc::new(adapter(&simulator.base_url(), settings));
        let received = Received::default();
        let router = Router::new()
            .route("/callbacks/1", get(shake).post(take))
            .with_state((Arc::clone(&adapter), Arc::clone(&received)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        simulator.open_window(NUMBER, CUSTOMER).unwrap();
        Self { simulator, adapter, received }
    }

    pub async fn send(&self, message: Message) -> Outcome {
        self.adapter.send(&Outgoing { message: Arc::new(message), kinds: Vec::new(), part: 0, attempt: 0 }).await
    }

    /// All that has been told so far.
    pub fn notices(&self) -> Vec<Notice> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until all that waits has been told, and returns it.
    pub async fn told(&self) -> Vec<Notice> {
        let told = self.simulator.until(|summary| summary.receipts_waiting == 0);
        timeout(PATIENCE, told).await.unwrap();
        self.notices()
    }

    /// Waits until something has been told.
    pub async fn until(&self, mut wished: impl FnMut(&[Notice]) -> bool) -> Vec<Notice> {
        let wait = async {
            loop {
                let notices = self.notices();
                if wished(&notices) {
                    return notices;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never told: {:?}", self.notices()))
    }

    /// The receipts of a message once all has been told.
    pub async fn receipts(&self, id: MessageId) -> Vec<Receipt> {
        let of = |notice| match notice {
            Notice::Receipt(receipt) if receipt.reference == Reference::Ours(id) => Some(receipt),
            _ => None,
        };
        self.told().await.into_iter().filter_map(of).collect()
    }
}

async fn take(
    State((adapter, received)): State<(Arc<WhatsappCloud>, Received)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if adapter.verify(Callback { headers: &headers, body: &body }).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    received.lock().unwrap().extend(adapter.read(&body).unwrap());
    StatusCode::OK
}

async fn shake(
    State((adapter, _)): State<(Arc<WhatsappCloud>, Received)>,
    RawQuery(query): RawQuery,
) -> Result<String, StatusCode> {
    adapter.handshake(&query.unwrap_or_default()).ok_or(StatusCode::FORBIDDEN)
}

/// A text to a customer.
pub fn text(to: &str) -> Message {
    Message {
        id: MessageId::new(),
        protocol: Protocol::WhatsApp,
        from: OURS.to_owned(),
        to: to.to_owned(),
        text: "Your table is ready.".to_owned(),
        files: Vec::new(),
        parts: 1,
        template: None,
        refused: None,
        metadata: None,
        priority: Priority::default(),
        accepted_at: Timestamp::now(),
        send_at: None,
        expires_at: None,
    }
}

/// A template that needs nothing, of a category.
pub fn plain(category: Category) -> TemplateMessage {
    TemplateMessage {
        name: format!("plain_{}", category.as_str().to_lowercase()),
        language: "en_US".to_owned(),
        category,
        explicit: false,
        more_than_text: false,
        header: None,
        body: Vec::new(),
        buttons: Vec::new(),
    }
}

/// A message by such a template, which the simulator knows from now on.
pub fn templated(simulator: &GraphSimulator, to: &str, category: Category) -> Message {
    let template = plain(category);
    let row = json!({"name": template.name, "language": "en_US", "category": category.as_str(),
        "components": [{"type": "BODY", "text": "Hello!"}]});
    simulator.put_template(None, &row).unwrap();
    Message { template: Some(template), ..text(to) }
}

/// The statuses of receipts, in the order of their coming.
pub fn statuses(receipts: &[Receipt]) -> Vec<Status> {
    receipts.iter().map(|receipt| receipt.status).collect()
}
