//! The connection to a receiver of callbacks: kept between them, and knocked on until it takes one.

use crate::address::Address;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

/// The connection, once there is one.
pub(crate) type Line = Option<SendRequest<Full<Bytes>>>;

/// After this long without a 2xx a callback is given up: long enough for a receiver that is killed and started again.
const GIVE_UP: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// More than any receiver has to say.
const LONGEST_ANSWER: usize = 65_536;

/// Posts a body until the receiver takes it with a 2xx, and returns how many tries that took. `tried` hears of each.
pub(crate) async fn post_until_taken(
    line: &mut Line,
    address: &Address,
    body: &Bytes,
    signature: (&'static str, &str),
    mut tried: impl FnMut(bool),
) -> Option<u32> {
    let begun = Instant::now();
    let (mut tries, mut pause) = (0, FIRST_PAUSE);
    loop {
        tries += 1;
        let call = call(line, address, (Method::POST, &address.path), body.clone(), Some(signature));
        let answer = timeout(ANSWER_TIMEOUT, call).await;
        let taken = matches!(&answer, Ok(Ok((status, _))) if status.is_success());
        tried(taken);
        if taken {
            return Some(tries);
        }
        if !matches!(answer, Ok(Ok(_))) {
            *line = None;
        }
        if begun.elapsed() > GIVE_UP {
            return None;
        }
        // Jitter, so that the shards of one receiver do not knock in step.
        sleep(pause.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Asks the receiver once, and returns its answer.
pub(crate) async fn ask(address: &Address, path: &str) -> Result<(StatusCode, Bytes), String> {
    let call = async { call(&mut None, address, (Method::GET, path), Bytes::new(), None).await };
    timeout(ANSWER_TIMEOUT, call).await.map_err(|_| "no answer in time".to_owned())?
}

async fn call(
    line: &mut Line,
    address: &Address,
    (method, path): (Method, &str),
    body: Bytes,
    signature: Option<(&'static str, &str)>,
) -> Result<(StatusCode, Bytes), String> {
    let text = |error: hyper::Error| error.to_string();
    if line.as_ref().is_none_or(SendRequest::is_closed) {
        let stream =
            TcpStream::connect((address.host.as_str(), address.port)).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(text)?;
        // Ends by itself when the sender is dropped or the receiver closes.
        tokio::spawn(driver);
        *line = Some(sender);
    }
    let Some(sender) = line else { return Err("no connection".to_owned()) };
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, &address.authority);
    if let Some((name, signature)) = signature {
        request = request
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(name, format!("sha256={signature}"));
    }
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    sender.ready().await.map_err(text)?;
    let response = sender.send_request(request).await.map_err(text)?;
    let status = response.status();
    // Read to its end, so that the connection can be used again.
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await.map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes()))
}
