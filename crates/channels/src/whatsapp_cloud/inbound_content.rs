//! The content of a customer's message, for each of Meta's kinds.

use super::read::text_at;
use herald_rules::inbound::{ChoiceSource, InboundContent, InboundMedia};
use serde_json::Value;

/// What the message says. Whatever lacks what its kind needs, or is of a kind that is not known, is kept as unsupported: the
/// customer did write something.
pub fn content(kind: &str, message: &Value) -> InboundContent {
    if message.get("group_id").is_some() {
        return unsupported("group");
    }
    known(kind, message).unwrap_or_else(|| unsupported(kind))
}

fn known(kind: &str, message: &Value) -> Option<InboundContent> {
    let inner = message.get(kind);
    let content = match kind {
        "text" => InboundContent::Text { text: inner?.get("body")?.as_str()?.to_owned() },
        "image" => media(InboundMedia::Image, inner?)?,
        "video" => media(InboundMedia::Video, inner?)?,
        "audio" if inner?.get("voice").and_then(Value::as_bool) == Some(true) => media(InboundMedia::Voice, inner?)?,
        "audio" => media(InboundMedia::Audio, inner?)?,
        "document" => media(InboundMedia::Document, inner?)?,
        "sticker" => media(InboundMedia::Sticker, inner?)?,
        "location" => InboundContent::Location {
            latitude: inner?.get("latitude").and_then(degrees)?,
            longitude: inner?.get("longitude").and_then(degrees)?,
            name: text_at(inner?, "/name"),
            address: text_at(inner?, "/address"),
        },
        "contacts" => InboundContent::Contacts { contacts: inner.filter(|list| list.is_array())?.clone() },
        "reaction" => InboundContent::Reaction {
            message: text_at(inner?, "/message_id")?,
            // Empty, as absent: taken back.
            emoji: text_at(inner?, "/emoji"),
        },
        "button" => InboundContent::Choice {
            id: text_at(inner?, "/payload"),
            title: text_at(inner?, "/text").unwrap_or_default(),
            source: ChoiceSource::Template,
        },
        "interactive" => return Some(interactive(inner?)),
        "order" => InboundContent::Order { order: inner.filter(|order| order.is_object())?.clone() },
        "system" => return Some(system(inner?)),
        "edit" => InboundContent::Edited {
            message: text_at(inner?, "/original_message_id")?,
            text: text_at(inner?, "/message/text/body").or_else(|| caption(inner?.get("message")?)),
        },
        "revoke" => InboundContent::Revoked { message: text_at(inner?, "/original_message_id")? },
        "unsupported" => unsupported(&text_at(inner?, "/type")?),
        _ => return None,
    };
    Some(content)
}

fn unsupported(kind: &str) -> InboundContent {
    let kind = if kind.is_empty() { "unknown" } else { kind };
    InboundContent::Unsupported { kind: kind.to_owned() }
}

fn media(kind: InboundMedia, inner: &Value) -> Option<InboundContent> {
    Some(InboundContent::Media {
        kind,
        id: text_at(inner, "/id")?,
        mime_type: text_at(inner, "/mime_type").unwrap_or_else(|| "application/octet-stream".to_owned()),
        filename: text_at(inner, "/filename"),
        caption: text_at(inner, "/caption"),
        sha256: text_at(inner, "/sha256"),
    })
}

fn degrees(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|degrees| degrees.is_finite())
}

/// The caption of a changed file: the object is named after its kind.
fn caption(message: &Value) -> Option<String> {
    text_at(message, &format!("/{}/caption", text_at(message, "/type")?))
}

fn interactive(inner: &Value) -> InboundContent {
    let kind = text_at(inner, "/type").unwrap_or_default();
    let choice = |source| {
        let answer = inner.get(&kind)?;
        let (id, title) = (text_at(answer, "/id"), text_at(answer, "/title").unwrap_or_default());
        Some(InboundContent::Choice { id, title, source })
    };
    let content = match kind.as_str() {
        "button_reply" => choice(ChoiceSource::Button),
        "list_reply" => choice(ChoiceSource::List),
        "nfm_reply" => form(inner),
        _ => None,
    };
    content.unwrap_or_else(|| unsupported(&format!("interactive/{kind}")))
}

/// The fields come as JSON within a text; what is no JSON is kept as the text that it is.
fn form(inner: &Value) -> Option<InboundContent> {
    let response = inner.pointer("/nfm_reply/response_json")?;
    let parsed = response.as_str().and_then(|text| serde_json::from_str(text).ok());
    Some(InboundContent::Form { response: parsed.unwrap_or_else(|| response.clone()) })
}

fn system(inner: &Value) -> InboundContent {
    let kind = text_at(inner, "/type").unwrap_or_default();
    match (kind.as_str(), text_at(inner, "/wa_id")) {
        ("user_changed_number" | "customer_changed_number", Some(number)) => {
            InboundContent::NumberChanged { new_identifier: super::inbound::normalised(&number) }
        }
        _ => unsupported(&format!("system/{kind}")),
    }
}
