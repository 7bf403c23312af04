//! ASCII text, 64 bytes at a time: what its bytes are, as bits. There is no branch for a letter or a blank, which the
//! processor could only guess: for a text of 600 characters wrong guesses would take longer than all the rest.

/// What 64 bytes are, the first in the lowest bit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    /// Letters and digits.
    pub(super) letters: u64,
    pub(super) blanks: u64,
    pub(super) newlines: u64,
    /// Neither visible nor a blank or a line feed.
    pub(super) others: u64,
}

/// The blocks of a text, the last filled up with `*`. None: it is not ASCII.
pub(super) fn blocks(text: &str) -> Option<impl Iterator<Item = Block>> {
    let bytes = text.as_bytes();
    bytes.is_ascii().then(|| {
        bytes.chunks(64).map(|chunk| {
            let whole: [u8; 64] = chunk.try_into().unwrap_or_else(|_| {
                let mut whole = [b'*'; 64];
                whole.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
                whole
            });
            Block {
                letters: bits(&whole, |byte| byte.is_ascii_alphanumeric()),
                blanks: bits(&whole, |byte| byte == b' '),
                newlines: bits(&whole, |byte| byte == b'\n'),
                others: bits(&whole, |byte| byte < b' ' && byte != b'\n' || byte == 0x7f),
            }
        })
    })
}

/// A bit for each byte of which it is true.
fn bits(bytes: &[u8; 64], is: impl Fn(u8) -> bool) -> u64 {
    let flags = bytes.map(|byte| u8::from(is(byte)));
    let mut bits = 0;
    for (place, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        // Brings the lowest bit of each of eight bytes together in the highest byte.
        let together = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= together << (8 * place);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_byte_has_its_bit(text in "[ -~\n\t\u{7f}]{0,200}") {
            let blocks: Vec<Block> = blocks(&text).unwrap().collect();
            prop_assert_eq!(blocks.len(), text.len().div_ceil(64));
            for (at, byte) in text.bytes().enumerate() {
                let block = blocks[at / 64];
                let bit = |bits: u64| bits >> (at % 64) & 1 == 1;
                prop_assert_eq!(bit(block.letters), byte.is_ascii_alphanumeric());
                prop_assert_eq!((bit(block.blanks), bit(block.newlines)), (byte == b' ', byte == b'\n'));
                prop_assert_eq!(bit(block.others), byte.is_ascii_control() && byte != b'\n');
            }
        }
    }

    #[test]
    fn only_ascii_has_blocks() {
        assert!(blocks("é").is_none());
        assert_eq!(blocks("").map(Iterator::count), Some(0));
    }
}
