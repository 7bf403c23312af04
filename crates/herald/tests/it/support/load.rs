//! Clients that hand messages in and repeat what was not answered, as careful programs do.

use super::{Answer, Ask, Channel, Department};
use herald_rules::time::Timestamp;
use http::Method;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// A message that was answered with a 2xx.
#[derive(Clone, Debug)]
pub struct Sent {
    pub id: String,
    pub protocol: String,
    pub to: String,
    pub priority: &'static str,
    /// It was to be cancelled before its time.
    pub cancelled: bool,
}

/// What is sent.
#[derive(Clone)]
pub struct Load {
    department: Department,
    channels: Arc<[Channel]>,
    name: String,
    sent: Arc<Mutex<Vec<Sent>>>,
    repeats: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    magic: bool,
    pause: Duration,
}

impl Load {
    /// `name` keeps its idempotency keys apart from those of other loads.
    pub fn new(department: &Department, channels: &[Channel], name: &str) -> Self {
        Self {
            department: department.clone(),
            channels: channels.into(),
            name: name.to_owned(),
            sent: Arc::default(),
            repeats: Arc::default(),
            stop: Arc::default(),
            magic: true,
            pause: Duration::ZERO,
        }
    }

    /// Nobody whose provider is told to fail: for scenarios in which every call is to be taken at once.
    pub fn without_magic(mut self) -> Self {
        self.magic = false;
        self
    }

    /// Each client pauses so long between two messages, so that a long run does not pile up more than it can drain.
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Starts clients, each of which sends one after the other, to customers of its own, until it has sent `each` or the
    /// load is stopped. Every tenth message is scheduled, every twentieth for a far moment and then cancelled.
    pub fn start(&self, clients: usize, each: usize) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for client in 0..clients {
            let load = self.clone();
            running.spawn(async move {
                for number in 0..each {
                    if load.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    load.one(client, number).await;
                    tokio::time::sleep(load.pause).await;
                }
            });
        }
        running
    }

    /// No client begins another message.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What was answered so far, the messages of each customer in their order.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// How many requests had to be made again.
    pub fn repeats(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    async fn one(&self, client: usize, number: usize) {
        let channel = &self.channels[number % self.channels.len()];
        let (scheduled, cancelled) = (number % 10 == 9, number % 20 == 19);
        // Three customers a client and protocol, so that each has several messages that must keep their order; and one
        // for what is scheduled, as that stands behind whatever came before its moment.
        let customer = if scheduled { 9 } else { number / self.channels.len() % 3 };
        let to = match (channel.protocol.as_str(), if self.magic { number % 20 } else { 0 }) {
            // Magic ones: throttled twice, answer lost, lost on the way. So each load meets a retry and look-ups.
            ("WhatsApp", 3) => format!("97254{client:02}00004"),
            ("SMS", 4) => format!("97254{client:02}00005"),
            ("SMS", 7) => format!("97254{client:02}00006"),
            ("AppleBusinessChat", _) => format!("urn:mbid:AQAAY{client:02}7{customer:04}"),
            _ => format!("97254{client:02}7{customer:04}"),
        };
        let priority = if number % 4 == 3 { "bulk" } else { "transactional" };
        let key = format!("{}-{client}-{number}", self.name);
        let mut body = json!({
            "protocolType": channel.protocol, "from": channel.identifier, "to": to, "text": format!("Message {key}"),
            "priority": priority, "metadata": {"key": key},
        });
        if scheduled {
            let ahead = if cancelled { Duration::from_secs(3600) } else { Duration::from_millis(500) };
            body["sendAt"] = json!((Timestamp::now() + ahead).to_string());
        }
        let ask = self.department.ask().with_header("idempotency-key", &key);
        let answer = self.until_answered(&ask, "/api/v1.2/protocols/send", &body).await.good();
        let id = answer["providerMessageId"].as_str().unwrap().to_owned();
        if cancelled {
            let address = format!("/api/v2/messages/{id}/cancel");
            let answer = self.until_answered(&self.department.ask(), &address, &json!({})).await;
            // An earlier try may have done it, and only its answer was lost.
            let done = answer.status.is_success() || answer.body["messageStatus"] == "Rejected";
            assert!(done, "not cancelled: {answer:?}");
        }
        let sent = Sent { id, protocol: channel.protocol.clone(), to, priority, cancelled };
        self.sent.lock().unwrap().push(sent);
    }

    /// Asks again as long as there is nobody, or somebody who cannot.
    async fn until_answered(&self, ask: &Ask, path: &str, body: &Value) -> Answer {
        loop {
            match ask.try_ask(Method::POST, path, Some(body)).await {
                Ok(answer) if !answer.status.is_server_error() => return answer,
                Ok(answer) => assert_eq!(answer.code(), "store_unavailable", "{answer:?}"),
                Err(_) => {}
            }
            self.repeats.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
