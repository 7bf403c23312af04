//! The entries of a claim as they are stored: 25 bytes a message, so that a batch of a thousand is one narrow row.

use crate::store::{Place, Queued, StoreError};
use herald_rules::{ids::MessageId, message::Priority};
use uuid::Uuid;

/// Class and part, position, id.
const SIZE: usize = 1 + 8 + 16;

/// One message of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Entry {
    /// Where it stood.
    pub(in crate::store) place: Place,
    /// Which part of it was claimed.
    pub(in crate::store) part: u16,
    /// Which.
    pub(in crate::store) id: MessageId,
}

impl Entry {
    /// What a claim says of a message.
    pub(in crate::store) fn of(queued: &Queued) -> Self {
        Self { place: queued.place, part: queued.part, id: queued.message.id }
    }

    /// Adds it to a claim's entries.
    pub(in crate::store) fn write(&self, entries: &mut Vec<u8>) {
        // The class is 0 or 1; a message has a dozen parts at most.
        entries.push(self.place.priority.class() | u8::try_from(self.part).unwrap_or(127) << 1);
        entries.extend_from_slice(&self.place.position.to_le_bytes());
        entries.extend_from_slice(self.id.0.as_bytes());
    }

    /// All entries of a claim.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where they are no whole number of entries.
    pub(in crate::store) fn read_all(entries: &[u8]) -> Result<Vec<Self>, StoreError> {
        let (whole, rest) = entries.as_chunks::<SIZE>();
        match rest {
            [] => Ok(whole.iter().map(Self::read).collect()),
            _ => Err(StoreError::Corrupt("a claim's entry is too short".into())),
        }
    }

    fn read(bytes: &[u8; SIZE]) -> Self {
        let [class, rest @ ..] = bytes;
        let (mut position, mut id) = ([0; 8], [0; 16]);
        position.copy_from_slice(&rest[..8]);
        id.copy_from_slice(&rest[8..]);
        Self {
            place: Place { priority: Priority::from_class(class & 1), position: i64::from_le_bytes(position) },
            part: u16::from(class >> 1),
            id: MessageId(Uuid::from_bytes(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let entries =
            [(Priority::Transactional, 0, i64::MAX), (Priority::Bulk, 11, 1)].map(|(priority, part, position)| Entry {
                place: Place { priority, position },
                part,
                id: MessageId::new(),
            });
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| entry.write(&mut bytes));
        assert_eq!(Entry::read_all(&bytes).unwrap(), entries);
        assert!(Entry::read_all(&bytes[1..]).is_err());
        assert_eq!(Entry::read_all(&[]).unwrap(), []);
    }
}
