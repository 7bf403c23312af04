//! Clients of a cluster: each keeps to no node, and asks the next one where there is no answer.

use super::front::ANSWERS_WITHIN;
use crate::support::{Answer, Ask, Channel, Department};
use herald_rules::time::Timestamp;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::task::JoinSet;

/// Customers of each client in each lane. Each gets messages of both priorities.
const CUSTOMERS: usize = 3;
/// The one who gets what is scheduled, since that stands behind whatever came before its moment.
const PUNCTUAL: usize = 9;
const SCHEDULED_AHEAD: Duration = Duration::from_millis(1_500);

/// A message that was answered 200.
#[derive(Clone, Debug)]
pub struct Sent {
    pub id: String,
    pub protocol: String,
    /// Our identifier, which names the lane.
    pub from: String,
    pub to: String,
    pub priority: &'static str,
    /// What makes it one message, however often it was handed in.
    pub key: String,
}

/// What is sent, and what became of the requests.
#[derive(Clone)]
pub struct Traffic {
    ask: Ask,
    nodes: Arc<[String]>,
    lanes: Arc<[Channel]>,
    sent: Arc<Mutex<Vec<Sent>>>,
    repeats: Arc<Mutex<BTreeMap<String, u64>>>,
    pause: Duration,
}

impl Traffic {
    pub fn new(department: &Department, nodes: &[String], lanes: &[Channel]) -> Self {
        Self {
            ask: department.ask(),
            nodes: nodes.into(),
            lanes: lanes.into(),
            sent: Arc::default(),
            repeats: Arc::default(),
            pause: Duration::ZERO,
        }
    }

    /// Each client pauses so long after each message.
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Starts clients, each of which hands in `each` messages, one after the other, to customers of its own.
    pub fn start(&self, clients: usize, each: usize) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for client in 0..clients {
            let traffic = self.clone();
            running.spawn(async move {
                for number in 0..each {
                    traffic.one(client, number).await;
                    tokio::time::sleep(traffic.pause).await;
                }
            });
        }
        running
    }

    /// What was answered so far, the messages of each customer in their order.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Requests that had to be made again, by why.
    pub fn repeats(&self) -> BTreeMap<String, u64> {
        self.repeats.lock().unwrap().clone()
    }

    async fn one(&self, client: usize, number: usize) {
        let lane = &self.lanes[(client + number) % self.lanes.len()];
        let scheduled = number % 10 == 9;
        let round = number / self.lanes.len();
        let customer = if scheduled { PUNCTUAL } else { round % CUSTOMERS };
        let to = match lane.protocol.as_str() {
            "AppleBusinessChat" => format!("urn:mbid:AQAAY{client:02}7{customer:04}"),
            _ => format!("97254{client:02}7{customer:04}"),
        };
        let priority = if round % 2 == 1 { "bulk" } else { "transactional" };
        let key = format!("{client}-{number}");
        let mut body = json!({
            "protocolType": lane.protocol, "from": lane.identifier, "to": to, "text": format!("Message {key}"),
            "priority": priority, "metadata": {"key": key},
        });
        if scheduled {
            body["sendAt"] = json!((Timestamp::now() + SCHEDULED_AHEAD).to_string());
        }
        let answer = self.until_taken(client + number, &key, &body).await;
        let id = answer.body["providerMessageId"].as_str().unwrap().to_owned();
        let (protocol, from) = (lane.protocol.clone(), lane.identifier.clone());
        self.sent.lock().unwrap().push(Sent { id, protocol, from, to, priority, key });
    }

    /// Asks one node after the other until one answers 200.
    async fn until_taken(&self, first: usize, key: &str, body: &Value) -> Answer {
        let ask = self.ask.with_header("idempotency-key", key);
        for turn in first.. {
            let ask = ask.at(&self.nodes[turn % self.nodes.len()]);
            let asked = ask.try_ask(Method::POST, "/api/v1.2/protocols/send", Some(body));
            let why = match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
                Ok(Ok(answer)) if answer.status == StatusCode::OK => return answer,
                Ok(Ok(answer)) => {
                    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{key}: {answer:?}");
                    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
                    format!("503 {}", answer.code())
                }
                Ok(Err(_)) => "no connection".to_owned(),
                Err(_) => "no answer".to_owned(),
            };
            *self.repeats.lock().unwrap().entry(why).or_default() += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("there is always a next node")
    }
}
