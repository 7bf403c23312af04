//! One ordered stream of receipts to one callback address: a heap by due time, and one task that posts them.

use crate::{callbacks::Target, code::Code, engine::Engine, wire::ReceiptStatus};
use bytes::Bytes;
use herald_rules::{protocol::Protocol, time::Timestamp};
use hmac::Mac;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::{Notify, oneshot},
    time::{Instant, sleep, sleep_until, timeout},
};
use uuid::Uuid;

/// A receipt that waits for its time.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) due: Instant,
    /// Makes the order of equal times that of insertion.
    pub(crate) order: u64,
    pub(crate) serial: u64,
    pub(crate) client_reference: Uuid,
    pub(crate) status: ReceiptStatus,
    pub(crate) code: Option<Code>,
    pub(crate) at: Timestamp,
    /// Told when the receiver has taken it.
    pub(crate) taken: Option<oneshot::Sender<()>>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.order) == (other.due, other.order)
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

#[derive(Debug, Default)]
struct Queue {
    heap: BinaryHeap<Reverse<Waiting>>,
    order: u64,
    /// Until when the task sleeps; unset while it works and will look again by itself.
    sleeps_until: Option<Instant>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    queue: Mutex<Queue>,
    woken: Notify,
}

/// One receipt on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_reference: Option<Uuid>,
    status: ReceiptStatus,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'static str>,
}

/// After this long without a 2xx a batch is given up: long enough for a receiver that is killed and started again.
const GIVE_UP: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// With nothing to send the task sleeps this long; any arrival wakes it before.
const IDLE: Duration = Duration::from_secs(3600);

impl Shard {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a receipt, and wakes the task only where it would sleep past its time.
    pub(crate) fn push(&self, mut waiting: Waiting) {
        let mut queue = self.queue();
        queue.order += 1;
        waiting.order = queue.order;
        let wake = queue.sleeps_until.is_some_and(|until| waiting.due < until);
        if wake {
            queue.sleeps_until = None;
        }
        queue.heap.push(Reverse(waiting));
        drop(queue);
        if wake {
            self.woken.notify_one();
        }
    }

    /// What is due, at most `most`; else how long to sleep. A batch opens when its first receipt has lingered.
    fn take(&self, now: Instant, most: usize, linger: Duration) -> Result<Vec<Waiting>, Instant> {
        let mut queue = self.queue();
        queue.sleeps_until = None;
        let opens = queue.heap.peek().map_or(now + IDLE, |Reverse(first)| first.due + linger);
        if opens > now {
            queue.sleeps_until = Some(opens);
            return Err(opens);
        }
        let mut batch = Vec::new();
        while batch.len() < most && queue.heap.peek().is_some_and(|Reverse(next)| next.due <= now) {
            batch.extend(queue.heap.pop().map(|Reverse(waiting)| waiting));
        }
        Ok(batch)
    }

    /// Posts what becomes due, for ever, one batch after the other.
    pub(crate) async fn work(&self, target: &Target, engine: &Engine) {
        let mut connection = None;
        loop {
            let packing = engine.behaviours().of(target.protocol).callbacks.clone();
            let linger = Duration::from_millis(u64::from(packing.linger_ms));
            match self.take(Instant::now(), packing.batch as usize, linger) {
                Ok(batch) => deliver(&mut connection, target, engine, batch).await,
                Err(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = self.woken.notified() => {}
                },
            }
        }
    }
}

type Connection = Option<SendRequest<Full<Bytes>>>;

/// Posts one batch until the receiver takes it.
async fn deliver(connection: &mut Connection, target: &Target, engine: &Engine, batch: Vec<Waiting>) {
    {
        let mut journal = engine.journal();
        for waiting in &batch {
            journal.happened(waiting.client_reference, waiting.serial, waiting.status);
        }
    }
    let wire: Vec<Wire> = batch.iter().map(|waiting| wire(engine, target.protocol, waiting)).collect();
    // Serialising strings into memory cannot fail; were it to, the receiver would refuse the empty body.
    let body = Bytes::from(serde_json::to_vec(&wire).unwrap_or_default());
    let signature = hex::encode(target.secret.clone().chain_update(&body).finalize().into_bytes());
    let begun = Instant::now();
    let (mut tries, mut pause) = (0, FIRST_PAUSE);
    let delivered = loop {
        tries += 1;
        let answer = timeout(ANSWER_TIMEOUT, post(connection, target, &body, &signature)).await;
        let taken = matches!(&answer, Ok(Ok(status)) if status.is_success());
        {
            let counts = &mut engine.journal().counts;
            counts.callback_posts += 1;
            counts.callback_posts_refused += u64::from(!taken);
        }
        if taken {
            break true;
        }
        if !matches!(answer, Ok(Ok(_))) {
            *connection = None;
        }
        if begun.elapsed() > GIVE_UP {
            break false;
        }
        // Jitter, so that the shards of one receiver do not knock in step.
        sleep(pause.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    engine.no_longer_waiting(batch.len());
    let mut journal = engine.journal();
    if !delivered {
        journal.counts.receipts_given_up += batch.len() as u64;
        return;
    }
    for waiting in batch {
        journal.sent(target.protocol, waiting.client_reference, waiting.status, tries);
        if let Some(taken) = waiting.taken {
            let _ = taken.send(());
        }
    }
}

fn wire(engine: &Engine, protocol: Protocol, waiting: &Waiting) -> Wire {
    Wire {
        reference: engine.reference(protocol, waiting.serial),
        client_reference: (protocol != Protocol::SMS).then_some(waiting.client_reference),
        status: waiting.status,
        at: waiting.at,
        code: waiting.code,
        text: waiting.code.map(Code::text),
    }
}

async fn post(
    connection: &mut Connection,
    target: &Target,
    body: &Bytes,
    signature: &str,
) -> Result<StatusCode, String> {
    let text = |error: hyper::Error| error.to_string();
    if connection.as_ref().is_none_or(SendRequest::is_closed) {
        let stream =
            TcpStream::connect((target.host.as_str(), target.port)).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(text)?;
        // Ends by itself when the sender is dropped or the receiver closes.
        tokio::spawn(driver);
        *connection = Some(sender);
    }
    let Some(sender) = connection else { return Err("no connection".to_owned()) };
    let request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(crate::wire::SIGNATURE_HEADER, format!("sha256={signature}"))
        .body(Full::new(body.clone()))
        .map_err(|error| error.to_string())?;
    sender.ready().await.map_err(text)?;
    let response = sender.send_request(request).await.map_err(text)?;
    let status = response.status();
    // Read to its end, so that the connection can be used again; 64 kB is more than any receiver has to say.
    Limited::new(response.into_body(), 65_536).collect().await.map_err(|error| error.to_string())?;
    Ok(status)
}
