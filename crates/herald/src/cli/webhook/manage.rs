//! Subscriptions and what was handed over to them.

use super::super::{
    Failure, Global, Kind, Output,
    http::{Api, Remote, block_on, query, segment},
    output, show,
};
use clap::Subcommand;
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Manage {
    /// Subscribe a URL to events; prints its secret, this once
    Add {
        /// https on the public internet, or an address in webhooks.allow_networks
        url: String,
        /// For people [default: the URL's host]
        #[arg(long)]
        name: Option<String>,
        /// Only these events; may be repeated [default: all]
        #[arg(long = "event", value_name = "EVENT")]
        events: Vec<String>,
        /// A header that goes with every delivery, as "Name: value"; may be repeated
        #[arg(long = "header", value_name = "HEADER", value_parser = header)]
        headers: Vec<(String, String)>,
        /// The most events in one delivery; 1: each event alone
        #[arg(long, value_name = "NUMBER")]
        max_batch: Option<u32>,
        /// The API secret that makes the v1.2 signatures [default: the department's oldest one in force]
        #[arg(long, value_name = "NAME")]
        secret_name: Option<String>,
    },
    /// List the subscriptions, and how far each is behind
    List,
    /// Show a subscription
    Show {
        /// Its id or its name
        subscription: String,
    },
    /// Keep its events, and hand nothing over until it is resumed
    Pause {
        /// Its id or its name
        subscription: String,
    },
    /// Hand everything over that happened meanwhile
    Resume {
        /// Its id or its name
        subscription: String,
    },
    /// Delete a subscription, with its deliveries
    Remove {
        /// Its id or its name
        subscription: String,
    },
    /// Post a made-up event once, and see what the endpoint answered; exit code 1 unless it is 2xx
    Test {
        /// Its id or its name
        subscription: String,
    },
    /// List what was handed over, newest first
    Deliveries {
        /// Its id or its name
        subscription: String,
        /// Only in this state
        #[arg(long, value_parser = ["waiting", "parked", "taken", "exhausted", "split"])]
        state: Option<String>,
        /// Made at this moment or later (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Made before this moment (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show a delivery with all its attempts
    Delivery {
        /// Its id: the header webhook-id
        delivery: String,
    },
    /// Hand over once more: one delivery, or all of a span of time
    Replay {
        /// A delivery's id; or, with --since, a subscription's id or name
        which: String,
        /// Every delivery made at this moment or later (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Made before this moment [default: until now]
        #[arg(long, value_name = "TIME", requires = "since")]
        until: Option<String>,
    },
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write it as \"Name: value\"".to_owned()),
    }
}

const PATH: &str = "/api/v2/subscriptions";

impl Manage {
    pub(super) fn run(self, remote: &Remote, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = remote.connect(global)?;
            match self {
                Self::Add { url, name, events, headers, max_batch, secret_name } => {
                    let name = name.unwrap_or_else(|| host(&url));
                    let headers: Map<_, _> = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
                    let body = json!({
                        "name": name, "url": url, "events": events, "headers": headers, "maxBatch": max_batch,
                        "secretName": secret_name,
                    });
                    let made: Value = api.post(PATH, &body).await?;
                    output.answer(&made, |made| {
                        show::fields([
                            ("id", show::text(&made["id"])),
                            ("name", show::text(&made["name"])),
                            ("url", show::text(&made["url"])),
                            ("secret", show::text(&made["secret"])),
                        ])
                    })?;
                    output.talk("Keep the secret: it is not shown again. `herald webhook test` tries the endpoint.");
                }
                Self::List => {
                    let page = api.list(PATH, usize::MAX).await?;
                    output.answer(&page, listed)?;
                }
                Self::Show { subscription } => {
                    let path = path(&api, &subscription).await?;
                    output.answer(&api.get::<Value>(&path).await?, told)?;
                }
                Self::Pause { subscription } => {
                    let path = path(&api, &subscription).await?;
                    output.answer(&api.post::<Value>(&format!("{path}/pause"), &json!({})).await?, told)?;
                }
                Self::Resume { subscription } => {
                    let path = path(&api, &subscription).await?;
                    output.answer(&api.post::<Value>(&format!("{path}/resume"), &json!({})).await?, told)?;
                }
                Self::Remove { subscription } => {
                    let path = path(&api, &subscription).await?;
                    let _nothing: Value = api.delete(&path).await?;
                    output.answer(&json!({"removed": subscription}), |_| format!("{subscription} is gone."))?;
                }
                Self::Test { subscription } => {
                    let path = path(&api, &subscription).await?;
                    let result: Value = api.post(&format!("{path}/test"), &json!({})).await?;
                    output.answer(&result, |result| attempt(&result["attempt"]))?;
                    if result["taken"] != true {
                        return Err(Failure::new(
                            Kind::Failed,
                            "The endpoint did not take it: it must answer 2xx within 20 s.",
                            "",
                        ));
                    }
                }
                Self::Deliveries { subscription, state, since, until, limit } => {
                    let path = path(&api, &subscription).await?;
                    let filter = query([("state", state), ("since", since), ("until", until)]);
                    let page = api.list(&format!("{path}/deliveries{filter}"), limit.max(1)).await?;
                    output.answer(&page, deliveries)?;
                    if page["nextCursor"].is_string() {
                        output.talk(&format!("There are more than these {limit}: raise --limit."));
                    }
                }
                Self::Delivery { delivery } => {
                    let story: Value = api.get(&format!("/api/v2/deliveries/{}", segment(&delivery))).await?;
                    output.answer(&story, delivered)?;
                }
                Self::Replay { which, since: Some(since), until } => {
                    let path = path(&api, &which).await?;
                    let mut body = json!({"since": since});
                    if let Some(until) = until {
                        body["until"] = until.into();
                    }
                    let made: Value = api.post(&format!("{path}/replay"), &body).await?;
                    output.answer(&made, |made| {
                        format!("{} deliveries go once more.", show::text(&made["deliveries"]))
                    })?;
                }
                Self::Replay { which, .. } => {
                    let path = format!("/api/v2/deliveries/{}/replay", segment(&which));
                    let made: Value = api.post(&path, &json!({})).await?;
                    output.answer(&made, |made| {
                        format!("Goes once more, with {} events, as {}.", made["events"], show::text(&made["id"]))
                    })?;
                }
            }
            Ok(())
        })
    }
}

fn host(url: &str) -> String {
    let url = url::Url::parse(url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "webhook".to_owned())
}

/// The path of the subscription that a person means.
async fn path(api: &Api, named: &str) -> Result<String, Failure> {
    if uuid::Uuid::try_parse(named).is_ok() {
        return Ok(format!("{PATH}/{}", segment(named)));
    }
    let page = api.list(PATH, usize::MAX).await?;
    let found: Vec<_> = show::items(&page).filter(|subscription| subscription["name"] == named).collect();
    match found[..] {
        [one] => Ok(format!("{PATH}/{}", segment(&show::text(&one["id"])))),
        [] => Err(Failure::new(
            Kind::Usage,
            format!("No subscription is called {named}."),
            "`herald webhook list` shows those there are.",
        )),
        _ => Err(Failure::new(Kind::Usage, format!("Several are called {named}."), "Name one by its id.")),
    }
}

fn listed(page: &Value) -> String {
    let rows = show::items(page).map(|subscription| {
        [
            show::text(&subscription["id"]),
            show::text(&subscription["name"]),
            show::text(&subscription["kind"]),
            show::text(&subscription["state"]),
            show::text(&subscription["eventsBehind"]),
            show::text(&subscription["deliveriesWaiting"]),
            show::text(&subscription["deliveriesExhausted"]),
            show::text(&subscription["url"]),
        ]
    });
    output::table(["id", "name", "kind", "state", "behind", "waiting", "exhausted", "url"], rows)
}

fn told(subscription: &Value) -> String {
    let words = |name: &str| {
        let words = subscription[name].as_array().into_iter().flatten().map(show::text);
        words.collect::<Vec<_>>().join(", ")
    };
    let failing = &subscription["failing"];
    let failing = if failing.is_null() {
        String::new()
    } else {
        let (problem, next) = (show::text(&failing["problem"]), show::time(&failing["retryAt"]));
        format!(
            "since {}, tried {} times; {problem}; next try {next}",
            show::time(&failing["since"]),
            failing["failures"]
        )
    };
    show::fields([
        ("id", show::text(&subscription["id"])),
        ("name", show::text(&subscription["name"])),
        ("kind", show::text(&subscription["kind"])),
        ("state", show::text(&subscription["state"])),
        ("url", show::text(&subscription["url"])),
        ("events", words("events")),
        ("headers", words("headers")),
        ("max batch", show::text(&subscription["maxBatch"])),
        ("v1.2 secret", show::text(&subscription["secretName"])),
        ("behind", format!("{} events", show::text(&subscription["eventsBehind"]))),
        ("waiting", format!("{} deliveries", show::text(&subscription["deliveriesWaiting"]))),
        ("parked", format!("{} events", show::text(&subscription["eventsParked"]))),
        ("exhausted", format!("{} deliveries", show::text(&subscription["deliveriesExhausted"]))),
        ("failing", failing),
        ("made", show::time(&subscription["createdAt"])),
    ])
}

fn deliveries(page: &Value) -> String {
    let rows = show::items(page).map(|delivery| {
        [
            show::text(&delivery["id"]),
            show::text(&delivery["state"]),
            show::text(&delivery["kind"]),
            show::text(&delivery["events"]),
            show::text(&delivery["attempts"]),
            show::time(&delivery["createdAt"]),
            show::time(&delivery["nextAttemptAt"]),
        ]
    });
    output::table(["id", "state", "kind", "events", "attempts", "made", "next attempt"], rows)
}

fn delivered(delivery: &Value) -> String {
    let mut shown = show::fields([
        ("id", show::text(&delivery["id"])),
        ("subscription", show::text(&delivery["subscription"])),
        ("kind", show::text(&delivery["kind"])),
        ("state", show::text(&delivery["state"])),
        ("events", show::text(&delivery["events"])),
        ("made", show::time(&delivery["createdAt"])),
        ("ended", show::time(&delivery["endedAt"])),
        ("next attempt", show::time(&delivery["nextAttemptAt"])),
        ("replays", show::text(&delivery["origin"])),
    ]);
    for one in delivery["history"].as_array().into_iter().flatten() {
        shown.push_str(&format!("\n  {}", attempt(one)));
    }
    shown
}

fn attempt(attempt: &Value) -> String {
    let outcome = match &attempt["status"] {
        Value::Null => format!("no answer: {}", show::text(&attempt["error"])),
        status => format!("HTTP {status}"),
    };
    let took = attempt["milliseconds"].as_f64().unwrap_or_default();
    let mut line = format!("{}  attempt {}  {outcome}  {took:.1} ms", show::clock(&attempt["at"]), attempt["number"]);
    if let Some(answer) = attempt["answer"].as_str().filter(|answer| !answer.is_empty()) {
        line.push_str(&format!("  {answer}"));
    }
    line
}
