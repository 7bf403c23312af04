//! One try at handing a delivery over, and what its answer means.

use super::{endpoint::Endpoint, settings::Settings};
use crate::{net::Clients, store::Attempt};
use herald_channels::http::{Answer, CallError};
use herald_rules::{
    ids::DeliveryId,
    signature::{self, Attempt as Signed},
    time::Timestamp,
};
use http::{HeaderName, HeaderValue, Method, header};
use secrecy::ExposeSecret;
use std::time::Duration;

/// Of a refusal's body this much is kept, in characters.
const KEPT: usize = 200;

/// What an attempt says about the events, and about the endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// 2xx: the events are the endpoint's now.
    Taken,
    /// The endpoint cannot take anything now.
    Down {
        /// How long it asked to be left alone.
        wish: Option<Duration>,
    },
    /// The endpoint is there and does not want this.
    Refused,
    /// There is nothing left to send: the events were cleared away meanwhile.
    Gone,
}

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) attempt: Attempt,
    pub(super) outcome: Outcome,
}

impl Tried {
    /// What went wrong, for people.
    pub(super) fn problem(&self) -> Option<String> {
        match (self.attempt.status, &self.attempt.error) {
            (Some(status), _) if self.outcome != Outcome::Taken => Some(format!("HTTP {status}")),
            (_, error) => error.clone(),
        }
    }
}

/// Posts a body once. Never fails: whatever happens is an outcome.
pub(super) async fn post(
    clients: &Clients,
    settings: &Settings,
    endpoint: &Endpoint,
    delivery: DeliveryId,
    number: u32,
    body: Vec<u8>,
) -> Tried {
    let (at, started) = (settings.now(), tokio::time::Instant::now());
    let timeout = if number <= 1 { settings.first_timeout } else { settings.retry_timeout };
    let answer = match request(endpoint, delivery, number, at, body, timeout) {
        Ok(request) => clients.of(request.url()).execute(request).await,
        Err(problem) => Err(CallError::NotSent(problem)),
    };
    let mut attempt =
        Attempt { delivery, number, at, took: started.elapsed(), status: None, error: None, answer: None };
    let outcome = match answer {
        Ok(answer) => {
            attempt.status = Some(answer.status.as_u16());
            let outcome = judge(answer.status.as_u16(), answer.retry_after());
            if outcome != Outcome::Taken {
                attempt.answer = first_words(&answer);
            }
            outcome
        }
        // The status counts; nobody needs the rest of a long answer.
        Err(CallError::Body { status, .. }) => {
            attempt.status = Some(status.as_u16());
            judge(status.as_u16(), None)
        }
        Err(error) => {
            attempt.error = Some(error.to_string());
            Outcome::Down { wish: None }
        }
    };
    Tried { attempt, outcome }
}

/// 408, 429 and the answers of gateways say nothing about the events; every other status but 2xx may.
fn judge(status: u16, wish: Option<Duration>) -> Outcome {
    match status {
        200..=299 => Outcome::Taken,
        408 | 429 | 502..=504 => Outcome::Down { wish },
        _ => Outcome::Refused,
    }
}

fn request(
    endpoint: &Endpoint,
    delivery: DeliveryId,
    number: u32,
    at: Timestamp,
    body: Vec<u8>,
    timeout: Duration,
) -> Result<reqwest::Request, String> {
    let body = String::from_utf8(body).map_err(|_| "The body is not text.".to_owned())?;
    let mut request = reqwest::Request::new(Method::POST, endpoint.url.clone()?);
    *request.timeout_mut() = Some(timeout);
    let signed = Signed { department: endpoint.department, delivery, attempt: number, at, body: &body };
    let api_secret = endpoint.api_secret.as_ref().map(ExposeSecret::expose_secret);
    let headers = request.headers_mut();
    headers.extend(endpoint.headers.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in signature::headers(&signed, api_secret, endpoint.secrets(at)) {
        let name: HeaderName = name.parse().map_err(|_| format!("The header {name} cannot be sent."))?;
        let value = HeaderValue::from_str(&value).map_err(|_| format!("The header {name} cannot be sent."))?;
        headers.insert(name, value);
    }
    *request.body_mut() = Some(body.into());
    Ok(request)
}

/// The beginning of a refusal. Long digits are masked, as a receiver may repeat what it was sent.
fn first_words(answer: &Answer) -> Option<String> {
    // Four bytes are the longest character.
    let start = answer.body.get(..KEPT * 4).unwrap_or(&answer.body);
    let text = String::from_utf8_lossy(start);
    let mut kept = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        if digits < 7 {
            kept.push_str(word);
        } else {
            kept.push_str("***");
            kept.extend(word.chars().filter(|c| !c.is_ascii_digit()));
        }
    }
    let kept: String = kept.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KEPT).collect();
    (!kept.trim().is_empty()).then(|| kept.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_what_they_should() {
        for taken in [200, 202, 204, 299] {
            assert_eq!(judge(taken, None), Outcome::Taken);
        }
        for down in [408, 429, 502, 503, 504] {
            assert_eq!(judge(down, None), Outcome::Down { wish: None }, "{down}");
        }
        // A redirect is never followed: the signature is for one receiver.
        for refused in [301, 307, 400, 401, 404, 410, 413, 422, 500, 501] {
            assert_eq!(judge(refused, None), Outcome::Refused, "{refused}");
        }
    }

    #[test]
    fn kept_answers_show_no_numbers() {
        let answer = |body: &str| Answer {
            status: 400.try_into().unwrap(),
            headers: Default::default(),
            body: body.to_owned().into(),
        };
        assert_eq!(
            first_words(&answer("no such customer: 972501234567\nsee 4711")),
            Some("no such customer: *** see 4711".into())
        );
        assert_eq!(first_words(&answer("  ")), None);
        assert_eq!(first_words(&answer(&"ש".repeat(1000))).unwrap().chars().count(), KEPT);
    }
}
