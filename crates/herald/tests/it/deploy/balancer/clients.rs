//! Clients that hand in one message after the other.

use super::haproxy::Balancer;
use crate::support::{Answer, Ask, until};
use http::Method;
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

pub(super) const CLIENTS: usize = 8;

/// Some clients, each message to a customer of its own.
#[derive(Clone)]
pub(super) struct Clients {
    base: String,
    token: String,
    pub(super) stop: Arc<AtomicBool>,
    customer: Arc<AtomicUsize>,
    /// Whose message was answered with a 2xx.
    pub(super) customers: Arc<Mutex<Vec<String>>>,
    failures: Arc<Mutex<Vec<String>>>,
}

impl Clients {
    pub(super) fn new(balancer: &Balancer, token: &str) -> Self {
        Self {
            base: balancer.base.clone(),
            token: token.to_owned(),
            stop: Arc::default(),
            customer: Arc::default(),
            customers: Arc::default(),
            failures: Arc::default(),
        }
    }

    pub(super) fn start(&self) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for _ in 0..CLIENTS {
            let clients = self.clone();
            running.spawn(async move {
                let ask = Ask::new(&clients.base).with_token(&clients.token);
                while !clients.stop.load(Ordering::Relaxed) {
                    match clients.one(&ask).await {
                        Ok(answer) if answer.status.is_success() => {}
                        Ok(answer) => clients.failures.lock().unwrap().push(answer.status.to_string()),
                        Err(error) => clients.failures.lock().unwrap().push(error),
                    }
                    // Some hundred a second are enough, and leave the machine to others.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
        }
        running
    }

    pub(super) async fn one(&self, ask: &Ask) -> Result<Answer, String> {
        let customer = format!("97254{:07}", 1_000_000 + self.customer.fetch_add(1, Ordering::Relaxed));
        let body = json!({"protocolType": "WhatsApp", "from": "972550000001", "to": customer, "text": "Balanced"});
        let answer = ask.try_ask(Method::POST, "/api/v1.2/protocols/send", Some(&body)).await?;
        if answer.status.is_success() {
            self.customers.lock().unwrap().push(customer);
        }
        Ok(answer)
    }

    pub(super) fn answered(&self) -> usize {
        self.customers.lock().unwrap().len()
    }

    pub(super) fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }

    pub(super) async fn until_answered(&self, many: usize) {
        until("requests to be answered", || async { (self.answered() >= many).then_some(()) }).await;
    }
}
