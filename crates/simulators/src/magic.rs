//! Recipients with a fixed outcome, as the test numbers of commercial APIs.

/// What the last five digits of a recipient ask for. What each means for a message is in the crate's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magic {
    /// `00001`: accepted, delivered, and read where the protocol reports it.
    Delivered,
    /// `00002`: refused.
    NotReachable,
    /// `00003`: accepted, then failed.
    FailsLater,
    /// `00004`: 429 twice, then accepted.
    ThrottledTwice,
    /// `00005`: taken, the first answer lost.
    AnswerLost,
    /// `00006`: not taken, the first answer lost.
    CallLost,
    /// `00007`: the receipt before the answer.
    ReceiptFirst,
    /// `00008`: every receipt twice, in the wrong order.
    TwiceAndBackwards,
    /// `00009`: accepted, never a receipt.
    NoReceipts,
    /// `00010`: 503, 500, then accepted.
    BrokenTwice,
    /// `00011`: refused.
    ContentRefused,
    /// `00012`: the answer takes three seconds.
    Slow,
}

impl Magic {
    /// All, in the order of their numbers from 1.
    pub const ALL: [Self; 12] = [
        Self::Delivered,
        Self::NotReachable,
        Self::FailsLater,
        Self::ThrottledTwice,
        Self::AnswerLost,
        Self::CallLost,
        Self::ReceiptFirst,
        Self::TwiceAndBackwards,
        Self::NoReceipts,
        Self::BrokenTwice,
        Self::ContentRefused,
        Self::Slow,
    ];

    /// The last five digits that ask for it.
    pub fn suffix(self) -> String {
        format!("{:05}", self as usize + 1)
    }

    /// What a recipient asks for; nothing for nearly all of them.
    pub fn of(recipient: &str) -> Option<Self> {
        let suffix = recipient.len().checked_sub(5).and_then(|start| recipient.get(start..))?;
        if !suffix.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: usize = suffix.parse().ok()?;
        Self::ALL.get(number.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table_has_a_row_for_each() {
        let page = include_str!("../../../docs/simulated-providers.md");
        for magic in Magic::ALL {
            assert!(page.contains(&format!("| `{}` |", magic.suffix())), "{magic:?}");
        }
    }

    #[test]
    fn every_suffix_is_found_and_nothing_else() {
        for magic in Magic::ALL {
            assert_eq!(Magic::of(&format!("491701{}", magic.suffix())), Some(magic));
            assert_eq!(Magic::of(&format!("urn:mbid:AQAAY{}", magic.suffix())), Some(magic));
        }
        for plain in ["4917012345678", "491700000000", "491700013", "0001", "", "urn:mbid:é0001", "491+0001"] {
            assert_eq!(Magic::of(plain), None, "{plain}");
        }
    }
}
