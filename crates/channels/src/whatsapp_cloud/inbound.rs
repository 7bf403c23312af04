//! What a customer wrote.

use super::{
    inbound_content::content,
    read::{ignored, moment_at, text_at},
};
use crate::contract::Notice;
use herald_rules::{identifier, inbound::Inbound, protocol::Protocol, time::Timestamp};
use serde_json::Value;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Of those who come by an advertisement or a page's button, "free entry points".
const THREE_DAYS: Duration = Duration::from_secs(72 * 3600);

/// Reads one message that was sent to `to`; `contacts` tells who the people of this change are.
pub fn read(to: &str, contacts: &[Value], message: &Value) -> Notice {
    let kind = text_at(message, "/type").unwrap_or_default();
    let Some(reference) = text_at(message, "/id") else { return ignored("messages") };
    let number = text_at(message, "/from");
    let user_id = text_at(message, "/from_user_id");
    let contact = contact(contacts, number.as_deref(), user_id.as_deref());
    let user_id = user_id.or_else(|| contact.and_then(|contact| text_at(contact, "/user_id")));
    let number = number.or_else(|| contact.and_then(|contact| text_at(contact, "/wa_id")));
    // People who show a name instead of their number are known by Meta's id of them.
    let Some(from) = number.as_deref().map(normalised).or_else(|| user_id.clone()) else { return ignored("messages") };
    let referral = message.get("referral").filter(|referral| referral.is_object()).cloned();
    let opens_window = opens_window(&kind, message).then_some(if referral.is_some() { THREE_DAYS } else { DAY });
    Notice::Inbound(Box::new(Inbound {
        reference,
        protocol: Protocol::WhatsApp,
        to: to.to_owned(),
        from,
        user_id,
        // A message is not lost for a time that cannot be read; it came a moment ago.
        at: moment_at(message, "/timestamp").unwrap_or_else(Timestamp::now),
        name: contact.and_then(|contact| text_at(contact, "/profile/name")),
        content: content(&kind, message),
        reply_to: text_at(message, "/context/id"),
        reply_to_id: None,
        referral,
        opens_window,
    }))
}

/// A customer's number as it is kept. One that our table of countries does not know stays as Meta wrote it.
pub fn normalised(number: &str) -> String {
    identifier::parse_customer(Protocol::WhatsApp, number)
        .unwrap_or_else(|_| number.trim().trim_start_matches('+').to_owned())
}

/// Who wrote. Where the people cannot be told apart, a list of one is theirs.
fn contact<'a>(contacts: &'a [Value], number: Option<&str>, user_id: Option<&str>) -> Option<&'a Value> {
    let same = |contact: &&Value| {
        let is = |path: &str, given: Option<&str>| given.is_some() && text_at(contact, path).as_deref() == given;
        is("/wa_id", number) || is("/user_id", user_id)
    };
    contacts.iter().find(same).or(match contacts {
        [only] if number.is_none() && user_id.is_none() => Some(only),
        _ => None,
    })
}

/// Only what a person does opens a window or keeps it open; what WhatsApp reports about them does not. Groups have no window of
/// one person.
fn opens_window(kind: &str, message: &Value) -> bool {
    let is_personal = matches!(
        kind,
        "text"
            | "image"
            | "video"
            | "audio"
            | "document"
            | "sticker"
            | "button"
            | "interactive"
            | "order"
            | "location"
            | "contacts"
            | "reaction"
    );
    is_personal && message.get("group_id").is_none()
}
