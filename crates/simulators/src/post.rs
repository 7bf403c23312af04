//! One callback: signed, posted, and posted again until the receiver takes it.

use crate::{
    callbacks::Target,
    code::Code,
    engine::Engine,
    shard::Waiting,
    wire::{ReceiptStatus, SIGNATURE_HEADER},
};
use bytes::Bytes;
use herald_rules::{protocol::Protocol, time::Timestamp};
use hmac::Mac;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use std::time::Duration;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

/// The connection of a shard, kept between its callbacks.
pub(crate) type Connection = Option<SendRequest<Full<Bytes>>>;

/// After this long without a 2xx a batch is given up: long enough for a receiver that is killed and started again.
const GIVE_UP: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Posts one batch until the receiver takes it.
pub(crate) async fn deliver(connection: &mut Connection, target: &Target, engine: &Engine, batch: Vec<Waiting>) {
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
    let count = batch.len();
    let mut journal = engine.journal();
    if !delivered {
        journal.counts.receipts_given_up += count as u64;
    }
    for waiting in batch.into_iter().filter(|_| delivered) {
        journal.sent(target.protocol, waiting.client_reference, waiting.status, tries);
        if let Some(taken) = waiting.taken {
            let _ = taken.send(());
        }
    }
    // Last: who sees none waiting must see all counted.
    engine.no_longer_waiting(count);
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
        .header(SIGNATURE_HEADER, format!("sha256={signature}"))
        .body(Full::new(body.clone()))
        .map_err(|error| error.to_string())?;
    sender.ready().await.map_err(text)?;
    let response = sender.send_request(request).await.map_err(text)?;
    let status = response.status();
    // Read to its end, so that the connection can be used again; 64 kB is more than any receiver has to say.
    Limited::new(response.into_body(), 65_536).collect().await.map_err(|error| error.to_string())?;
    Ok(status)
}
