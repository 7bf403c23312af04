//! Phone numbers: from any usual way of writing to E.164 digits without `+`.
//!
//! Which country codes exist and how long their numbers are comes from the metadata of the `phonenumber` crate
//! (libphonenumber's), condensed once into a table of bit masks. Measured at opt-level 1 on two cores: the table 0.09 us
//! a number, the crate's parser 3 us, with its check of assigned ranges 5 us; so the crate parses only what the table does
//! not take as it stands, such as a trunk zero.

use super::IdentifierError;
use phonenumber::metadata::DATABASE;
use std::{fmt, sync::OnceLock};

/// E.164: at most 15 digits, the country code included.
const MOST_DIGITS: usize = 15;
/// Two more for the `00` in front.
const BUFFER: usize = MOST_DIGITS + 2;
/// Mexico.
const MEXICO: u16 = 52;

/// How many digits the numbers of a country may have after its code: bit n is set where n digits are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths(u32);

impl Lengths {
    fn allows(self, length: usize) -> bool {
        length < 32 && self.0 & (1 << length) != 0
    }
}

impl fmt::Display for Lengths {
    /// As in `9`, `7 or 10`, `8, 9 or 11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<u32> = (0..32).filter(|length| self.0 & (1 << length) != 0).collect();
        for (at, length) in all.iter().enumerate() {
            f.write_str(match at {
                0 => "",
                _ if at + 1 == all.len() => " or ",
                _ => ", ",
            })?;
            length.fmt(f)?;
        }
        Ok(())
    }
}

/// The lengths by country code; 0 where there is no such code.
fn table() -> &'static [u32] {
    static TABLE: OnceLock<Vec<u32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        (0..1_000u16)
            .map(|code| {
                let mut lengths = 0;
                for metadata in DATABASE.by_code(&code).into_iter().flatten() {
                    let kinds = metadata.descriptors();
                    // Access numbers (uan, voicemail) are left out: nobody is written to there, and some are so short
                    // (7 digits in Canada) that a number without its area code would pass.
                    for kind in [
                        kinds.fixed_line(),
                        kinds.mobile(),
                        kinds.toll_free(),
                        kinds.premium_rate(),
                        kinds.shared_cost(),
                        kinds.personal_number(),
                        kinds.voip(),
                        kinds.pager(),
                    ] {
                        for length in kind.into_iter().flat_map(|kind| kind.possible_length()) {
                            lengths |= 1u32.checked_shl(u32::from(*length)).unwrap_or(0);
                        }
                    }
                }
                lengths
            })
            .collect()
    })
}

/// Fills the table.
pub(super) fn prepare() {
    table();
}

/// The country code that `digits` begin with, and how many digits it has. No code is the beginning of another.
fn country(digits: &[u8]) -> Option<(u16, usize)> {
    if digits.first() == Some(&b'0') {
        return None;
    }
    let mut code = 0;
    for (at, digit) in digits.iter().take(3).enumerate() {
        code = code * 10 + u16::from(digit - b'0');
        if table().get(usize::from(code)).is_some_and(|lengths| *lengths != 0) {
            return Some((code, at + 1));
        }
    }
    None
}

/// Written between digits, or around them when a number is copied from a web page or an address book.
fn is_decoration(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}'
                // No-width marks: joiners, direction marks, byte order mark, soft hyphen.
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}'
                | '\u{feff}' | '\u{ad}'
        )
}

/// The digits of `text` without `+` or `00` in front.
fn digits(text: &str, buffer: &mut [u8; BUFFER]) -> Result<usize, IdentifierError> {
    let (mut length, mut plus) = (0, false);
    for c in text.chars() {
        match c {
            '0'..='9' => {
                *buffer.get_mut(length).ok_or(IdentifierError::TooLong)? = c as u8;
                length += 1;
            }
            '+' | '\u{ff0b}' if length == 0 && !plus => plus = true,
            _ if is_decoration(c) => {}
            _ => return Err(IdentifierError::NotANumber),
        }
    }
    if buffer[..length].starts_with(b"00") {
        buffer.copy_within(2..length, 0);
        length -= 2;
    }
    match length {
        0 => Err(IdentifierError::NotANumber),
        _ if length > MOST_DIGITS => Err(IdentifierError::TooLong),
        _ => Ok(length),
    }
}

fn check(digits: &[u8], whatsapp: bool) -> Result<(), IdentifierError> {
    let (country, code_length) = country(digits).ok_or(IdentifierError::UnknownCountry)?;
    let given = digits.len() - code_length;
    let expected = Lengths(table().get(usize::from(country)).copied().unwrap_or(0));
    // WhatsApp's own ids of Mexican mobiles keep the 1 that was dialled there until 2019: 521 and ten digits. They
    // arrive in callbacks and must be answerable.
    let mexican = whatsapp && country == MEXICO && given == 11 && digits.get(2) == Some(&b'1');
    if expected.allows(given) || mexican {
        return Ok(());
    }
    Err(IdentifierError::WrongLength { country, expected, given: u8::try_from(given).unwrap_or(u8::MAX) })
}

/// Parses a number; `whatsapp` allows what only WhatsApp knows.
pub(super) fn parse(text: &str, whatsapp: bool) -> Result<String, IdentifierError> {
    let mut buffer = [0; BUFFER];
    let length = digits(text, &mut buffer)?;
    let digits = &buffer[..length];
    // From UTF-8 by construction: only ASCII digits were written.
    let as_text = |digits: &[u8]| digits.iter().copied().map(char::from).collect::<String>();

    let checked = check(digits, whatsapp);
    let trunk_zero = country(digits).is_some_and(|(_, code_length)| digits.get(code_length) == Some(&b'0'));
    if checked.is_ok() && !trunk_zero {
        return Ok(as_text(digits));
    }
    if checked == Err(IdentifierError::UnknownCountry) {
        return Err(IdentifierError::UnknownCountry);
    }
    // A digit too many is often the national prefix. Some countries do begin with 0 after the code (Italy); the
    // library knows which.
    let Ok(number) = phonenumber::parse(None, format!("+{}", as_text(digits))) else {
        return checked.map(|()| as_text(digits));
    };
    let formatted = number.format().mode(phonenumber::Mode::E164).to_string();
    let mut buffer = [0; BUFFER];
    let length = self::digits(&formatted, &mut buffer)?;
    let national = &buffer[..length];
    match check(national, whatsapp) {
        Ok(()) => Ok(as_text(national)),
        // The sentence should count the digits that were given.
        Err(_) => checked.map(|()| as_text(digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sms(text: &str) -> Result<String, IdentifierError> {
        parse(text, false)
    }

    #[test]
    fn takes_the_usual_ways_of_writing() {
        for (given, kept) in [
            ("972550000001", "972550000001"),
            ("+972 55-000-0001", "972550000001"),
            ("00972550000001", "972550000001"),
            ("+00 972 550000001", "972550000001"),
            ("\u{202a}+972\u{a0}55\u{2011}000\u{2011}0001\u{202c}", "972550000001"),
            ("1 (555) 010-0200", "15550100200"),
            ("15550100200", "15550100200"),
            ("+44 20 7946 0958", "442079460958"),
            ("+44 (0)20 7946 0958", "442079460958"),
            ("+9720550000001", "972550000001"),
            ("49.1511.2345678", "4915112345678"),
            ("+39 06 1234 5678", "390612345678"),
            ("5511987654321", "5511987654321"),
            ("2250701020304", "2250701020304"),
            ("+7 8 916 123 45 67", "79161234567"),
        ] {
            assert_eq!(sms(given).as_deref(), Ok(kept), "{given}");
        }
    }

    #[test]
    fn refuses_what_cannot_be() {
        for (given, error) in [
            ("0550000001", IdentifierError::UnknownCountry),
            ("999123456789", IdentifierError::UnknownCountry),
            ("+0972550000001", IdentifierError::UnknownCountry),
            ("97255000000a", IdentifierError::NotANumber),
            ("97255+0000001", IdentifierError::NotANumber),
            ("٩٧٢٥٥٠٠٠٠٠٠١", IdentifierError::NotANumber),
            ("()", IdentifierError::NotANumber),
            ("00", IdentifierError::NotANumber),
            ("9725500000019725500", IdentifierError::TooLong),
            ("1234567890123456", IdentifierError::TooLong),
            ("15551234", IdentifierError::WrongLength { country: 1, expected: Lengths(1 << 10), given: 7 }),
            ("155501002001", IdentifierError::WrongLength { country: 1, expected: Lengths(1 << 10), given: 11 }),
            ("33", IdentifierError::WrongLength { country: 33, expected: Lengths(1 << 9), given: 0 }),
        ] {
            assert_eq!(sms(given), Err(error), "{given}");
        }
        assert_eq!(
            sms("15551234").unwrap_err().to_string(),
            "Numbers of country code 1 have 10 digits after it, this one has 7. Check it for lost or doubled digits."
        );
    }

    #[test]
    fn mexico_keeps_its_old_mobile_prefix_on_whatsapp_only() {
        assert_eq!(parse("5215512345678", true).as_deref(), Ok("5215512345678"));
        assert_eq!(parse("525512345678", true).as_deref(), Ok("525512345678"));
        assert!(matches!(parse("5215512345678", false), Err(IdentifierError::WrongLength { country: 52, .. })));
    }

    #[test]
    fn lists_lengths_as_people_do() {
        assert_eq!(Lengths(1 << 9).to_string(), "9");
        assert_eq!(Lengths(1 << 7 | 1 << 10).to_string(), "7 or 10");
        assert_eq!(Lengths(1 << 8 | 1 << 9 | 1 << 11).to_string(), "8, 9 or 11");
    }

    /// The look-up stops at the first code that fits, so none may begin with another; and every code has a length.
    #[test]
    fn no_country_code_begins_another() {
        let known = |code: usize| table()[code] != 0;
        for code in (1..1_000).filter(|code| known(*code)) {
            assert!(code < 10 || !known(code / 10), "{code}");
            assert!(code < 100 || !known(code / 100), "{code}");
        }
        for code in 1..1_000u16 {
            // 888 has access numbers only.
            assert_eq!(DATABASE.by_code(&code).is_some() && code != 888, known(usize::from(code)), "{code}");
        }
    }

    /// Every country's own example of a mobile number, from the library's data, is kept as it is.
    #[test]
    fn every_example_of_the_library_is_kept() {
        let mut seen = 0;
        for metadata in DATABASE.iter() {
            let Some(example) = metadata.descriptors().mobile().and_then(|mobile| mobile.example()) else { continue };
            let number = format!("{}{example}", metadata.country_code());
            assert_eq!(sms(&number).as_deref(), Ok(number.as_str()), "{}", metadata.id());
            seen += 1;
        }
        assert!(seen > 200, "{seen}");
    }

    proptest! {
        /// The table never refuses what the library calls a valid number of a person, and both agree on its digits.
        #[test]
        fn agrees_with_the_library(number in "[1-9][0-9]{6,14}") {
            use phonenumber::Type::{FixedLine, FixedLineOrMobile, Mobile, TollFree};
            if let Ok(parsed) = phonenumber::parse(None, format!("+{number}"))
                // Its check of validity overlooks leading zeros: +36 0 20 000 0000 counts as the number without.
                && parsed.national().zeros() == 0
                && matches!(parsed.number_type(&DATABASE), FixedLine | FixedLineOrMobile | Mobile | TollFree)
            {
                let theirs = parsed.format().mode(phonenumber::Mode::E164).to_string();
                prop_assert!(sms(&number).is_ok(), "{}", number);
                prop_assert_eq!(sms(&theirs), Ok(theirs.trim_start_matches('+').to_owned()));
            }
        }

        #[test]
        fn decoration_changes_nothing(digits in "972[1-9][0-9]{8}", every in 1..5usize, mark in "[-. ()/\u{a0}\u{200e}]") {
            let mut decorated = String::from("+");
            for (at, digit) in digits.chars().enumerate() {
                if at % every == 0 {
                    decorated.push_str(&mark);
                }
                decorated.push(digit);
            }
            prop_assert_eq!(sms(&decorated), Ok(digits));
        }
    }

    /// `cargo test -p herald-rules --release speed_of -- --ignored --nocapture`
    #[test]
    #[ignore = "prints a measurement"]
    fn speed_of_both_ways() {
        prepare();
        let numbers: Vec<String> = (0..20_000).map(|n| format!("+97255{n:07}")).collect();
        let time = |name: &str, way: &dyn Fn(&str) -> bool| {
            let start = std::time::Instant::now();
            let read = numbers.iter().filter(|number| way(number)).count();
            println!("{name}: {:?} each, {read} of {} read", start.elapsed() / 20_000, numbers.len());
        };
        time("table", &|number| sms(number).is_ok());
        time("phonenumber::parse", &|number| phonenumber::parse(None, number).is_ok());
        time("parse and is_valid", &|number| phonenumber::parse(None, number).is_ok_and(|number| number.is_valid()));
    }
}
