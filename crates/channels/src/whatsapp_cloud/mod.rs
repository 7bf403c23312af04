//! The adapter for Meta's WhatsApp Cloud API (Graph API).
//!
//! | to know | file |
//! | --- | --- |
//! | what goes out | `body`, `template`, `free_form`, `interactive`, `limits`, `parts`, `file` |
//! | what an answer means | `answer`, `codes` (the table), `problem` |
//! | what a callback tells | `verify`, `read`, `statuses`, `inbound`, `inbound_content`, `preferences`, `template_notices`, `account_notices` |
//! | what else can be asked of Meta | `templates`, `media`, `report`, `check` |

mod account_notices;
mod answer;
mod body;
mod check;
pub mod codes;
mod file;
pub mod free_form;
mod graph;
mod inbound;
mod inbound_content;
pub mod interactive;
mod limits;
mod media;
mod parts;
mod preferences;
mod problem;
mod read;
mod report;
mod send;
mod settings;
mod statuses;
mod template;
mod template_notices;
mod templates;
mod tiers;
mod verify;

pub use free_form::FreeForm;
pub use graph::proof as appsecret_proof;
pub use media::MediaInfo;
pub use settings::{Credentials, Settings};
pub use templates::TemplatePage;
pub use verify::SIGNATURE_HEADER;

use crate::{
    contract::{
        AccountReport, Callback, CallbackError, Capabilities, LookUp, Notice, Outcome, Outgoing, PairLimit, Provider,
        Reconcile,
    },
    http::Address,
    registry::SettingsError,
};
use graph::Graph;
use herald_rules::{ids::MessageId, message::Message, reason::Cause, status::Status};
use read::Ours;
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use verify::Verifier;

/// The adapter of one WhatsApp channel.
#[derive(Clone)]
pub struct WhatsappCloud {
    inner: Arc<Inner>,
}

struct Inner {
    graph: Graph,
    verifier: Verifier,
    ours: Ours,
    /// By identifier.
    numbers: BTreeMap<String, Number>,
    portfolio: String,
    marketing_in_the_united_states: bool,
    marketing_messages_api: bool,
}

/// One phone number of ours.
struct Number {
    /// Meta's id of it.
    id: String,
    messages: Address,
    marketing_messages: Address,
    /// Bounds the calls in flight.
    places: Semaphore,
}

impl WhatsappCloud {
    /// Checks a channel's settings and makes its adapter.
    pub fn new(settings: Settings, credentials: Credentials) -> Result<Self, SettingsError> {
        let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_id(&settings.waba_id) {
            return Err(SettingsError::new(
                "settings.waba_id",
                "must be Meta's id of the business account, digits only",
            ));
        }
        if !(1..=10_000).contains(&settings.in_flight) {
            return Err(SettingsError::new("settings.in_flight", "must be 1 to 10000"));
        }
        let verifier = Verifier::new(&credentials)?;
        let graph = Graph::new(&settings, &credentials)?;
        let mut ours = Ours { waba_id: settings.waba_id.clone(), by_phone_number_id: BTreeMap::new() };
        let mut numbers = BTreeMap::new();
        for (identifier, id) in &settings.phone_numbers {
            let wrong = |problem: &str| SettingsError::new("settings.phone_numbers", problem);
            if !is_id(identifier) || !is_id(id) {
                return Err(wrong("names our numbers and Meta's ids of them, digits only"));
            }
            if ours.by_phone_number_id.insert(id.clone(), identifier.clone()).is_some() {
                return Err(wrong("has one of Meta's ids twice"));
            }
            let number = Number {
                messages: graph.address(&[id, "messages"], &[]),
                marketing_messages: graph.address(&[id, "marketing_messages"], &[]),
                places: Semaphore::new(settings.in_flight),
                id: id.clone(),
            };
            numbers.insert(identifier.clone(), number);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                graph,
                verifier,
                ours,
                numbers,
                portfolio: settings.portfolio_id.unwrap_or(settings.waba_id),
                marketing_in_the_united_states: settings.marketing_in_the_united_states,
                marketing_messages_api: settings.marketing_messages_api,
            }),
        })
    }
}

impl Provider for WhatsappCloud {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            last_receipt: Status::Read,
            // Not in every status: the reference is needed too, and replies name it.
            echoes_our_id: false,
            reconcile: Reconcile::ByReceipt { deadline: Duration::from_secs(3600) },
            needs_window: true,
            marketing_in_the_united_states: self.inner.marketing_in_the_united_states,
            fetches_files: true,
            rate: "80/s".parse().ok(),
            pair: Some(PairLimit { every: Duration::from_secs(6), burst: 45 }),
            longest_call: self.inner.graph.timeout(),
        }
    }

    async fn send(&self, outgoing: &Outgoing) -> Outcome {
        self.send_part(outgoing).await
    }

    /// Meta has no look-up; the echo in a status is what tells.
    async fn look_up(&self, _id: MessageId) -> LookUp {
        LookUp::Unavailable
    }

    fn verify(&self, callback: Callback<'_>) -> Result<(), CallbackError> {
        self.inner.verifier.verify(callback)
    }

    fn read(&self, body: &[u8]) -> Result<Vec<Notice>, CallbackError> {
        read::read(&self.inner.ours, body)
    }

    fn handshake(&self, query: &str) -> Option<String> {
        self.inner.verifier.handshake(query)
    }

    fn parts(&self, message: &Message) -> u16 {
        parts::count(message)
    }

    fn portfolio(&self) -> Option<&str> {
        Some(&self.inner.portfolio)
    }

    async fn report(&self) -> Result<AccountReport, Cause> {
        self.report_numbers().await
    }
}

impl fmt::Debug for WhatsappCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsappCloud").field("waba_id", &self.inner.ours.waba_id).finish_non_exhaustive()
    }
}
