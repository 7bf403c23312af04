//! Who works what: several nodes share a store, and each group of lanes or subscriptions is worked by one of them at a time.
//!
//! A node that works a group holds its **lease**, which ends by the store's clock unless it is renewed. With each change of
//! owner the **epoch** rises; the store takes what an owner writes only with the epoch of the day, so that a late writer is fenced.
//! A provider cannot be fenced: so the holder has a [`Bound`] of its own, past which it calls nobody, and which ends no later than
//! its lease.
//!
//! [`plan`] shares the groups out. Nodes do not talk to each other: each makes its own plan from the rows that all of them see.
//!
//! What the protocol promises, and what it cannot, is in `docs/decisions/0004-leases.md`, and checked by `tests/lease_model`, which
//! tries everything that can happen.

mod bound;
mod plan;
#[cfg(test)]
mod properties;

pub use crate::ids::NodeId;
pub use bound::Bound;
pub use plan::{Plan, plan};

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How long a lease lasts. What a dead node held is worked elsewhere within 5 s: 3 s until its leases end, up to 0.75 s until the
/// next node looks, and the rest for taking them and reading their lanes. Shorter would move lanes whenever a store or a node
/// is slow for a moment.
pub const LEASE: Duration = Duration::from_secs(3);

/// How often a node renews what it holds, and looks at what others hold: three renewals in a row may be lost before a
/// lease ends.
pub const RENEW_EVERY: Duration = Duration::from_millis(750);

/// Rises whenever a group changes hands, over all groups: who has the higher one is the later owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a group is a group of. Each kind is spread evenly by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The lanes of a provider account, or of a whole WhatsApp portfolio: what shares a limit is worked in one place.
    Lanes,
    /// A subscription to events.
    Subscription,
    /// What one node does for all: clearing away, looking at limits.
    Housekeeping,
}

impl Kind {
    /// All, in order of their codes.
    pub const ALL: [Self; 3] = [Self::Lanes, Self::Subscription, Self::Housekeeping];

    /// The number stored in tables.
    pub fn code(self) -> u8 {
        match self {
            Self::Lanes => 0,
            Self::Subscription => 1,
            Self::Housekeeping => 2,
        }
    }

    /// The inverse of [`Kind::code`]; None: a kind of a newer version.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The word in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lanes => "lanes",
            Self::Subscription => "subscription",
            Self::Housekeeping => "housekeeping",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one node works at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// A group of what.
    pub kind: Kind,
    /// Which one; nothing personal, since it is logged.
    pub key: String,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => f.write_str(self.kind.as_str()),
            key => write!(f, "{} {key}", self.kind),
        }
    }
}

/// A lease as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// What it is for.
    pub group: Group,
    /// Who holds it, or has let it run out; None: given up, free.
    pub node: Option<NodeId>,
    /// Of the last owner.
    pub epoch: Epoch,
    /// When it ends, by the store's clock.
    pub until: Timestamp,
}

impl LeaseRow {
    /// Who holds it at a moment of the store's clock.
    pub fn holder(&self, now: Timestamp) -> Option<NodeId> {
        self.node.filter(|_| self.until > now)
    }
}

/// A node as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Which run of it.
    pub node: NodeId,
    /// As people call it; several nodes may have the same.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// It takes groups. A node that cannot, or that is about to stop, must say so: a share is kept for each that does.
    pub works: bool,
    /// It answers requests, and so grants its share of the limits of requests.
    pub answers: bool,
    /// When it counts as dead, by the store's clock.
    pub until: Timestamp,
}

impl NodeRow {
    /// Groups are shared out among those for which this is true.
    pub fn is_working(&self, now: Timestamp) -> bool {
        self.works && self.until > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stay_what_they_are() {
        assert_eq!(Kind::ALL.map(Kind::code), [0, 1, 2]);
        assert_eq!(Kind::ALL.map(|kind| Kind::from_code(kind.code())), Kind::ALL.map(Some));
        assert_eq!(Kind::from_code(3), None);
    }

    #[test]
    fn a_death_is_noticed_within_five_seconds() {
        assert!(LEASE + RENEW_EVERY < Duration::from_secs(4), "a second is left for taking and reading");
        assert!(RENEW_EVERY * 4 <= LEASE, "three renewals may be lost");
    }

    #[test]
    fn groups_print_as_words() {
        let of = |kind, key: &str| Group { kind, key: key.into() }.to_string();
        assert_eq!(of(Kind::Lanes, "whatsapp_cloud:42"), "lanes whatsapp_cloud:42");
        assert_eq!(of(Kind::Housekeeping, ""), "housekeeping");
    }
}
