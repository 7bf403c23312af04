//! Meta's error codes, with the HTTP status that each is documented with.

use http::StatusCode;

/// One code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) code: u32,
    http: u16,
    pub(crate) title: &'static str,
    /// Of `error_data`; empty: the title again.
    pub(crate) details: &'static str,
}

impl Known {
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.http).unwrap_or(StatusCode::BAD_REQUEST)
    }
}

const fn known(code: u32, http: u16, title: &'static str, details: &'static str) -> Known {
    Known { code, http, title, details }
}

/// An error code that this version does not list is answered as one of those that Meta does not document either.
const UNLISTED: Known = known(0, 400, "Something went wrong", "");

/// The code's line.
pub(crate) fn find(code: u32) -> Known {
    let place = TABLE.binary_search_by_key(&code, |known| known.code).ok();
    place.and_then(|place| TABLE.get(place)).copied().unwrap_or(Known { code, ..UNLISTED })
}

/// Every code that the simulator knows, with the HTTP status of its answer, so that an adapter can be tested against the
/// whole list.
pub fn all() -> impl Iterator<Item = (u32, u16)> {
    TABLE.iter().map(|known| (known.code, known.http))
}

/// In the order of the codes, for the search.
#[rustfmt::skip]
static TABLE: &[Known] = &[
    known(0, 401, "AuthException", "We were unable to authenticate the app user."),
    known(1, 400, "API Unknown", "Invalid request or possible server error."),
    known(2, 503, "API Service", "Temporary due to downtime or due to being overloaded."),
    known(3, 500, "API Method", "Capability or permissions issue."),
    known(4, 400, "Application request limit reached", "The app has reached its API call rate limit."),
    known(10, 403, "Application does not have permission for this action", "Permission is either not granted or has been removed."),
    known(33, 400, "Parameter value is not valid", "The business phone number has been deleted."),
    known(100, 400, "Invalid parameter", "The request included one or more unsupported or misspelled parameters."),
    known(190, 401, "Access token has expired", "Your access token has expired."),
    known(200, 403, "Permissions error", "API permission is either not granted or has been removed."),
    known(368, 403, "Temporarily blocked for policies violations", "The account has been restricted or disabled for violating a platform policy."),
    known(613, 400, "Calls to this API have exceeded the rate limit", ""),
    known(2200, 400, "Callback verification failed", ""),
    known(2500, 400, "Unknown path components", ""),
    known(80007, 400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    known(130429, 400, "Rate limit hit", "Message failed to send because there were too many messages sent from this phone number in a short period of time"),
    known(130472, 400, "User's number is part of an experiment", "Failed to send message because this user's phone number is part of an experiment"),
    known(130497, 403, "Business account is restricted from messaging users in this country", ""),
    known(131000, 500, "Something went wrong", "Message failed to send due to an unknown error."),
    known(131005, 403, "Access denied", "Permission is either not granted or has been removed."),
    known(131008, 400, "Required parameter is missing", "The request is missing a required parameter."),
    known(131009, 400, "Parameter value is not valid", "One or more parameter values are invalid."),
    known(131016, 500, "Service unavailable", "A service is temporarily unavailable."),
    known(131021, 400, "Recipient cannot be sender", "Sender and recipient phone number is the same."),
    known(131026, 400, "Message undeliverable", "Unable to deliver message."),
    known(131030, 400, "Recipient phone number not in allowed list", "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again."),
    known(131031, 403, "Account has been locked", "Your account has been locked because it was found to be violating a platform policy."),
    known(131037, 400, "WhatsApp provided number needs display name approval before message can be sent.", ""),
    known(131042, 400, "Business eligibility payment issue", "Message failed to send because there were one or more errors related to your payment method."),
    known(131044, 400, "Business eligibility payment issue", "Call failed because there were one or more errors related to your payment method."),
    known(131045, 500, "Incorrect certificate", "Message failed to send due to a phone number registration error."),
    known(131047, 400, "Re-engagement message", "Message failed to send because more than 24 hours have passed since the customer last replied to this number."),
    known(131048, 400, "Spam rate limit hit", "Message failed to send because there are restrictions on how many messages can be sent from this phone number."),
    known(131049, 400, "This message was not delivered to maintain healthy ecosystem engagement.", "In order to maintain a healthy ecosystem engagement, the message failed to be delivered."),
    known(131050, 400, "User has stopped marketing messages", "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp from your business."),
    known(131051, 400, "Unsupported message type", "Message type is currently not supported."),
    known(131052, 400, "Media download error", "Unable to download the media sent by the user."),
    known(131053, 400, "Media upload error", "Unable to upload the media used in the message."),
    known(131055, 400, "Method not allowed", "Only marketing messages can be sent with the Marketing Messages API."),
    known(131056, 400, "(Business Account, Consumer Account) pair rate limit hit", "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time."),
    known(131057, 500, "Account in maintenance mode", "Business account is in maintenance mode."),
    known(131062, 400, "Business-scoped user id recipients are not supported for this message", ""),
    known(131063, 400, "Marketing templates are disabled on Cloud API", ""),
    known(131064, 400, "Message limit reached because of template misclassification", ""),
    known(132000, 400, "Number of parameters does not match the expected number of params", ""),
    known(132001, 404, "Template name does not exist in the translation", ""),
    known(132005, 400, "Translated text too long", ""),
    known(132007, 400, "Template format character policy violated", "Template content violates a WhatsApp policy."),
    known(132008, 400, "Parameter value does not match the expected format", ""),
    known(132012, 400, "Parameter format does not match format in the created template", ""),
    known(132015, 400, "Template is paused", "Template is paused due to low quality so it cannot be sent in a template message."),
    known(132016, 400, "Template is disabled", "Template has been paused too many times due to low quality and is now permanently disabled."),
    known(132018, 400, "There's an issue with the parameters in your template", ""),
    known(132068, 400, "Flow is blocked", ""),
    known(132069, 400, "Flow is throttled", "Flow is in throttled state and 10 messages using this flow were already sent in the last hour."),
    known(133000, 500, "Incomplete deregistration", "A previous deregistration attempt failed."),
    known(133004, 503, "Server temporarily unavailable", ""),
    known(133005, 400, "Two step verification PIN mismatch", ""),
    known(133006, 400, "Phone number re-verification needed", ""),
    known(133008, 400, "Too many two step verification PIN guesses", ""),
    known(133009, 400, "Two step verification PIN guessed too fast", ""),
    known(133010, 400, "Phone number not registered", "Phone number not registered on the WhatsApp Business Platform."),
    known(133015, 400, "Please wait a few minutes before attempting to register this phone number", ""),
    known(133016, 400, "Account register deregister rate limit exceeded", ""),
    known(134011, 400, "WhatsApp Business payments terms of service have not been accepted", ""),
    known(134100, 400, "Only marketing messages are supported", "The template is not a marketing template."),
    known(134101, 400, "Template is still syncing", "The template cannot be sent yet with the Marketing Messages API."),
    known(134102, 400, "Template is unavailable for use", ""),
    known(135000, 400, "Generic user error", "Message failed to send because of an unknown error with your request parameters."),
    known(137000, 400, "Recipient identity key hash mismatch", ""),
    known(138000, 403, "Calling not enabled", ""),
    known(139000, 400, "Blocked by integrity", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(TABLE.is_sorted_by_key(|known| known.code));
        for (code, http) in all() {
            assert_eq!((find(code).code, find(code).status().as_u16()), (code, http));
        }
        assert_eq!((find(999_999).code, find(999_999).status().as_u16()), (999_999, 400));
    }
}
