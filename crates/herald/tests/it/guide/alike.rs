//! Whether two outputs are the same but for what differs from run to run: ids, moments, durations, ports, secrets.

use serde_json::Value;

/// Compares texts word by word; the white space between words is for the eye.
pub fn text(expected: &str, printed: &str) -> Result<(), String> {
    let (mut wanted, mut found) = (words(expected), words(printed));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Ok(()),
            (Some(wanted), Some(found)) if same(wanted, found) => {}
            (wanted, found) => {
                return Err(format!("{} is not {}", found.unwrap_or("(end)"), wanted.unwrap_or("(end)")));
            }
        }
    }
}

/// Compares JSON: the same fields, and values that are alike.
pub fn json(expected: &str, printed: &str) -> Result<(), String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("not JSON: {error}"));
    values("", &read(expected)?, &read(printed)?)
}

fn values(place: &str, expected: &Value, printed: &Value) -> Result<(), String> {
    match (expected, printed) {
        (Value::Object(wanted), Value::Object(found)) => {
            let names = |fields: &serde_json::Map<String, Value>| fields.keys().cloned().collect::<Vec<_>>();
            if names(wanted) != names(found) {
                return Err(format!("{place}: the fields are {:?}", names(found)));
            }
            wanted.iter().try_for_each(|(name, value)| values(&format!("{place}/{name}"), value, &found[name]))
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let mut pairs = wanted.iter().zip(found).enumerate();
            pairs.try_for_each(|(at, (wanted, found))| values(&format!("{place}/{at}"), wanted, found))
        }
        (Value::String(wanted), Value::String(found)) => text(wanted, found).map_err(|told| format!("{place}: {told}")),
        (wanted, found) if wanted == found => Ok(()),
        (wanted, found) => Err(format!("{place}: {found} is not {wanted}")),
    }
}

/// Runs of what ids, moments and numbers are made of, and each other character alone.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let inside = |c: char| c.is_alphanumeric() || "_.:+-".contains(c);
        let end = if inside(first) { rest.find(|c: char| !inside(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn same(wanted: &str, found: &str) -> bool {
    // A secret is shown by its beginning.
    let beginning = wanted.strip_suffix("...");
    wanted == found
        || kind(wanted) == kind(found) && kind(wanted).is_some()
        || beginning.is_some_and(|b| found.starts_with(b))
}

/// What a word is, if it differs from run to run.
fn kind(word: &str) -> Option<&'static str> {
    let word = word.trim_end_matches(['.', ',', ':']);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let clock = |text: &str| {
        let text = text.strip_suffix('Z').unwrap_or(text);
        text.matches(':').count() == 2 && text.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte))
    };
    let day = |text: &str| text.len() == 10 && text.split('-').all(digits) && text.matches('-').count() == 2;
    if uuid::Uuid::try_parse(word).is_ok() {
        Some("id")
    } else if word.split_once('T').is_some_and(|(date, time)| day(date) && clock(time)) {
        Some("moment")
    } else if clock(word) {
        Some("clock")
    } else if day(word) {
        Some("day")
    } else if word.strip_prefix('+').is_some_and(|rest| rest.split('.').all(digits)) {
        Some("duration")
    } else if word.strip_prefix("127.0.0.1:").is_some_and(digits) {
        Some("address")
    } else {
        None
    }
}

/// How a page shows JSON: a line for each value, in the order in which they came.
pub fn shown_json(printed: &str) -> String {
    let (mut shown, mut depth, mut quoted, mut escaped) = (String::new(), 0, false, false);
    let mut rest = printed.trim().chars().peekable();
    let line = |shown: &mut String, depth: usize| {
        shown.push('\n');
        shown.push_str(&"  ".repeat(depth));
    };
    while let Some(c) = rest.next() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            shown.push(c);
            continue;
        }
        match c {
            '{' | '[' if rest.peek().is_some_and(|next| "}]".contains(*next)) => shown.push(c),
            '{' | '[' => {
                depth += 1;
                shown.push(c);
                line(&mut shown, depth);
            }
            '}' | ']' if shown.ends_with(['{', '[']) => shown.push(c),
            '}' | ']' => {
                depth -= 1;
                line(&mut shown, depth);
                shown.push(c);
            }
            ',' => {
                shown.push(c);
                line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            c if c.is_whitespace() => {}
            c => {
                quoted = c == '"';
                shown.push(c);
            }
        }
    }
    shown.split('\n').map(shortened).collect::<Vec<_>>().join("\n")
}

/// Secrets, and handles that say nothing to a reader, by their beginning.
fn shortened(line: &str) -> String {
    for (name, kept) in [("\"access_token\": \"", 4), ("\"queueReceiptHandle\": \"", 0), ("\"queueMessageId\": \"", 0)]
    {
        if let Some((before, value)) = line.split_once(name) {
            let after = if value.ends_with(',') { "...\"," } else { "...\"" };
            return format!("{before}{name}{}{after}", &value[..kept]);
        }
    }
    line.to_owned()
}

#[test]
fn what_differs_from_run_to_run_is_alike() {
    let alike = |a: &str, b: &str| text(a, b).is_ok();
    assert!(alike("at 12:00:01.5Z  +0.020 s", "at 13:10:00.123Z +1.5 s"));
    assert!(alike("http://127.0.0.1:8080/x", "http://127.0.0.1:41233/x"));
    assert!(alike("hrt_...", "hrt_abc-d"));
    assert!(!alike("12 messages", "13 messages"));
    assert!(!alike("a", "a b") && !alike("+1.0 s", "1.0 s"));
    let (a, b) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    assert!(json(&format!(r#"{{"id": "{a}", "n": 1}}"#), &format!(r#"{{"n":1,"id":"{b}"}}"#)).is_ok());
    assert!(json(r#"{"n": 1}"#, r#"{"n": 2}"#).is_err());
    assert!(json(r#"{"n": 1}"#, r#"{"n": 1, "m": 1}"#).is_err());
}

#[test]
fn json_is_shown_in_its_own_order() {
    let shown = shown_json(r#"{"b":[],"a":{"access_token":"hrt_secret","x":["1,\"2",3]}}"#);
    let lines = ["{", r#"  "b": [],"#, r#"  "a": {"#, r#"    "access_token": "hrt_...","#, r#"    "x": ["#];
    assert_eq!(shown.lines().take(5).collect::<Vec<_>>(), lines);
    assert!(shown.ends_with("      \"1,\\\"2\",\n      3\n    ]\n  }\n}"), "{shown}");
}
