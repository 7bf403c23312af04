//! What every adapter keeps: send one message and say what became of it in a closed list of outcomes; read a callback.
//!
//! Only `dispatch` interprets an outcome. An adapter never retries, never waits and never logs text or numbers.

use herald_rules::{ids::MessageId, message::Message, reason::Cause, status::Status, time::Timestamp};
use std::{future::Future, sync::Arc, time::Duration};

/// One message on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What to send; its id goes with it wherever the provider can carry it.
    pub message: Arc<Message>,
    /// How many tries came before this one.
    pub attempt: u32,
}

/// Which limit a provider named when it asked us to slow down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttled {
    /// All of the provider account.
    Account,
    /// The identifier that sends.
    Identifier,
    /// This identifier with this customer; everybody else goes on.
    Pair,
}

/// What became of one try. A closed list: adapters choose, only `dispatch` acts.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The provider has it. `reference` is its own id, where receipts name that instead of ours.
    Accepted {
        /// The provider's id for the message.
        reference: Option<String>,
    },
    /// The provider said no, for good: the message is `Rejected`.
    Refused(Cause),
    /// The provider said no for now. `after` is its own wish (Retry-After), else our schedule decides.
    Retry {
        /// Why.
        cause: Cause,
        /// The provider's own wish.
        after: Option<Duration>,
        /// Set where it asked us to slow down.
        throttled: Option<Throttled>,
    },
    /// It certainly never left: nothing was written to the wire. It goes back to its place without counting a try.
    NotSent(Cause),
    /// The call was made and the answer is lost. Never retried blindly: it is reconciled first.
    Unknown(Cause),
}

/// Which message a receipt is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// Our own id, echoed.
    Ours(MessageId),
    /// The provider's id; may be unknown to us still.
    Theirs(String),
}

/// What a provider reports about a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// Which message.
    pub reference: Reference,
    /// The status it proves.
    pub status: Status,
    /// When it happened, by the provider's clock; absent where it does not say.
    pub at: Option<Timestamp>,
    /// Why, for `Rejected` and `Failed`.
    pub cause: Option<Cause>,
}

/// What a look-up by our own id says.
#[derive(Clone, Debug, PartialEq)]
pub enum LookUp {
    /// The provider has it, with this reference and status.
    Found {
        /// The provider's id.
        reference: Option<String>,
        /// At least `Accepted`.
        status: Status,
    },
    /// The provider certainly never got it, so it may be sent again.
    NeverArrived,
    /// No answer; ask again later.
    Unavailable,
}

/// How an unknown outcome can be found out, and for how long it is worth trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconcile {
    /// Wait for a receipt that proves acceptance.
    ByReceipt {
        /// How long to wait.
        deadline: Duration,
    },
    /// Ask by our own id.
    ByLookUp {
        /// How long to go on asking.
        deadline: Duration,
    },
    /// It cannot be found out.
    Never,
}

/// What an adapter can do.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// The highest status that receipts report; `Accepted` where there are none, and then `Accepted` is the end.
    pub last_receipt: Status,
    /// Receipts carry our own id, so that no reference needs to be stored.
    pub echoes_our_id: bool,
    /// How an unknown outcome is found out.
    pub reconcile: Reconcile,
}

/// A callback as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// Looks a header up by its lower-case name.
    pub headers: &'a http::HeaderMap,
    /// The raw bytes, as signed.
    pub body: &'a [u8],
}

/// Why a callback was not taken. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// Missing or wrong signature: 401.
    #[error("the callback's signature is missing or wrong")]
    Unauthorised,
    /// Not of the provider's form: 400.
    #[error("the callback is not of the provider's form: {0}")]
    Malformed(String),
}

/// One provider's adapter for one channel.
pub trait Provider: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// Makes one try. Never panics, never waits longer than its own time-out.
    fn send(&self, outgoing: &Outgoing) -> impl Future<Output = Outcome> + Send;
    /// Asks what became of a message, by our own id.
    fn look_up(&self, id: MessageId) -> impl Future<Output = LookUp> + Send;
    /// Verifies and reads a callback.
    fn receive(&self, callback: Callback<'_>) -> Result<Vec<Receipt>, CallbackError>;
}
