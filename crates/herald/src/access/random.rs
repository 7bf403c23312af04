//! Secrets that nobody can guess.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// `N` bytes from the operating system.
#[expect(clippy::expect_used, reason = "without randomness no key or token can be made, and nothing may go on")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A secret of 256 bits as text. The prefix says what it is, so that scanners for leaked secrets can find it.
pub(super) fn text(prefix: &str) -> String {
    let mut text = String::with_capacity(prefix.len() + 43);
    text.push_str(prefix);
    BASE64_URL_SAFE_NO_PAD.encode_string(bytes::<32>(), &mut text);
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_long_and_never_the_same() {
        let one = super::text("x_");
        assert_eq!(one.len(), 2 + 43);
        assert_ne!(one, super::text("x_"));
    }
}
