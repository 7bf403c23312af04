//! A department with its keys, made over the API as an administrator makes it.

use super::{Answer, Ask, Herald, until};
use herald_simulators::Simulator;
use serde_json::{Value, json};

/// The user of every department here.
pub const USER: &str = "api@example.com";

/// A department, and a token of it.
#[derive(Clone, Debug)]
pub struct Department {
    /// Its id, which is its API key.
    pub id: String,
    /// Its API secret.
    pub secret: String,
    /// A bearer token of v1.2.
    pub token: String,
    ask: Ask,
}

/// A channel with one identifier.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: String,
    pub protocol: String,
    pub identifier: String,
}

impl Department {
    /// Without a limit that a test would meet.
    pub async fn new(herald: &Herald, name: &str) -> Self {
        Self::with(herald, name, json!({"messagesPerMinute": 6_000_000, "burst": 100_000})).await
    }

    /// With settings.
    pub async fn with(herald: &Herald, name: &str, settings: Value) -> Self {
        Self::at(&herald.ask(), &herald.admin, name, settings).await
    }

    /// The same where there is more than one Herald behind an address.
    pub async fn at(ask: &Ask, admin: &str, name: &str, settings: Value) -> Self {
        let body = json!({"name": name, "user": USER, "settings": settings});
        let made = ask.with_token(admin).post("/api/v2/departments", &body).await.good();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let (id, secret) = (text(&made["apiKey"]), text(&made["secret"]["secret"]));
        let body = json!({"apiKey": id, "apiSecret": secret, "userName": USER});
        let token = text(&ask.post("/api/v1.2/token/get", &body).await.good()["access_token"]);
        let ask = ask.with_token(&token);
        Self { id, secret, token, ask }
    }

    /// The same at another address.
    pub fn through(self, base: &str) -> Self {
        Self { ask: self.ask.at(base), ..self }
    }

    /// A client with its token.
    pub fn ask(&self) -> Ask {
        self.ask.clone()
    }

    /// A channel on a simulated provider, with non-ticket messages on or off.
    pub async fn channel(&self, simulator: &Simulator, protocol: &str, identifier: &str, on: bool) -> Channel {
        self.channel_with(simulator, protocol, identifier, json!({"nonTicketMessages": on})).await
    }

    /// The same with more fields of the request; `settings` is merged with those of the simulator.
    pub async fn channel_with(&self, simulator: &Simulator, protocol: &str, identifier: &str, more: Value) -> Channel {
        let mut body = json!({
            "protocol": protocol,
            "identifiers": [{"identifier": identifier}],
            "credentials": {"key": "simulator-key", "callback_secret": "simulator-secret"},
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let settings = fields.entry("settings").or_insert_with(|| json!({}));
        let provider = settings.as_object_mut().unwrap().entry("provider").or_insert_with(|| json!({}));
        // The callback address is filled in by Herald.
        provider.as_object_mut().unwrap().insert("base_url".into(), json!(simulator.base_url()));
        let made = self.ask().post("/api/v2/channels", &body).await.good();
        let id = made["id"].as_str().unwrap().to_owned();
        Channel { id, protocol: protocol.to_owned(), identifier: identifier.to_owned() }
    }

    /// One send of v1.2.
    pub async fn send(&self, body: &Value) -> Answer {
        self.ask().post("/api/v1.2/protocols/send", body).await
    }

    /// A text that must be accepted; returns its `providerMessageId`.
    pub async fn text(&self, channel: &Channel, to: &str, text: &str) -> String {
        let body = json!({"protocolType": channel.protocol, "from": channel.identifier, "to": to, "text": text});
        self.send(&body).await.good()["providerMessageId"].as_str().unwrap().to_owned()
    }

    /// A message with its history.
    pub async fn story(&self, id: &str) -> Value {
        self.ask().get(&format!("/api/v2/messages/{id}")).await.good()
    }

    /// Waits until a message has this status, and returns its story.
    pub async fn story_until(&self, id: &str, status: &str) -> Value {
        until(&format!("{id} to be {status}"), || async {
            let story = self.story(id).await;
            (story["status"] == status).then_some(story)
        })
        .await
    }

    /// A webhook subscription to all events; returns it as made, with its secret.
    pub async fn subscribe(&self, url: &str) -> Value {
        self.ask().post("/api/v2/subscriptions", &json!({"name": "Webhook", "url": url})).await.good()
    }
}
