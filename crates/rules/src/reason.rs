//! Why a message ended or waits: one closed list with stable codes, a sentence for people, who can fix it, and
//! whether sending again can help.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedBy {
    /// The program or person who sends.
    Sender,
    /// The administrator of the channel.
    Operator,
    /// The provider.
    Provider,
    /// The customer.
    Customer,
    /// Nobody: it is simply so.
    Nobody,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $fixed_by:ident, $retry:literal, $sentence:literal;)*) => {
        /// Why a message ended or waits. The numbers are stored; never reuse one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $(#[doc = $sentence] $(#[$doc])* $name,)* }

        impl Reason {
            /// All of them, for documents and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code, as in events and answers.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The number stored in tables.
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// A sentence that a person can act on.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            /// Who can do something about it.
            pub fn fixed_by(self) -> FixedBy {
                match self { $(Self::$name => FixedBy::$fixed_by,)* }
            }

            /// Whether the same message may succeed when it is sent again.
            pub fn retry_helps(self) -> bool {
                match self { $(Self::$name => $retry,)* }
            }
        }
    };
}

reasons! {
    OutcomeBeingChecked = 1, "outcome_being_checked", Nobody, false, "The connection broke while the message was handed over; Herald is finding out whether the provider has it.";
    OutcomeUnknown = 2, "outcome_unknown", Sender, true, "Nobody can say whether the provider took the message, and the channel is set not to send it twice. Send it again if a duplicate does no harm.";
    PossibleDuplicate = 3, "possible_duplicate", Nobody, false, "The outcome of an earlier try is unknown and the channel is set to send again, so the customer may have it twice.";
    Expired = 10, "expired", Sender, true, "The message was still waiting at its expiresAt. Allow more time, or raise the lane's rate.";
    Cancelled = 11, "cancelled", Sender, true, "The message was cancelled before it was sent.";
    RetriesExhausted = 12, "retries_exhausted", Provider, true, "Every try failed for a reason that usually passes; the last one is given beside it.";
    ChannelInactive = 20, "channel_inactive", Operator, true, "The channel is switched off. Switch it on in the channel's settings.";
    NonTicketNotEnabled = 21, "non_ticket_not_enabled", Operator, true, "Non-ticket messages are switched off for this channel. Switch them on in the channel's settings.";
    ProviderUnavailable = 30, "provider_unavailable", Provider, true, "The provider could not be reached or answered that it is down.";
    ProviderThrottled = 31, "provider_throttled", Provider, true, "The provider asked us to slow down.";
    ProviderTimeout = 32, "provider_timeout", Provider, true, "The provider did not answer in time.";
    ProviderAuthFailed = 33, "provider_auth_failed", Operator, true, "The provider refused the channel's credentials. Renew them in the channel's settings.";
    ProviderError = 34, "provider_error", Provider, true, "The provider answered with an error of its own.";
    RecipientNotReachable = 40, "recipient_not_reachable", Customer, false, "The provider cannot reach this customer: the number is unknown, switched off for good, or not on this protocol.";
    RecipientBlocked = 41, "recipient_blocked", Customer, false, "The customer, or the carrier for them, does not accept messages from this sender.";
    ContentRefused = 42, "content_refused", Sender, false, "The provider refused what the message says or carries.";
    MessageLost = 43, "message_lost", Provider, true, "The provider took the message and then reported that it could not deliver it.";
    ProviderExpired = 44, "provider_expired", Provider, true, "The provider kept the message until its time ran out.";
    TemplateNotMatched = 50, "template_not_matched", Sender, false, "The customer has not written within the last 24 hours, and the text is no approved template of this channel.";
    TemplateAmbiguous = 51, "template_ambiguous", Sender, false, "The text is several approved templates at once. Name the one that is meant.";
    TemplateNotFound = 52, "template_not_found", Sender, false, "The channel has no approved template of this name and language.";
    TemplateParameterInvalid = 53, "template_parameter_invalid", Sender, false, "A value for a parameter of the template is missing, too many, or not allowed by Meta.";
    ButtonParameterMissing = 54, "button_parameter_missing", Sender, false, "A button of the template needs a value that the message does not give.";
    HeaderMediaRequired = 55, "header_media_required", Sender, false, "The template's header needs exactly one file, given as a link in files.";
    TemplatePaused = 56, "template_paused", Operator, true, "Meta has paused or disabled the template.";
    VariableMissing = 57, "variable_missing", Sender, false, "The text holds a variable that has no value for this customer, and no fallback.";
    FileIsWebPage = 60, "file_is_web_page", Sender, false, "The link leads to a web page and not to a file.";
    FileTooLarge = 61, "file_too_large", Sender, false, "The file is larger than may be sent.";
    FileTypeNotAllowed = 62, "file_type_not_allowed", Sender, false, "Files of this type cannot be sent over this protocol.";
    FileUnreachable = 63, "file_unreachable", Sender, true, "The file could not be fetched from its link.";
    RecipientOptedOut = 64, "recipient_opted_out", Customer, false, "The customer does not want messages from this sender.";
    MarketingStopped = 65, "marketing_stopped", Customer, false, "The customer does not want marketing messages from this sender.";
    WindowClosed = 66, "window_closed", Sender, false, "The customer has not written within the last 24 hours. Send an approved template.";
    PairLimit = 67, "pair_limit", Nobody, true, "The provider limits how many messages one customer gets in a short time.";
    DailyLimit = 68, "daily_limit", Operator, true, "As many customers as Meta allows have been written to within 24 hours.";
    MarketingLimit = 69, "marketing_limit", Nobody, false, "Meta limits how much marketing this customer gets from all businesses. Not before 24 hours, and not by itself.";
    MarketingNotAllowed = 70, "marketing_not_allowed", Nobody, false, "Meta does not deliver marketing templates to numbers of this country.";
    CountryNotAllowed = 71, "country_not_allowed", Operator, false, "This business may not write to customers in this country.";
    AccountRestricted = 72, "account_restricted", Operator, true, "The provider has restricted or blocked the account.";
    PaymentProblem = 73, "payment_problem", Operator, true, "The provider could not charge the account.";
    SenderNotReady = 74, "sender_not_ready", Operator, true, "The sender's number is not registered, verified or known at the provider.";
    PermissionMissing = 75, "permission_missing", Operator, true, "The channel's credentials lack a permission.";
    QualityLimit = 76, "quality_limit", Operator, true, "The provider holds the sender back, as too many of its messages were blocked or reported.";
    FileRefused = 77, "file_refused", Sender, false, "The provider could not fetch or use the file.";
    IdentityChanged = 78, "identity_changed", Customer, false, "The customer's identity has changed since it was verified.";
    PartFailed = 79, "part_failed", Provider, true, "A part of the message failed after others had been sent.";
    Unspecified = 45, "unspecified", Provider, false, "The provider reported a failure without a reason that Herald knows; its own code and text are given beside it.";
}

impl Reason {
    /// The inverse of [`Reason::number`].
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.number() == number)
    }

    /// The inverse of [`Reason::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom(format!("unknown reason {code}")))
    }
}

/// A reason together with what the provider itself said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Ours.
    pub reason: Reason,
    /// The provider's own code, as it wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
    /// The provider's own text, cut to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_text: Option<String>,
    /// What exactly, in a sentence of ours: which variable, which template was nearest, which types are allowed. It goes to
    /// whoever sent the message, so it may quote the text; it never goes to a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Cause {
    /// A reason with the particulars of this one message.
    pub fn with_detail(reason: Reason, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..reason.into() }
    }
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self { reason, provider_code: None, provider_text: None, detail: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_numbers_are_unique_and_sentences_end() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let numbers: HashSet<_> = Reason::ALL.iter().map(|reason| reason.number()).collect();
        assert_eq!((codes.len(), numbers.len()), (Reason::ALL.len(), Reason::ALL.len()));
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
            assert_eq!(Reason::from_number(reason.number()), Some(*reason));
            assert!(reason.sentence().ends_with('.'), "{reason}");
        }
    }
}
