//! Identifiers: `to` and `from` as people and programs write them, made into the one form that is stored and compared.
//!
//! A phone number is kept as E.164 digits without `+`, an Apple id as Apple gave it, with its prefix in lower case.

mod north_america;
mod phone;
mod spelling;

use crate::protocol::Protocol;

/// Apple's opaque ids are some 90 to 110 characters long today; a header line of theirs carries them.
const LONGEST_APPLE_ID: usize = 256;
/// A business id is a UUID today.
const LONGEST_BUSINESS_ID: usize = 128;
/// What an SMS can carry as the sender's name (3GPP TS 23.040: 10 octets, 11 septets).
const LONGEST_SENDER_NAME: usize = 11;
const APPLE_CUSTOMER: &str = "urn:mbid:";

/// Why an identifier cannot be used. No variant and no sentence repeats the identifier: they end in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Nothing was given.
    #[error(
        "The identifier is empty. Give a phone number with its country code, such as 972550000001, or an Apple id."
    )]
    Missing,
    /// A list was given.
    #[error("Only one recipient fits in one message. Send one message to each.")]
    OneRecipientOnly,
    /// A phone number with something else than digits in it.
    #[error(
        "A phone number has digits only; a leading +, spaces, dashes, dots, slashes and parentheses are ignored. Write \
         it like 972550000001 or +972 55-000-0001."
    )]
    NotANumber,
    /// No country has this code.
    #[error(
        "The number does not begin with a country code. Write it in its international form: 972550000001 instead of \
         0550000001."
    )]
    UnknownCountry,
    /// Too few or too many digits for its country.
    #[error(
        "Numbers of country code {country} have {expected} digits after it, this one has {given}. Check it for lost or doubled digits."
    )]
    WrongLength {
        /// The country code.
        country: u16,
        /// The lengths that are possible.
        expected: Lengths,
        /// The length that was given.
        given: u8,
    },
    /// More digits than any number has.
    #[error(
        "A phone number has at most 15 digits (E.164). Check it for doubled digits, and send one message to each recipient."
    )]
    TooLong,
    /// Not an Apple id of a customer.
    #[error(
        "A customer of Apple Messages for Business is named by the id that Apple gave with their message, from \
         urn:mbid: to its end, without spaces. Phone numbers do not work here."
    )]
    NotAnAppleId,
    /// Not a business id.
    #[error("An Apple business id has 1 to 128 characters without spaces, as Apple Business Register shows it.")]
    NotABusinessId,
    /// Not a sender's name.
    #[error(
        "A sender name has at most 11 letters, digits and spaces, at least one of them a letter (A to Z). Or use a \
         phone number, or a short code of 3 to 8 digits."
    )]
    NotASenderName,
}

impl IdentifierError {
    /// The stable code for answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "identifier_missing",
            Self::OneRecipientOnly => "one_recipient_only",
            Self::NotANumber => "not_a_number",
            Self::UnknownCountry => "unknown_country_code",
            Self::WrongLength { .. } => "wrong_number_length",
            Self::TooLong => "number_too_long",
            Self::NotAnAppleId => "not_an_apple_id",
            Self::NotABusinessId => "not_a_business_id",
            Self::NotASenderName => "not_a_sender_name",
        }
    }
}

pub use north_america::is_in_the_united_states;
pub use phone::Lengths;
pub use spelling::other_spelling;

/// Loads the table of country codes (about 5 MB and 0.1 s, once), so that the first request does not pay for it.
pub fn prepare() {
    phone::prepare();
}

/// A customer's identifier, normalised.
///
/// For WhatsApp and SMS: `+`, white space, dashes, dots, slashes, parentheses and the invisible marks that come along
/// when a number is copied are ignored, and so is a leading `00` (no country code begins with 0). The country code must
/// exist and the number of digits be possible there. Whether the range is assigned is *not* checked: ranges change
/// faster than releases, a new one must not need a new Herald, and numbers for tests lie in ranges nobody has. A trunk
/// zero, as in `+44 (0)20 7946 0958`, is dropped.
pub fn parse_customer(protocol: Protocol, text: &str) -> Result<String, IdentifierError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(IdentifierError::Missing);
    }
    if is_list(text) {
        return Err(IdentifierError::OneRecipientOnly);
    }
    match protocol {
        Protocol::WhatsApp => phone::parse(text, true),
        Protocol::SMS => phone::parse(text, false),
        Protocol::AppleBusinessChat => apple_customer(text),
    }
}

/// An identifier of ours, normalised: for SMS also a short code (3 to 8 digits) or a sender name (up to 11 letters,
/// digits and spaces, kept as written); for Apple the business id.
pub fn parse_own(protocol: Protocol, text: &str) -> Result<String, IdentifierError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(IdentifierError::Missing);
    }
    match protocol {
        Protocol::WhatsApp => phone::parse(text, true),
        Protocol::SMS if text.bytes().any(|byte| byte.is_ascii_alphabetic()) => sender_name(text),
        Protocol::SMS if (3..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(text.to_owned())
        }
        Protocol::SMS => phone::parse(text, false),
        Protocol::AppleBusinessChat if text.len() <= LONGEST_BUSINESS_ID && is_visible(text) => Ok(text.to_owned()),
        Protocol::AppleBusinessChat => Err(IdentifierError::NotABusinessId),
    }
}

fn is_list(text: &str) -> bool {
    text.contains([',', ';', '\n', '|', '\u{60c}'])
}

/// Visible ASCII only: these ids travel in header lines.
fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn apple_customer(text: &str) -> Result<String, IdentifierError> {
    match text.split_at_checked(APPLE_CUSTOMER.len()) {
        Some((prefix, rest))
            if prefix.eq_ignore_ascii_case(APPLE_CUSTOMER)
                && !rest.is_empty()
                && text.len() <= LONGEST_APPLE_ID
                && is_visible(rest) =>
        {
            Ok(format!("{APPLE_CUSTOMER}{rest}"))
        }
        _ => Err(IdentifierError::NotAnAppleId),
    }
}

fn sender_name(text: &str) -> Result<String, IdentifierError> {
    let fits = text.len() <= LONGEST_SENDER_NAME
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    if fits { Ok(text.to_owned()) } else { Err(IdentifierError::NotASenderName) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(result: Result<String, IdentifierError>) -> &'static str {
        result.unwrap_err().code()
    }

    #[test]
    fn one_recipient_only() {
        for to in ["972550000001,972550000002", "972550000001; 972550000002", "972550000001\n972550000002"] {
            for protocol in Protocol::ALL {
                assert_eq!(code(parse_customer(protocol, to)), "one_recipient_only", "{to}");
            }
        }
        assert_eq!(
            parse_customer(Protocol::AppleBusinessChat, "urn:mbid:AQAA,urn:mbid:AQAB"),
            Err(IdentifierError::OneRecipientOnly)
        );
    }

    #[test]
    fn nothing_is_missing() {
        for protocol in Protocol::ALL {
            assert_eq!(code(parse_customer(protocol, "  ")), "identifier_missing");
            assert_eq!(code(parse_own(protocol, "")), "identifier_missing");
        }
    }

    #[test]
    fn apple_ids_keep_their_case() {
        let apple = Protocol::AppleBusinessChat;
        assert_eq!(parse_customer(apple, " URN:mbid:AQAAYb3/+= ").unwrap(), "urn:mbid:AQAAYb3/+=");
        let long = format!("urn:mbid:{}", "A".repeat(300));
        for wrong in ["urn:mbid:", "urn:mbi", "urn:mbid:AQ AA", "urn:mbid:AQ\u{0}", "urn:mbid:é", "972550000001", &long]
        {
            assert_eq!(code(parse_customer(apple, wrong)), "not_an_apple_id", "{wrong}");
        }
        let business = "a884eddf-0c4a-4a2b-9d2e-2f6a2f0f7b11";
        assert_eq!(parse_own(apple, business).unwrap(), business);
        assert_eq!(code(parse_own(apple, "a b")), "not_a_business_id");
        assert_eq!(code(parse_own(apple, &"a".repeat(129))), "not_a_business_id");
    }

    #[test]
    fn senders_of_sms() {
        for (given, kept) in [
            ("12345", "12345"),
            ("123", "123"),
            ("ACME", "ACME"),
            ("Acme 24", "Acme 24"),
            ("+972 55-000-0001", "972550000001"),
            ("elevenchars", "elevenchars"),
        ] {
            assert_eq!(parse_own(Protocol::SMS, given).unwrap(), kept);
        }
        for wrong in ["twelve chars", "Ac-me", "Acmé", "A,B"] {
            assert_eq!(code(parse_own(Protocol::SMS, wrong)), "not_a_sender_name", "{wrong}");
        }
        assert!(parse_own(Protocol::SMS, "12").is_err());
        assert!(parse_own(Protocol::WhatsApp, "12345").is_err(), "short codes are for SMS");
        assert!(parse_customer(Protocol::SMS, "12345").is_err(), "nobody can be reached on a short code");
        assert!(parse_customer(Protocol::SMS, "ACME").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[+0-9 ().-]{0,24}|urn:mbid:[!-~]{0,20}") {
            for protocol in Protocol::ALL {
                for result in [parse_customer(protocol, &text), parse_own(protocol, &text)] {
                    match result {
                        Ok(kept) => prop_assert!(!kept.is_empty() && kept.len() <= 256),
                        Err(error) => prop_assert!(error.to_string().ends_with('.')),
                    }
                }
                // What is kept is kept again as it is: identifiers are compared as text.
                if let Ok(kept) = parse_customer(protocol, &text) {
                    prop_assert_eq!(parse_customer(protocol, &kept), Ok(kept));
                }
                if let Ok(kept) = parse_own(protocol, &text) {
                    prop_assert_eq!(parse_own(protocol, &kept), Ok(kept));
                }
            }
        }
    }
}
