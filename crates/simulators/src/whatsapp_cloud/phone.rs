//! What Meta makes of a phone number in `to`.

/// Two-digit calling codes; `1` and `7` are shorter, all others have three digits.
const TWO: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
];

/// Area codes of the North American plan that are not in the USA: Canada, the Caribbean. (Puerto Rico, Guam and the other
/// territories count as the USA.)
const NOT_USA: [&str; 67] = [
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367", "368", "382", "403",
    "416", "418", "428", "431", "437", "438", "450", "468", "474", "506", "514", "519", "548", "579", "581", "584",
    "587", "604", "613", "639", "647", "672", "683", "705", "709", "742", "753", "778", "780", "782", "807", "819",
    "825", "867", "873", "879", "902", "905", "942", "242", "246", "264", "268", "284", "345", "441", "473", "649",
    "658", "664", "868",
];

/// Those that came late, or share a country with another.
const NOT_USA_EITHER: [&str; 8] = ["721", "758", "767", "784", "809", "829", "849", "869"];

fn calling_code(digits: &str) -> &str {
    let length = match digits.get(..1) {
        Some("1" | "7") => 1,
        _ if digits.get(..2).is_some_and(|two| TWO.contains(&two)) => 2,
        _ => 3,
    };
    digits.get(..length).unwrap_or(digits)
}

/// The digits of `to` as it was written; None: not a phone number. Without a `+`, a number that does not begin with the calling
/// code of our own number gets that code in front: another customer, mostly.
pub(crate) fn dialled(to: &str, ours: &str) -> Option<String> {
    let allowed = |character: char| character.is_ascii_digit() || matches!(character, ' ' | '-' | '(' | ')');
    let (plus, rest) = match to.trim().strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, to.trim()),
    };
    if !rest.chars().all(allowed) {
        return None;
    }
    let mut digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let code = calling_code(ours);
    if !plus && !digits.starts_with(code) {
        digits.insert_str(0, code);
    }
    ((7..=15).contains(&digits.len()) && !digits.starts_with('0')).then_some(digits)
}

/// WhatsApp's own id of a number: Mexico has a 1, Argentina a 9 after the country, and Brazil lacks the 9 after area codes from
/// 31 on.
pub(crate) fn wa_id(digits: &str) -> String {
    if let Some(rest) = digits.strip_prefix("52").filter(|rest| rest.len() == 10) {
        return format!("521{rest}");
    }
    if let Some(rest) = digits.strip_prefix("54").filter(|rest| rest.len() == 10) {
        return format!("549{rest}");
    }
    if let Some(rest) = digits.strip_prefix("55").filter(|rest| rest.len() == 11 && rest.get(2..3) == Some("9"))
        && let (Some(area), Some(number)) = (rest.get(..2), rest.get(3..))
        && area >= "31"
    {
        return format!("55{area}{number}");
    }
    digits.to_owned()
}

/// Whether a number is in the USA.
pub(crate) fn in_usa(digits: &str) -> bool {
    let area = digits.strip_prefix('1').filter(|rest| rest.len() == 10).and_then(|rest| rest.get(..3));
    area.is_some_and(|area| !NOT_USA.contains(&area) && !NOT_USA_EITHER.contains(&area) && area != "876")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_meta_reads_them() {
        for (to, ours, read) in [
            ("+16505550142", "15550100200", Some("16505550142")),
            ("+1 (650) 555-0142", "15550100200", Some("16505550142")),
            ("(631) 555-1234", "919876543210", Some("916315551234")),
            ("491701234567", "15550100200", Some("1491701234567")),
            ("491701234567", "4930123456", Some("491701234567")),
            ("+49170x", "15550100200", None),
            ("+1", "15550100200", None),
            ("", "15550100200", None),
        ] {
            assert_eq!(dialled(to, ours).as_deref(), read, "{to}");
        }
        assert_eq!(wa_id("5215512345678"), "5215512345678");
        assert_eq!(wa_id("525512345678"), "5215512345678");
        assert_eq!(wa_id("5531912345678"), "553112345678");
        assert_eq!(wa_id("5511912345678"), "5511912345678");
        assert!(in_usa("16505550142") && !in_usa("14165550142") && !in_usa("491701234567") && !in_usa("18765550142"));
    }
}
