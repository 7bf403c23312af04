//! How many SMS a text takes, and in which encoding (3GPP TS 23.038).

use serde::Serialize;

/// The default alphabet in the order of its septets; ESC, which stands at 0x1B, is left out as no text holds it.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Characters of two septets.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How a text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// The default alphabet: 160 septets alone, 153 a part.
    Gsm7,
    /// 16 bits a unit: 70 alone, 67 a part.
    Ucs2,
}

/// What a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Segments {
    /// So many SMS; at least one.
    pub count: usize,
    /// In which encoding.
    pub encoding: Encoding,
}

/// Counts the segments of a text. Two septets or two units that belong together are never split, so that a part may hold
/// one less.
pub fn segments(text: &str) -> Segments {
    let gsm: Option<Vec<u8>> = text.chars().map(septets).collect();
    match gsm {
        Some(widths) => Segments { count: count(widths.into_iter(), 160, 153), encoding: Encoding::Gsm7 },
        None => {
            // A character beyond the first plane is two units: 1 or 2 fits a byte.
            let widths = text.chars().map(|character| if character.len_utf16() == 2 { 2 } else { 1 });
            Segments { count: count(widths, 70, 67), encoding: Encoding::Ucs2 }
        }
    }
}

/// Septets of a character; None where the alphabet lacks it.
fn septets(character: char) -> Option<u8> {
    match character {
        // Most of nearly every text, without a search. Backtick, and what stands in the extension, are elsewhere.
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | ',' | '\n' => Some(1),
        _ if GSM.contains(character) => Some(1),
        _ if EXTENSION.contains(character) => Some(2),
        _ => None,
    }
}

fn count(widths: impl Iterator<Item = u8>, alone: usize, part: usize) -> usize {
    let (mut total, mut parts, mut filled) = (0, 1, 0);
    for width in widths.map(usize::from) {
        total += width;
        if filled + width > part {
            parts += 1;
            filled = 0;
        }
        filled += width;
    }
    if total <= alone { 1 } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> (usize, Encoding) {
        let Segments { count, encoding } = segments(text);
        (count, encoding)
    }

    #[test]
    fn the_whole_alphabet() {
        assert_eq!(GSM.chars().count(), 127);
        for character in GSM.chars() {
            assert_eq!(of(&character.to_string().repeat(160)), (1, Encoding::Gsm7), "{character:?}");
            assert_eq!(of(&character.to_string().repeat(161)), (2, Encoding::Gsm7), "{character:?}");
        }
        assert_eq!(EXTENSION.chars().count(), 10);
        for character in EXTENSION.chars() {
            assert_eq!(of(&character.to_string().repeat(80)), (1, Encoding::Gsm7), "{character:?}");
            // A pair is not split: 76 a part.
            assert_eq!(of(&character.to_string().repeat(152)), (2, Encoding::Gsm7), "{character:?}");
            assert_eq!(of(&character.to_string().repeat(153)), (3, Encoding::Gsm7), "{character:?}");
        }
    }

    #[test]
    fn other_characters_make_it_16_bits() {
        for other in ["`", "ç", "á", "“", "–", "ש"] {
            assert_eq!(of(&other.repeat(70)), (1, Encoding::Ucs2), "{other}");
            assert_eq!(of(&other.repeat(71)), (2, Encoding::Ucs2), "{other}");
            assert_eq!(of(&other.repeat(134)), (2, Encoding::Ucs2), "{other}");
            assert_eq!(of(&other.repeat(135)), (3, Encoding::Ucs2), "{other}");
        }
        // 33 surrogate pairs a part.
        assert_eq!(of(&"😀".repeat(35)), (1, Encoding::Ucs2));
        assert_eq!(of(&"😀".repeat(66)), (2, Encoding::Ucs2));
        assert_eq!(of(&"😀".repeat(67)), (3, Encoding::Ucs2));
        assert_eq!(of(""), (1, Encoding::Gsm7));
    }

    proptest! {
        #[test]
        fn more_text_never_takes_fewer(text in "\\PC{0,400}", more in "\\PC{0,40}") {
            let (before, after) = (segments(&text), segments(&format!("{text}{more}")));
            prop_assert!(after.count >= before.count);
        }
    }
}
