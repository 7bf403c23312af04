//! Callbacks, receipts and what customers wrote.

use super::operations;
use crate::store::*;
use axum::body::Bytes;
use herald_channels::contract::Receipt;
use herald_rules::{ids::MessageId, time::Timestamp};

operations! {
    /// A customer's message; None where the department has none of this id.
    ///
    /// # Errors
    /// When it cannot be read.
    fn inbound(department: DepartmentRow, id: MessageId) -> Option<KeptInbound>;

    /// A page of customers' messages. Looks at no more than `look_at` of them, as [`Store::list`] does.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list_inbound(filter: InboundFilter) -> InboundPage;

    /// Keeps a callback as it came. When this has answered, it is durable.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep_callback(department: DepartmentRow, channel: ChannelRow, body: Bytes, at: Timestamp) -> ();

    /// Keeps what a node learnt and could not write, for the owner of the lanes. When this has answered, it is durable.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep_evidence(evidence: Vec<Evidence>, at: Timestamp) -> ();

    /// The oldest callbacks of the next channels after `after` that have some, without those of `except`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn inbox(after: ChannelRow, except: Vec<ChannelRow>, limits: InboxLimits) -> Vec<InboxPage>;

    /// Applies what a page of callbacks tells, and takes them out of the inbox: all of it or nothing, so that a crash
    /// leaves a page to be worked off again from its beginning.
    ///
    /// # Errors
    /// When it cannot be written.
    fn work_off(work: CallbackWork) -> WorkedOff;

    /// How much waits.
    ///
    /// # Errors
    /// When it cannot be read.
    fn inbox_depth() -> InboxDepth;

    /// Applies a batch of receipts of one channel. What names a reference that is not known yet is kept, and applied
    /// when the reference is learnt.
    fn apply(department: DepartmentRow, channel: ChannelRow, receipts: Vec<Receipt>, now: Timestamp) -> Applied;
}
