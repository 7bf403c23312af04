//! What a dry run decides about a message, in words: the template that it is, the customer's window, and what is wrong.

use super::super::show;
use serde_json::Value;

/// The template with its values, a line each; empty where the message is none.
pub(super) fn template(template: &Value) -> String {
    let Some(name) = template["name"].as_str() else { return String::new() };
    let mut text = format!("{name} ({}, {})", show::text(&template["language"]), show::text(&template["category"]));
    if let Some(header) = header(&template["header"]) {
        text.push_str(&format!("\nheader = {header}"));
    }
    for parameter in template["parameters"].as_array().into_iter().flatten() {
        text.push_str(&format!("\n{{{{{}}}}} = {}", show::text(&parameter["name"]), show::text(&parameter["value"])));
    }
    for button in template["buttons"].as_array().into_iter().flatten() {
        let number = button["index"].as_u64().unwrap_or_default() + 1;
        text.push_str(&format!("\nbutton {number} = {}", show::text(&button["value"])));
    }
    text
}

fn header(header: &Value) -> Option<String> {
    match header["type"].as_str()? {
        "text" => Some(show::text(&header["parameter"]["text"])),
        "media" => Some(show::text(&header["link"])),
        "location" => Some(format!("{}, {}", show::text(&header["name"]), show::text(&header["address"]))),
        _ => None,
    }
}

/// The window of a customer; empty where there is none by nature.
pub(super) fn window(window: &Value) -> String {
    match (window["open"].as_bool(), &window["until"]) {
        (Some(true), until) => format!("open until {}: any text may be sent", show::time(until)),
        (Some(false), Value::Null) => "closed, as the customer has not written: only a template may be sent".to_owned(),
        (Some(false), until) => format!("closed since {}: only a template may be sent", show::time(until)),
        (None, _) => String::new(),
    }
}

/// How many SMS a text takes; empty where it is none.
pub(super) fn segments(segments: &Value) -> String {
    match segments["count"].as_u64() {
        Some(count) => format!("{count} SMS ({})", show::text(&segments["encoding"])),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_decided_is_said_in_words() {
        let decided = json!({
            "name": "order", "language": "en_US", "category": "UTILITY",
            "header": {"type": "media", "kind": "IMAGE", "link": "https://a.example/x.png"},
            "parameters": [{"name": "1", "value": "Dana"}], "buttons": [{"index": 0, "type": "url", "value": "17"}],
        });
        let expected = "order (en_US, UTILITY)\nheader = https://a.example/x.png\n{{1}} = Dana\nbutton 1 = 17";
        assert_eq!(template(&decided), expected);
        assert_eq!((template(&Value::Null), window(&Value::Null)), (String::new(), String::new()));
        assert_eq!(segments(&json!({"count": 2, "encoding": "gsm7"})), "2 SMS (gsm7)");
        let open = json!({"open": true, "until": "2026-11-22T12:00:00.000000Z"});
        assert!(window(&open).starts_with("open until 2026-11-22 12:00:00.000Z"));
        assert!(window(&json!({"open": false, "until": null})).contains("has not written"));
    }
}
