//! Whether a callback is Meta's: its signature, its outermost form, and the handshake by which Meta asks whether an address is
//! ours.

use super::settings::Credentials;
use crate::{
    contract::{Callback, CallbackError},
    registry::SettingsError,
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::borrow::Cow;
use subtle::ConstantTimeEq;

/// `sha256=` and the HMAC-SHA256 of the raw body under the app's secret, in hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// What is needed to tell Meta's callbacks from others.
pub struct Verifier {
    /// Keyed states, made once: of the secret, and of the one before a rotation.
    secrets: Vec<Hmac<Sha256>>,
    verify_token: String,
}

impl Verifier {
    /// Checks the secrets.
    pub fn new(credentials: &Credentials) -> Result<Self, SettingsError> {
        let secrets = [
            ("credentials.app_secret", Some(&credentials.app_secret)),
            ("credentials.previous_app_secret", credentials.previous_app_secret.as_ref()),
        ];
        let mut keyed = Vec::new();
        for (place, secret) in secrets {
            let Some(secret) = secret else { continue };
            if secret.is_empty() {
                return Err(SettingsError::new(place, "must not be empty"));
            }
            keyed.push(
                Hmac::new_from_slice(secret.as_bytes())
                    .map_err(|_| SettingsError::new(place, "cannot be used as a key"))?,
            );
        }
        if credentials.verify_token.is_empty() {
            return Err(SettingsError::new("credentials.verify_token", "must not be empty"));
        }
        Ok(Self { secrets: keyed, verify_token: credentials.verify_token.clone() })
    }

    /// Whether the signature is of one of the secrets.
    pub fn is_signed(&self, callback: Callback<'_>) -> bool {
        let given = callback.headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.trim().strip_prefix("sha256="));
        let Some(given) = given.and_then(|digits| hex::decode(digits).ok()) else { return false };
        // `verify_slice` compares in constant time.
        self.secrets.iter().any(|secret| secret.clone().chain_update(callback.body).verify_slice(&given).is_ok())
    }

    /// The signature, then the form.
    pub fn verify(&self, callback: Callback<'_>) -> Result<(), CallbackError> {
        if !self.is_signed(callback) {
            return Err(CallbackError::Unauthorised);
        }
        outer(callback.body).map(|_| ())
    }

    /// The challenge, where Meta asks with our token.
    pub fn handshake(&self, query: &str) -> Option<String> {
        let value = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes()).find(|(given, _)| given == name).map(|(_, value)| value)
        };
        let is_ours =
            value("hub.verify_token").is_some_and(|token| token.as_bytes().ct_eq(self.verify_token.as_bytes()).into());
        let subscribes = value("hub.mode").is_some_and(|mode| mode == "subscribe");
        if is_ours && subscribes { value("hub.challenge").map(Cow::into_owned) } else { None }
    }
}

/// A callback's outermost form. What is inside is read element by element, so that one that cannot be read costs nothing else.
#[derive(Deserialize)]
pub struct Outer<'a> {
    /// What it is about.
    #[serde(borrow)]
    pub object: Cow<'a, str>,
    /// News of accounts.
    #[serde(borrow)]
    pub entry: Vec<&'a RawValue>,
}

/// Reads the outermost form.
pub fn outer(body: &[u8]) -> Result<Outer<'_>, CallbackError> {
    // Without serde's words: those may quote what a customer wrote.
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        CallbackError::Malformed(format!("no JSON object with object and entry, line {line} column {column}"))
    })
}
