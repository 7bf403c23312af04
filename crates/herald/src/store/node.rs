//! The words for nodes that share a store: who owns what, and what one tells the others.

use super::{DepartmentRow, LaneRow};
pub use herald_rules::lease::{Epoch, Group, LeaseRow, NodeId, NodeRow};
use herald_rules::time::Timestamp;

/// A lane as its owner works it. What comes with an earlier epoch than the last owner's is refused
/// ([`super::StoreError::Fenced`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Whose.
    pub department: DepartmentRow,
    /// Which.
    pub lane: LaneRow,
    /// Since when, in the order of owners.
    pub epoch: Epoch,
}

/// What nodes keep in memory, and must read anew when another has changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Changed {
    /// Departments, channels, lanes.
    Directory,
    /// Secrets, users, tokens.
    Access,
    /// Templates.
    Templates,
    /// Subscriptions, and replays asked for.
    Subscriptions,
    /// What a provider says of accounts: stops, limits.
    Standing,
}

impl Changed {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Directory, Self::Access, Self::Templates, Self::Subscriptions, Self::Standing];

    /// The number stored in tables.
    pub fn code(self) -> i16 {
        match self {
            Self::Directory => 0,
            Self::Access => 1,
            Self::Templates => 2,
            Self::Subscriptions => 3,
            Self::Standing => 4,
        }
    }

    /// The inverse of [`Changed::code`].
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What a node renews: that it lives, and its leases.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Which run of it.
    pub node: NodeId,
    /// As people call it.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// It takes groups.
    pub works: bool,
    /// It answers requests.
    pub answers: bool,
    /// What it holds, or held when it last looked. A lease that has run out is renewed as well where nobody has taken it since.
    pub held: Vec<(Group, Epoch)>,
}

/// What a node sees when it has renewed.
#[derive(Clone, Debug)]
pub struct NodesNow {
    /// The moment, by the store's clock.
    pub now: Timestamp,
    /// All nodes that are not long dead.
    pub nodes: Vec<NodeRow>,
    /// All leases, the renewed ones with their new ends.
    pub leases: Vec<LeaseRow>,
}

/// A lease that has just been taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Higher than any before.
    pub epoch: Epoch,
    /// The owner before did not give it up: a call of it may be under way still.
    pub ran_out: bool,
}
