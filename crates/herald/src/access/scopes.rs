//! What a token may do: a closed list.

use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $word:literal;)*) => {
        /// One thing that a token may do. The bits are stored; never reuse one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum Scope { $($(#[$doc])* $name = $bit,)* }

        impl Scope {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The wire name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

scopes! {
    /// Hand messages in, try them out, cancel them.
    Send = 1, "send";
    /// Read messages and their history.
    Messages = 2, "messages";
    /// Make and change channels and their identifiers.
    Channels = 4, "channels";
    /// Read, pause and resume lanes.
    Lanes = 8, "lanes";
    /// Make and change subscriptions; read and replay deliveries.
    Subscriptions = 16, "subscriptions";
    /// Read events from the polling queue.
    Events = 32, "events";
    /// Manage the department's secrets, users and tokens.
    Access = 64, "access";
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u32);

impl Scopes {
    /// All of today's scopes and all that come later: what a token of v1.2 has.
    pub const EVERYTHING: Self = Self(0x7fff_ffff);

    /// Whether `scope` is among them.
    pub fn contain(self, scope: Scope) -> bool {
        self.0 & scope as u32 != 0
    }

    /// Whether all of `others` are among them.
    pub fn include(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    /// As stored.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The inverse of [`Scopes::bits`].
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// By name.
    pub fn list(self) -> Vec<Scope> {
        Scope::ALL.iter().copied().filter(|scope| self.contain(*scope)).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_words_agree() {
        let some: Scopes = [Scope::Send, Scope::Lanes].into_iter().collect();
        assert_eq!(some.list(), [Scope::Send, Scope::Lanes]);
        assert!(some.contain(Scope::Send) && !some.contain(Scope::Access));
        assert!(Scopes::EVERYTHING.include(some) && !some.include(Scopes::EVERYTHING));
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
    }
}
