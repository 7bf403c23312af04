//! What every adapter keeps: send one message and say what became of it in a closed list of outcomes; read a callback.
//!
//! Only `dispatch` interprets an outcome. An adapter never retries, never waits and never logs text or numbers.

pub use herald_rules::pace::pair::PairLimit;
use herald_rules::{
    file::FileKind, ids::MessageId, inbound::Inbound, message::Message, pace::rate::Rate, reason::Cause,
    status::Status, time::Timestamp,
};
use std::{future::Future, sync::Arc, time::Duration};

/// One message on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What to send; its id goes with it wherever the provider can carry it. Where it holds a template, that is sent, else
    /// its text and files.
    pub message: Arc<Message>,
    /// What its files were found to be behind their links, in order; empty: nobody has looked.
    pub kinds: Vec<FileKind>,
    /// Which of its parts, from 0; see [`Provider::parts`].
    pub part: u16,
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
    /// The sender cannot send anything until somebody acts, or for a long time: credentials revoked, account blocked. The
    /// message goes back to its place, the queue is kept, and the operator is told.
    Stopped {
        /// Why.
        cause: Cause,
        /// [`Throttled::Identifier`] or [`Throttled::Account`].
        scope: Throttled,
        /// Not before so long; None: until the channel's credentials or settings change, or somebody resumes the lane.
        after: Option<Duration>,
    },
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
    /// The provider's id, where [`Receipt::reference`] is ours: it may be the first time that we hear it.
    pub theirs: Option<String>,
    /// Which part of the message; 0 where it has one, or the provider does not say.
    pub part: u16,
    /// What it costs, where the provider says so.
    pub pricing: Option<Pricing>,
}

impl Receipt {
    /// A receipt that says nothing but a status.
    pub fn new(reference: Reference, status: Status) -> Self {
        Self { reference, status, at: None, cause: None, theirs: None, part: 0, pricing: None }
    }
}

/// What the provider charges for a message, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pricing {
    /// Such as `marketing`, `utility`, `service`.
    pub category: String,
    /// Whether it is charged for; None: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
    /// Such as `regular`, `free_customer_service`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub kind: Option<String>,
}

/// One thing that a callback tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// What became of a message.
    Receipt(Receipt),
    /// A customer wrote.
    Inbound(Box<Inbound>),
    /// A customer stopped marketing messages, or wants them again.
    Marketing {
        /// The customer's identifier, normalised.
        customer: String,
        /// Which identifier of ours it was said to; None: all of the account.
        identifier: Option<String>,
        /// False: stopped.
        wanted: bool,
        /// When.
        at: Timestamp,
    },
    /// Something about a template changed; a sync follows.
    Template(TemplateNotice),
    /// Something about the account or a number of it changed.
    Account(AccountNotice),
    /// A kind that is not acted on, by the provider's word: counted.
    Ignored(String),
}

/// What changed about a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateNotice {
    /// The provider's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// What changed.
    pub change: TemplateChange,
    /// When, by the provider's clock.
    pub at: Option<Timestamp>,
}

/// What changed about a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateChange {
    /// Its status, with the provider's reason in words.
    Status(herald_rules::template::TemplateStatus, Option<String>),
    /// What customers make of it: `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    Quality(String),
    /// Its category; `at` says from when.
    Category(herald_rules::template::Category),
    /// Its text or buttons.
    Components,
}

/// What changed about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountNotice {
    /// Which identifier of ours; None: the whole account.
    pub identifier: Option<String>,
    /// What changed.
    pub change: AccountChange,
    /// In words, for the operator.
    pub text: String,
}

/// What changed about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// So many messages a second may go through the identifier.
    Throughput(u32),
    /// So many customers may be written to first within 24 hours; None: as many as one likes.
    DailyCustomers(Option<u32>),
    /// Nothing that opens a conversation may be sent until this moment; None: until it is lifted.
    Restricted(Option<Timestamp>),
    /// The account is switched off.
    Disabled,
    /// It may send again.
    Reinstated,
    /// Something that an operator should know, and that changes nothing by itself.
    Other,
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
    /// Free text goes only within the window after a customer's last message, else only approved templates.
    pub needs_window: bool,
    /// Marketing templates may go to numbers in the United States.
    pub marketing_in_the_united_states: bool,
    /// Links of files are fetched, by the provider or by the adapter: look at them before.
    pub fetches_files: bool,
    /// How fast an identifier may send, where the provider says so and nobody has set it.
    pub rate: Option<Rate>,
    /// How often one customer may be written to.
    pub pair: Option<PairLimit>,
    /// A call of [`Provider::send`] has ended by then, whatever became of it.
    pub longest_call: Duration,
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

/// What a call needs to know about an account's limits, as the provider reports them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountReport {
    /// What has been said about it, in the same words as notices.
    pub changes: Vec<AccountNotice>,
}

/// One thing that a live test of a channel looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CheckLine {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What was found.
    pub said: String,
}

impl CheckLine {
    /// It is as it must be.
    pub fn good(what: impl Into<String>, said: impl Into<String>) -> Self {
        Self { what: what.into(), ok: true, said: said.into() }
    }

    /// It is not.
    pub fn wrong(what: impl Into<String>, said: impl Into<String>) -> Self {
        Self { what: what.into(), ok: false, said: said.into() }
    }
}

/// One provider's adapter for one channel.
pub trait Provider: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// Makes one try. Never panics, never waits longer than its own time-out.
    fn send(&self, outgoing: &Outgoing) -> impl Future<Output = Outcome> + Send;
    /// Asks what became of a message, by our own id.
    fn look_up(&self, id: MessageId) -> impl Future<Output = LookUp> + Send;
    /// Verifies a callback: its signature, and that its body has the provider's outermost form. What passes is kept and
    /// read afterwards.
    fn verify(&self, callback: Callback<'_>) -> Result<(), CallbackError>;
    /// Reads a body that was verified. Parts of unknown kinds become [`Notice::Ignored`].
    fn read(&self, body: &[u8]) -> Result<Vec<Notice>, CallbackError>;
    /// Answers the provider's question whether this address is ours; None: it is not (403).
    fn handshake(&self, _query: &str) -> Option<String> {
        None
    }
    /// How many calls a message takes.
    fn parts(&self, _message: &Message) -> u16 {
        1
    }
    /// The account whose limit of customers a day the channel shares with others; None: there is no such limit.
    fn portfolio(&self) -> Option<&str> {
        None
    }
    /// Asks the provider for the limits of the account, where it tells them.
    fn report(&self) -> impl Future<Output = Result<AccountReport, Cause>> + Send {
        async { Ok(AccountReport::default()) }
    }
}
