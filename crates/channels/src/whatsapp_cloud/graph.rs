//! Calls of the Graph API: the address, the token, and the proof that the caller knows the app's secret.

use super::{answer, settings::Credentials, settings::Settings};
use crate::{
    http::{self as client, Address, Answer, Call, CallError, Client},
    registry::SettingsError,
};
use herald_rules::reason::{Cause, Reason};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, Method};
use serde_json::Value;
use sha2::Sha256;
use std::time::Duration;

/// A page of 100 templates with all their examples stays far below.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// What every call needs.
pub struct Graph {
    pub(super) client: Client,
    pub(super) authorization: HeaderValue,
    pub(super) timeout: Duration,
    base: Address,
    proof: String,
}

impl Graph {
    /// Checks what is needed for calls.
    pub fn new(settings: &Settings, credentials: &Credentials) -> Result<Self, SettingsError> {
        let version = &settings.graph_version;
        let is_version = version.strip_prefix('v').is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        });
        if !is_version {
            return Err(SettingsError::new("settings.graph_version", "must be like v23.0"));
        }
        let base = Address::parse(&settings.graph_url)
            .map_err(|problem| SettingsError::new("settings.graph_url", problem))?
            .below(&[version.as_str()]);
        if settings.timeout_ms == 0 {
            return Err(SettingsError::new("settings.timeout_ms", "must be above 0"));
        }
        if credentials.access_token.is_empty() {
            return Err(SettingsError::new("credentials.access_token", "must not be empty"));
        }
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", credentials.access_token))
            .map_err(|_| SettingsError::new("credentials.access_token", "has characters that no header can carry"))?;
        authorization.set_sensitive(true);
        Ok(Self {
            client: client::shared().map_err(|problem| SettingsError::new("http client", problem))?,
            authorization,
            timeout: Duration::from_millis(settings.timeout_ms),
            base,
            proof: proof(&credentials.app_secret, &credentials.access_token)
                .ok_or_else(|| SettingsError::new("credentials.app_secret", "cannot be used as a key"))?,
        })
    }

    /// A call has ended by then.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The address of something in the Graph API, with the proof.
    pub fn address(&self, segments: &[&str], query: &[(&str, &str)]) -> Address {
        let address = self.base.below(segments).query("appsecret_proof", &self.proof);
        query.iter().fold(address, |address, (name, value)| address.query(name, value))
    }

    /// Whether a file's address is Meta's to give: encrypted, or at the configured host (a simulator).
    pub fn may_fetch(&self, address: &Address) -> bool {
        address.is_https() || address.same_origin(&self.base)
    }

    /// Sends a body of JSON within so much time.
    pub async fn send(&self, address: &Address, json: Vec<u8>, timeout: Duration) -> Result<Answer, CallError> {
        self.client.call(Call { timeout, ..self.call(Method::POST, address, Some(json)) }).await
    }

    /// Reads something.
    pub async fn get(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<Value, Cause> {
        self.manage(Method::GET, segments, query, None).await
    }

    /// Makes or changes something.
    pub async fn post(&self, segments: &[&str], body: &Value) -> Result<Value, Cause> {
        self.manage(Method::POST, segments, &[], Some(body)).await
    }

    /// Deletes something.
    pub async fn delete(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<Value, Cause> {
        self.manage(Method::DELETE, segments, query, None).await
    }

    async fn manage(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Cause> {
        let address = self.address(segments, query);
        let call = self.call(method, &address, body.map(|body| body.to_string().into_bytes()));
        let answer = answer::cause(self.client.call_up_to(call, LONGEST_ANSWER).await)?;
        json(&answer)
    }

    fn call<'a>(&'a self, method: Method, address: &'a Address, json: Option<Vec<u8>>) -> Call<'a> {
        Call { method, address, authorization: Some(&self.authorization), json, timeout: self.timeout }
    }
}

/// The JSON of a good answer.
pub fn json(answer: &Answer) -> Result<Value, Cause> {
    serde_json::from_slice(&answer.body).map_err(|_| {
        Cause::with_detail(Reason::ProviderError, "The answer is not JSON. Does graph_url lead to the Graph API?")
    })
}

/// `appsecret_proof`: the HMAC-SHA256 of the token under the app's secret, in hexadecimal digits.
pub fn proof(app_secret: &str, access_token: &str) -> Option<String> {
    let secret = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).ok()?;
    Some(hex::encode(secret.chain_update(access_token.as_bytes()).finalize().into_bytes()))
}
