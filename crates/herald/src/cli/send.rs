//! `herald send`: hands one message in, and can wait for what becomes of it.

pub(super) mod body;
mod decision;
pub(super) mod follow;
pub(super) mod wish;

use super::{
    Failure, Global, Kind, Output,
    http::{Remote, block_on},
    show,
};
use body::Body;
use clap::Args;
use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;
use std::time::Duration;

/// Send a message
#[derive(Debug, Args)]
#[command(
    after_help = "Answered when the message is on disk; what becomes of it is told by `herald messages show ID`, by webhooks, \
                  or here with --follow. Sender and protocol may be left out where the department has only one that fits.

Examples:
  herald send --from 972550000001 --to 972550000003 --text \"Your order 1234 is on its way.\"
  herald send --protocol SMS --to 972550000003 --text - < text.txt    the text from stdin
  herald send --to 972550000003 --text Hi --file https://files.example/a.png --follow
  herald send --to 972550000003 --text Hi --send-at 2026-12-24T08:00:00Z --priority bulk
  herald send --to 972550000003 --text Hi --dry-run             what would happen
  herald send --to 972550000003 --text 'Hi ${customer.name|there}' --customer-name Dana
  herald send --to 972550000003 --template order_shipped --parameter Dana --parameter 17 --button 17

Exit codes: 4 if Herald refuses it; with --follow 1 if it ends as Rejected or Failed."
)]
pub(super) struct Send {
    #[command(flatten)]
    body: Body,
    /// The same key with the same message sends it once, however often it is handed in
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Make every check and say what would happen, but send nothing
    #[arg(long, conflicts_with_all = ["follow", "idempotency_key"])]
    dry_run: bool,
    /// Show each status as it comes, until nothing more can come or these seconds are over
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "30")]
    follow: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

impl Send {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            let body = self.body.json(&api).await?;
            if self.dry_run {
                let preview = api.post("/api/v2/messages/preview", &body).await?;
                return Ok(output.answer(&preview, previewed)?);
            }
            let mut headers = Vec::new();
            if let Some(key) = &self.idempotency_key {
                let value = HeaderValue::from_str(key).map_err(|_| {
                    Failure::new(Kind::Usage, "--idempotency-key has characters that no header can carry.", "")
                })?;
                headers.push((HeaderName::from_static("idempotency-key"), value));
            }
            let accepted: Value = api.call_with(Method::POST, "/api/v2/messages", Some(&body), &headers).await?;
            let Some(seconds) = self.follow else { return Ok(output.answer(&accepted, told)?) };
            output.line(&accepted, told)?;
            let id = show::text(&accepted["id"]);
            follow::follow(&api, output, &id, Duration::from_secs(seconds), true).await
        })
    }
}

fn told(accepted: &Value) -> String {
    let mut lines = format!(
        "{} {} {} -> {}",
        accepted["id"].as_str().unwrap_or_default(),
        show::text(&accepted["protocol"]),
        show::text(&accepted["from"]),
        show::text(&accepted["to"]),
    );
    for warning in warnings(accepted) {
        lines.push_str(&format!("\n{warning}"));
    }
    lines
}

fn warnings(answer: &Value) -> impl Iterator<Item = String> {
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    warnings.map(|warning| format!("warning {}: {}", show::text(&warning["code"]), show::text(&warning["message"])))
}

/// A dry run in words.
pub(super) fn previewed(preview: &Value) -> String {
    let message = &preview["message"];
    let files: Vec<_> = message["files"].as_array().into_iter().flatten().map(show::text).collect();
    let would_go = preview["problem"].is_null();
    let mut shown = show::fields([
        (
            "message",
            format!(
                "{} {} -> {}",
                show::text(&message["protocol"]),
                show::text(&message["from"]),
                show::text(&message["to"])
            ),
        ),
        ("text", show::text(&message["text"])),
        ("files", files.join("\n")),
        ("template", decision::template(&preview["template"])),
        ("window", decision::window(&preview["window"])),
        ("segments", decision::segments(&preview["segments"])),
        ("priority", show::text(&message["priority"])),
        (
            "channel",
            format!("{} ({})", show::text(&preview["channel"]["name"]), show::text(&preview["channel"]["provider"])),
        ),
        ("expected", if would_go { show::time(&preview["expectedAt"]) } else { String::new() }),
        ("waiting", if would_go { show::text(&preview["waiting"]["sentence"]) } else { String::new() }),
    ]);
    for warning in warnings(preview) {
        shown.push_str(&format!("\n{warning}"));
    }
    match &preview["problem"] {
        Value::Null => shown.push_str("\nIt would be sent. Nothing was."),
        problem => shown.push_str(&format!(
            "\nIt would end as {}: {}\nNothing was sent.",
            show::status("Rejected", 0),
            show::reason(problem)
        )),
    }
    shown
}
