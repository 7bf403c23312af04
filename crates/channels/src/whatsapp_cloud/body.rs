//! The envelope of a send.

use super::{free_form::FreeForm, template};
use herald_rules::{ids::MessageId, template::TemplateMessage};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Envelope<'a, C: Serialize> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    content: C,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    biz_opaque_callback_data: &'a str,
}

#[derive(Serialize)]
struct Context<'a> {
    message_id: &'a str,
}

#[derive(Serialize)]
struct Template {
    template: Value,
}

/// What comes back in every status of the message: our id, and which part where it is not the first.
pub fn echo(id: MessageId, part: u16) -> String {
    if part == 0 { id.to_string() } else { format!("{id}/{part}") }
}

/// Reads [`echo`]; None: it is another program's.
pub fn read_echo(text: &str) -> Option<(MessageId, u16)> {
    let (id, part) = match text.split_once('/') {
        Some((id, part)) => (id, part.parse().ok()?),
        None => (text, 0),
    };
    // Only the spelling that `echo` makes.
    (id.len() == 36).then(|| id.parse().ok()).flatten().map(|id| (id, part))
}

/// The body of a free-form send.
pub fn free_form(to: &str, content: &FreeForm, context: Option<&str>, echo: &str) -> Vec<u8> {
    envelope(to, content.kind(), content, context, echo)
}

/// The body of a template's send.
pub fn template(to: &str, message: &TemplateMessage, echo: &str) -> Vec<u8> {
    envelope(to, "template", Template { template: template::object(message) }, None, echo)
}

fn envelope(to: &str, kind: &'static str, content: impl Serialize, context: Option<&str>, echo: &str) -> Vec<u8> {
    // Without `+` Meta may read the number as one of the sender's country. People without a visible number are named by
    // Meta's id of them, which holds letters.
    let is_number = !to.is_empty() && to.bytes().all(|byte| byte.is_ascii_digit());
    let body = Envelope {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        to: is_number.then(|| format!("+{to}")),
        recipient: (!is_number).then_some(to),
        kind,
        content,
        context: context.map(|message_id| Context { message_id }),
        biz_opaque_callback_data: echo,
    };
    // Serialising strings and numbers into memory cannot fail; were it to, Meta would refuse the empty body.
    serde_json::to_vec(&body).unwrap_or_default()
}
