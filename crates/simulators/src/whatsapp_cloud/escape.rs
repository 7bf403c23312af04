//! JSON as Meta writes it in webhooks: `/` as `\/` and everything beyond ASCII as lower-case `\u00e9`. Whoever parses and writes it
//! anew before checking the signature fails.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io;

struct Meta;

impl Formatter for Meta {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let plain = |byte: u8| byte.is_ascii() && byte != b'/';
        if fragment.bytes().all(plain) {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            match character {
                '/' => writer.write_all(b"\\/")?,
                ascii if ascii.is_ascii() => writer.write_all(&[ascii as u8])?,
                other => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Writes a value as Meta does.
pub(crate) fn write(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    // Serialising strings and numbers into memory cannot fail; were it to, the receiver would refuse the torn body.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, Meta));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn as_in_the_published_example() {
        assert_eq!(write(&json!({"text": "café / 😀"})), br#"{"text":"caf\u00e9 \/ \ud83d\ude00"}"#);
        assert_eq!(write(&json!({"a\"/": "b\n"})), br#"{"a\"\/":"b\n"}"#);
    }
}
