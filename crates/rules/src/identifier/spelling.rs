//! Numbers that WhatsApp writes in two ways: with and without a digit that some countries added for mobile phones.
//!
//! A message goes out to the one and the customer's answer comes from the other (Meta's documentation of phone numbers), so that windows,
//! opt-outs and contacts are looked for under both.

/// The other way of writing a number (E.164 digits without `+`); None for nearly all numbers.
pub fn other_spelling(digits: &str) -> Option<String> {
    let (country, rest) = (digits.get(..2)?, digits.get(2..)?);
    match (country, rest.len()) {
        // Mexico: 52 and ten digits, with a 1 between for mobile phones until 2019. Argentina: a 9 for the same.
        ("52", 10) => Some(format!("521{rest}")),
        ("52", 11) => rest.strip_prefix('1').map(|rest| format!("52{rest}")),
        ("54", 10) => Some(format!("549{rest}")),
        ("54", 11) => rest.strip_prefix('9').map(|rest| format!("54{rest}")),
        // Brazil: mobile numbers, which began with 6 to 9, were given a 9 in front, behind the area code of two digits.
        ("55", 10) if was_mobile(rest.get(2..)?) => Some(format!("55{}9{}", rest.get(..2)?, rest.get(2..)?)),
        ("55", 11) => {
            let number = rest.get(2..)?.strip_prefix('9').filter(|number| was_mobile(number))?;
            Some(format!("55{}{number}", rest.get(..2)?))
        }
        _ => None,
    }
}

fn was_mobile(number: &str) -> bool {
    number.starts_with(['6', '7', '8', '9'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_ways() {
        for (long, short) in
            [("5215512345678", "525512345678"), ("5491123456789", "541123456789"), ("5511987654321", "551187654321")]
        {
            assert_eq!(other_spelling(long).as_deref(), Some(short));
            assert_eq!(other_spelling(short).as_deref(), Some(long));
        }
        // A landline, and a mobile number that never was without its 9.
        for one in ["551132345678", "5511912345678", "4930555010", "16505550142", "urn:mbid:x", "", "שלום"] {
            assert_eq!(other_spelling(one), None, "{one}");
        }
    }

    proptest! {
        #[test]
        fn the_other_of_the_other_is_the_first(digits in "5[245][0-9]{0,12}") {
            if let Some(other) = other_spelling(&digits) {
                prop_assert_eq!(other_spelling(&other), Some(digits));
            }
        }
    }
}
