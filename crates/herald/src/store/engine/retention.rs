//! What is forgotten, in small steps.

use super::operations;
use crate::store::*;
use herald_rules::{ids::MessageId, time::Timestamp};

operations! {
    /// Makes ready what comes: on PostgreSQL the tables of the next months.
    ///
    /// # Errors
    /// When not all could be made; what is missing costs no message, and the next call makes it.
    fn keep_house(now: Timestamp) -> ();

    /// Does one step; returns how many rows went. Call it again until it is 0.
    ///
    /// # Errors
    /// When it cannot be written.
    fn prune_events(retention: EventRetention) -> u64;

    /// Forgets idempotency keys used before a moment; tells whether there may be more.
    fn prune_idempotency(before: Timestamp) -> bool;

    /// Forgets receipts whose message never became known; tells how many, and of which channels. Call it again until
    /// there are none.
    fn prune_early(before: Timestamp) -> Vec<(ChannelRow, u64)>;

    /// Forgets what customers sent before a moment; tells whether there may be more.
    fn prune_inbound(department: DepartmentRow, before: Timestamp) -> bool;

    /// Forgets callbacks that nobody could read and nobody mended; tells whether there may be more.
    fn prune_inbox(before: Timestamp) -> bool;

    /// Forgets messages accepted before a moment, with their history, one step after the id `after`. What still waits or
    /// is being checked stays. Returns where to go on, or None at the end.
    ///
    /// PostgreSQL forgets whole months of all departments, and those of which nothing waits.
    fn prune_messages(department: DepartmentRow, before: Timestamp, after: Option<MessageId>) -> Option<MessageId>;

    /// Forgets windows for free text that closed before a moment, one step after the place `after`. Returns where to go on, or
    /// None at the end.
    fn prune_windows(before: Timestamp, after: Option<WindowPlace>) -> Option<WindowPlace>;
}
