//! What takes time between claim and call: finding a template by now. What ends a message here costs no call.

use super::Account;
use herald_channels::contract::{Outcome, Outgoing};
use herald_rules::{
    reason::{Cause, Reason},
    time::Timestamp,
};
use std::sync::Arc;

/// What became of a message at the door.
#[derive(Debug)]
pub(super) enum Tried {
    /// The provider was called.
    Called(Outcome),
    /// It ends without a call.
    Refused(Cause),
    /// It waits until a moment: a limit of the account.
    Waits(Timestamp, Cause),
}

/// What is needed beside the account.
#[derive(Clone)]
pub(super) struct Preparing {
    pub(super) account: Arc<Account>,
}

impl Preparing {
    /// Makes ready and calls.
    pub(super) async fn tried(&self, outgoing: Outgoing, needs_template: bool) -> Tried {
        if needs_template {
            return Tried::Refused(Reason::TemplateNotMatched.into());
        }
        Tried::Called(crate::node::crash::around("call", self.account.adapter.send(&outgoing)).await)
    }
}
