//! The body of a send, for v1.2 and v2 alike.

use super::wire::{Links, Loose};
use super::wish::{CustomerWish, TemplateWish};
use crate::api::{body, problem::Problem};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// One message to one customer. Other fields are ignored, so that what clients of v1.2 send along does no harm.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SendRequest, example = json!({
    "protocolType": "WhatsApp",
    "from": "972550000001",
    "to": "972550000002",
    "text": "Your order 1234 is on its way.",
    "files": ["https://files.example/logo.png"]
}))]
pub struct SendRequest<'a> {
    /// `WhatsApp`, `SMS` or `AppleBusinessChat`, in any case.
    #[serde(borrow, default, alias = "ProtocolType")]
    #[schema(value_type = String, required, example = "WhatsApp")]
    pub protocol_type: Loose<'a>,
    /// The identifier to send from: one of this department's.
    #[serde(borrow, default, alias = "From")]
    #[schema(value_type = String, required, example = "972550000001")]
    pub from: Loose<'a>,
    /// The customer: a phone number with its country code (a leading `+`, spaces and dashes are ignored), or the Apple id
    /// that starts with `urn:mbid:`. One a message.
    #[serde(borrow, default, alias = "To")]
    #[schema(value_type = String, required, example = "972550000002")]
    pub to: Loose<'a>,
    /// What to say. For WhatsApp outside the 24-hour window: the approved template's text with its parameters filled in.
    /// Variables such as `${customer.name}` and `${customer.city|your city}` are filled in when the message is accepted.
    #[serde(borrow, default, alias = "Text")]
    #[schema(value_type = Option<String>, example = "Your order 1234 is on its way.")]
    pub text: Loose<'a>,
    /// Direct links to files. SMS carries none: they are left out, with a warning.
    #[serde(default, alias = "Files")]
    #[schema(value_type = Option<Vec<String>>)]
    pub files: Links,
    /// Yours: kept with the message and echoed in its events. At most 4 KiB of JSON.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Value>,
    /// Not before this moment (RFC 3339), at most a year ahead.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    pub send_at: Loose<'a>,
    /// Not after this moment (RFC 3339): what has not been sent by then ends as `Rejected` with `expired`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    pub expires_at: Loose<'a>,
    /// `transactional` (the default) goes ahead of `bulk`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, example = "transactional")]
    pub priority: Loose<'a>,
    /// What is known of the customer, for the variables of this message; it goes before what the contact says.
    #[serde(borrow, default)]
    #[schema(value_type = Option<CustomerWish>)]
    pub customer: Option<&'a RawValue>,
    /// For WhatsApp: the template that is meant, by its name. Without it the template is found by the text.
    #[serde(borrow, default)]
    #[schema(value_type = Option<TemplateWish>)]
    pub template: Option<&'a RawValue>,
    /// For WhatsApp: a value for each button of the template that takes one, in their order. Null leaves one to Herald.
    #[serde(borrow, default)]
    #[schema(value_type = Option<Vec<Option<String>>>, example = json!(["orders/1234"]))]
    pub button_parameters: Option<&'a RawValue>,
    /// For WhatsApp: the value of the one parameter in the template's text header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    pub header_parameter: Option<&'a RawValue>,
}

impl<'a> SendRequest<'a> {
    /// Reads a body, in one pass.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn read(body: &'a [u8]) -> Result<Self, Problem> {
        body::parse(body)
    }
}
