//! A callback of the provider: a signed array of receipts.

use super::{answer, codes};
use crate::contract::{Callback, CallbackError, Receipt, Reference};
use herald_rules::{ids::MessageId, reason::Reason, status::Status, time::Timestamp};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::borrow::Cow;

/// `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits, as Meta's `X-Hub-Signature-256`.
pub const SIGNATURE_HEADER: &str = "x-simulator-signature-256";

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    reference: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "clientReference")]
    client_reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

/// Verifies and reads a callback. `secret` is a keyed state, made once.
pub(super) fn receive(secret: &Hmac<Sha256>, callback: Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
    verify(secret, callback)?;
    let elements: Vec<&RawValue> =
        serde_json::from_slice(callback.body).map_err(|error| CallbackError::Malformed(place_of(&error)))?;
    let receipts: Vec<Receipt> = elements.iter().filter_map(|element| read(element)).collect();
    if receipts.len() < elements.len() {
        // Not an error: the provider would send the whole batch again and again, and hold back the receipts behind it.
        tracing::warn!(left_out = elements.len() - receipts.len(), "receipts of an unknown kind were left out");
    }
    Ok(receipts)
}

fn verify(secret: &Hmac<Sha256>, callback: Callback<'_>) -> Result<(), CallbackError> {
    let given = callback.headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("sha256=")).and_then(|digits| hex::decode(digits).ok());
    // `verify_slice` compares in constant time.
    let matches = given.is_some_and(|given| secret.clone().chain_update(callback.body).verify_slice(&given).is_ok());
    if matches { Ok(()) } else { Err(CallbackError::Unauthorised) }
}

/// One receipt, or nothing where it is of a kind that is not known, or says about no message.
fn read(element: &RawValue) -> Option<Receipt> {
    let wire: Wire<'_> = serde_json::from_str(element.get()).ok()?;
    let status = answer::status(&wire.status)?;
    let ours = wire.client_reference.and_then(|id| id.parse::<MessageId>().ok()).map(Reference::Ours);
    let theirs = || wire.reference.filter(|reference| !reference.is_empty());
    let reference = ours.or_else(|| theirs().map(|reference| Reference::Theirs(reference.into_owned())))?;
    let cause = (status == Status::Failed).then(|| {
        let reason = wire.code.as_deref().and_then(codes::find).map_or(Reason::Unspecified, |(reason, _)| reason);
        codes::cause(reason, wire.code.as_deref(), wire.text.as_deref())
    });
    let at = wire.at.and_then(|at| at.parse::<Timestamp>().ok());
    Some(Receipt { reference, status, at, cause })
}

/// Where the JSON breaks, without serde's words: those may quote what a customer wrote.
fn place_of(error: &serde_json::Error) -> String {
    format!("not a JSON array, line {} column {}", error.line(), error.column())
}
