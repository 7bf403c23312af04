//! How often one customer may be written to from one identifier of ours.

use super::rate::Rate;
use std::time::Duration;

/// A limit of messages to one customer: one each `every`, and up to `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairLimit {
    /// Time that one message takes of the allowance.
    pub every: Duration,
    /// Messages at once after a pause.
    pub burst: u32,
}

impl PairLimit {
    /// As a rate; None where it limits nothing.
    pub fn rate(&self) -> Option<Rate> {
        Rate::new(1, self.every).ok()?.with_burst(self.burst).ok()
    }

    /// How far back a message still counts: what was sent earlier has left no trace.
    pub fn memory(&self) -> Duration {
        self.every.saturating_mul(self.burst)
    }
}
