//! Reading what a request carries, and refusing what cannot be read in the one form of all refusals.

use super::{codes::Code, problem::Problem};
use crate::node::app::App;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;

/// A client that does not send on within this time is cut off, so that slow ones cannot hold requests open.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

/// The body's bytes, of a request that says it is JSON (or says nothing) and that is not too large.
#[derive(Debug)]
pub struct JsonBytes(pub Bytes);

impl FromRequest<App> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                Code::WrongContentType,
                "The body must be JSON. Send the header `Content-Type: application/json`.",
            ));
        }
        let limit = app.config.limits.body_bytes;
        let too_large = || {
            Problem::new(
                Code::BodyTooLarge,
                format!("The body is larger than {limit} bytes. Send less at once, or have limits.body_bytes raised."),
            )
        };
        let given = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if given.is_some_and(|given: usize| given > limit) {
            return Err(too_large());
        }
        match tokio::time::timeout(ARRIVES_WITHIN, axum::body::to_bytes(request.into_body(), limit)).await {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(error)) if is_limit(&error) => Err(too_large()),
            _ => Err(Problem::new(
                Code::BodyUnreadable,
                "The body did not arrive whole, or too slowly. Send the request again.",
            )),
        }
    }
}

/// `application/json`, `text/json` or anything `+json`, in any case; a client that names no type means JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let kind = value.split(';').next().unwrap_or_default().trim();
    let ends_with = |end: &str| {
        kind.len() >= end.len() && kind.as_bytes()[kind.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
    };
    kind.is_empty() || ends_with("/json") || ends_with("+json")
}

/// The limit's own error is behind axum's.
pub(crate) fn is_limit(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        // `http_body_util` is axum's choice, not ours to name: its one error that speaks of a length is this.
        if error.to_string().contains("length limit") {
            return true;
        }
        source = error.source();
    }
    false
}

/// A body of a known form.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, app).await?;
        // An empty body stands for an object without fields: clients post nothing where nothing is needed.
        let bytes: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &bytes };
        parse(bytes).map(Self)
    }
}

/// Reads a JSON object.
///
/// # Errors
/// When it is not JSON, or not of this form.
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    // The derived readers would take a list for an object, by position.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Problem::new(Code::InvalidBody, "The body must be a JSON object; it is a list."));
    }
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            Problem::new(Code::InvalidBody, format!("The body does not fit: {error}."))
        }
        _ => Problem::new(Code::MalformedJson, format!("The body is not JSON: {error}.")),
    })
}

/// Parameters in the address.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|error| {
            Problem::new(Code::InvalidQuery, format!("The address does not fit: {}.", error.body_text()))
        })
    }
}

/// An id in the path. What is no id names nothing, so it is not found.
pub fn id<T: std::str::FromStr>(text: &str, missing: impl FnOnce() -> Problem) -> Result<T, Problem> {
    text.trim().parse().map_err(|_| missing())
}
