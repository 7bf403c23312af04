//! The adapter and the simulated Graph API, written apart: each checks the other.

mod account;
mod inbound;
mod sending;
mod templates;

use super::setting::adapter;
use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use herald_channels::{
    contract::{Callback, Notice, Outcome, Outgoing, Provider, Receipt},
    whatsapp_cloud::WhatsappCloud,
};
use herald_simulators::whatsapp_cloud::{GraphAccount, GraphBehaviour, GraphOptions, GraphSimulator};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, time::timeout};

/// Long enough for a machine that is busy with other things; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Both {
    pub simulator: GraphSimulator,
    pub adapter: WhatsappCloud,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Both {
    pub async fn new() -> Self {
        Self::with(Vec::new()).await
    }

    pub async fn with(templates: Vec<Value>) -> Self {
        let account = GraphAccount { verify_token: "our verify token".to_owned(), ..GraphAccount::default() };
        let options = GraphOptions {
            accounts: vec![account],
            templates,
            seed: Some(7),
            behaviour: GraphBehaviour::default().unlimited(),
            ..GraphOptions::default()
        };
        let simulator = GraphSimulator::start(options).await.unwrap();
        let adapter = adapter(&simulator.base_url(), |_| ());
        let notices = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let callback = format!("http://{}/callbacks/1", listener.local_addr().unwrap());
        let state = (adapter.clone(), Arc::clone(&notices));
        let router = Router::new().route("/callbacks/1", get(handshake).post(receive)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        simulator.set_callback(None, Some(&callback)).unwrap();
        Self { simulator, adapter, notices }
    }

    /// Sends what must be taken; Meta's id of it.
    pub async fn take(&self, outgoing: &Outgoing) -> String {
        accepted(self.adapter.send(outgoing).await)
    }

    /// What came in, once there is as much of it as `enough` wants.
    pub async fn notices_when<T>(&self, what: impl Fn(&Notice) -> Option<T>, enough: usize) -> Vec<T> {
        let waiting = async {
            loop {
                let found: Vec<T> = self.notices.lock().unwrap().iter().filter_map(&what).collect();
                if found.len() >= enough {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{:?}", self.notices.lock().unwrap()))
    }

    pub async fn receipts(&self, enough: usize) -> Vec<Receipt> {
        let receipt = |notice: &Notice| match notice {
            Notice::Receipt(receipt) => Some(receipt.clone()),
            _ => None,
        };
        self.notices_when(receipt, enough).await
    }
}

type Receiver = (WhatsappCloud, Arc<Mutex<Vec<Notice>>>);

async fn handshake(State((adapter, _)): State<Receiver>, RawQuery(query): RawQuery) -> Result<String, StatusCode> {
    adapter.handshake(&query.unwrap_or_default()).ok_or(StatusCode::FORBIDDEN)
}

async fn receive(State((adapter, notices)): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if adapter.verify(Callback { headers: &headers, body: &body }).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    notices.lock().unwrap().extend(adapter.read(&body).unwrap());
    StatusCode::OK
}

fn accepted(outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted { reference: Some(reference) } => reference,
        other => panic!("{other:?}"),
    }
}

pub fn to(mut message: Outgoing, customer: &str) -> Outgoing {
    Arc::make_mut(&mut message.message).to = customer.to_owned();
    message
}

pub fn stored(name: &str, category: &str, components: Value) -> Value {
    json!({"name": name, "language": "en_US", "category": category, "components": components})
}
