//! All adapters that are compiled in, by name. Calls are dispatched by a `match`: no boxed futures on the way of
//! every message.

use crate::{
    contract::{
        AccountReport, Callback, CallbackError, Capabilities, CheckLine, LookUp, Notice, Outcome, Outgoing,
        Provider as _,
    },
    simulated::{self, Simulated},
    whatsapp_cloud::{self, WhatsappCloud},
};
use herald_rules::{
    ids::MessageId,
    message::Message,
    protocol::{Protocol, Provider},
    reason::Cause,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a channel's settings make no adapter: something for the operator to correct.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct SettingsError {
    /// Which setting, as `settings.base_url` or `credentials`.
    pub place: String,
    /// What is wrong with it. Never holds the value of a secret.
    pub problem: String,
}

impl SettingsError {
    /// A problem with one setting.
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// The adapter of one channel.
#[derive(Clone, Debug)]
pub enum Adapter {
    /// The simulated providers.
    Simulated(Simulated),
    /// Meta's WhatsApp Cloud API.
    WhatsappCloud(WhatsappCloud),
}

/// Calls the same method of whichever adapter it is.
macro_rules! each {
    ($self:ident, $adapter:ident => $call:expr) => {
        match $self {
            Self::Simulated($adapter) => $call,
            Self::WhatsappCloud($adapter) => $call,
        }
    };
}

impl Adapter {
    /// Makes the adapter of a channel from what is stored about it.
    pub fn build(
        provider: Provider,
        protocol: Protocol,
        settings: &Value,
        credentials: &Value,
    ) -> Result<Self, SettingsError> {
        if !provider.carries(protocol) {
            return Err(SettingsError::new("provider", format!("{} does not carry {protocol}", provider.as_str())));
        }
        match provider {
            Provider::Simulated => {
                let settings: simulated::Settings = read("settings", settings)?;
                let credentials: simulated::Credentials = read("credentials", credentials)?;
                Ok(Self::Simulated(Simulated::new(protocol, settings, credentials)?))
            }
            Provider::WhatsappCloud => {
                let settings: whatsapp_cloud::Settings = read("settings", settings)?;
                let credentials: whatsapp_cloud::Credentials = read("credentials", credentials)?;
                Ok(Self::WhatsappCloud(WhatsappCloud::new(settings, credentials)?))
            }
        }
    }

    /// The WhatsApp adapter, for what only WhatsApp has: templates, media.
    pub fn whatsapp_cloud(&self) -> Option<&WhatsappCloud> {
        match self {
            Self::WhatsappCloud(adapter) => Some(adapter),
            Self::Simulated(_) => None,
        }
    }

    /// See [`crate::contract::Provider::capabilities`].
    pub fn capabilities(&self) -> Capabilities {
        each!(self, adapter => adapter.capabilities())
    }

    /// See [`crate::contract::Provider::send`].
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        each!(self, adapter => adapter.send(outgoing).await)
    }

    /// See [`crate::contract::Provider::look_up`].
    pub async fn look_up(&self, id: MessageId) -> LookUp {
        each!(self, adapter => adapter.look_up(id).await)
    }

    /// See [`crate::contract::Provider::verify`].
    pub fn verify(&self, callback: Callback<'_>) -> Result<(), CallbackError> {
        each!(self, adapter => adapter.verify(callback))
    }

    /// See [`crate::contract::Provider::read`].
    pub fn read(&self, body: &[u8]) -> Result<Vec<Notice>, CallbackError> {
        each!(self, adapter => adapter.read(body))
    }

    /// See [`crate::contract::Provider::handshake`].
    pub fn handshake(&self, query: &str) -> Option<String> {
        each!(self, adapter => adapter.handshake(query))
    }

    /// See [`crate::contract::Provider::parts`].
    pub fn parts(&self, message: &Message) -> u16 {
        each!(self, adapter => adapter.parts(message))
    }

    /// See [`crate::contract::Provider::portfolio`].
    pub fn portfolio(&self) -> Option<&str> {
        each!(self, adapter => adapter.portfolio())
    }

    /// A live test of settings and credentials, for those who set a channel up with these identifiers. Sends no message.
    pub async fn check(&self, identifiers: &[&str]) -> Vec<CheckLine> {
        match self {
            Self::Simulated(adapter) => adapter.check().await,
            Self::WhatsappCloud(adapter) => {
                let mut lines = adapter.check().await;
                lines.extend(adapter.unknown_numbers(identifiers.iter().copied()));
                lines
            }
        }
    }

    /// See [`crate::contract::Provider::report`].
    pub async fn report(&self) -> Result<AccountReport, Cause> {
        each!(self, adapter => adapter.report().await)
    }
}

/// Reads one of the two stored documents. serde's words name the field and the expected type; a value that it quotes
/// might be a secret, so those of credentials are left out.
fn read<T: DeserializeOwned>(place: &str, value: &Value) -> Result<T, SettingsError> {
    T::deserialize(value).map_err(|error| {
        let text = error.to_string();
        let secret = place == "credentials" && text.starts_with("invalid");
        SettingsError::new(place, if secret { "a field has the wrong type".to_owned() } else { text })
    })
}
