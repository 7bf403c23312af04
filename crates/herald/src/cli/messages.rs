//! `herald messages`: what became of messages.

use super::{
    Failure, Global, Output,
    http::{Remote, block_on, query, segment},
    output,
    send::{body::Body, body::protocol, follow, previewed},
    show,
};
use clap::{Args, Subcommand, ValueEnum};
use herald_rules::{protocol::Protocol, status::Status};
use serde_json::Value;
use std::time::Duration;

/// Look at messages, cancel or try one out
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  herald messages list --status Failed --since 2026-11-22T00:00:00Z
  herald messages list --to 972550000003 --json
  herald messages list --direction inbound                       what customers wrote
  herald messages show 019306b5-2a4c-7a40-9f14-3c6f2a1b0d52      every step, with time and reason
  herald messages watch 019306b5-2a4c-7a40-9f14-3c6f2a1b0d52     each status as it comes
  herald messages cancel 019306b5-2a4c-7a40-9f14-3c6f2a1b0d52    while it waits
  herald messages preview --to 972550000003 --text Hi            what a send would do

The id is `providerMessageId` in the answer of a send.")]
pub(super) struct Messages {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one in a process, and clap has no boxed arguments")]
enum Action {
    /// List messages, newest first
    List(List),
    /// Show a message with its whole history
    Show {
        /// The message
        id: String,
    },
    /// Show each status of a message as it comes, until nothing more can come
    Watch {
        /// The message
        id: String,
        /// For how long
        #[arg(long, default_value_t = 3600)]
        seconds: u64,
    },
    /// Cancel a message that has not left yet
    Cancel {
        /// The message
        id: String,
    },
    /// Make every check of a send and say what would happen, but send nothing
    Preview(Body),
}

#[derive(Debug, Args)]
struct List {
    /// What was sent, or what customers wrote
    #[arg(long, default_value = "outbound")]
    direction: Direction,
    /// Only those in this status now
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// Only those to this customer (inbound: to this identifier)
    #[arg(long, value_name = "CUSTOMER")]
    to: Option<String>,
    /// Only those from this identifier (inbound: from this customer)
    #[arg(long, value_name = "IDENTIFIER")]
    from: Option<String>,
    /// Only those of this protocol
    #[arg(long, value_parser = protocol)]
    protocol: Option<Protocol>,
    /// Accepted or received at this moment or later (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Accepted or received before this moment (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Direction {
    Outbound,
    Inbound,
}

fn status(text: &str) -> Result<Status, String> {
    text.parse().map_err(|()| {
        let all: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        format!("it is one of {}", all.join(", "))
    })
}

impl Messages {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            match self.action {
                Action::List(list) => {
                    let inbound = list.direction == Direction::Inbound;
                    let filter = query([
                        ("direction", inbound.then(|| "inbound".to_owned())),
                        ("status", list.status.map(|status| status.to_string())),
                        ("to", list.to),
                        ("from", list.from),
                        ("protocol", list.protocol.map(|protocol| protocol.to_string())),
                        ("since", list.since),
                        ("until", list.until),
                    ]);
                    let page = api.list(&format!("/api/v2/messages{filter}"), list.limit.max(1)).await?;
                    output.answer(&page, if inbound { listed_inbound } else { listed })?;
                    if page["nextCursor"].is_string() {
                        output.talk(&format!("There are more than these {}: raise --limit.", list.limit));
                    }
                    Ok(())
                }
                Action::Show { id } => {
                    let story: Value = api.get(&format!("/api/v2/messages/{}", segment(&id))).await?;
                    Ok(output.answer(&story, told)?)
                }
                Action::Watch { id, seconds } => {
                    follow::follow(&api, output, &id, Duration::from_secs(seconds), false).await
                }
                Action::Cancel { id } => {
                    let path = format!("/api/v2/messages/{}/cancel", segment(&id));
                    let story: Value = api.post(&path, &()).await?;
                    Ok(output.answer(&story, told)?)
                }
                Action::Preview(body) => {
                    let body = body.json(&api).await?;
                    let preview = api.post("/api/v2/messages/preview", &body).await?;
                    Ok(output.answer(&preview, previewed)?)
                }
            }
        })
    }
}

fn listed(page: &Value) -> String {
    let rows = show::items(page).map(|message| {
        [
            show::text(&message["id"]),
            show::text(&message["status"]),
            show::text(&message["protocol"]),
            show::text(&message["from"]),
            show::text(&message["to"]),
            show::time(&message["acceptedAt"]),
            show::text(&message["reason"]["code"]),
        ]
    });
    output::table(["id", "status", "protocol", "from", "to", "accepted", "reason"], rows)
}

fn listed_inbound(page: &Value) -> String {
    let rows = show::items(page).map(|message| {
        [
            show::text(&message["id"]),
            show::text(&message["protocol"]),
            show::text(&message["from"]),
            show::text(&message["to"]),
            show::time(&message["receivedAt"]),
            show::text(&message["content"]["type"]),
            one_line(&message["text"]),
        ]
    });
    output::table(["id", "protocol", "from", "to", "received", "type", "text"], rows)
}

/// The beginning of a text, on one line: what a customer wrote must not move a terminal's cursor.
fn one_line(text: &Value) -> String {
    let text = show::text(text);
    let short: String =
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(60).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

fn told_inbound(message: &Value) -> String {
    let route = format!("{} -> {}", show::text(&message["from"]), show::text(&message["to"]));
    show::fields([
        ("id", show::text(&message["id"])),
        ("message", format!("{} {route}", show::text(&message["protocol"]))),
        ("name", one_line(&message["name"])),
        ("type", show::text(&message["content"]["type"])),
        ("text", one_line(&message["text"])),
        ("content", message["content"].to_string()),
        ("answers", show::text(&message["replyTo"])),
        ("sent", show::time(&message["sentAt"])),
        ("received", show::time(&message["receivedAt"])),
    ])
}

fn told(story: &Value) -> String {
    if story["direction"] == "inbound" {
        return told_inbound(story);
    }
    let files: Vec<_> = story["files"].as_array().into_iter().flatten().map(show::text).collect();
    let route = format!("{} -> {}", show::text(&story["from"]), show::text(&story["to"]));
    let possible_duplicate = if story["possibleDuplicate"] == true {
        "an earlier try's outcome is unknown, so the customer may have it twice"
    } else {
        ""
    };
    let mut shown = show::fields([
        ("id", show::text(&story["id"])),
        ("message", format!("{} {route}", show::text(&story["protocol"]))),
        ("text", show::text(&story["text"])),
        ("files", files.join("\n")),
        ("metadata", show::text(&story["metadata"])),
        ("priority", show::text(&story["priority"])),
        ("sendAt", show::time(&story["sendAt"])),
        ("expiresAt", show::time(&story["expiresAt"])),
        ("status", format!("{} since {}", show::text(&story["status"]), show::time(&story["statusAt"]))),
        ("reason", show::reason(&story["reason"])),
        ("waiting", show::text(&story["waiting"]["sentence"])),
        ("duplicate", possible_duplicate.to_owned()),
    ]);
    let history = story["history"].as_array().cloned().unwrap_or_default();
    for step in &history {
        shown.push_str(&format!("\n  {}", follow::step(&history[0], step)));
    }
    for note in story["notes"].as_array().into_iter().flatten() {
        let (kind, at) = (show::text(&note["kind"]), show::clock(&note["at"]));
        let about = note["status"].as_str().map(|status| format!(" {status}")).unwrap_or_default();
        shown.push_str(&format!("\n  {at}  note: {kind}{about}  {}", show::reason(&note["reason"])));
    }
    shown
}
