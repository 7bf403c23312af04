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
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self { reason, provider_code: None, provider_text: None }
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
