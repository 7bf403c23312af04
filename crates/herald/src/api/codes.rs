//! The closed table of codes: what a program can meet in `code`, with its HTTP status and title.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        /// Why a request was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As in answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// In a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }
        }
    };
}

codes! {
    MalformedJson = BAD_REQUEST, "malformed_json", "The body is not JSON";
    InvalidBody = BAD_REQUEST, "invalid_body", "The body does not have the right fields";
    InvalidQuery = BAD_REQUEST, "invalid_query", "A parameter in the address is wrong";
    InvalidValue = BAD_REQUEST, "invalid_value", "A value cannot be used";
    InvalidCursor = BAD_REQUEST, "invalid_cursor", "Not a cursor of this list";
    BodyUnreadable = BAD_REQUEST, "body_unreadable", "The body did not arrive whole";
    DepartmentRequired = BAD_REQUEST, "department_required", "Which department?";
    UnknownProtocol = BAD_REQUEST, "unknown_protocol", "No such protocol";
    UnknownProvider = BAD_REQUEST, "unknown_provider", "No such provider";
    FromRequired = BAD_REQUEST, "from_required", "No sender given";
    IdentifierMissing = BAD_REQUEST, "identifier_missing", "No identifier given";
    OneRecipientOnly = BAD_REQUEST, "one_recipient_only", "One recipient a message";
    NotANumber = BAD_REQUEST, "not_a_number", "Not a phone number";
    UnknownCountryCode = BAD_REQUEST, "unknown_country_code", "No such country code";
    WrongNumberLength = BAD_REQUEST, "wrong_number_length", "Too few or too many digits";
    NumberTooLong = BAD_REQUEST, "number_too_long", "More digits than any number has";
    NotAnAppleId = BAD_REQUEST, "not_an_apple_id", "Not a customer's Apple id";
    NotABusinessId = BAD_REQUEST, "not_a_business_id", "Not an Apple business id";
    NotASenderName = BAD_REQUEST, "not_a_sender_name", "Not a sender name";
    TextRequired = BAD_REQUEST, "text_required", "An SMS needs text";
    TextOrFilesRequired = BAD_REQUEST, "text_or_files_required", "The message is empty";
    TextTooLong = BAD_REQUEST, "text_too_long", "The text is too long";
    ControlCharacter = BAD_REQUEST, "control_character", "A control character in the text";
    TooManyFiles = BAD_REQUEST, "too_many_files", "Too many files";
    FileNotALink = BAD_REQUEST, "file_not_a_link", "A file is not a link";
    FileLinkWithCredentials = BAD_REQUEST, "file_link_with_credentials", "A link with a password in it";
    FileLinkTooLong = BAD_REQUEST, "file_link_too_long", "A link is too long";
    MetadataTooLarge = BAD_REQUEST, "metadata_too_large", "Too much metadata";
    SendAtInvalid = BAD_REQUEST, "send_at_invalid", "sendAt is not a usable moment";
    ExpiresAtInvalid = BAD_REQUEST, "expires_at_invalid", "expiresAt is not a usable moment";
    AlreadyExpired = BAD_REQUEST, "already_expired", "The message has expired already";
    UrlForbidden = BAD_REQUEST, "url_forbidden", "Webhooks may not go there";
    UnknownPriority = BAD_REQUEST, "unknown_priority", "No such priority";
    IdempotencyKeyInvalid = BAD_REQUEST, "idempotency_key_invalid", "Not a usable Idempotency-Key";
    SettingsUnusable = BAD_REQUEST, "settings_unusable", "The adapter cannot use these settings";
    TemplateInvalid = BAD_REQUEST, "template_invalid", "The template breaks a rule of Meta's";
    TemplatesNotSupported = BAD_REQUEST, "templates_not_supported", "The channel has no templates";
    RateInvalid = BAD_REQUEST, "rate_invalid", "Not a rate";
    TokenMissing = UNAUTHORIZED, "token_missing", "No token";
    TokenInvalid = UNAUTHORIZED, "token_invalid", "The token does not hold";
    InvalidCredentials = UNAUTHORIZED, "invalid_credentials", "Wrong API key or secret";
    UnknownUser = UNAUTHORIZED, "unknown_user", "Not an API user of this department";
    ScopeMissing = FORBIDDEN, "scope_missing", "The token may not do this";
    AdminRequired = FORBIDDEN, "admin_required", "Only for the administrator";
    ChannelInactive = FORBIDDEN, "channel_inactive", "The channel is switched off";
    NonTicketNotEnabled = FORBIDDEN, "non_ticket_not_enabled", "Non-ticket messages are switched off";
    RouteNotFound = NOT_FOUND, "route_not_found", "No such address";
    FromNotFound = NOT_FOUND, "from_not_found", "No such sender";
    DepartmentNotFound = NOT_FOUND, "department_not_found", "No such department";
    MessageNotFound = NOT_FOUND, "message_not_found", "No such message";
    ContactNotFound = NOT_FOUND, "contact_not_found", "No such contact";
    ChannelNotFound = NOT_FOUND, "channel_not_found", "No such channel";
    LaneNotFound = NOT_FOUND, "lane_not_found", "No such lane";
    SecretNotFound = NOT_FOUND, "secret_not_found", "No such secret";
    UserNotFound = NOT_FOUND, "user_not_found", "No such user";
    TokenNotFound = NOT_FOUND, "token_not_found", "No such token";
    SubscriptionNotFound = NOT_FOUND, "subscription_not_found", "No such subscription";
    DeliveryNotFound = NOT_FOUND, "delivery_not_found", "No such delivery";
    TemplateNotFound = NOT_FOUND, "template_not_found", "No such template";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "Not with this method";
    Conflict = CONFLICT, "conflict", "It exists already";
    IdempotencyKeyUsed = CONFLICT, "idempotency_key_used", "The key was used for another request";
    TooLateToCancel = CONFLICT, "too_late_to_cancel", "Too late to cancel";
    IdentifierTaken = CONFLICT, "identifier_taken", "The identifier is in use";
    TemplateExists = CONFLICT, "template_exists", "There is such a template already";
    TemplateState = CONFLICT, "template_state", "Not in its present state";
    ChannelNotConnected = CONFLICT, "channel_not_connected", "The channel has no account to ask";
    LastSecret = CONFLICT, "last_secret", "The last secret in force";
    NameTaken = CONFLICT, "name_taken", "The name is in use";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
    WrongContentType = UNSUPPORTED_MEDIA_TYPE, "wrong_content_type", "Not JSON";
    TemplateRefused = UNPROCESSABLE_ENTITY, "template_refused", "Meta refused the template";
    RateLimited = TOO_MANY_REQUESTS, "rate_limited", "Too many messages";
    TooManyTokens = TOO_MANY_REQUESTS, "too_many_tokens", "Too many calls of token/get";
    Internal = INTERNAL_SERVER_ERROR, "internal", "A fault of Herald's";
    ProviderTrouble = BAD_GATEWAY, "provider_trouble", "The provider could not do it";
    StoreUnavailable = SERVICE_UNAVAILABLE, "store_unavailable", "The store is not available";
}

impl Code {
    /// The code of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The code that a rule named. A test holds the table to the rules' lists.
    pub fn of_rule(name: &str) -> Self {
        Self::by_name(name).unwrap_or(Self::InvalidValue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_rules::{content, identifier, protocol::Protocol};
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_stand_for_their_status() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status().is_client_error() || code.status().is_server_error()));
    }

    #[test]
    fn codes_of_the_rules_are_in_the_table() {
        for to in ["", "1,2", "x", "999123456", "9721", "1234567890123456"] {
            for protocol in Protocol::ALL {
                for result in [identifier::parse_customer(protocol, to), identifier::parse_own(protocol, to)] {
                    if let Err(error) = result {
                        assert!(Code::by_name(error.code()).is_some(), "{}", error.code());
                    }
                }
            }
        }
        let long = "a".repeat(3_000);
        let link = format!("https://files.example/{long}");
        let files = |file: &str, count: usize| vec![file.to_owned(); count];
        for (protocol, text, files) in [
            (Protocol::SMS, "", Vec::new()),
            (Protocol::SMS, long.as_str(), Vec::new()),
            (Protocol::WhatsApp, "", Vec::new()),
            (Protocol::WhatsApp, "\0", Vec::new()),
            (Protocol::WhatsApp, "", files("https://a.example/", 99)),
            (Protocol::WhatsApp, "", files("no", 1)),
            (Protocol::WhatsApp, "", files("https://a:b@c.example/", 1)),
            (Protocol::WhatsApp, "", files(&link, 1)),
        ] {
            let error = content::check(protocol, text, &files).unwrap_err();
            assert!(Code::by_name(error.code()).is_some(), "{}", error.code());
        }
        let error = content::check_metadata(&long.repeat(2).into()).unwrap_err();
        assert!(Code::by_name(error.code()).is_some());
    }
}
