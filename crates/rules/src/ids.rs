//! Ids that cannot be mixed up. All are UUIDs on the wire (v1.2 clients parse GUIDs); new ones are UUIDv7, so that
//! they sort by time and append to a B-tree instead of scattering over it.

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
    /// One delivery of a batch of events; `webhook-id` on the wire.
    DeliveryId;
}
