//! Ids that cannot be mixed up. All are UUIDs on the wire (v1.2 clients parse GUIDs); new ones are UUIDv7, so that
//! they sort by time and append to a B-tree instead of scattering over it.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl $name {
            /// A new id that sorts after all ids of earlier milliseconds (UUIDv7, RFC 9562 section 5.7).
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }
    )*};
}

ids! {
    /// A department. Also its API key.
    DepartmentId;
    /// A channel of a department.
    ChannelId;
    /// A message; `providerMessageId` on the wire.
    MessageId;
    /// A webhook or polling subscription.
    SubscriptionId;
    /// A person as a department knows them.
    ContactId;
    /// One delivery of a batch of events; `webhook-id` on the wire.
    DeliveryId;
    /// One run of a node: a new one at each start.
    NodeId;
}

impl MessageId {
    /// The smallest id of a message accepted at `at` or later: UUIDv7 begins with the milliseconds since 1970.
    pub fn first_at(at: Timestamp) -> Self {
        let milliseconds = u64::try_from(at.0 / 1_000).unwrap_or(0);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
        Self(Uuid::from_bytes(bytes))
    }

    /// A new id for what came in at `at`, as the `number`th of that moment: it sorts by both, whenever it is made.
    pub fn received_at(at: Timestamp, number: u16) -> Self {
        let milliseconds = u64::try_from(at.0 / 1_000).unwrap_or(0);
        // Two times two bytes for the microseconds within the millisecond (10 bits of 12) and the number (14 bits: the
        // variant takes two), and six that nobody can guess.
        let micros = (at.0.rem_euclid(1_000) << 2).to_be_bytes();
        let number = number.min(0x3fff).to_be_bytes();
        let tail = Uuid::now_v7().into_bytes();
        let mut rest = [0; 10];
        rest[..2].copy_from_slice(&micros[6..]);
        rest[2..4].copy_from_slice(&number);
        rest[4..].copy_from_slice(&tail[10..]);
        Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &rest).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_before_and_after_stand_on_both_sides() {
        let id = MessageId::new();
        let now = Timestamp::now();
        let second = std::time::Duration::from_secs(1);
        assert!(MessageId::first_at(now - second) < id && id < MessageId::first_at(now + second));
        assert_eq!(MessageId::first_at(Timestamp(-1)), MessageId(Uuid::nil()));
    }

    #[test]
    fn what_came_in_sorts_by_moment_and_number() {
        let at = Timestamp(1_795_348_800_123_456);
        let moments = [(at, 0), (at, 1), (at, 255), (at, 256), (at + std::time::Duration::from_micros(1), 0)];
        let ids = moments.map(|(at, number)| MessageId::received_at(at, number));
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.0.get_version_num() == 7 && *id >= MessageId::first_at(at)));
        assert_ne!(MessageId::received_at(at, 3), MessageId::received_at(at, 3));
    }
}
