//! What a customer set in WhatsApp about marketing. It says nothing about other messages.

use super::{
    inbound::normalised,
    read::{moment_at, text_at},
};
use crate::contract::Notice;
use herald_rules::time::Timestamp;
use serde_json::Value;

/// Reads one preference that was set for `identifier`; None: not of a kind that is known.
pub fn read(identifier: &str, preference: &Value) -> Option<Notice> {
    if text_at(preference, "/category")? != "marketing_messages" {
        return None;
    }
    let wanted = match text_at(preference, "/value")?.as_str() {
        "stop" => false,
        // By a sign-up link of ours.
        "resume" | "signup" => true,
        _ => return None,
    };
    let number = text_at(preference, "/wa_id").as_deref().map(normalised);
    Some(Notice::Marketing {
        customer: number.or_else(|| text_at(preference, "/user_id"))?,
        identifier: Some(identifier.to_owned()),
        wanted,
        at: moment_at(preference, "/timestamp").unwrap_or_else(Timestamp::now),
    })
}
