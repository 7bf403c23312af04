//! The lanes of this node: who runs them, how they are reached, what they say of themselves.
//!
//! The decisions are in `rules::lane`; the work is done by `dispatch`. Here is the registry: one mailbox for each lane.

pub mod ask;
mod daily;
mod lanes;
mod mailbox;
mod noticed;
mod report;

pub use daily::{Daily, DailyBudget, DailyBudgets};
pub use lanes::Lanes;
pub use mailbox::{Control, Input, LaneSettings, Mailbox, Post};
pub use report::{LaneReport, StopReport, WaitReport};
