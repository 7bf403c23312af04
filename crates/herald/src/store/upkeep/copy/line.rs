//! The canonical text of a row: the line that PostgreSQL's COPY writes for it. What is read from SQLite is written in this form,
//! sent to PostgreSQL as it is, and compared with what PostgreSQL says when it is asked for the row.

use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The types of PostgreSQL that our tables use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// smallint, integer, bigint.
    Number,
    /// boolean.
    Truth,
    /// uuid.
    Id,
    /// bytea.
    Bytes,
    /// text.
    Text,
}

impl Kind {
    /// By PostgreSQL's name of the type.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "int2" | "int4" | "int8" => Self::Number,
            "bool" => Self::Truth,
            "uuid" => Self::Id,
            "bytea" => Self::Bytes,
            "text" | "varchar" => Self::Text,
            _ => return None,
        })
    }
}

/// Writes a value; an error says what is wrong with it.
pub(super) fn write(line: &mut Vec<u8>, value: ValueRef<'_>, kind: Kind) -> Result<(), String> {
    match (kind, value) {
        (_, ValueRef::Null) => line.extend_from_slice(b"\\N"),
        (Kind::Number, ValueRef::Integer(number)) => line.extend_from_slice(number.to_string().as_bytes()),
        (Kind::Truth, ValueRef::Integer(truth @ (0 | 1))) => line.push(if truth == 1 { b't' } else { b'f' }),
        (Kind::Id, ValueRef::Blob(bytes)) => {
            let id = Uuid::from_slice(bytes).map_err(|_| format!("{} bytes are no UUID", bytes.len()))?;
            line.extend_from_slice(id.hyphenated().to_string().as_bytes());
        }
        (Kind::Bytes, ValueRef::Blob(bytes) | ValueRef::Text(bytes)) => {
            line.extend_from_slice(b"\\\\x");
            line.extend_from_slice(hex::encode(bytes).as_bytes());
        }
        (Kind::Text, ValueRef::Text(text)) => {
            std::str::from_utf8(text).map_err(|_| "a text is not UTF-8".to_owned())?;
            write_text(line, text)?;
        }
        (_, value) => return Err(format!("a value of the type {} is no {kind:?}", value.data_type())),
    }
    Ok(())
}

fn write_text(line: &mut Vec<u8>, text: &[u8]) -> Result<(), String> {
    for &byte in text {
        let escaped = match byte {
            0 => return Err("a text holds the character U+0000, which PostgreSQL cannot store".to_owned()),
            b'\\' => b'\\',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0b => b'v',
            0x0c => b'f',
            b'\r' => b'r',
            _ => {
                line.push(byte);
                continue;
            }
        };
        line.extend_from_slice(&[b'\\', escaped]);
    }
    Ok(())
}

/// How many rows, and a checksum that does not depend on their order: the sum of each line's SHA-256, cut to 16 bytes. A sum, since
/// two equal rows would take each other out of an exclusive or.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    sum: u128,
}

impl Sum {
    /// Adds a row, without the end of its line.
    pub(super) fn add(&mut self, line: &[u8]) {
        let digest = Sha256::digest(line);
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(first));
    }

    /// The checksum as text.
    pub(super) fn checksum(self) -> String {
        format!("{:032x}", self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: ValueRef<'_>, kind: Kind) -> Result<String, String> {
        let mut line = Vec::new();
        write(&mut line, value, kind).map(|()| String::from_utf8(line).unwrap())
    }

    #[test]
    fn values_are_written_as_copy_writes_them() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00ff);
        let cases = [
            (ValueRef::Null, Kind::Text, "\\N"),
            (ValueRef::Integer(-7), Kind::Number, "-7"),
            (ValueRef::Integer(1), Kind::Truth, "t"),
            (ValueRef::Integer(0), Kind::Truth, "f"),
            (ValueRef::Blob(id.as_bytes()), Kind::Id, "01900000-0000-7000-8000-0000000000ff"),
            (ValueRef::Blob(&[0, 0xff]), Kind::Bytes, "\\\\x00ff"),
            (ValueRef::Text(b"a\tb\\N\n\x0b\x07\xc3\xa9"), Kind::Text, "a\\tb\\\\N\\n\\v\x07\u{e9}"),
        ];
        for (value, kind, text) in cases {
            assert_eq!(written(value, kind).as_deref(), Ok(text), "{value:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (value, kind) in [
            (ValueRef::Integer(2), Kind::Truth),
            (ValueRef::Text(b"7"), Kind::Number),
            (ValueRef::Blob(b"short"), Kind::Id),
            (ValueRef::Text(b"a\0b"), Kind::Text),
            (ValueRef::Text(b"\xff"), Kind::Text),
            (ValueRef::Real(1.0), Kind::Number),
        ] {
            assert!(written(value, kind).is_err(), "{value:?}");
        }
    }

    #[test]
    fn the_checksum_knows_no_order_but_every_row() {
        let sum = |lines: &[&str]| {
            let mut sum = Sum::default();
            lines.iter().for_each(|line| sum.add(line.as_bytes()));
            sum
        };
        assert_eq!(sum(&["a", "b"]), sum(&["b", "a"]));
        assert_ne!(sum(&["a", "b"]), sum(&["a", "c"]));
        assert_ne!(sum(&["a", "a", "b", "b"]).checksum(), sum(&["c", "c", "d", "d"]).checksum());
    }
}
