//! Taking messages, and what became of them.

use super::operations;
use crate::store::*;
use herald_rules::{ids::MessageId, message::Message, time::Timestamp};
use std::sync::Arc;

operations! {
    /// Accepts messages: durable, in order, all or none. The answers stand in the order of the messages.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: nothing was accepted.
    fn accept(messages: Vec<NewMessage>) -> Vec<Accepted>;

    /// Cancels a message that has not been claimed: it ends as `Rejected` (`cancelled`).
    fn cancel(department: DepartmentRow, id: MessageId, now: Timestamp) -> Cancelled;

    /// A message with its story; None where the department has none of this id.
    ///
    /// # Errors
    /// When it cannot be read.
    fn story(department: DepartmentRow, id: MessageId) -> Option<Story>;

    /// What an equal request under the same idempotency key was answered with: the message and its warnings.
    ///
    /// # Errors
    /// When it cannot be read.
    fn answered(department: DepartmentRow, key_hash: [u8; 16], body_hash: [u8; 16]) -> Option<(Arc<Message>, String)>;

    /// A page of messages.
    ///
    /// Goes down the ids, which are in order of time, and looks at no more than `look_at` of them: a filter that few
    /// messages pass answers a short page and where to go on, instead of holding a reader for a table of millions.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list(filter: MessageFilter) -> MessagePage;
}
