//! Single calls of the API: setting up, asking, never measuring.

use crate::load::{connection::Connection, message::head};
use anyhow::{Context, bail};
use serde_json::Value;
use std::net::SocketAddr;

/// Where to call, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    token: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, token: &str) -> Self {
        Self { address, token: token.to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call("POST", path, Some(body)).await
    }

    /// One call; any answer but a 2xx is an error. Answers without JSON are null.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let (status, body) = self.exchange(method, path, body).await?;
        if !(200..300).contains(&status) {
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// One call, whatever the answer.
    pub(crate) async fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<(u16, Vec<u8>)> {
        let body = body.map_or_else(String::new, |body| body.to_string());
        let head = head(method, path, &self.address.to_string(), &self.token, body.len());
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.exchange([head, body].concat().as_bytes()).await;
        let answer = answer.with_context(|| format!("{method} {path}"))?;
        Ok((answer.status, answer.body.to_vec()))
    }
}
