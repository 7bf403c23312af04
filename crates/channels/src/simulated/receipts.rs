//! A callback of the provider: a signed array of receipts.

use super::{answer, codes};
use crate::contract::{Callback, CallbackError, Notice, Receipt, Reference};
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

/// Reads a callback. One of an unknown kind is no error: the provider would send the whole batch again and again, and
/// hold back the receipts behind it.
pub(super) fn read(body: &[u8]) -> Result<Vec<Notice>, CallbackError> {
    let unknown = || Notice::Ignored("receipt".to_owned());
    Ok(elements(body)?.into_iter().map(|element| read_one(element).map_or_else(unknown, Notice::Receipt)).collect())
}

fn elements(body: &[u8]) -> Result<Vec<&RawValue>, CallbackError> {
    serde_json::from_slice(body).map_err(|error| CallbackError::Malformed(place_of(&error)))
}

/// `secret` is a keyed state, made once.
pub(super) fn verify(secret: &Hmac<Sha256>, callback: Callback<'_>) -> Result<(), CallbackError> {
    let given = callback.headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("sha256=")).and_then(|digits| hex::decode(digits).ok());
    // `verify_slice` compares in constant time.
    let matches = given.is_some_and(|given| secret.clone().chain_update(callback.body).verify_slice(&given).is_ok());
    if !matches {
        return Err(CallbackError::Unauthorised);
    }
    elements(callback.body).map(|_| ())
}

/// One receipt, or nothing where it is of a kind that is not known, or says about no message.
fn read_one(element: &RawValue) -> Option<Receipt> {
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
    Some(Receipt { at, cause, ..Receipt::new(reference, status) })
}

/// Where the JSON breaks, without serde's words: those may quote what a customer wrote.
fn place_of(error: &serde_json::Error) -> String {
    format!("not a JSON array, line {} column {}", error.line(), error.column())
}
