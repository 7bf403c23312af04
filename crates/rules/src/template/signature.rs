//! Which templates share the most words with a text: a sketch of each, so that ten thousand are compared in a moment.

use super::words::{Word, words};

const BITS: usize = 512;
/// Longer words also count by their two ends, so that one wrong letter does not make another word of them.
const LONG: usize = 5;
const END: usize = 3;

/// A set of words, each as a bit or a few; two words may share a bit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature([u64; BITS / 64]);

impl Signature {
    pub(super) const EMPTY: Self = Self([0; BITS / 64]);

    /// Takes the words of a text.
    pub(super) fn add(&mut self, text: &str) {
        words(text, |word| self.add_word(text, word));
    }

    /// Takes one word of a text.
    pub(super) fn add_word(&mut self, text: &str, word: Word) {
        self.set(word.hash);
        let bytes = text.as_bytes().get(word.start..word.end).unwrap_or_default();
        if bytes.len() >= LONG
            && let (Some(head), Some(tail)) = (bytes.first_chunk::<END>(), bytes.last_chunk::<END>())
        {
            self.set(super::words::hash(head).wrapping_add(1));
            self.set(super::words::hash(tail).wrapping_add(2));
        }
    }

    fn set(&mut self, hash: u64) {
        let bit = (hash >> 32) as usize % BITS;
        if let Some(part) = self.0.get_mut(bit / 64) {
            *part |= 1 << (bit % 64);
        }
    }

    /// Words of this one that the text has, less those that it has not.
    pub(super) fn nearness(&self, text: &Self) -> i32 {
        let (mut both, mut own) = (0, 0);
        for (part, of_text) in self.0.iter().zip(&text.0) {
            both += (part & of_text).count_ones();
            own += part.count_ones();
        }
        2 * both.cast_signed() - own.cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_nearest_to_its_own_words() {
        let of = |text: &str| {
            let mut signature = Signature::EMPTY;
            signature.add(text);
            signature
        };
        let template = of("your order product0001 is ready");
        let text = of("Hi Dana, your order prodXct0001 is ready");
        for other in
            ["your order product0002 is ready", "something else", "your order product0001 is ready, but not so soon"]
        {
            assert!(template.nearness(&text) > of(other).nearness(&text), "{other}");
        }
    }
}
