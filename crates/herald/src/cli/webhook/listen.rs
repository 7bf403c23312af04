//! `herald webhook listen`: receives, verifies and prints events, and counts them.

use super::{
    super::{
        Failure, Global, Kind, Output,
        http::{Api, Remote, segment},
        output,
        output::Colour,
        serve, show,
    },
    receiver::{Keys, Received, Receiver, Verdict},
    tally::Tally,
};
use axum::http::StatusCode;
use clap::Args;
use herald_rules::signature::EndpointSecret;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{io::IsTerminal, net::SocketAddr, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

/// Receive webhooks here: verify them, print their events, count them
#[derive(Debug, Args)]
#[command(
    after_help = "A delivery whose signature is wrong is answered with 401, shown in red and not counted. A family of \
                  signatures is checked where its secret is known: Standard Webhooks with the subscription's secret \
                  (--subscribe knows it), the v1.2 headers with the department's API secret.

Herald posts to addresses of its own host only where webhooks.allow_networks allows it; `herald demo` does.

Examples:
  herald webhook listen --subscribe                    a subscription for as long as this runs
  herald webhook listen --address 127.0.0.1:9000 --secret whsec_...
  herald webhook listen --subscribe --json | jq .event  a line of JSON for each event
  herald webhook listen --subscribe --answer 503       see deliveries being tried again"
)]
pub(super) struct Listen {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Make a subscription for this receiver, and delete it at the end
    #[arg(long)]
    subscribe: bool,
    /// The subscription's secret (whsec_...), to check Standard Webhooks
    #[arg(long, env = "HERALD_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: Option<String>,
    /// The department's API secret, to check the v1.2 headers
    #[arg(long, env = "HERALD_API_SECRET", hide_env_values = true, value_name = "SECRET")]
    api_secret: Option<String>,
    /// What genuine deliveries are answered with
    #[arg(long, value_name = "STATUS", default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..600))]
    answer: u16,
    /// End after so many events
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
}

impl Listen {
    pub(super) fn run(self, remote: &Remote, global: &Global, output: &Output) -> Result<(), Failure> {
        serve::runtime()?.block_on(self.listen(remote, global, output))
    }

    async fn listen(self, remote: &Remote, global: &Global, output: &Output) -> Result<(), Failure> {
        let mut terminate = signal(SignalKind::terminate())?;
        let answer = StatusCode::from_u16(self.answer).map_err(anyhow::Error::from)?;
        let mut receiver = Receiver::start(self.address, answer).await?;
        output.talk(&format!("Listening at {}.", receiver.url));
        let (mut secret, mut subscribed) = (self.secret.clone(), None);
        if self.subscribe {
            let api = remote.connect(global)?;
            let body = json!({"url": receiver.url, "name": "herald webhook listen"});
            let made: Value = api.post("/api/v2/subscriptions", &body).await?;
            secret = made["secret"].as_str().map(str::to_owned).or(secret);
            output.talk(&format!("Subscription {} holds until this ends.", show::text(&made["id"])));
            subscribed = Some((api, show::text(&made["id"])));
        }
        let endpoint = secret.as_deref().map(EndpointSecret::parse).transpose();
        let endpoint = endpoint.map_err(|error| Failure::new(Kind::Usage, format!("{error}"), ""))?;
        output.talk(&checks(endpoint.is_some(), self.api_secret.is_some()));
        receiver.check_with(Keys { api_secret: self.api_secret.clone().map(Into::into), endpoint });

        let mut tally = Tally::default();
        let bar = counter(output);
        let mut result = Ok(());
        loop {
            let received = tokio::select! {
                received = receiver.received.recv() => received,
                _ = tokio::signal::ctrl_c() => None,
                _ = terminate.recv() => None,
            };
            let Some(received) = received else { break };
            tally.add(&received);
            result = bar.suspend(|| print(output, &received));
            bar.set_position(tally.events);
            bar.set_message(tally.to_string());
            if result.is_err() || self.count.is_some_and(|count| tally.events >= count) {
                break;
            }
        }
        bar.finish_and_clear();
        if let Some((api, id)) = subscribed {
            unsubscribe(&api, output, &id).await;
        }
        output.talk(&format!("{} events in {} deliveries: {tally}.", tally.events, tally.deliveries));
        result
    }
}

async fn unsubscribe(api: &Api, output: &Output, id: &str) {
    if let Err(failure) = api.delete::<Value>(&format!("/api/v2/subscriptions/{}", segment(id))).await {
        output.talk(&format!("The subscription {id} could not be deleted: {failure}"));
    }
}

fn checks(standard: bool, v1_2: bool) -> String {
    match (standard, v1_2) {
        (true, true) => "Both signatures of every delivery are checked.".to_owned(),
        (true, false) => {
            "Standard Webhooks signatures are checked; the v1.2 headers are not: give --api-secret.".to_owned()
        }
        (false, true) => "The v1.2 signatures are checked; Standard Webhooks are not: give --secret.".to_owned(),
        (false, false) => "No signature is checked: give --secret, --api-secret, or --subscribe.".to_owned(),
    }
}

/// The line at the bottom of a terminal. Hidden elsewhere.
fn counter(output: &Output) -> ProgressBar {
    if output.json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    // The template is a constant: an error would only mean the default style.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} events, {per_sec}  {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Prints what came: a line for each event.
pub(in super::super) fn print(output: &Output, received: &Received) -> Result<(), Failure> {
    if !received.is_genuine() || received.answer == StatusCode::BAD_REQUEST {
        let line = json!({
            "receivedAt": received.at, "delivery": received.delivery, "attempt": received.attempt,
            "signatures": signatures(received), "refused": received.answer.as_u16(),
        });
        return Ok(output.line(&line, |_| refused(received))?);
    }
    for event in &received.events {
        let line = json!({
            "receivedAt": received.at, "delivery": received.delivery, "attempt": received.attempt,
            "signatures": signatures(received), "event": event,
        });
        output.line(&line, |_| told(received, event))?;
    }
    Ok(())
}

fn signatures(received: &Received) -> Value {
    json!({"v1.2": received.v1_2.word(), "standard": received.standard.word()})
}

fn refused(received: &Received) -> String {
    let terminal = std::io::stdout().is_terminal();
    let wrong = |name: &str, verdict: Verdict| match verdict {
        Verdict::Wrong(error) => Some(format!("{name} signature wrong: {error}")),
        _ => None,
    };
    let mut why: Vec<_> =
        [wrong("Standard Webhooks", received.standard), wrong("v1.2", received.v1_2)].into_iter().flatten().collect();
    if why.is_empty() {
        why.push("the body is not a list of events".to_owned());
    }
    let line = format!("{}  refused with {}  {}", show::clock(&json!(received.at)), received.answer, why.join("; "));
    output::paint(terminal, Colour::Red, &line)
}

/// One event of a genuine delivery, for people.
fn told(received: &Received, event: &Value) -> String {
    let terminal = std::io::stdout().is_terminal();
    let message = &event["changes"][0]["message"];
    let mut line = format!(
        "{}  {}  {:<17} {} -> {}  {}",
        show::clock(&event["dateTime"]),
        show::status(message["status"].as_str().unwrap_or_default(), 9),
        show::text(&message["protocolType"]),
        show::text(&message["from"]),
        show::text(&message["to"]),
        show::text(&message["providerMessageId"]),
    );
    if !message["reason"].is_null() {
        line.push_str(&format!("  {}", show::reason(&message["reason"])));
    }
    let mut beside = Vec::new();
    if received.attempt != "1" && !received.attempt.is_empty() {
        beside.push(format!("attempt {}", received.attempt));
    }
    let good = [("standard", received.standard), ("v1.2", received.v1_2)];
    let good: Vec<_> = good.iter().filter(|(_, verdict)| *verdict == Verdict::Good).map(|(name, _)| *name).collect();
    if !good.is_empty() {
        beside.push(format!("signed: {}", good.join(", ")));
    }
    if !beside.is_empty() {
        line.push_str(&output::paint(terminal, Colour::Grey, &format!("  ({})", beside.join("; "))));
    }
    line
}
