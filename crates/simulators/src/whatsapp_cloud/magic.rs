//! Recipients with a fixed outcome: those of all simulated providers, and some that only WhatsApp knows.

use crate::magic::Magic;

/// What the last five digits of a recipient ask for. What each means for a message is in the crate's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphMagic {
    /// `00001` to `00012`: as with every simulated provider.
    Common(Magic),
    /// `00013`: stopped marketing messages of this business: 131050.
    StoppedMarketing,
    /// `00014`: got enough marketing messages of all businesses: 131049.
    EnoughMarketing,
    /// `00015`: templates are held for a quality assessment, then sent.
    Held,
    /// `00016`: templates are answered as `paused`, and never sent.
    Paused,
}

impl GraphMagic {
    /// Those that only WhatsApp knows, in the order of their numbers from 13.
    pub const OWN: [Self; 4] = [Self::StoppedMarketing, Self::EnoughMarketing, Self::Held, Self::Paused];

    /// The last five digits that ask for it.
    pub fn suffix(self) -> String {
        let own = Self::OWN.iter().position(|own| *own == self);
        match self {
            Self::Common(magic) => magic.suffix(),
            _ => format!("{:05}", own.unwrap_or_default() + Magic::ALL.len() + 1),
        }
    }

    /// What a recipient asks for; nothing for nearly all of them.
    pub fn of(recipient: &str) -> Option<Self> {
        let common = Magic::of(recipient).map(Self::Common);
        common.or_else(|| Self::OWN.into_iter().find(|own| recipient.ends_with(&own.suffix())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table_has_a_row_for_each() {
        let page = include_str!("../../../../docs/simulated-providers.md");
        for magic in GraphMagic::OWN {
            assert!(page.contains(&format!("| `{}` |", magic.suffix())), "{magic:?}");
            assert_eq!(GraphMagic::of(&format!("491701{}", magic.suffix())), Some(magic));
        }
        assert_eq!(GraphMagic::of("49170100003"), Some(GraphMagic::Common(Magic::FailsLater)));
        assert_eq!(GraphMagic::of("491701000170"), None);
    }
}
