//! A department with its channels, made over the API as anyone would.

use crate::{client::Client, herald::Herald, load::Sender, provider::Packing, tools::Tools};
use anyhow::Context;
use herald_rules::protocol::Protocol;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A lane of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    pub(crate) protocol: Protocol,
    pub(crate) identifier: &'static str,
}

/// Text messages: two statuses a message (`Accepted`, `Delivered`), receipts under the provider's own references.
pub(crate) const SMS: Lane = Lane { protocol: Protocol::SMS, identifier: "4930100001" };
/// Another number of the same channel, for the backlog.
pub(crate) const BACKLOG: Lane = Lane { protocol: Protocol::SMS, identifier: "4930100002" };
/// WhatsApp: three statuses a message, the last of them `Read`.
pub(crate) const WHATSAPP: Lane = Lane { protocol: Protocol::WhatsApp, identifier: "4930100003" };

impl Lane {
    /// The status after which no receipt comes.
    pub(crate) fn last_status(self) -> &'static str {
        match self.protocol {
            Protocol::WhatsApp => "Read",
            Protocol::SMS => "Delivered",
            Protocol::AppleBusinessChat => "Accepted",
        }
    }

    fn id(self) -> String {
        format!("{}:{}", self.protocol, self.identifier)
    }
}

/// Messages a minute and at once: no limit that anything here could meet.
pub(crate) const RATE_LIMIT: (u32, u32) = (4_000_000_000, 1_000_000_000);
const USER: &str = "bench@example.com";

/// A department, and a token of it.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    admin: Client,
    department: String,
    token: String,
}

impl Tenant {
    /// A department without a limit, its channels on the provider, lanes without a rate, and a webhook.
    pub(crate) async fn make(herald: &Herald, tools: &Tools, packing: Packing) -> anyhow::Result<Self> {
        let tenant = Self::empty(herald).await?;
        let (_, provider) = *tools.provider(packing);
        tenant.channel(provider, Protocol::SMS, &[SMS, BACKLOG]).await?;
        tenant.channel(provider, Protocol::WhatsApp, &[WHATSAPP]).await?;
        tenant.webhook(tools).await?;
        Ok(tenant)
    }

    /// The same with one lane alone.
    pub(crate) async fn with_lane(herald: &Herald, tools: &Tools, lane: Lane) -> anyhow::Result<Self> {
        let tenant = Self::empty(herald).await?;
        let (_, provider) = *tools.provider(Packing::Many);
        tenant.channel(provider, lane.protocol, &[lane]).await?;
        tenant.webhook(tools).await?;
        Ok(tenant)
    }

    async fn empty(herald: &Herald) -> anyhow::Result<Self> {
        let admin = herald.admin()?;
        let (per_minute, burst) = RATE_LIMIT;
        let settings = json!({"messagesPerMinute": per_minute, "burst": burst});
        let made =
            admin.post("/api/v2/departments", json!({"name": "Bench", "user": USER, "settings": settings})).await?;
        let (department, secret) = (text(&made["apiKey"])?, text(&made["secret"]["secret"])?);
        let credentials = json!({"apiKey": department, "apiSecret": secret, "userName": USER});
        let token = Client::new(herald.public, "").post("/api/v1.2/token/get", credentials).await?;
        Ok(Self { admin, token: text(&token["access_token"])?, department })
    }

    async fn webhook(&self, tools: &Tools) -> anyhow::Result<()> {
        let webhook =
            json!({"name": "Receiver", "kind": "webhook", "url": format!("http://{}/events", tools.receiver_address)});
        self.admin.post(&self.path("/api/v2/subscriptions"), webhook).await.map(drop)
    }

    async fn channel(&self, provider: SocketAddr, protocol: Protocol, lanes: &[Lane]) -> anyhow::Result<()> {
        let identifiers: Vec<Value> =
            lanes.iter().map(|lane| json!({"identifier": lane.identifier, "rate": "unlimited"})).collect();
        let channel = json!({
            "protocol": protocol, "provider": "simulated", "nonTicketMessages": true, "identifiers": identifiers,
            "settings": {"provider": {"base_url": format!("http://{provider}")}},
            "credentials": {"key": "simulator-key", "callback_secret": "simulator-secret"},
        });
        self.admin.post(&self.path("/api/v2/channels"), channel).await.map(drop)
    }

    /// An address for the administrator, who says which department is meant.
    fn path(&self, path: &str) -> String {
        format!("{path}?department={}", self.department)
    }

    pub(crate) fn sender(&self, lane: Lane) -> Sender {
        Sender { protocol: lane.protocol, from: lane.identifier.to_owned(), token: self.token.clone() }
    }

    pub(crate) async fn pause(&self, lane: Lane) -> anyhow::Result<()> {
        self.admin.post(&self.path(&format!("/api/v2/lanes/{}/pause", lane.id())), Value::Null).await.map(drop)
    }

    pub(crate) async fn resume(&self, lane: Lane) -> anyhow::Result<()> {
        self.admin.post(&self.path(&format!("/api/v2/lanes/{}/resume", lane.id())), Value::Null).await.map(drop)
    }

    /// How many messages wait in a lane.
    pub(crate) async fn queued(&self, lane: Lane) -> anyhow::Result<u64> {
        let lane = self.admin.get(&self.path(&format!("/api/v2/lanes/{}", lane.id()))).await?;
        lane["queued"].as_u64().context("no queue length")
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("a field is missing in an answer")?.to_owned())
}
