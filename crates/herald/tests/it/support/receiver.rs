//! A receiver of webhooks that keeps what comes and answers as it is told.

use super::until;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
use http::StatusCode;
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

/// One POST that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What it was answered with.
    pub answer: StatusCode,
}

impl Received {
    /// The events in it.
    pub fn events(&self) -> Vec<Value> {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The message in an event of the v1.2 envelope.
pub fn event_message(event: &Value) -> &Value {
    &event["changes"][0]["message"]
}

type Answers = Box<dyn FnMut(usize, &Value) -> (StatusCode, Duration) + Send>;

/// Listens on loopback until it is dropped.
pub struct Receiver {
    /// What a subscription's URL must be.
    pub url: String,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    answers: Mutex<Answers>,
}

impl Receiver {
    /// Answers 200 to everything.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            answers: Mutex::new(Box::new(|_, _| (StatusCode::OK, Duration::ZERO))),
        });
        let router = Router::new().route("/hook", post(take)).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, server }
    }

    /// From now on: what the n-th POST (from 0) with these events is answered with, and after how long.
    pub fn answer_with(&self, answers: impl FnMut(usize, &Value) -> (StatusCode, Duration) + Send + 'static) {
        *self.shared.answers.lock().unwrap() = Box::new(answers);
    }

    /// Every POST so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Every POST from the n-th on (from 0), for who reads a long run as it comes.
    pub fn received_from(&self, first: usize) -> Vec<Received> {
        self.shared.received.lock().unwrap().get(first..).unwrap_or_default().to_vec()
    }

    /// The events of all POSTs that were answered with a 2xx, in the order of arrival.
    pub fn events(&self) -> Vec<Value> {
        self.received().iter().filter(|post| post.answer.is_success()).flat_map(Received::events).collect()
    }

    /// The statuses of one message, in the order of arrival.
    pub fn statuses(&self, id: &str) -> Vec<String> {
        let events = self.events();
        let messages = events.iter().map(event_message).filter(|message| message["providerMessageId"] == id);
        messages.map(|message| message["status"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until these are the statuses of a message, in order.
    pub async fn until_statuses(&self, id: &str, statuses: &[&str]) {
        until(&format!("the statuses {statuses:?} of {id}"), || async {
            (self.statuses(id) == statuses).then_some(())
        })
        .await;
    }

    /// Waits until so many events have come.
    pub async fn until_events(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} events"), || async { Some(self.events()).filter(|events| events.len() >= count) }).await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let events = serde_json::from_slice(&body).unwrap_or_default();
    let number = shared.received.lock().unwrap().len();
    let (answer, wait) = (shared.answers.lock().unwrap())(number, &events);
    shared.received.lock().unwrap().push(Received { headers, body, answer });
    tokio::time::sleep(wait).await;
    answer
}
