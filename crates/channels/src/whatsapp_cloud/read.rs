//! A callback's way from entries over changes to notices.

use super::{account_notices, inbound, preferences, statuses, template_notices, verify};
use crate::contract::{AccountChange, AccountNotice, CallbackError, Notice};
use herald_rules::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// Which account and numbers are ours.
#[derive(Clone, Debug, Default)]
pub struct Ours {
    /// The business account.
    pub waba_id: String,
    /// Meta's ids of our numbers, and our identifiers.
    pub by_phone_number_id: BTreeMap<String, String>,
}

impl Ours {
    /// One of our identifiers, as Meta displays it.
    pub fn displayed(&self, number: &str) -> Option<&str> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        self.by_phone_number_id.values().find(|identifier| **identifier == digits).map(String::as_str)
    }
}

#[derive(Deserialize)]
struct Entry<'a> {
    id: Value,
    #[serde(default)]
    time: Option<Value>,
    #[serde(borrow, default)]
    changes: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Change<'a> {
    field: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// What most values begin with.
#[derive(Deserialize)]
struct Messages<'a> {
    metadata: Metadata,
    #[serde(borrow, default)]
    contacts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    statuses: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_preferences: Option<&'a RawValue>,
    #[serde(borrow, default)]
    errors: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Metadata {
    phone_number_id: Value,
}

/// What a change is about, besides its value.
pub struct Frame<'a> {
    /// What is ours.
    pub ours: &'a Ours,
    /// The kind of change, by Meta's word.
    pub field: &'a str,
    /// When, where the entry says so.
    pub time: Option<Timestamp>,
}

/// Reads all that a callback tells. Nothing but a wrong outermost form is an error.
pub fn read(ours: &Ours, body: &[u8]) -> Result<Vec<Notice>, CallbackError> {
    let outer = verify::outer(body)?;
    if outer.object != "whatsapp_business_account" {
        return Ok(vec![ignored(&outer.object)]);
    }
    let mut notices = Vec::new();
    for entry in &outer.entry {
        let Ok(entry) = serde_json::from_str::<Entry<'_>>(entry.get()) else {
            notices.push(ignored("unreadable entry"));
            continue;
        };
        if text(&entry.id).as_deref() != Some(ours.waba_id.as_str()) {
            notices.push(ignored("another account"));
            continue;
        }
        let time = entry.time.as_ref().and_then(moment);
        for change in entry.changes {
            match serde_json::from_str::<Change<'_>>(change.get()) {
                Ok(change) => read_change(&Frame { ours, field: &change.field, time }, change.value, &mut notices),
                Err(_) => notices.push(ignored("unreadable change")),
            }
        }
    }
    Ok(notices)
}

fn read_change(frame: &Frame<'_>, value: &RawValue, notices: &mut Vec<Notice>) {
    if matches!(frame.field, "messages" | "user_preferences") {
        match serde_json::from_str::<Messages<'_>>(value.get()) {
            Ok(value) => read_messages(frame, &value, notices),
            Err(_) => notices.push(ignored(frame.field)),
        }
        return;
    }
    let before = notices.len();
    if let Ok(value) = serde_json::from_str::<Value>(value.get()) {
        template_notices::read(frame, &value, notices);
        account_notices::read(frame, &value, notices);
    }
    if notices.len() == before {
        notices.push(ignored(frame.field));
    }
}

fn read_messages(frame: &Frame<'_>, value: &Messages<'_>, notices: &mut Vec<Notice>) {
    let number = text(&value.metadata.phone_number_id);
    let Some(identifier) = number.and_then(|number| frame.ours.by_phone_number_id.get(&number)) else {
        notices.push(ignored("another number"));
        return;
    };
    for status in elements(value.statuses) {
        notices.push(statuses::read(status));
    }
    let contacts: Vec<Value> = elements(value.contacts).into_iter().filter_map(parse).collect();
    for message in elements(value.messages) {
        notices
            .push(parse(message).map_or_else(|| ignored("messages"), |it| inbound::read(identifier, &contacts, &it)));
    }
    for preference in elements(value.user_preferences) {
        let notice = parse(preference).and_then(|it| preferences::read(identifier, &it));
        notices.push(notice.unwrap_or_else(|| ignored("user_preferences")));
    }
    for error in elements(value.errors) {
        let problem = parse(error).as_ref().and_then(super::problem::Problem::read);
        let text =
            problem.map_or_else(|| "an error without a code".to_owned(), |it| format!("{}: {}", it.code, it.text));
        let identifier = Some(identifier.clone());
        notices.push(Notice::Account(AccountNotice { identifier, change: AccountChange::Other, text }));
    }
}

/// The elements of a list; none where it is no list.
fn elements(list: Option<&RawValue>) -> Vec<&RawValue> {
    list.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default()
}

fn parse(element: &RawValue) -> Option<Value> {
    serde_json::from_str(element.get()).ok()
}

/// A kind that is not acted on.
pub fn ignored(kind: &str) -> Notice {
    // It becomes the name of a counter.
    Notice::Ignored(kind.chars().take(60).collect())
}

/// Text, or a number as text: ids come as both.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text at a path such as `/profile/name`.
pub fn text_at(value: &Value, path: &str) -> Option<String> {
    value.pointer(path).and_then(text)
}

/// Seconds since 1970, as a number or as text.
pub fn moment(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    // Up to the year 9999: what lies beyond is nonsense, and would not fit.
    (0..253_402_300_800).contains(&seconds).then(|| Timestamp(seconds * 1_000_000))
}

/// The moment at a path.
pub fn moment_at(value: &Value, path: &str) -> Option<Timestamp> {
    value.pointer(path).and_then(moment)
}
