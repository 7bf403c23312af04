//! What Meta tells about templates. A sync follows each of these, so that they need not be exact.

use super::read::{Frame, moment_at, text_at};
use crate::contract::{Notice, TemplateChange, TemplateNotice};
use herald_rules::template::TemplateStatus;
use serde_json::Value;

/// Reads a change; pushes nothing where it is about something else.
pub fn read(frame: &Frame<'_>, value: &Value, notices: &mut Vec<Notice>) {
    let (change, at) = match frame.field {
        "message_template_status_update" => (status(value), None),
        "message_template_quality_update" => (text_at(value, "/new_quality_score").map(TemplateChange::Quality), None),
        "template_category_update" => {
            // A day before a change `correct_category` is what it will be, and `new_category` what it still is.
            let coming = text_at(value, "/correct_category");
            let at = coming.as_ref().and_then(|_| moment_at(value, "/category_update_timestamp"));
            let category = coming.or_else(|| text_at(value, "/new_category"));
            (category.and_then(|category| category.parse().ok()).map(TemplateChange::Category), at)
        }
        "message_template_components_update" => (Some(TemplateChange::Components), None),
        _ => return,
    };
    let (Some(id), Some(change)) = (text_at(value, "/message_template_id"), change) else { return };
    notices.push(Notice::Template(TemplateNotice {
        id,
        name: text_at(value, "/message_template_name").unwrap_or_default(),
        // Both `en-US` and `en_US` are seen.
        language: text_at(value, "/message_template_language").unwrap_or_default().replace('-', "_"),
        change,
        at: at.or(frame.time),
    }));
}

fn status(value: &Value) -> Option<TemplateChange> {
    let event = text_at(value, "/event")?;
    let status = match event.as_str() {
        "REINSTATED" | "UNARCHIVED" => TemplateStatus::Approved,
        event => match event.parse() {
            Ok(status) => status,
            // FLAGGED, LOCKED and what may come: its status stays, or the sync that follows says what it is.
            Err(()) => return Some(TemplateChange::Components),
        },
    };
    Some(TemplateChange::Status(status, words(value)))
}

/// Why, as far as Meta says so.
fn words(value: &Value) -> Option<String> {
    let paths = [
        "/reason",
        "/rejection_info/reason",
        "/rejection_info/recommendation",
        "/other_info/title",
        "/other_info/description",
        "/disable_info/disable_date",
    ];
    let said = paths.iter().filter_map(|path| text_at(value, path)).filter(|words| words != "NONE");
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join(": "))
}
