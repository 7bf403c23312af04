//! Sets everything up: the node, the simulated providers, a department with keys and channels, a receiver of webhooks.
//! All of it over HTTP, as a user would.

use super::{
    channels::{self, CHANNELS, Planned, RATE},
    heading, number,
    providers::Providers,
};
use crate::{
    cli::{
        Failure,
        http::{Api, segment},
        show,
        webhook::{Keys, Receiver},
    },
    config::Config,
    node::Node,
};
use axum::http::StatusCode;
use herald_rules::signature::EndpointSecret;
use serde_json::{Value, json};
use std::{net::Ipv4Addr, path::PathBuf};

/// The department's name, and that of its secrets and subscription.
const NAME: &str = "Demo";
/// The department's API user.
pub(super) const USER: &str = "demo@example.com";
/// The department's own limit, so that a bulk run shows Herald and not its limit.
const MESSAGES_PER_MINUTE: u64 = 600_000;
const BURST: u64 = 20_000;

/// Everything that plays a part.
pub(super) struct Stage {
    /// Speaks for the department, with a token of v1.2.
    pub(super) member: Api,
    /// What Herald tells us.
    pub(super) receiver: Receiver,
    /// The providers.
    pub(super) providers: Providers,
    /// Where the API is.
    pub(super) url: String,
    /// The department's id.
    pub(super) api_key: String,
    /// One of its secrets.
    pub(super) api_secret: String,
    /// The id of the first message: the lines to paste show its story.
    pub(super) first: Option<String>,
    folder: PathBuf,
    token: String,
    webhook_secret: String,
    subscription: String,
    internal: String,
    temporary: bool,
    node: Node,
}

impl Stage {
    /// Starts it all.
    pub(super) async fn set(config: Config, temporary: bool) -> Result<Self, Failure> {
        let admin_token = config.data.admin_token_path();
        let providers = Providers::start(channels::whatsapp_number()).await?;
        let scheme = if config.listen.tls().is_some() { "https" } else { "http" };
        let folder = config.data.folder.clone();
        let node = Node::start(config).await?;
        // Lines to paste hold in every folder.
        let folder = folder.canonicalize()?;
        let (url, internal) = (format!("{scheme}://{}", node.public), format!("http://{}", node.internal));
        let admin_token = std::fs::read_to_string(admin_token)?;
        let admin = Api::to(&url, Some(admin_token.trim()))?;
        let (api_key, api_secret) = department(&admin).await?;
        let login = json!({"apiKey": api_key, "apiSecret": api_secret, "userName": USER});
        let answer: Value = Api::to(&url, None)?.post("/api/v1.2/token/get", &login).await?;
        let token = show::text(&answer["access_token"]);
        let member = Api::to(&url, Some(&token))?;
        channels::make(&member, &url, &providers).await?;
        let receiver = Receiver::start((Ipv4Addr::LOCALHOST, 0).into(), StatusCode::OK).await?;
        let made = subscription(&member, &receiver.url).await?;
        let (subscription, webhook_secret) = (show::text(&made["id"]), show::text(&made["secret"]));
        let endpoint = EndpointSecret::parse(&webhook_secret).map_err(anyhow::Error::from)?;
        receiver.check_with(Keys { api_secret: Some(api_secret.clone().into()), endpoint: Some(endpoint) });
        Ok(Self {
            member,
            receiver,
            providers,
            url,
            api_key,
            api_secret,
            first: None,
            folder,
            token,
            webhook_secret,
            subscription,
            internal,
            temporary,
            node,
        })
    }

    /// Ends it all, in order.
    pub(super) async fn strike(self) {
        // Nobody will listen at its address any more. If it cannot be deleted, the next demo on this folder does.
        let _ = self.member.delete::<Value>(&format!("/api/v2/subscriptions/{}", segment(&self.subscription))).await;
        self.node.stop().await;
    }

    /// What programs need to know.
    pub(super) fn ready(&self) -> Value {
        let channels = CHANNELS.map(|Planned { name, protocol, identifier, on, .. }| {
            json!({"name": name, "protocol": protocol, "identifier": identifier, "nonTicketMessages": on})
        });
        let Providers { graph, others, website, .. } = &self.providers;
        json!({"ready": {
            "url": self.url, "internalUrl": self.internal, "graphUrl": graph.base_url(),
            "simulatorUrl": others.base_url(), "filesUrl": website.url(),
            "webhookUrl": self.receiver.url, "webhookSecret": self.webhook_secret,
            "dataFolder": self.folder, "apiKey": self.api_key, "apiSecret": self.api_secret, "userName": USER,
            "token": self.token, "channels": channels,
        }})
    }

    /// What people need to know.
    pub(super) fn introduction(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let folder = self.folder.display();
        let kept = if self.temporary { " (removed at the end)" } else { "" };
        let mut text = heading(&format!(
            "Herald {version} is running, with everything set up. Meta, SMS and Apple are simulated: nothing leaves this machine."
        ));
        text.push_str(&format!(
            "

  API        {url}  (the API page: {url}/docs)
  metrics    {internal}/metrics
  data       {folder}{kept}
  webhooks   {hook}  (this process; webhooks.allow_networks lets them reach 127.0.0.0/8)
  limit      {per_minute} messages a minute, {burst} at once, for this department (as configured: {usual} a minute)
  lanes      {RATE} each (a real WhatsApp number begins at 80/s)

  channel        protocol           provider        identifier    non-ticket messages
",
            url = self.url,
            internal = self.internal,
            hook = self.receiver.url,
            per_minute = number(MESSAGES_PER_MINUTE),
            burst = number(BURST),
            usual = self.node.app.config.limits.messages_per_minute,
        ));
        for Planned { name, protocol, provider, identifier, on } in CHANNELS {
            let on = if on { "on" } else { "off" };
            let (protocol, provider) = (protocol.as_str(), provider.as_str());
            text.push_str(&format!("  {name:<14} {protocol:<18} {provider:<15} {identifier:<13} {on}\n"));
        }
        text
    }
}

/// The department with a fresh secret and its user, made or found again.
async fn department(admin: &Api) -> Result<(String, String), Failure> {
    let settings = json!({"messagesPerMinute": MESSAGES_PER_MINUTE, "burst": BURST});
    let all = admin.list("/api/v2/departments", usize::MAX).await?;
    let Some(known) = show::items(&all).find(|department| department["name"] == NAME) else {
        let body = json!({"name": NAME, "user": USER, "settings": settings});
        let made: Value = admin.post("/api/v2/departments", &body).await?;
        return Ok((show::text(&made["apiKey"]), show::text(&made["secret"]["secret"])));
    };
    // Its secrets were shown once, in an earlier demo: a new one, and the old ones revoked.
    let id = show::text(&known["id"]);
    admin.patch::<Value>(&format!("/api/v2/departments/{id}"), &json!({"settings": settings})).await?;
    let path = |rest: &str| format!("/api/v2/secrets{rest}?department={id}");
    let old: Value = admin.get(&path("")).await?;
    let name = format!("demo {}", herald_rules::time::Timestamp::now());
    let made: Value = admin.post(&path(""), &json!({"name": name})).await?;
    for secret in show::items(&old).filter(|secret| secret["revokedAt"].is_null()) {
        admin.delete::<Value>(&path(&format!("/{}", segment(&show::text(&secret["id"]))))).await?;
    }
    Ok((id, show::text(&made["secret"])))
}

/// A subscription for this receiver; those of earlier demos lead nowhere and go.
async fn subscription(member: &Api, url: &str) -> Result<Value, Failure> {
    let known = member.list("/api/v2/subscriptions", usize::MAX).await?;
    for old in show::items(&known).filter(|subscription| subscription["name"] == NAME) {
        member.delete::<Value>(&format!("/api/v2/subscriptions/{}", segment(&show::text(&old["id"])))).await?;
    }
    member.post("/api/v2/subscriptions", &json!({"name": NAME, "url": url})).await
}
