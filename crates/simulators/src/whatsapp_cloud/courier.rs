//! The sender of webhooks to one callback address: signed, in batches, in order for each message, until they are taken.

use super::{
    business::{Business, Number},
    customers::FREE_ENTRY,
    engine::Engine,
    error::GraphError,
    escape,
    record::{GraphReceipt, GraphStatus},
};
use crate::{
    address::Address,
    line::{Line, ask, post_until_taken},
    schedule::Schedule,
};
use bytes::Bytes;
use herald_rules::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// The header that carries the signature of a webhook.
pub const SIGNATURE: &str = "x-hub-signature-256";
/// Statuses in one `changes` item, and changes in one entry, at most: batches nest at every level.
const STATUSES: usize = 20;
const CHANGES: usize = 2;

/// What Meta calls messages that an advertisement has paid for.
pub(crate) const FREE_ENTRY_CATEGORY: &str = "referral_conversion";

/// What a message costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Pricing {
    pub(crate) billable: bool,
    pub(crate) pricing_model: &'static str,
    pub(crate) category: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// A message that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) wamid: String,
    pub(crate) to: String,
    pub(crate) number: Arc<Number>,
    pub(crate) echo: Option<String>,
    pub(crate) pricing: Pricing,
}

/// Something to be told.
#[derive(Debug)]
pub(crate) enum News {
    /// What became of a message.
    Status { message: Arc<Taken>, status: GraphStatus, at: Timestamp, code: Option<u32> },
    /// Anything else.
    Change { field: String, value: Value, time: Option<i64> },
}

/// News that wait for their time.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) news: News,
    /// Told when the receiver has taken them.
    pub(crate) taken: Option<oneshot::Sender<()>>,
}

/// See the module.
pub(crate) struct Courier {
    address: Address,
    secret: Hmac<Sha256>,
    shards: Vec<Schedule<Waiting>>,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("authority", &self.address.authority).finish_non_exhaustive()
    }
}

impl Courier {
    /// Reads the address, and sets its connections to work.
    pub(crate) fn start(engine: &Arc<Engine>, business: &Arc<Business>, address: &str) -> Result<Arc<Self>, String> {
        let address = Address::read(address).ok_or("the callback address must be http:// on loopback with a port")?;
        let secret = Hmac::new_from_slice(business.keys().app_secret.as_bytes()).map_err(|error| error.to_string())?;
        let shards = (0..engine.callback_connections).map(|_| Schedule::default()).collect();
        let courier = Arc::new(Self { address, secret, shards });
        for number in 0..engine.callback_connections {
            let (engine, business, courier) = (Arc::clone(engine), Arc::clone(business), Arc::clone(&courier));
            tokio::spawn(async move {
                let stopped = engine.stopped.clone();
                stopped.run_until_cancelled(courier.work(number, &engine, &business)).await;
            });
        }
        Ok(courier)
    }

    /// Adds news. All of one `key` go one way, so that their order is kept where it is meant to be.
    pub(crate) fn push(&self, key: &str, due: Instant, waiting: Waiting) {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % self.shards.len() as u64).unwrap_or_default();
        if let Some(shard) = self.shards.get(place) {
            shard.push(due, waiting);
        }
    }

    async fn work(&self, number: usize, engine: &Engine, business: &Business) {
        let Some(shard) = self.shards.get(number) else { return };
        let mut line = None;
        loop {
            let packing = || {
                let packing = engine.behaviour().callbacks.clone();
                (packing.batch as usize, Duration::from_millis(u64::from(packing.linger_ms)))
            };
            let batch = shard.next(packing).await;
            self.deliver(&mut line, engine, business, batch).await;
        }
    }

    async fn deliver(&self, line: &mut Line, engine: &Engine, business: &Business, batch: Vec<Waiting>) {
        let echo = engine.behaviour().receipts.echo;
        let body = Bytes::from(escape::write(&envelope(&business.waba_id, &batch, echo)));
        let signature = hex::encode(self.secret.clone().chain_update(&body).finalize().into_bytes());
        let tries = post_until_taken(line, &self.address, &body, (SIGNATURE, &signature), |taken| {
            let counts = &mut engine.journal().counts;
            counts.callback_posts += 1;
            counts.callback_posts_refused += u64::from(!taken);
        })
        .await;
        let count = batch.len();
        {
            let mut journal = engine.journal();
            match tries {
                None => journal.counts.receipts_given_up += count as u64,
                Some(tries) => {
                    for waiting in batch {
                        if let News::Status { message, status, code, .. } = &waiting.news {
                            journal.sent(*status, |number| GraphReceipt {
                                number,
                                at: Timestamp::now(),
                                wamid: message.wamid.clone(),
                                to: message.to.clone(),
                                echo: message.echo.clone(),
                                status: *status,
                                code: *code,
                                tries,
                            });
                        }
                        if let Some(taken) = waiting.taken {
                            let _ = taken.send(());
                        }
                    }
                }
            }
        }
        // Last: who sees none waiting must see all counted.
        engine.no_longer_waiting(count);
    }

    /// Asks the receiver whether the address is its own, as Meta does before it uses one.
    pub(crate) async fn handshake(&self, verify_token: &str) -> Result<bool, String> {
        let challenge = fastrand::u32(1_000_000_000..).to_string();
        let query: String =
            [("hub.mode", "subscribe"), ("hub.challenge", &challenge), ("hub.verify_token", verify_token)]
                .map(|(name, value)| format!("{name}={}", in_query(value)))
                .join("&");
        let join = if self.address.path.contains('?') { '&' } else { '?' };
        let (status, body) = ask(&self.address, &format!("{}{join}{query}", self.address.path)).await?;
        Ok(status == StatusCode::OK && *body == *challenge.as_bytes())
    }
}

fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[derive(Serialize)]
struct Envelope<'a> {
    object: &'static str,
    entry: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    value: Content<'a>,
    field: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Statuses(Statuses<'a>),
    Other(&'a Value),
}

#[derive(Serialize)]
struct Statuses<'a> {
    messaging_product: &'static str,
    metadata: Metadata<'a>,
    statuses: Vec<Status<'a>>,
}

#[derive(Serialize, PartialEq)]
struct Metadata<'a> {
    display_phone_number: &'a str,
    phone_number_id: &'a str,
}

#[derive(Serialize)]
struct Status<'a> {
    id: &'a str,
    status: &'static str,
    timestamp: String,
    recipient_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_opaque_callback_data: Option<&'a str>,
    /// Nowadays only where the customer came by an advertisement.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<[Value; 1]>,
}

fn envelope<'a>(waba_id: &'a str, batch: &'a [Waiting], with_echo: bool) -> Envelope<'a> {
    let mut entry: Vec<Entry<'a>> = Vec::new();
    for waiting in batch {
        match &waiting.news {
            News::Status { message, status, at, code } => {
                let metadata =
                    Metadata { display_phone_number: &message.number.digits, phone_number_id: &message.number.id };
                let status = Status {
                    id: &message.wamid,
                    status: status.as_str(),
                    timestamp: (at.0 / 1_000_000).to_string(),
                    recipient_id: &message.to,
                    biz_opaque_callback_data: message.echo.as_deref().filter(|_| with_echo),
                    conversation: (*status == GraphStatus::Sent).then(|| conversation(message, *at)).flatten(),
                    pricing: code.is_none().then_some(message.pricing),
                    errors: code.map(|code| [GraphError::in_webhook(code)]),
                };
                let last = entry.last_mut().filter(|entry| entry.time.is_none());
                if let Some(entry) = last {
                    let open = entry.changes.last_mut().and_then(|change| match &mut change.value {
                        Content::Statuses(of) if of.metadata == metadata && of.statuses.len() < STATUSES => Some(of),
                        _ => None,
                    });
                    if let Some(open) = open {
                        open.statuses.push(status);
                        continue;
                    }
                    if entry.changes.len() < CHANGES {
                        entry.changes.push(statuses(metadata, status));
                        continue;
                    }
                }
                entry.push(Entry { id: waba_id, time: None, changes: vec![statuses(metadata, status)] });
            }
            News::Change { field, value, time } => {
                let change = Change { value: Content::Other(value), field };
                entry.push(Entry { id: waba_id, time: *time, changes: vec![change] });
            }
        }
    }
    Envelope { object: "whatsapp_business_account", entry }
}

/// The conversation that an advertisement began, in which nothing is charged.
fn conversation(message: &Taken, at: Timestamp) -> Option<Value> {
    if message.pricing.category != FREE_ENTRY_CATEGORY {
        return None;
    }
    let until = ((at + FREE_ENTRY).0 / 1_000_000).to_string();
    let id = hex::encode(message.to.as_bytes());
    Some(json!({"id": id, "expiration_timestamp": until, "origin": {"type": FREE_ENTRY_CATEGORY}}))
}

fn statuses<'a>(metadata: Metadata<'a>, status: Status<'a>) -> Change<'a> {
    let statuses = Statuses { messaging_product: "whatsapp", metadata, statuses: vec![status] };
    Change { value: Content::Statuses(statuses), field: "messages" }
}
