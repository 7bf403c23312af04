//! The `Idempotency-Key`: the same key with the same request gets the same answer, and nothing is sent twice.

use super::request::SendRequest;
use crate::{
    api::{codes::Code, problem::Problem},
    node::app::App,
    store::Idempotency,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, request::Parts},
};
use sha2::{Digest, Sha256};

/// The header's name.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key: what other gateways take.
const LONGEST: usize = 255;

/// A client's key for one request.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(String);

/// The key of a request, if it has one.
#[derive(Clone, Debug)]
pub struct OptionalKey(pub Option<IdempotencyKey>);

impl FromRequestParts<App> for OptionalKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        IdempotencyKey::read(&parts.headers).map(Self)
    }
}

impl IdempotencyKey {
    /// The key of a request; None where it has none.
    ///
    /// # Errors
    /// When it is empty, too long, or not of visible characters.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        match value.to_str() {
            Ok(key) if (1..=LONGEST).contains(&key.trim().len()) => Ok(Some(Self(key.trim().to_owned()))),
            _ => Err(Problem::new(
                Code::IdempotencyKeyInvalid,
                "The Idempotency-Key must have 1 to 255 visible characters (ASCII). A new UUID for each message does well.",
            )),
        }
    }

    /// As stored, together with what the request says. Fields that are ignored do not count, nor does their order: a
    /// client that repeats a request may write it anew.
    pub(super) fn of(&self, request: &SendRequest<'_>) -> Idempotency {
        let mut digest = Sha256::new();
        for field in [
            &request.protocol_type,
            &request.from,
            &request.to,
            &request.text,
            &request.send_at,
            &request.expires_at,
            &request.priority,
        ] {
            // The length in front keeps "a" + "bc" apart from "ab" + "c".
            let text = field.text().unwrap_or_default();
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        }
        digest.update(format!("{:?}", request.files));
        digest.update(request.metadata.as_ref().map_or_else(String::new, ToString::to_string));
        let objects = [
            ("customer", request.customer),
            ("template", request.template),
            ("buttonParameters", request.button_parameters),
            ("headerParameter", request.header_parameter),
        ];
        for (name, raw) in objects {
            // Read and written again, so that neither blanks nor the order of fields count.
            if let Some(value) = raw.and_then(|raw| serde_json::from_str::<serde_json::Value>(raw.get()).ok()) {
                digest.update(format!("{name}:{value}"));
            }
        }
        Idempotency {
            key_hash: half(Sha256::digest(&self.0)),
            body_hash: half(digest.finalize()),
            warnings: String::new(),
        }
    }
}

/// The first 16 bytes: 128 bits do not collide by chance, and they halve the table.
fn half(digest: impl AsRef<[u8]>) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(json: &str) -> [u8; 16] {
        IdempotencyKey("key".into()).of(&SendRequest::read(json.as_bytes()).unwrap()).body_hash
    }

    #[test]
    fn what_is_said_counts_not_how_it_is_written() {
        let one = hash(r#"{"to":"1","from":"2","text":"a","metadata":{"a":1,"b":2}}"#);
        assert_eq!(one, hash(r#"{ "metadata":{"b":2,"a":1}, "text":"a","from":"2","to":1,"status":"Pending"}"#));
        let named = hash(r#"{"customer":{"name":"a","attributes":{"b":1,"c":2}},"headerParameter":null}"#);
        assert_eq!(named, hash(r#"{"customer": {"attributes": {"c":2, "b":1}, "name":"a"}}"#));
        for other in [
            r#"{"to":"1","from":"2","text":"b","metadata":{"a":1,"b":2}}"#,
            r#"{"to":"12","from":"","text":"a","metadata":{"a":1,"b":2}}"#,
            r#"{"to":"1","from":"2","text":"a","metadata":{"a":1}}"#,
            r#"{"to":"1","from":"2","text":"a","metadata":{"a":1,"b":2},"files":["https://a"]}"#,
            r#"{"to":"1","from":"2","text":"a","metadata":{"a":1,"b":2},"customer":{"name":"Noa"}}"#,
            r#"{"to":"1","from":"2","text":"a","metadata":{"a":1,"b":2},"template":{"name":"Noa"}}"#,
        ] {
            assert_ne!(one, hash(other), "{other}");
        }
    }

    #[test]
    fn keys_are_1_to_255_visible_characters() {
        let read = |key: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, key.parse().unwrap());
            IdempotencyKey::read(&headers)
        };
        assert!(IdempotencyKey::read(&HeaderMap::new()).unwrap().is_none());
        assert!(read("order-17").unwrap().is_some() && read(&"k".repeat(255)).unwrap().is_some());
        for wrong in ["", "  ", &"k".repeat(256), "schlüssel"] {
            assert_eq!(read(wrong).unwrap_err().code(), Code::IdempotencyKeyInvalid);
        }
    }
}
