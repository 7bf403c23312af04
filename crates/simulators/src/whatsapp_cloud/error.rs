//! Meta's error answers.

use super::codes;
use crate::wire::json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use std::borrow::Cow;

/// An error answer of the Graph API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub(crate) code: u32,
    status: StatusCode,
    kind: &'static str,
    message: Cow<'static, str>,
    subcode: Option<u32>,
    pub(crate) details: Option<Cow<'static, str>>,
    /// A title and a sentence for people: template and account calls have them.
    user: Option<Box<(Cow<'static, str>, Cow<'static, str>)>>,
    transient: Option<bool>,
}

impl GraphError {
    /// An error of a WhatsApp call, with Meta's own title and details.
    pub(crate) fn of(code: u32) -> Self {
        let known = codes::find(code);
        let details = if known.details.is_empty() { known.title } else { known.details };
        Self { details: Some(details.into()), ..Self::plain(code, format!("(#{code}) {}", known.title)) }
    }

    /// The same with details of this case.
    pub(crate) fn with(code: u32, details: impl Into<Cow<'static, str>>) -> Self {
        Self { details: Some(details.into()), ..Self::of(code) }
    }

    /// An error of the Graph API itself, without details.
    pub(crate) fn plain(code: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            status: codes::find(code).status(),
            kind: "OAuthException",
            message: message.into(),
            subcode: None,
            details: None,
            user: None,
            transient: None,
        }
    }

    /// An error of a template or account call: code 100, a number below it, and words for people.
    pub(crate) fn template(
        subcode: u32,
        title: impl Into<Cow<'static, str>>,
        sentence: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            subcode: (subcode > 0).then_some(subcode),
            user: Some(Box::new((title.into(), sentence.into()))),
            transient: Some(false),
            ..Self::plain(100, "Invalid parameter")
        }
    }

    /// There is nothing by this id, or not for this token.
    pub(crate) fn no_object(method: &str, id: &str) -> Self {
        Self {
            kind: "GraphMethodException",
            subcode: Some(33),
            status: StatusCode::BAD_REQUEST,
            ..Self::plain(
                100,
                format!(
                    "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to \
                     missing permissions, or does not support this operation"
                ),
            )
        }
    }

    /// With another HTTP status than the documented one.
    pub(crate) fn answered(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a number below the code.
    pub(crate) fn subcode(mut self, subcode: u32) -> Self {
        self.subcode = Some(subcode);
        self
    }

    /// The JSON of the answer.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({"message": self.message, "type": self.kind, "code": self.code});
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(transient) = self.transient {
            error["is_transient"] = json!(transient);
        }
        if let Some((title, sentence)) = self.user.as_deref() {
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(sentence);
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        error["fbtrace_id"] = json!(format!("A{:015x}", fastrand::u64(..) >> 4));
        json!({"error": error})
    }

    /// As the entry of `errors` in a webhook.
    pub(crate) fn in_webhook(code: u32) -> Value {
        let known = codes::find(code);
        let details = if known.details.is_empty() { known.title } else { known.details };
        json!({
            "code": code, "title": known.title, "message": known.title, "error_data": {"details": details},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
        })
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        json(self.status, self.body().to_string())
    }
}
