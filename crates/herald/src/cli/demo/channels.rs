//! The channels of the demo, made or found again, and pointed to the providers of this run.

use super::providers::Providers;
use crate::cli::{
    Failure,
    http::{Api, segment},
    show,
};
use herald_rules::protocol::{Protocol, Provider};
use serde_json::{Value, json};

/// How fast each identifier sends. A real WhatsApp number begins at 80/s.
pub(super) const RATE: &str = "2000/s";

/// A channel to be there.
#[derive(Clone, Copy)]
pub(super) struct Planned {
    pub(super) name: &'static str,
    pub(super) protocol: Protocol,
    pub(super) identifier: &'static str,
    /// Whether non-ticket messages are on.
    pub(super) on: bool,
}

pub(super) const CHANNELS: [Planned; 4] = [
    Planned { name: "WhatsApp", protocol: Protocol::WhatsApp, identifier: "972550000001", on: true },
    Planned { name: "SMS", protocol: Protocol::SMS, identifier: "972550000001", on: true },
    Planned { name: "Apple", protocol: Protocol::AppleBusinessChat, identifier: "herald-demo", on: true },
    Planned { name: "WhatsApp, off", protocol: Protocol::WhatsApp, identifier: "972550000009", on: false },
];

impl Planned {
    /// Who carries it.
    pub(super) fn provider(&self) -> Provider {
        if self.protocol == Protocol::WhatsApp { Provider::WhatsappCloud } else { Provider::Simulated }
    }
}

/// Those that need an account at Meta.
pub(super) fn whatsapp_numbers() -> Vec<&'static str> {
    let whatsapp = CHANNELS.iter().filter(|planned| planned.protocol == Protocol::WhatsApp);
    whatsapp.map(|planned| planned.identifier).collect()
}

/// Makes them all, with their templates.
pub(super) async fn make(member: &Api, url: &str, providers: &Providers) -> Result<(), Failure> {
    let known = member.list("/api/v2/channels", usize::MAX).await?;
    for planned in CHANNELS {
        let Planned { name, protocol, identifier, on } = planned;
        let channel: Value = match show::items(&known).find(|channel| channel["name"] == name) {
            Some(channel) => {
                let path = format!("/api/v2/channels/{}", segment(&show::text(&channel["id"])));
                let body = json!({"active": true, "nonTicketMessages": on});
                member.patch(&path, &providers.complete(body, protocol, identifier)).await?
            }
            None => {
                let body = json!({
                    "name": name, "protocol": protocol, "provider": planned.provider().as_str(), "nonTicketMessages": on,
                    "identifiers": [{"identifier": identifier, "rate": RATE}],
                });
                member.post("/api/v2/channels", &providers.complete(body, protocol, identifier)).await?
            }
        };
        if protocol == Protocol::WhatsApp {
            let callback = format!("{url}{}", show::text(&channel["callbackPath"]));
            providers.call_back(identifier, &callback).await?;
            // Herald reads the templates by itself too, but maybe later than the first message goes.
            let id = show::text(&channel["id"]);
            member.post::<Value>(&format!("/api/v2/channels/{}/templates/sync", segment(&id)), &()).await?;
        }
    }
    Ok(())
}
