//! What a provider said of a message, as JSON beside a reason's number: the same in every engine.

use super::StoreError;
use herald_channels::contract::Pricing;
use herald_rules::reason::{Cause, Reason};
use serde::{Deserialize, Serialize};

/// The provider's own words, beside a reason's number.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct ProviderWords {
    /// Its id for the message, with the status `Accepted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pricing: Option<Pricing>,
}

/// A cause as two columns: the reason's number and the provider's words as JSON.
pub(super) fn split_cause(cause: Option<&Cause>) -> Result<(Option<u16>, Option<String>), StoreError> {
    let Some(cause) = cause else { return Ok((None, None)) };
    let words = match (&cause.provider_code, &cause.provider_text, &cause.detail) {
        (None, None, None) => None,
        (code, text, detail) => {
            let (code, text, detail) = (code.clone(), text.clone(), detail.clone());
            Some(serde_json::to_string(&ProviderWords { code, text, detail, ..Default::default() })?)
        }
    };
    Ok((Some(cause.reason.number()), words))
}

/// A provider's reference as the words of an event.
pub(super) fn reference_words(reference: &str) -> Result<String, StoreError> {
    Ok(serde_json::to_string(&ProviderWords { reference: Some(reference.to_owned()), ..Default::default() })?)
}

/// What a receipt says beside status and cause, as the words of an event.
pub(super) fn receipt_words(reference: Option<&str>, pricing: Option<&Pricing>) -> Result<String, StoreError> {
    let (reference, pricing) = (reference.map(str::to_owned), pricing.cloned());
    Ok(serde_json::to_string(&ProviderWords { reference, pricing, ..Default::default() })?)
}

/// The inverse of [`split_cause`].
pub(super) fn cause(reason: Option<u16>, words: Option<&str>) -> Option<Cause> {
    let number = reason?;
    let words = words.and_then(|json| serde_json::from_str::<ProviderWords>(json).ok()).unwrap_or_default();
    Some(Cause {
        // A number of a newer version after a downgrade: it must still be shown.
        reason: Reason::from_number(number).unwrap_or(Reason::Unspecified),
        provider_code: words.code,
        provider_text: words.text,
        detail: words.detail,
    })
}

/// What a provider says that a message costs, from the words of an event.
pub(super) fn pricing(words: Option<&str>) -> Option<Pricing> {
    words.and_then(|json| serde_json::from_str::<ProviderWords>(json).ok()?.pricing)
}
