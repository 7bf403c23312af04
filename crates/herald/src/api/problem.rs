//! The one form of every refusal: `application/problem+json` (RFC 9457) with a stable code, and with `message`, which is
//! what clients of v1.2 read.

use super::codes::Code;
use crate::store::StoreError;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use herald_rules::{content::ContentError, identifier::IdentifierError, reason::Cause};
use serde::Serialize;
use std::{borrow::Cow, time::Duration};
use utoipa::ToSchema;

/// Why a request was refused. Boxed, since the good way must stay narrow.
#[derive(Debug)]
pub struct Problem(Box<Refusal>);

#[derive(Debug)]
struct Refusal {
    code: Code,
    detail: Cow<'static, str>,
    pointer: Option<Cow<'static, str>>,
    errors: Vec<FieldProblem>,
    standing: Option<&'static str>,
    provider: (Option<String>, Option<String>),
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of every refusal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Where the code is explained, relative to this server.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/docs/problems#from_not_found")]
    kind: String,
    /// The code in a few words.
    #[schema(example = "No such sender")]
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// Stable: programs decide by it.
    #[schema(example = "from_not_found")]
    code: &'a str,
    /// What is wrong, and what to do.
    detail: &'a str,
    /// The same as `detail`, where clients of v1.2 look for it.
    message: &'a str,
    /// The field of the request that it is about, as a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/from")]
    pointer: Option<&'a str>,
    /// Each field, where several are wrong.
    #[serde(skip_serializing_if = "<[FieldProblem]>::is_empty")]
    errors: &'a [FieldProblem],
    /// The present status of the message, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "messageStatus")]
    message_status: Option<&'a str>,
    /// The provider's own code, where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "providerCode")]
    #[schema(example = "100/2388024")]
    provider_code: Option<&'a str>,
    /// The provider's own text, where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "providerText")]
    provider_text: Option<&'a str>,
}

/// One field that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// A JSON pointer (RFC 6901).
    #[schema(example = "/identifiers/0/rate")]
    pub pointer: String,
    /// What is wrong, and what to do.
    pub detail: String,
    /// Stable, where fields have codes of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "variable_at_edge")]
    pub code: Option<&'static str>,
}

impl Problem {
    /// A refusal with a sentence that shows a way out.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Refusal {
            code,
            detail: detail.into(),
            pointer: None,
            errors: Vec::new(),
            standing: None,
            provider: (None, None),
            headers: Vec::new(),
        }))
    }

    /// About this field of the request.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// With each of several wrong fields.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.0.errors = errors;
        self
    }

    /// With the present status of the message.
    #[must_use]
    pub fn with_message_status(mut self, status: herald_rules::status::Status) -> Self {
        self.0.standing = Some(status.as_str());
        self
    }

    /// With what the provider itself said.
    #[must_use]
    pub fn with_provider(mut self, cause: &Cause) -> Self {
        self.0.provider = (cause.provider_code.clone(), cause.provider_text.clone());
        self
    }

    /// With a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// With the time after which it may be tried again, in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    /// What is wrong, and what to do.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The field it is about.
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// An identifier that cannot be used, in this field.
    pub fn of_identifier(error: IdentifierError, pointer: &'static str) -> Self {
        Self::new(Code::of_rule(error.code()), error.to_string()).at(pointer)
    }

    /// Content that cannot be sent, in this field.
    pub fn of_content(error: &ContentError) -> Self {
        let pointer = match error {
            ContentError::NotALink { number }
            | ContentError::LinkWithCredentials { number }
            | ContentError::LinkTooLong { number, .. } => format!("/files/{}", number.saturating_sub(1)).into(),
            ContentError::TooManyFiles { .. } => "/files".into(),
            ContentError::MetadataTooLarge { .. } => "/metadata".into(),
            _ => Cow::Borrowed("/text"),
        };
        Self::new(Code::of_rule(error.code()), error.to_string()).at(pointer)
    }
}

/// Rounded up, so that whoever waits so long is not refused again; at least one.
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl From<StoreError> for Problem {
    /// What went wrong inside is logged, not told.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Uncertain(_) | StoreError::Fenced => {
                tracing::warn!(%error, "api.store_unavailable");
                Self::new(
                    Code::StoreUnavailable,
                    "Herald cannot write to its store at the moment, so nothing was taken. Try again in a few seconds.",
                )
                .retry_after(Duration::from_secs(2))
            }
            StoreError::Conflict(_) => {
                Self::new(Code::Conflict, "Something of this name or id exists already. Choose another.")
            }
            StoreError::Corrupt(_) => {
                tracing::error!(%error, "api.store_corrupt");
                Self::new(
                    Code::Internal,
                    "Herald could not read what it had stored. The log of the instance says more; tell its operator.",
                )
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let refusal = *self.0;
        let body = ProblemBody {
            kind: format!("/docs/problems#{}", refusal.code.as_str()),
            title: refusal.code.title(),
            status: refusal.code.status().as_u16(),
            code: refusal.code.as_str(),
            detail: &refusal.detail,
            message: &refusal.detail,
            pointer: refusal.pointer.as_deref(),
            errors: &refusal.errors,
            message_status: refusal.standing,
            provider_code: refusal.provider.0.as_deref(),
            provider_text: refusal.provider.1.as_deref(),
        };
        // Strings and numbers only: this cannot fail, and an empty body would still carry the status.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (refusal.code.status(), json).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if refusal.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        for (name, value) in refusal.headers {
            headers.insert(name, value);
        }
        response
    }
}
