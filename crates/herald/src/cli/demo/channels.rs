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
    /// Who carries it.
    pub(super) provider: Provider,
    pub(super) identifier: &'static str,
    /// Whether non-ticket messages are on.
    pub(super) on: bool,
}

pub(super) const CHANNELS: [Planned; 4] = [
    Planned {
        name: "WhatsApp",
        protocol: Protocol::WhatsApp,
        provider: Provider::WhatsappCloud,
        identifier: "972550000001",
        on: true,
    },
    Planned {
        name: "SMS",
        protocol: Protocol::SMS,
        provider: Provider::Simulated,
        identifier: "972550000001",
        on: true,
    },
    Planned {
        name: "Apple",
        protocol: Protocol::AppleBusinessChat,
        provider: Provider::Simulated,
        identifier: "herald-demo",
        on: true,
    },
    // Of the simulated provider, so that there is one channel with templates and nobody has to say which.
    Planned {
        name: "WhatsApp, off",
        protocol: Protocol::WhatsApp,
        provider: Provider::Simulated,
        identifier: "972550000009",
        on: false,
    },
];

/// The number that has an account at Meta.
pub(super) fn whatsapp_number() -> Option<&'static str> {
    let mut channels = CHANNELS.iter().filter(|planned| planned.provider == Provider::WhatsappCloud);
    channels.next().map(|planned| planned.identifier)
}

/// Makes them all, with their templates.
pub(super) async fn make(member: &Api, url: &str, providers: &Providers) -> Result<(), Failure> {
    let known = member.list("/api/v2/channels", usize::MAX).await?;
    for planned in CHANNELS {
        let Planned { name, protocol, provider, identifier, on } = planned;
        let channel: Value = match show::items(&known).find(|channel| channel["name"] == name) {
            Some(channel) => {
                let path = format!("/api/v2/channels/{}", segment(&show::text(&channel["id"])));
                let body = json!({"active": true, "nonTicketMessages": on});
                member.patch(&path, &providers.complete(body, planned)).await?
            }
            None => {
                let body = json!({
                    "name": name, "protocol": protocol, "provider": provider.as_str(), "nonTicketMessages": on,
                    "identifiers": [{"identifier": identifier, "rate": RATE}],
                });
                member.post("/api/v2/channels", &providers.complete(body, planned)).await?
            }
        };
        if provider == Provider::WhatsappCloud {
            let callback = format!("{url}{}", show::text(&channel["callbackPath"]));
            providers.call_back(&callback).await?;
            // Herald reads the templates by itself too, but maybe later than the first message goes.
            let id = show::text(&channel["id"]);
            member.post::<Value>(&format!("/api/v2/channels/{}/templates/sync", segment(&id)), &()).await?;
        }
    }
    Ok(())
}
