//! The one table from the provider's codes to our reasons and to what is done about them.

use crate::contract::Throttled;
use herald_rules::reason::{Cause, Reason};

/// What an error answer with a code means for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The message is refused for good.
    Refuse,
    /// It may pass later.
    Retry,
    /// It may pass later, and the named limit is to be slowed down.
    SlowDown(Throttled),
    /// Nothing can be sent until somebody acts.
    Stop(Throttled),
    /// Comes only in receipts, about a message that was taken.
    Receipt,
}

/// All codes that are known. A code that is not in the list keeps its text and becomes `unspecified`.
const TABLE: &[(&str, Reason, Effect)] = &[
    // A wrong key is the operator's to renew; the messages wait for it (and end as retries_exhausted) instead of all
    // being refused within a minute.
    ("unauthorized", Reason::ProviderAuthFailed, Effect::Retry),
    ("credentials_revoked", Reason::ProviderAuthFailed, Effect::Stop(Throttled::Account)),
    ("invalid_request", Reason::ProviderError, Effect::Refuse),
    ("callback_url_invalid", Reason::ProviderError, Effect::Refuse),
    ("unknown_protocol", Reason::ProviderError, Effect::Refuse),
    ("not_found", Reason::ProviderError, Effect::Refuse),
    ("message_too_long", Reason::ContentRefused, Effect::Refuse),
    ("content_refused", Reason::ContentRefused, Effect::Refuse),
    ("recipient_not_reachable", Reason::RecipientNotReachable, Effect::Refuse),
    ("recipient_blocked", Reason::RecipientBlocked, Effect::Refuse),
    ("rate_limited_account", Reason::ProviderThrottled, Effect::SlowDown(Throttled::Account)),
    ("rate_limited_sender", Reason::ProviderThrottled, Effect::SlowDown(Throttled::Identifier)),
    ("rate_limited_recipient", Reason::ProviderThrottled, Effect::SlowDown(Throttled::Pair)),
    ("internal_error", Reason::ProviderError, Effect::Retry),
    ("service_unavailable", Reason::ProviderUnavailable, Effect::Retry),
    ("delivery_failed", Reason::MessageLost, Effect::Receipt),
    ("validity_expired", Reason::ProviderExpired, Effect::Receipt),
];

/// Looks a code up.
pub fn find(code: &str) -> Option<(Reason, Effect)> {
    TABLE.iter().find(|row| row.0 == code).map(|row| (row.1, row.2))
}

/// The cause that a code and text give; both are kept as the provider wrote them, cut to what is stored.
pub(super) fn cause(reason: Reason, code: Option<&str>, text: Option<&str>) -> Cause {
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    Cause {
        reason,
        provider_code: code.map(|code| cut(code, 100)),
        // 500 characters: the bound that `Cause` names.
        provider_text: text.map(|text| cut(text, 500)),
        detail: None,
    }
}
