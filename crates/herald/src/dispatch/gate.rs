//! The gate between claim and call: whether a message may go now, and as what.
//!
//! What is decided here costs no call to the provider, and gives back what the message took of the lane's rate.

use super::Account;
use herald_rules::{
    admission::{self, Admission, Reach},
    lane::Queued,
    message::Message,
    reason::{Cause, Reason},
    time::Timestamp,
};
use std::sync::Arc;

/// What the gate says.
#[derive(Debug)]
pub(super) enum Gate {
    /// It goes, as this.
    Go(Arc<Message>),
    /// It goes if it is a template by now.
    GoAsTemplate,
    /// It ends here.
    Refused(Cause),
}

/// Whether a message is the first word to a customer, by our own will: the provider may limit how many those are in a day.
pub(super) fn writes_first(account: &Account, reach: &Reach, now: Timestamp) -> bool {
    account.terms().needs_window && !reach.window_is_open(now)
}

/// Judges a claimed message.
pub(super) fn judge(account: &Account, queued: &Queued, reach: &Reach, now: Timestamp) -> Gate {
    let message = &queued.message;
    if message.expires_at.is_some_and(|expires| expires <= now) {
        return Gate::Refused(Reason::Expired.into());
    }
    match admission::judge(message, reach, account.terms(), now) {
        Admission::Refused(cause) => Gate::Refused(cause),
        Admission::Template(_) => Gate::Go(message.clone()),
        Admission::Free if message.template.is_none() => Gate::Go(message.clone()),
        Admission::Free => Gate::Go(Arc::new(Message { template: None, ..Message::clone(message) })),
        Admission::NeedsTemplate => Gate::GoAsTemplate,
    }
}
