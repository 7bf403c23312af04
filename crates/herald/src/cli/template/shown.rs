//! How templates are shown to people.

use super::super::{output, show};
use serde_json::Value;

/// The list.
pub(super) fn listed(page: &Value) -> String {
    let rows = show::items(page).map(|template| {
        [
            show::text(&template["name"]),
            show::text(&template["language"]),
            show::text(&template["status"]),
            show::text(&template["category"]),
            show::text(&template["quality"]),
            show::time(&template["changedAt"]),
        ]
    });
    output::table(["name", "language", "status", "category", "quality", "changed"], rows)
}

/// How old what is shown is.
pub(super) fn last_sync(last: &Value) -> String {
    if last.is_null() {
        return "They have not been compared with Meta's yet.".to_owned();
    }
    match &last["error"] {
        Value::Null => format!("Compared with Meta's at {}.", show::time(&last["at"])),
        error => format!(
            "The last comparison with Meta's failed at {}: {} As old as {} is what is shown.",
            show::time(&last["at"]),
            show::reason(error),
            show::time(&last["succeededAt"])
        ),
    }
}

/// What a comparison came to.
pub(super) fn synced(synced: &Value) -> String {
    let count = |field: &str| show::text(&synced[field]);
    format!("Meta lists {}; {} new or changed, {} gone.", count("listed"), count("changed"), count("gone"))
}

/// A template as it stands.
pub(super) fn standing(template: &Value) -> String {
    let components = template["components"].as_array().into_iter().flatten().map(component);
    let components: Vec<_> = components.collect();
    show::fields([
        ("template", format!("{} {}", show::text(&template["name"]), show::text(&template["language"]))),
        ("id", show::text(&template["id"])),
        ("status", show::text(&template["status"])),
        ("rejected", show::text(&template["rejectedReason"])),
        ("category", category(template)),
        ("quality", show::text(&template["quality"])),
        ("seconds", show::text(&template["sendTtlSeconds"])),
        ("changed", show::time(&template["changedAt"])),
        ("says", components.join("\n")),
    ])
}

/// A template with its history.
pub(super) fn story(story: &Value) -> String {
    let mut shown = standing(story);
    for step in story["history"].as_array().into_iter().flatten() {
        let what = match step["kind"].as_str() {
            Some("components") => "text or buttons changed".to_owned(),
            _ if step["before"].is_null() => show::text(&step["after"]),
            _ => format!("{} -> {}", show::text(&step["before"]), show::text(&step["after"])),
        };
        let why = step["reason"].as_str().map(|reason| format!("  {reason}")).unwrap_or_default();
        shown.push_str(&format!("\n{}  {:10}  {what}{why}", show::time(&step["at"]), show::text(&step["kind"])));
    }
    shown
}

fn category(template: &Value) -> String {
    let own = show::text(&template["category"]);
    match template["correctCategory"].as_str() {
        Some(correct) if correct != own => format!("{own} (Meta will make it {correct})"),
        _ => own,
    }
}

/// A component in one line, its text as it stands.
fn component(component: &Value) -> String {
    let kind = show::text(&component["type"]).to_lowercase();
    let buttons: Vec<_> = component["buttons"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|button| {
            let kind = show::text(&button["type"]).to_lowercase();
            let what = ["url", "phone_number"].iter().find_map(|field| button[field].as_str());
            match (button["text"].as_str(), what) {
                (Some(text), Some(what)) => format!("[{text}] {what}"),
                (Some(text), None) => format!("[{text}]"),
                (None, _) => format!("[{kind}]"),
            }
        })
        .collect();
    let said = match (component["text"].as_str(), component["format"].as_str()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(format)) => format.to_lowercase(),
        (None, None) => buttons.join(", "),
    };
    format!("{kind}: {said}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_is_shown_as_people_read_it() {
        let template = json!({
            "name": "order", "language": "en_US", "id": "1", "status": "PAUSED", "category": "UTILITY", "correctCategory": "MARKETING",
            "components": [
                {"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi {{1}}"},
                {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://a.example/{{1}}"}, {"type": "COPY_CODE"}]},
            ],
            "history": [
                {"at": "2026-11-22T12:00:00.000000Z", "kind": "status", "before": null, "after": "APPROVED", "reason": null},
                {"at": "2026-11-22T13:00:00.000000Z", "kind": "status", "before": "APPROVED", "after": "PAUSED", "reason": "FIRST_PAUSE"},
            ],
        });
        let text = story(&template);
        for line in [
            "header: image",
            "body: Hi {{1}}",
            "buttons: [Track] https://a.example/{{1}}, [copy_code]",
            "UTILITY (Meta will make it MARKETING)",
            "status      APPROVED -> PAUSED  FIRST_PAUSE",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert_eq!(last_sync(&Value::Null), "They have not been compared with Meta's yet.");
        assert_eq!(synced(&json!({"listed": 3, "changed": 1, "gone": 0})), "Meta lists 3; 1 new or changed, 0 gone.");
    }
}
