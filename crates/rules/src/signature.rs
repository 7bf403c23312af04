//! Signatures of outgoing webhooks, in both families, and their checks for receivers.
//!
//! | header | value |
//! | --- | --- |
//! | `X-Hub-Signature` | `sha1=` + hex HMAC-SHA1(API secret, body) |
//! | `X-Glassix-Auth-Date` | the moment of this attempt, RFC 3339 |
//! | `X-Glassix-Auth`, `X-Glassix-Auth-Signature` | `sha1=` + hex HMAC-SHA1(API secret, that date) |
//! | `X-Glassix-Api-Key`, `X-Glassix-Request-Count` | the department's id; which attempt this is |
//! | `webhook-id`, `webhook-timestamp`, `webhook-signature` | Standard Webhooks 1.0.0 |
//!
//! v1.2 has both names for the date's signature: its documents say one, its C# library reads the other. That library
//! also looks names up by case, so they must go out spelled as here (HTTP/1.1, case preserved).

use crate::{
    ids::{DeliveryId, DepartmentId},
    time::Timestamp,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use std::{fmt, time::Duration};
use subtle::ConstantTimeEq;

/// HMAC-SHA1 of the body.
pub const X_HUB_SIGNATURE: &str = "X-Hub-Signature";
/// HMAC-SHA1 of the date, as v1.2's C# library reads it.
pub const X_GLASSIX_AUTH: &str = "X-Glassix-Auth";
/// HMAC-SHA1 of the date, as v1.2's documents name it.
pub const X_GLASSIX_AUTH_SIGNATURE: &str = "X-Glassix-Auth-Signature";
/// The date that is signed.
pub const X_GLASSIX_AUTH_DATE: &str = "X-Glassix-Auth-Date";
/// The department's id.
pub const X_GLASSIX_API_KEY: &str = "X-Glassix-Api-Key";
/// Which attempt this is, from 1.
pub const X_GLASSIX_REQUEST_COUNT: &str = "X-Glassix-Request-Count";

/// How far a signature's time may be from the receiver's clock (Standard Webhooks names five minutes).
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

const SECRET_PREFIX: &str = "whsec_";

/// Why a secret or a signature is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a secret of Standard Webhooks.
    #[error(
        "A webhook secret is whsec_ and the base64 form of 24 to 64 random bytes. Copy it whole, or let Herald make one."
    )]
    BadSecret,
    /// A header is not there.
    #[error("The header {0} is missing. Check that no proxy on the way removes it.")]
    Missing(&'static str),
    /// The time cannot be read.
    #[error("The header {0} is not a time.")]
    BadTime(&'static str),
    /// Too far from now.
    #[error("The signature was made more than {} seconds from now: a replay, or one of the two clocks is wrong.", .0.as_secs())]
    OutOfTime(Duration),
    /// It does not match.
    #[error("The signature in {0} does not match. The secret is another one, or the body was changed on the way.")]
    Mismatch(&'static str),
}

/// A secret of Standard Webhooks, ready to sign.
pub struct EndpointSecret(Webhook);

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointSecret(***)")
    }
}

impl EndpointSecret {
    /// Reads `whsec_...`.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let key = text.trim().strip_prefix(SECRET_PREFIX).and_then(|text| STANDARD.decode(text).ok());
        match key {
            Some(key) if (24..=64).contains(&key.len()) => {
                Webhook::from_bytes(key).map(Self).map_err(|_| SignatureError::BadSecret)
            }
            _ => Err(SignatureError::BadSecret),
        }
    }

    /// Writes random bytes as a new secret, `whsec_...`.
    pub fn write(random: &[u8; 32]) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(random))
    }

    fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        // The one error is a body that is not UTF-8, and a `str` is. An empty value would match no signature.
        self.0.sign(id, seconds, body.as_bytes()).unwrap_or_default()
    }
}

/// What one attempt is signed with and about.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The department; its id is the API key.
    pub department: DepartmentId,
    /// The delivery; the same in all its attempts.
    pub delivery: DeliveryId,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Now.
    pub at: Timestamp,
    /// The bytes that go out.
    pub body: &'a str,
}

/// All signature headers of one attempt, with names spelled as they must go out.
///
/// `api_secret` makes the v1.2 family and is left out with `None` (a department may have no secret that signs);
/// `endpoint_secrets` make Standard Webhooks, several of them one signature each, so that a receiver can change its
/// secret while both are good.
pub fn headers(
    attempt: &Attempt<'_>,
    api_secret: Option<&str>,
    endpoint_secrets: &[EndpointSecret],
) -> Vec<(&'static str, String)> {
    let mut headers = Vec::with_capacity(9);
    headers.push((X_GLASSIX_API_KEY, attempt.department.to_string()));
    headers.push((X_GLASSIX_REQUEST_COUNT, attempt.attempt.to_string()));
    if let Some(secret) = api_secret {
        let date = attempt.at.to_string();
        let auth = sha1_signature(secret, date.as_bytes());
        headers.push((X_HUB_SIGNATURE, sha1_signature(secret, attempt.body.as_bytes())));
        headers.push((X_GLASSIX_AUTH_DATE, date));
        headers.push((X_GLASSIX_AUTH_SIGNATURE, auth.clone()));
        headers.push((X_GLASSIX_AUTH, auth));
    }
    if !endpoint_secrets.is_empty() {
        let id = attempt.delivery.to_string();
        let seconds = attempt.at.0.div_euclid(1_000_000);
        let signatures: Vec<String> =
            endpoint_secrets.iter().map(|secret| secret.sign(&id, seconds, attempt.body)).collect();
        headers.push((HEADER_WEBHOOK_ID, id));
        headers.push((HEADER_WEBHOOK_TIMESTAMP, seconds.to_string()));
        headers.push((HEADER_WEBHOOK_SIGNATURE, signatures.join(" ")));
    }
    headers
}

/// `sha1=` and the HMAC-SHA1 of `data` in lower-case hex.
pub fn sha1_signature(secret: &str, data: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104), so no key is refused")]
    let mut hmac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    hmac.update(data);
    format!("sha1={}", hex::encode(hmac.finalize().into_bytes()))
}

/// Compares in a time that depends on the lengths only.
fn same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

fn in_time(signed: Timestamp, now: Timestamp, tolerance: Duration) -> Result<(), SignatureError> {
    let apart = now.since(signed).max(signed.since(now));
    if apart <= tolerance { Ok(()) } else { Err(SignatureError::OutOfTime(tolerance)) }
}

/// Checks the v1.2 family: the body's signature, the date's, and that the date is near `now`.
///
/// `header` looks a header up by name, whatever its case.
pub fn verify_v1_2<'h>(
    api_secret: &str,
    header: impl Fn(&'static str) -> Option<&'h str>,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let get = |name| header(name).map(str::trim).ok_or(SignatureError::Missing(name));
    let date = get(X_GLASSIX_AUTH_DATE)?;
    let (name, auth) = match get(X_GLASSIX_AUTH_SIGNATURE) {
        Ok(auth) => (X_GLASSIX_AUTH_SIGNATURE, auth),
        Err(_) => (X_GLASSIX_AUTH, get(X_GLASSIX_AUTH)?),
    };
    if !same(&auth.to_ascii_lowercase(), &sha1_signature(api_secret, date.as_bytes())) {
        return Err(SignatureError::Mismatch(name));
    }
    if !same(&get(X_HUB_SIGNATURE)?.to_ascii_lowercase(), &sha1_signature(api_secret, body)) {
        return Err(SignatureError::Mismatch(X_HUB_SIGNATURE));
    }
    let signed = date.parse().map_err(|_| SignatureError::BadTime(X_GLASSIX_AUTH_DATE))?;
    in_time(signed, now, tolerance)
}

/// Checks the Standard Webhooks family: one of its signatures matches, and its time is near `now`.
///
/// `header` looks a header up by name, whatever its case. The crate's own check reads the clock itself and wants the
/// header map of one HTTP library, so its signature is made and compared here.
pub fn verify_standard<'h>(
    secret: &EndpointSecret,
    header: impl Fn(&'static str) -> Option<&'h str>,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let get = |name| header(name).map(str::trim).ok_or(SignatureError::Missing(name));
    let id = get(HEADER_WEBHOOK_ID)?;
    let seconds: i64 =
        get(HEADER_WEBHOOK_TIMESTAMP)?.parse().map_err(|_| SignatureError::BadTime(HEADER_WEBHOOK_TIMESTAMP))?;
    let signatures = get(HEADER_WEBHOOK_SIGNATURE)?;
    let mismatch = SignatureError::Mismatch(HEADER_WEBHOOK_SIGNATURE);
    let expected = secret.sign(id, seconds, std::str::from_utf8(body).map_err(|_| mismatch)?);
    // All are compared: which of them matches is not told by time either.
    let matches = signatures.split(' ').fold(false, |found, signature| found | same(signature, &expected));
    if expected.is_empty() || !matches {
        return Err(mismatch);
    }
    in_time(Timestamp(seconds.saturating_mul(1_000_000)), now, tolerance)
}

#[cfg(test)]
mod tests;
