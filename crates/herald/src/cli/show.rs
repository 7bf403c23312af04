//! How values of the API are shown to people.

use serde_json::Value;
use std::io::IsTerminal;

use super::output::{Colour, paint};

/// A value as text; null is a dash.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

/// A moment: milliseconds are enough for people. UTC, as everywhere in Herald, so that it can be compared with the log.
pub(super) fn time(value: &Value) -> String {
    let Some(text) = value.as_str() else { return "-".to_owned() };
    match text.split_once('T') {
        Some((day, clock)) if clock.len() >= 12 && clock.is_char_boundary(12) => format!("{day} {}Z", &clock[..12]),
        _ => text.to_owned(),
    }
}

/// The clock of a moment alone.
pub(super) fn clock(value: &Value) -> String {
    let time = time(value);
    time.split_once(' ').map_or(time.clone(), |(_, clock)| clock.to_owned())
}

/// The items of a list's page.
pub(super) fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page["items"].as_array().into_iter().flatten()
}

/// Lines of a name and a value, the values in one column. What is empty is left out.
pub(super) fn fields<const N: usize>(fields: [(&str, String); N]) -> String {
    let wide = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = fields.iter().filter(|(_, value)| !value.is_empty() && value != "-");
    let lines =
        lines.map(|(name, value)| format!("{name:wide$}  {}", value.replace('\n', &format!("\n{:wide$}  ", ""))));
    lines.collect::<Vec<_>>().join("\n")
}

/// A status in its colour, padded first, since colours take no room.
pub(super) fn status(status: &str, wide: usize) -> String {
    let colour = match status {
        "Delivered" | "Read" => Colour::Green,
        "Rejected" | "Failed" => Colour::Red,
        "Pending" => Colour::Grey,
        _ => Colour::Yellow,
    };
    paint(std::io::stdout().is_terminal(), colour, &format!("{status:wide$}"))
}

/// A reason, with what exactly and with the provider's own words behind it.
pub(super) fn reason(reason: &Value) -> String {
    if reason.is_null() {
        return String::new();
    }
    let mut said = format!("{}: {}", text(&reason["code"]), text(&reason["sentence"]));
    if let Some(detail) = reason["detail"].as_str() {
        said.push_str(&format!(" {detail}"));
    }
    let own: Vec<_> = ["providerCode", "providerText"].iter().filter_map(|name| reason[name].as_str()).collect();
    if !own.is_empty() {
        said.push_str(&format!(" (the provider says: {})", own.join(", ")));
    }
    said
}

/// A time that passed, short.
pub(super) fn passed(from: &Value, to: &Value) -> String {
    let moment = |value: &Value| value.as_str()?.parse::<herald_rules::time::Timestamp>().ok();
    match (moment(from), moment(to)) {
        (Some(from), Some(to)) if to.since(from).as_secs() >= 10 => format!("+{} s", to.since(from).as_secs()),
        (Some(from), Some(to)) => format!("+{:.3} s", to.since(from).as_secs_f64()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_short() {
        assert_eq!(time(&json!("2026-11-22T12:00:00.123456Z")), "2026-11-22 12:00:00.123Z");
        assert_eq!(clock(&json!("2026-11-22T12:00:00.123456Z")), "12:00:00.123Z");
        assert_eq!((time(&json!("soon")), time(&Value::Null)), ("soon".into(), "-".into()));
        assert_eq!(
            fields([("a", "1".into()), ("long", "2\n3".into()), ("none", "-".into())]),
            "a     1\nlong  2\n      3"
        );
        let (from, to) = (json!("2026-11-22T12:00:00.100000Z"), json!("2026-11-22T12:00:00.250000Z"));
        assert_eq!(passed(&from, &to), "+0.150 s");
        let said = reason(&json!({"code": "c", "sentence": "S.", "providerCode": "131", "providerText": null}));
        assert_eq!(said, "c: S. (the provider says: 131)");
        let said = reason(&json!({"code": "c", "sentence": "S.", "detail": "D."}));
        assert_eq!(said, "c: S. D.");
    }
}
