//! What customers send.

use super::{
    customers::{DAY, FREE_ENTRY, Window},
    engine::Engine,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A message of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerMessage {
    /// To which number, by Meta's id; None: the first of the first account.
    #[serde(default)]
    pub number: Option<String>,
    /// The customer's WhatsApp id.
    pub from: String,
    /// What they call themselves.
    #[serde(default)]
    pub name: Option<String>,
    /// The business-scoped user id, where Meta tells it.
    #[serde(default)]
    pub user_id: Option<String>,
    /// `{"type": "text", "text": {"body": "Hi"}}` and so on, as Meta writes it; `id`, `from` and `timestamp` are filled in where they
    /// are missing. A file without an `id` gets a small one made up, which can be fetched.
    pub message: Value,
}

impl CustomerMessage {
    /// A text.
    pub fn text(from: impl Into<String>, body: impl Into<String>) -> Self {
        Self::of(from, json!({"type": "text", "text": {"body": body.into()}}))
    }

    /// Any message.
    pub fn of(from: impl Into<String>, message: Value) -> Self {
        Self { number: None, from: from.into(), name: Some("Dana Reyes".to_owned()), user_id: None, message }
    }
}

/// What opens a window: what a person sent, not what happened to an account or an earlier message.
const OPENING: [&str; 12] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "button",
    "interactive",
    "order",
    "location",
    "contacts",
    "reaction",
];

/// A customer's file of the kind, so small that it is nothing but a beginning.
fn file(kind: &str) -> Option<(&'static str, &'static [u8])> {
    Some(match kind {
        "image" => ("image/jpeg", b"\xff\xd8\xff\xe0simulated".as_slice()),
        "video" => ("video/mp4", b"\0\0\0\x18ftypmp42simulated"),
        "audio" => ("audio/ogg; codecs=opus", b"OggSsimulated"),
        "document" => ("application/pdf", b"%PDF-1.4 simulated"),
        "sticker" => ("image/webp", b"RIFF\0\0\0\0WEBPsimulated"),
        _ => return None,
    })
}

/// Takes a customer's message, opens the window, and tells of it. Returns the message's id.
pub(crate) fn take(engine: &Engine, customer: &CustomerMessage) -> Result<String, String> {
    let (business, number) = match &customer.number {
        Some(id) => engine.number(id).ok_or("there is no number of this id")?,
        None => {
            let business = engine.businesses().first().cloned().ok_or("there is no account")?;
            let number = business.numbers.first().cloned().ok_or("the account has no number")?;
            (business, number)
        }
    };
    let now = engine.now();
    let mut message = customer.message.clone();
    let kind = message["type"].as_str().ok_or("the message needs a type")?.to_owned();
    let filled = [
        ("from", json!(customer.from)),
        ("id", json!(engine.wamid(&customer.from, engine.next_serial(), true))),
        ("timestamp", json!((now.0 / 1_000_000).to_string())),
    ];
    let Value::Object(map) = &mut message else { return Err("the message must be an object".to_owned()) };
    for (name, value) in filled {
        map.entry(name).or_insert(value);
    }
    if let Some(user_id) = &customer.user_id {
        map.entry("from_user_id").or_insert(json!(user_id));
    }
    if let Some((mime_type, bytes)) = file(&kind).filter(|_| message[kind.as_str()]["id"].is_null()) {
        let bytes = Bytes::from_static(bytes);
        let file = engine.media().add(&business.waba_id, (mime_type, bytes), None, true, now);
        let object = &mut message[kind.as_str()];
        // In webhooks the hash is in base64.
        let sha256 = hex::decode(&file.sha256).unwrap_or_default();
        object["id"] = json!(file.id);
        object["mime_type"] = json!(mime_type);
        object["sha256"] = json!(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sha256));
        match kind.as_str() {
            "audio" if object["voice"].is_null() => object["voice"] = json!(true),
            "sticker" if object["animated"].is_null() => object["animated"] = json!(false),
            "document" if object["filename"].is_null() => object["filename"] = json!("document.pdf"),
            _ => {}
        }
    }
    let id = message["id"].as_str().ok_or("the id must be a string")?.to_owned();
    if OPENING.contains(&kind.as_str()) {
        let free_entry = message.get("referral").is_some();
        let until = now + if free_entry { FREE_ENTRY } else { DAY };
        business.customers().wrote(&number.id, &customer.from, Window { until, free_entry });
    }
    engine.inbound().add(&id);
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.digits, "phone_number_id": number.id},
        "messages": [message],
    });
    // Meta leaves the contacts out of a change of number.
    if kind != "system" {
        let mut contact = json!({"profile": {"name": customer.name.as_deref().unwrap_or("")}, "wa_id": customer.from});
        if let Some(user_id) = &customer.user_id {
            contact["user_id"] = json!(user_id);
        }
        value["contacts"] = json!([contact]);
    }
    engine.tell(&business, "messages", value, false);
    Ok(id)
}
