//! `herald template match`: which template a text is, and everything else that a send would decide.

use super::super::{Failure, Kind, Output, http::Api, show};
use clap::Args;
use serde_json::{Value, json};

/// Say which template a text is, with its values, and whether it would be sent; nothing is sent
#[derive(Debug, Args)]
pub(super) struct Match {
    /// The customer
    #[arg(long, value_name = "CUSTOMER")]
    to: String,
    /// One of the channel's identifiers [default: the only one it has]
    #[arg(long, value_name = "IDENTIFIER")]
    from: Option<String>,
    /// The text, as it would be sent
    text: String,
    /// The link of a file, for a header or beside the text; may be repeated
    #[arg(long = "file", value_name = "URL")]
    files: Vec<String>,
    /// What ${customer.name} becomes
    #[arg(long, value_name = "NAME")]
    customer_name: Option<String>,
}

impl Match {
    pub(super) async fn run(self, api: &Api, output: &Output, channel: &Value) -> Result<(), Failure> {
        let from = match self.from {
            Some(from) => from,
            None => only_identifier(channel)?,
        };
        let mut body = json!({
            "protocolType": "WhatsApp", "from": from, "to": self.to, "text": self.text, "files": self.files,
        });
        if let Some(name) = self.customer_name {
            body["customer"] = json!({"name": name});
        }
        let preview: Value = api.post("/api/v2/messages/preview", &body).await?;
        output.answer(&preview, told)?;
        let problem = &preview["problem"];
        if problem.is_null() {
            return Ok(());
        }
        let way_out = problem["detail"].as_str().unwrap_or_default();
        let mut failure =
            Failure::new(Kind::Failed, format!("It would not be sent: {}", show::text(&problem["sentence"])), way_out);
        failure.code = show::text(&problem["code"]);
        Err(failure)
    }
}

fn only_identifier(channel: &Value) -> Result<String, Failure> {
    match channel["identifiers"].as_array().map(Vec::as_slice) {
        Some([only]) => Ok(show::text(&only["identifier"])),
        own => Err(Failure::new(
            Kind::Usage,
            format!("The channel has {} identifiers.", own.map_or(0, <[Value]>::len)),
            "Say which with --from; `herald channel show` lists them.",
        )),
    }
}

/// The decision in words.
fn told(preview: &Value) -> String {
    let template = &preview["template"];
    let list = |name: &str| template[name].as_array().cloned().unwrap_or_default();
    let values: Vec<_> =
        list("parameters").iter().map(|value| pair(&show::text(&value["name"]), &value["value"])).collect();
    let buttons: Vec<_> = list("buttons")
        .iter()
        .map(|button| {
            pair(&format!("{} {}", show::text(&button["index"]), show::text(&button["type"])), &button["value"])
        })
        .collect();
    let warnings: Vec<_> =
        preview["warnings"].as_array().into_iter().flatten().map(|w| show::text(&w["message"])).collect();
    let segments = &preview["segments"];
    let expected = if preview["problem"].is_null() { show::time(&preview["expectedAt"]) } else { String::new() };
    show::fields([
        ("template", named(template)),
        ("category", show::text(&template["category"])),
        ("header", header(&template["header"])),
        ("parameters", values.join("\n")),
        ("buttons", buttons.join("\n")),
        ("text", show::text(&preview["message"]["text"])),
        ("window", window(&preview["window"])),
        (
            "parts",
            preview["parts"].as_u64().filter(|parts| *parts > 1).map(|parts| parts.to_string()).unwrap_or_default(),
        ),
        (
            "segments",
            segments["count"]
                .as_u64()
                .map(|count| format!("{count} {}", show::text(&segments["encoding"])))
                .unwrap_or_default(),
        ),
        ("expected", expected),
        ("waiting", show::text(&preview["waiting"]["sentence"])),
        ("warnings", warnings.join("\n")),
    ])
}

fn named(template: &Value) -> String {
    match template["name"].as_str() {
        Some(name) => format!("{name} {}", show::text(&template["language"])),
        None => "none".to_owned(),
    }
}

fn pair(name: &str, value: &Value) -> String {
    format!("{name} = {}", show::text(value))
}

fn header(header: &Value) -> String {
    match header["type"].as_str() {
        Some("text") => show::text(&header["parameter"]["text"]),
        Some("media") => format!("{} {}", show::text(&header["kind"]).to_lowercase(), show::text(&header["link"])),
        Some("location") => format!("{}, {}", show::text(&header["name"]), show::text(&header["address"])),
        _ => String::new(),
    }
}

fn window(window: &Value) -> String {
    match (window["open"].as_bool(), &window["until"]) {
        (Some(true), until) => format!("open until {}: free text may be sent", show::time(until)),
        (Some(false), Value::Null) => "closed: the customer has not written, so only a template may be sent".to_owned(),
        (Some(false), until) => format!("closed since {}: only a template may be sent", show::time(until)),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decision_is_told_in_words() {
        let preview = json!({
            "message": {"text": "Hi Dana"}, "window": {"open": false, "until": null}, "parts": 1, "segments": null,
            "template": {
                "name": "order", "language": "en_US", "category": "UTILITY",
                "header": {"type": "media", "kind": "IMAGE", "link": "https://a.example/x.png"},
                "parameters": [{"name": "1", "value": "Dana"}], "buttons": [{"index": 0, "type": "url", "value": "A-1"}],
            },
            "problem": null, "warnings": [], "expectedAt": "2026-11-22T12:00:00.123456Z", "waiting": null,
        });
        let text = told(&preview);
        for line in [
            "template    order en_US",
            "category    UTILITY",
            "header      image https://a.example/x.png",
            "parameters  1 = Dana",
            "buttons     0 url = A-1",
            "window      closed: the customer has not written",
            "expected    2026-11-22 12:00:00.123Z",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("parts") && !text.contains("warnings"), "{text}");
        assert!(told(&json!({"template": null})).starts_with("template  none"));
    }
}
