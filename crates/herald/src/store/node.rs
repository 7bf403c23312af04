//! The words for nodes that share a store: who owns what, and what one tells the others.

use super::{DepartmentRow, LaneRow};

/// How often a group of lanes has changed its owner, in the instance: rises with each. A late writer is known by it.
pub type Epoch = i64;

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
