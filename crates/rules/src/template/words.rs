//! What a text and the fixed parts of a template have in common: words, and pairs of words that stand side by side.
//!
//! A pair within a literal, with something between it and the gaps, is found again in every text that the template makes,
//! whatever the values are. So one look-up for each pair of the text finds the templates that it may be.

use super::{blocks::blocks, fold::combines, pattern::Pattern};

/// An odd number with well-spread bits (the fractional part of the golden ratio), as in Fibonacci hashing.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Between,
    /// Belongs to the word around it.
    Letter,
    /// Scripts without blanks between words: each character counts as a word.
    Word,
}

/// Bytes below 128: letters and digits.
const ASCII: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

fn kind(character: char) -> Kind {
    match character {
        // Thai to Myanmar, Khmer, kana and bopomofo, Han.
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{312f}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Kind::Word,
        // The joiners are part of words.
        '\u{200c}' | '\u{200d}' => Kind::Letter,
        '\u{80}'..='\u{bf}'
        | '\u{2000}'..='\u{206f}'
        | '\u{2212}'
        | '\u{3000}'..='\u{303f}'
        | '\u{ff00}'..='\u{ff0f}' => Kind::Between,
        character if character.is_whitespace() => Kind::Between,
        _ => Kind::Letter,
    }
}

/// A word: where it is, and its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) hash: u64,
}

/// The words of a text, in order.
pub(super) fn words(text: &str, mut each: impl FnMut(Word)) {
    let Some(blocks) = blocks(text) else { return words_of_any(text, each) };
    let bytes = text.as_bytes();
    // The word that goes on from the block before.
    let (mut start, mut before) = (0, 0);
    for (place, block) in blocks.enumerate() {
        // Where a word begins, and where one has ended.
        let mut edges = block.letters ^ (block.letters << 1 | before);
        before = block.letters >> 63;
        while edges != 0 {
            let at = 64 * place + edges.trailing_zeros() as usize;
            if block.letters >> (at % 64) & 1 == 1 {
                start = at;
            } else {
                each(Word { start, end: at, hash: hash_within(bytes, start, at) });
            }
            edges &= edges - 1;
        }
    }
    if before == 1 {
        each(Word { start, end: bytes.len(), hash: hash_within(bytes, start, bytes.len()) });
    }
}

/// The same for text that is not only ASCII.
fn words_of_any(text: &str, mut each: impl FnMut(Word)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii() && !ASCII[usize::from(*byte)] {
            at += 1;
            continue;
        }
        let start = at;
        let mut single = false;
        while let Some(byte) = bytes.get(at) {
            if byte.is_ascii() {
                if !ASCII[usize::from(*byte)] {
                    break;
                }
                at += 1;
                continue;
            }
            let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            match kind(character) {
                Kind::Between => break,
                Kind::Letter => at += character.len_utf8(),
                Kind::Word if at == start => {
                    at += character.len_utf8();
                    single = true;
                    break;
                }
                Kind::Word => break,
            }
        }
        if at > start {
            each(Word { start, end: at, hash: hash(bytes.get(start..at).unwrap_or_default()) });
        }
        if !single && at == start {
            // Not ASCII and between words.
            at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
    }
}

/// A quick hash; its collisions cost time and never correctness.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    if bytes.len() < 16 {
        let mut whole = [0; 16];
        whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        return hash_of(bytes.len(), u128::from_le_bytes(whole));
    }
    let mut hash = bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        hash = mix(hash, chunk.try_into().map_or(0, u64::from_le_bytes));
    }
    let mut last = [0; 8];
    last.iter_mut().zip(chunks.remainder()).for_each(|(to, from)| *to = *from);
    mix(hash, u64::from_le_bytes(last))
}

/// Of fewer than 16 bytes, the first in the lowest.
fn hash_of(length: usize, bytes: u128) -> u64 {
    mix(mix(length as u64, bytes as u64), (bytes >> 64) as u64)
}

/// The hash of a part of a text. Nearly all words are shorter than 16 bytes: those are read at once, with what follows
/// them taken off, so that no branch depends on their length.
fn hash_within(bytes: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    match bytes.get(start..).and_then(|rest| rest.first_chunk::<16>()) {
        Some(chunk) if length < 16 => hash_of(length, u128::from_le_bytes(*chunk) & !(u128::MAX << (8 * length))),
        _ => hash(bytes.get(start..end).unwrap_or_default()),
    }
}

fn mix(hash: u64, value: u64) -> u64 {
    let product = (hash.rotate_left(29) ^ value).wrapping_mul(SPREAD);
    product ^ (product >> 32)
}

/// The key of two words side by side.
pub(super) fn pair(first: u64, second: u64) -> u64 {
    mix(first, second)
}

/// The key of one word.
pub(super) fn single(word: u64) -> u64 {
    mix(word, SPREAD)
}

/// The words of a text, of which its keys are made.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<u64>);

impl Keys {
    /// The keys of its pairs.
    pub(super) fn pairs(&self) -> impl Iterator<Item = u64> {
        self.0.iter().zip(self.0.iter().skip(1)).map(|(first, second)| pair(*first, *second))
    }

    /// Those keys of its pairs that are wanted. Without a branch for each: which are wanted cannot be guessed.
    pub(super) fn some_pairs(&self, wanted: impl Fn(u64) -> bool) -> Vec<u64> {
        let mut some = vec![0; self.0.len()];
        let mut count = 0;
        for key in self.pairs() {
            if let Some(place) = some.get_mut(count) {
                *place = key;
            }
            count += usize::from(wanted(key));
        }
        some.truncate(count);
        some
    }

    /// The keys of its words.
    pub(super) fn singles(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|word| single(*word))
    }
}

/// All keys of a text.
pub(super) fn keys(text: &str) -> Keys {
    // Six bytes a word, blank included, is usual.
    let mut hashes = Vec::with_capacity(text.len() / 5 + 8);
    words(text, |word| hashes.push(word.hash));
    Keys(hashes)
}

/// The keys that every text of a pattern has: pairs, and words.
pub(super) fn certain(pattern: &Pattern, source: &str, pairs: &mut Vec<u64>, singles: &mut Vec<u64>) {
    pairs.clear();
    singles.clear();
    let last = pattern.pieces.len().saturating_sub(1);
    for index in 0..=last {
        let literal = pattern.literal(source, index);
        // What may change when a value that stands beside it is composed with it: the accents that it begins with, and its
        // last character.
        let head = literal.len() - literal.trim_start_matches(combines).len();
        let trailing = literal.trim_end_matches(combines);
        let sign = trailing.chars().next_back();
        let tail = trailing.len() - sign.map_or(0, char::len_utf8);
        // The signs that become letters with an accent.
        let closes =
            sign.is_some_and(|sign| kind(sign) == Kind::Between && !matches!(sign, '<' | '=' | '>' | '\u{a8}'));
        let mut before = None;
        words(literal, |word| {
            let text = literal.get(word.start..word.end).unwrap_or_default();
            let left = index == 0 || word.start > head || word.start == head && is_han(text.chars().next());
            let right =
                index == last || word.end < tail || word.end == tail && closes || ends_alone(text, literal, word.end);
            if !left || !right {
                before = None;
                return;
            }
            if let Some(before) = before {
                pairs.push(pair(before, word.hash));
            }
            singles.push(single(word.hash));
            before = Some(word.hash);
        });
    }
}

/// A value behind it neither becomes part of the word nor changes it: it is the literal's last character, in a script of
/// which no character combines.
fn ends_alone(word: &str, literal: &str, end: usize) -> bool {
    end == literal.len() && is_han(word.chars().next_back())
}

/// Of the scripts without blanks, the one in which no character combines with another.
fn is_han(character: Option<char>) -> bool {
    matches!(character, Some('\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::ParameterFormat;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        words(text, |word| found.push(&text[word.start..word.end]));
        found
    }

    #[test]
    fn words_are_cut_where_every_script_cuts_them() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("Hi, Dana! It's 12:30.", &["Hi", "Dana", "It", "s", "12", "30"]),
            ("שלום דנה, ההזמנה", &["שלום", "דנה", "ההזמנה"]),
            ("您好，订单", &["您", "好", "订", "单"]),
            ("a您b", &["a", "您", "b"]),
            ("🎉 party🎉time", &["🎉", "party🎉time"]),
            ("\u{a0}x\u{2014}y\u{2028}", &["x", "y"]),
        ];
        for (text, expected) in table {
            assert_eq!(split(text), *expected, "{text}");
        }
    }

    #[test]
    fn what_is_certain_is_in_every_text() {
        let table = [
            ("Hi {{1}}, your order {{2}} is ready", "Hi Dana, your order A-1 is ready"),
            ("{{1}}您的订单{{2}}已发货", "王小明您的订单7已发货"),
            ("pre{{1}}post and more", "prefixpost and more"),
            ("{{1}}か{{2}}きく", "xか\u{3099}zきく"),
        ];
        for (source, text) in table {
            let pattern = Pattern::new(source, ParameterFormat::Positional).unwrap();
            let (mut pairs, mut singles) = (Vec::new(), Vec::new());
            certain(&pattern, source, &mut pairs, &mut singles);
            let all = keys(text);
            for key in pairs.iter().chain(&singles) {
                assert!(all.pairs().chain(all.singles()).any(|other| other == *key), "{source}");
            }
        }
        let pattern = Pattern::new("pre{{1}}post and more", ParameterFormat::Positional).unwrap();
        let (mut pairs, mut singles) = (Vec::new(), Vec::new());
        certain(&pattern, "pre{{1}}post and more", &mut pairs, &mut singles);
        assert_eq!((pairs.len(), singles.len()), (1, 2));
    }

    proptest! {
        #[test]
        fn ascii_is_cut_as_any_other_text(text in "[a-c0-9A-Z .,\n]{0,200}") {
            let (mut quick, mut slow) = (Vec::new(), Vec::new());
            words(&text, |word| quick.push((word.start, word.end, word.hash)));
            words_of_any(&text, |word| slow.push((word.start, word.end, word.hash)));
            prop_assert_eq!(quick, slow);
        }
    }
}
