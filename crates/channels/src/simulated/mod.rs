//! The adapter for the simulated providers of `herald-simulators`: JSON over HTTP in the manner of commercial APIs.
//!
//! The wire is described in that crate; both sides are written apart, so that each checks the other.

mod answer;
mod check;
pub mod codes;
mod receipts;
mod settings;

pub use receipts::SIGNATURE_HEADER;
pub use settings::{Credentials, PairSetting, ReconcileSetting, Settings};

use crate::{
    contract::{Callback, CallbackError, Capabilities, LookUp, Notice, Outcome, Outgoing, Provider},
    http::{self as client, Address, Call, Client},
    registry::SettingsError,
};
use herald_rules::{ids::MessageId, protocol::Protocol};
use hmac::{Hmac, KeyInit};
use http::{HeaderValue, Method};
use serde::Serialize;
use sha2::Sha256;
use std::{fmt, sync::Arc, time::Duration};

/// The adapter of one channel on a simulated provider.
#[derive(Clone)]
pub struct Simulated {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    capabilities: Capabilities,
    messages: Address,
    by_client_reference: String,
    authorization: HeaderValue,
    callback_url: String,
    secret: Hmac<Sha256>,
    timeout: Duration,
}

/// The body of a send.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    client_reference: MessageId,
    from: &'a str,
    to: &'a str,
    text: &'a str,
    files: &'a [String],
    callback_url: &'a str,
}

impl Simulated {
    /// Checks a channel's settings and makes its adapter.
    pub fn new(protocol: Protocol, settings: Settings, credentials: Credentials) -> Result<Self, SettingsError> {
        let base = settings.base_url.trim_end_matches('/');
        let messages = Address::parse(&format!("{base}/v1/{protocol}/messages"))
            .map_err(|problem| SettingsError::new("settings.base_url", problem))?;
        Address::parse(&settings.callback_url)
            .map_err(|problem| SettingsError::new("settings.callback_url", problem))?;
        if settings.timeout_ms == 0 {
            return Err(SettingsError::new("settings.timeout_ms", "must be above 0"));
        }
        if credentials.key.is_empty() {
            return Err(SettingsError::new("credentials.key", "must not be empty"));
        }
        if credentials.callback_secret.is_empty() {
            return Err(SettingsError::new("credentials.callback_secret", "must not be empty"));
        }
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", credentials.key))
            .map_err(|_| SettingsError::new("credentials.key", "has characters that no header can carry"))?;
        authorization.set_sensitive(true);
        let secret = Hmac::new_from_slice(credentials.callback_secret.as_bytes())
            .map_err(|_| SettingsError::new("credentials.callback_secret", "cannot be used as a key"))?;
        Ok(Self {
            inner: Arc::new(Inner {
                client: client::shared().map_err(|problem| SettingsError::new("http client", problem))?,
                capabilities: settings::capabilities(protocol, &settings),
                by_client_reference: format!("{base}/v1/{protocol}/messages/by-client-reference"),
                messages,
                authorization,
                callback_url: settings.callback_url,
                secret,
                timeout: Duration::from_millis(settings.timeout_ms),
            }),
        })
    }
}

impl Provider for Simulated {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities
    }

    async fn send(&self, outgoing: &Outgoing) -> Outcome {
        let (inner, message) = (&*self.inner, &*outgoing.message);
        let body = Body {
            client_reference: message.id,
            from: &message.from,
            to: &message.to,
            text: &message.text,
            files: &message.files,
            callback_url: &inner.callback_url,
        };
        // Serialising strings into memory cannot fail; were it to, the provider would refuse the empty body.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let call = Call {
            method: Method::POST,
            address: &inner.messages,
            authorization: Some(&inner.authorization),
            json: Some(json),
            timeout: inner.timeout,
        };
        answer::outcome(inner.client.call(call).await, !inner.capabilities.echoes_our_id)
    }

    async fn look_up(&self, id: MessageId) -> LookUp {
        let inner = &*self.inner;
        let Ok(address) = Address::parse(&format!("{}/{id}", inner.by_client_reference)) else {
            return LookUp::Unavailable;
        };
        let call = Call {
            method: Method::GET,
            address: &address,
            authorization: Some(&inner.authorization),
            json: None,
            timeout: inner.timeout,
        };
        answer::looked_up(inner.client.call(call).await)
    }

    fn verify(&self, callback: Callback<'_>) -> Result<(), CallbackError> {
        receipts::verify(&self.inner.secret, callback)
    }

    fn read(&self, body: &[u8]) -> Result<Vec<Notice>, CallbackError> {
        receipts::read(body)
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulated").field("messages", &self.inner.messages).finish_non_exhaustive()
    }
}
