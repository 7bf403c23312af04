//! A call, its answer, and the ways in which there is none.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::time::Duration;

/// Why a call has no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The request certainly never reached the other side.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request, or a part of it, may have been written; no answer came in time.
    #[error("no answer in time")]
    TimedOut,
    /// The request, or a part of it, may have been written; the connection broke.
    #[error("answer lost: {0}")]
    Lost(String),
    /// The head of an answer came, but its body is longer than the limit or broke off.
    #[error("answer {status} without its body: {problem}")]
    Body {
        /// The status that came.
        status: StatusCode,
        /// What was wrong with the rest.
        problem: String,
    },
}

/// How the problem of an answer that is too long begins.
pub(super) const TOO_LONG: &str = "longer than";

impl CallError {
    /// Whether an answer came and was longer than the limit.
    pub fn is_too_long(&self) -> bool {
        matches!(self, Self::Body { problem, .. } if problem.starts_with(TOO_LONG))
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status, of any class: redirects are not followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most [`super::Limits::body`] long.
    pub body: Bytes,
}

impl Answer {
    /// `Retry-After` in seconds. The form with a date is ignored, as our clock and theirs may differ.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse::<u32>().ok()?;
        Some(Duration::from_secs(u64::from(seconds)))
    }
}

/// An answer whose body is still to come. Dropped before its end, it ends the connection, so that the rest never comes.
#[derive(Debug)]
pub struct Incoming {
    /// Its status, of any class: redirects are not followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    pub(super) response: reqwest::Response,
}

impl Incoming {
    /// The next piece of the body; None at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        let status = self.status;
        self.response.chunk().await.map_err(|error| CallError::Body { status, problem: super::full(&error) })
    }
}

/// The address of a call, checked once and cheap to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(pub(super) reqwest::Url);

impl Address {
    /// Reads an absolute `http` or `https` address with a host.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
        match url.scheme() {
            "http" | "https" if url.has_host() => Ok(Self(url)),
            _ => Err("must begin with http:// or https:// and name a host".to_owned()),
        }
    }

    /// The address below this one: each segment is escaped, so that no value can lead elsewhere.
    pub fn below(&self, segments: &[&str]) -> Self {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Self(url)
    }

    /// The same with another query value, escaped.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.0.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Whether the call is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether both lead to the same scheme, host and port.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }
}

/// One call.
#[derive(Debug)]
pub struct Call<'a> {
    /// GET, POST, ...
    pub method: Method,
    /// Where to.
    pub address: &'a Address,
    /// The `Authorization` header, marked sensitive by its maker.
    pub authorization: Option<&'a HeaderValue>,
    /// A JSON body.
    pub json: Option<Vec<u8>>,
    /// For everything from connecting to the last byte of the answer. Longer than [`super::Limits::connect`].
    pub timeout: Duration,
}
