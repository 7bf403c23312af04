//! Every error code that the simulated providers can emit, in answers and in receipts.

use http::StatusCode;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident, $text:literal;)*) => {
        /// An error code of the simulated providers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Code { $(#[doc = $text] #[serde(rename = $code)] $name,)* }

        impl Code {
            /// All of them, so that an adapter can be tested against the whole list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The status of the answer that carries it. Codes of receipts have one too, as behaviour may put any
            /// code into an answer.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The provider's sentence beside it.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    Unauthorized = "unauthorized", UNAUTHORIZED, "The key is missing or unknown.";
    CredentialsRevoked = "credentials_revoked", UNAUTHORIZED, "The key has been revoked. Nothing can be sent with it.";
    InvalidRequest = "invalid_request", BAD_REQUEST, "The request is not of the documented form.";
    CallbackUrlInvalid = "callback_url_invalid", BAD_REQUEST, "The callbackUrl must be http:// on a loopback address with a port.";
    UnknownProtocol = "unknown_protocol", NOT_FOUND, "There is no such protocol.";
    NotFound = "not_found", NOT_FOUND, "There is nothing at this address.";
    MessageNotFound = "message_not_found", NOT_FOUND, "No message with this client reference was taken.";
    MessageTooLong = "message_too_long", PAYLOAD_TOO_LARGE, "The text is longer than the protocol allows.";
    ContentRefused = "content_refused", UNPROCESSABLE_ENTITY, "The content is against the rules.";
    RecipientNotReachable = "recipient_not_reachable", UNPROCESSABLE_ENTITY, "The recipient cannot be reached.";
    RecipientBlocked = "recipient_blocked", UNPROCESSABLE_ENTITY, "The recipient does not accept messages from this sender.";
    RateLimitedAccount = "rate_limited_account", TOO_MANY_REQUESTS, "The account sends too fast.";
    RateLimitedSender = "rate_limited_sender", TOO_MANY_REQUESTS, "The sender sends too fast.";
    RateLimitedRecipient = "rate_limited_recipient", TOO_MANY_REQUESTS, "Too many messages from this sender to this recipient.";
    InternalError = "internal_error", INTERNAL_SERVER_ERROR, "Something broke.";
    ServiceUnavailable = "service_unavailable", SERVICE_UNAVAILABLE, "The service is down for a moment.";
    DeliveryFailed = "delivery_failed", UNPROCESSABLE_ENTITY, "The message could not be delivered.";
    ValidityExpired = "validity_expired", UNPROCESSABLE_ENTITY, "The message could not be delivered in time.";
}
