//! `herald channel create`.

use super::{
    super::{Failure, Kind, http::Api, send::body::protocol},
    whatsapp::{Made, Whatsapp},
};
use clap::Args;
use herald_rules::protocol::Protocol;
use serde_json::{Value, json};
use std::io::Read as _;

/// Make a channel
#[derive(Debug, Args)]
#[command(
    after_help = "Credentials are read from a file or from stdin, so that they show up neither in the shell's history nor in \
                  the list of processes. They are kept sealed and never shown again.

Examples:
  herald channel create WhatsApp --identifier 972550000001 --simulator http://127.0.0.1:7300
  herald channel create SMS --name Texts --identifier ACME --non-ticket --settings '{\"provider\": {}}' \\
      --credentials key.json
  herald channel create WhatsApp --identifier 15550100200 --phone-number-id 104433221100998 --non-ticket \\
      --waba-id 109876543210987 --access-token-file token.txt --app-secret-file secret.txt"
)]
pub(super) struct Create {
    /// WhatsApp, SMS or AppleBusinessChat (or Apple)
    #[arg(value_parser = protocol)]
    protocol: Protocol,
    /// For people [default: the protocol]
    #[arg(long)]
    name: Option<String>,
    /// A number or id that it sends from; may be repeated
    #[arg(long = "identifier", value_name = "IDENTIFIER")]
    identifiers: Vec<String>,
    /// How fast each of them sends, such as 80/s [default: the configured rate of the protocol]
    #[arg(long)]
    rate: Option<String>,
    /// Who carries it: simulated or whatsapp_cloud [default: simulated; with --waba-id whatsapp_cloud]
    #[arg(long)]
    provider: Option<String>,
    /// The address of a simulator: sets what a channel on the simulated provider needs
    #[arg(long, value_name = "URL", conflicts_with_all = ["settings", "credentials"])]
    simulator: Option<String>,
    /// The channel's settings as JSON
    #[arg(long, value_name = "JSON", value_parser = object)]
    settings: Option<Value>,
    /// A file with the provider's credentials as JSON; - reads stdin
    #[arg(long, value_name = "FILE")]
    credentials: Option<String>,
    /// Allow messages that open no ticket
    #[arg(long)]
    non_ticket: bool,
    /// Make it switched off
    #[arg(long)]
    inactive: bool,
    #[command(flatten)]
    whatsapp: Whatsapp,
}

fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    if value.is_object() { Ok(value) } else { Err("it must be a JSON object".to_owned()) }
}

impl Create {
    /// The channel, with the verify token where there is one to be entered at Meta.
    pub(super) async fn run(self, api: &Api) -> Result<(Value, Option<String>), Failure> {
        let (rate, identifiers) = (self.rate, self.identifiers);
        let whatsapp = self.whatsapp.made(&identifiers, self.credentials.is_some())?;
        let usual = if whatsapp.is_some() { "whatsapp_cloud" } else { "simulated" };
        let identifiers: Vec<_> =
            identifiers.into_iter().map(|identifier| json!({"identifier": identifier, "rate": rate})).collect();
        let mut body = json!({
            "protocol": self.protocol,
            "provider": self.provider.as_deref().unwrap_or(usual),
            "name": self.name,
            "active": !self.inactive,
            "nonTicketMessages": self.non_ticket,
            "identifiers": identifiers,
        });
        if let Some(settings) = self.settings {
            body["settings"] = settings;
        }
        if let Some(file) = &self.credentials {
            body["credentials"] = credentials(file)?;
        }
        if let Some(simulator) = self.simulator {
            body = simulated(body, &simulator);
        }
        let mut verify_token = None;
        if let Some(Made { settings, credentials, verify_token: said }) = whatsapp {
            body["settings"] = json!({"provider": settings});
            if let Some(credentials) = credentials {
                body["credentials"] = credentials;
            }
            verify_token = said;
        }
        Ok((api.post("/api/v2/channels", &body).await?, verify_token))
    }
}

/// Adds what a channel on a simulator needs. Where its receipts go, Herald fills in.
pub(in super::super) fn simulated(mut body: Value, simulator: &str) -> Value {
    body["settings"] = json!({"provider": {"base_url": simulator.trim_end_matches('/')}});
    // The account that every simulator has.
    body["credentials"] = json!({"key": "simulator-key", "callback_secret": "simulator-secret"});
    body
}

fn credentials(file: &str) -> Result<Value, Failure> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(file)
            .map_err(|error| Failure::new(Kind::Usage, format!("{file}: {error}."), ""))?;
    }
    // Without the parser's words, which may quote a secret.
    serde_json::from_str(&text)
        .map_err(|_| Failure::new(Kind::Usage, "The credentials are not JSON.", "Write them as a JSON object."))
}
