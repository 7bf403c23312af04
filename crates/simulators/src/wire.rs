//! The documents of the wire, read strictly.

use crate::code::Code;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use herald_rules::protocol::Protocol;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// The header that carries the signature of a callback.
pub const SIGNATURE_HEADER: &str = "x-simulator-signature-256";

/// What a receipt reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptStatus {
    /// Taken by the provider.
    Accepted,
    /// On the customer's device.
    Delivered,
    /// Opened by the customer.
    Read,
    /// Lost after it was taken.
    Failed,
}

impl ReceiptStatus {
    /// All, in the order of their numbers.
    pub(crate) const ALL: [Self; 4] = [Self::Accepted, Self::Delivered, Self::Read, Self::Failed];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

/// The body of a send; every field is required and none beside them is allowed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Send<'a> {
    pub(crate) client_reference: Uuid,
    #[serde(borrow)]
    pub(crate) from: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) to: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    files: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) callback_url: Cow<'a, str>,
}

/// A refusal of the request as such, with words about what is wrong.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: Code,
    message: Cow<'static, str>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, message: code.text().into() }
    }
}

impl Refusal {
    /// Why.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// A request that is not of the documented form.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::InvalidRequest, message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"error": {"code": self.code.as_str(), "message": self.message}});
        json(self.code.status(), body.to_string())
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: http::StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Reads the protocol of a path: its exact name.
pub(crate) fn protocol(name: &str) -> Result<Protocol, Refusal> {
    Protocol::ALL.into_iter().find(|protocol| protocol.as_str() == name).ok_or(Code::UnknownProtocol.into())
}

/// Whether SMS can come from this: a short code, or a name of up to 11 letters, digits and spaces.
fn is_sender(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    if digits { (3..=8).contains(&text.len()) } else { name && text.len() <= 11 }
}

/// Reads and checks the body of a send.
pub(crate) fn read(protocol: Protocol, body: &[u8]) -> Result<Send<'_>, Refusal> {
    let send: Send<'_> = serde_json::from_slice(body).map_err(|error| Refusal::invalid(error.to_string()))?;
    let phone = |text: &str| (7..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let (from, to) = match protocol {
        Protocol::AppleBusinessChat => {
            (!send.from.is_empty(), send.to.strip_prefix("urn:mbid:").is_some_and(|rest| !rest.is_empty()))
        }
        Protocol::SMS => (phone(&send.from) || is_sender(&send.from), phone(&send.to)),
        Protocol::WhatsApp => (phone(&send.from), phone(&send.to)),
    };
    if !from {
        return Err(Refusal::invalid("from is not an identifier of this protocol"));
    }
    if !to {
        return Err(Refusal::invalid("to is not an identifier of this protocol"));
    }
    if send.text.is_empty() && send.files.is_empty() {
        return Err(Refusal::invalid("text and files are both empty"));
    }
    if protocol == Protocol::SMS && !send.files.is_empty() {
        return Err(Refusal::invalid("an SMS carries no files"));
    }
    if send.files.iter().any(|file| !file.starts_with("http://") && !file.starts_with("https://")) {
        return Err(Refusal::invalid("every file must be an http:// or https:// address"));
    }
    if send.text.chars().count() > longest_text(protocol) {
        return Err(Code::MessageTooLong.into());
    }
    Ok(send)
}

/// WhatsApp's own limit is 4,096 characters, an SMS provider's mostly 1,600, Apple's about 10,000.
fn longest_text(protocol: Protocol) -> usize {
    match protocol {
        Protocol::WhatsApp => 4096,
        Protocol::SMS => 1600,
        Protocol::AppleBusinessChat => 10_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn problem(protocol: Protocol, change: impl FnOnce(&mut Value)) -> Option<Code> {
        let mut body = json!({
            "clientReference": Uuid::nil(), "from": "4930123456", "to": "4917012345678", "text": "Hi", "files": [],
            "callbackUrl": "http://127.0.0.1:1/x"
        });
        change(&mut body);
        read(protocol, body.to_string().as_bytes()).err().map(|refusal| refusal.code)
    }

    #[test]
    fn only_the_documented_form_is_read() {
        let invalid = Some(Code::InvalidRequest);
        assert_eq!(problem(Protocol::SMS, |_| ()), None);
        for name in ["clientReference", "from", "to", "text", "files", "callbackUrl"] {
            assert_eq!(
                problem(Protocol::SMS, |body| drop(body.as_object_mut().unwrap().remove(name))),
                invalid,
                "{name}"
            );
            assert_eq!(problem(Protocol::SMS, |body| body[name] = json!(1)), invalid, "{name}");
        }
        assert_eq!(problem(Protocol::SMS, |body| body["more"] = json!(1)), invalid);
        assert_eq!(problem(Protocol::SMS, |body| body["text"] = json!("")), invalid);
        assert_eq!(problem(Protocol::SMS, |body| body["to"] = json!("+4917012345678")), invalid);
        for (protocol, from, refused) in [
            (Protocol::SMS, "12345", None),
            (Protocol::SMS, "Acme 24", None),
            (Protocol::SMS, "", invalid),
            (Protocol::SMS, "Ac-me", invalid),
            (Protocol::SMS, "twelve chars", invalid),
            (Protocol::WhatsApp, "12345", invalid),
            (Protocol::WhatsApp, "ACME", invalid),
        ] {
            assert_eq!(problem(protocol, |body| body["from"] = json!(from)), refused, "{protocol} {from}");
        }
        assert_eq!(problem(Protocol::SMS, |body| body["files"] = json!(["https://example.com/a.png"])), invalid);
        assert_eq!(problem(Protocol::WhatsApp, |body| body["files"] = json!(["https://example.com/a.png"])), None);
        assert_eq!(problem(Protocol::WhatsApp, |body| body["files"] = json!(["ftp://example.com/a.png"])), invalid);
        assert_eq!(problem(Protocol::AppleBusinessChat, |_| ()), invalid);
        assert_eq!(problem(Protocol::AppleBusinessChat, |body| body["to"] = json!("urn:mbid:AQAA")), None);
        assert_eq!(problem(Protocol::SMS, |body| body["text"] = json!("x".repeat(1601))), Some(Code::MessageTooLong));
    }
}
