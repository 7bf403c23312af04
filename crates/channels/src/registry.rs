//! All adapters that are compiled in, by name. Calls are dispatched by a `match`: no boxed futures on the way of
//! every message.

use crate::{
    contract::{Callback, CallbackError, Capabilities, LookUp, Outcome, Outgoing, Provider as _, Receipt},
    simulated::{Credentials, Settings, Simulated},
};
use herald_rules::{
    ids::MessageId,
    protocol::{Protocol, Provider},
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
}

impl Adapter {
    /// Makes the adapter of a channel from what is stored about it.
    pub fn build(
        provider: Provider,
        protocol: Protocol,
        settings: &Value,
        credentials: &Value,
    ) -> Result<Self, SettingsError> {
        match provider {
            Provider::Simulated => {
                let settings: Settings = read("settings", settings)?;
                let credentials: Credentials = read("credentials", credentials)?;
                Ok(Self::Simulated(Simulated::new(protocol, settings, credentials)?))
            }
        }
    }

    /// See [`crate::contract::Provider::capabilities`].
    pub fn capabilities(&self) -> Capabilities {
        match self {
            Self::Simulated(adapter) => adapter.capabilities(),
        }
    }

    /// See [`crate::contract::Provider::send`].
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        match self {
            Self::Simulated(adapter) => adapter.send(outgoing).await,
        }
    }

    /// See [`crate::contract::Provider::look_up`].
    pub async fn look_up(&self, id: MessageId) -> LookUp {
        match self {
            Self::Simulated(adapter) => adapter.look_up(id).await,
        }
    }

    /// See [`crate::contract::Provider::receive`].
    pub fn receive(&self, callback: Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        match self {
            Self::Simulated(adapter) => adapter.receive(callback),
        }
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
