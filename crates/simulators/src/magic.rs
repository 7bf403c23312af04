//! Recipients with a fixed outcome, as the test numbers of commercial APIs.

/// What the last five digits of a recipient ask for. For Apple, whose channel has no receipts, only the outcome of the
/// call applies.
///
/// | last digits | outcome |
/// | --- | --- |
/// | `00001` | accepted, delivered, and read where the protocol reports it |
/// | `00002` | refused: `recipient_not_reachable` |
/// | `00003` | accepted, then failed: `delivery_failed` |
/// | `00004` | throttled twice (429, `Retry-After: 1`, `rate_limited_recipient`), then accepted and delivered |
/// | `00005` | taken, but the first answer is lost; delivered |
/// | `00006` | not taken, and the first answer is lost; a second try is accepted and delivered |
/// | `00007` | delivered, and the receipt comes before the answer of the call |
/// | `00008` | every receipt twice, and in the wrong order |
/// | `00009` | accepted, and never a receipt |
/// | `00010` | 503, then 500, then accepted and delivered |
/// | `00011` | refused: `content_refused` |
/// | `00012` | the answer takes three seconds; accepted and delivered |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magic {
    /// `00001`.
    Delivered,
    /// `00002`.
    NotReachable,
    /// `00003`.
    FailsLater,
    /// `00004`.
    ThrottledTwice,
    /// `00005`.
    AnswerLost,
    /// `00006`.
    CallLost,
    /// `00007`.
    ReceiptFirst,
    /// `00008`.
    TwiceAndBackwards,
    /// `00009`.
    NoReceipts,
    /// `00010`.
    BrokenTwice,
    /// `00011`.
    ContentRefused,
    /// `00012`.
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
