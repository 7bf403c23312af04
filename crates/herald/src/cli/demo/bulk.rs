//! A bulk run: many POSTs of one message each, over connections of their own, counted by what the webhooks say.

use super::{channels::RATE, heading, number, stage::Stage};
use crate::cli::{Failure, Output, http::Api, show};
use herald_rules::status::Status;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Requests under way at once. Each waits for the disk; together they share its commits.
const CONNECTIONS: u64 = 64;
/// Of a hundred messages so many are lost by the provider, so that there is something to count.
const LOST: f64 = 0.01;
/// When nothing has come for so long, nothing more will.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is counted.
#[derive(Default)]
struct Counts {
    /// Where each message stands: a webhook may come twice.
    standing: HashMap<String, Status>,
    /// How many stand at each status, by its code.
    at: [u64; Status::ALL.len()],
    ended: u64,
    events: u64,
}

impl Counts {
    fn add(&mut self, event: &Value) {
        let message = &event["changes"][0]["message"];
        let status: Option<Status> = message["status"].as_str().and_then(|status| status.parse().ok());
        let (Some(id), Some(status)) = (message["providerMessageId"].as_str(), status) else { return };
        self.events += 1;
        let before = self.standing.insert(id.to_owned(), status);
        if let Some(before) = before {
            self.at[usize::from(before.code())] -= 1;
        }
        self.at[usize::from(status.code())] += 1;
        if status.is_final() && !before.is_some_and(Status::is_final) {
            self.ended += 1;
        }
    }

    fn of(&self, status: Status) -> u64 {
        self.at[usize::from(status.code())]
    }

    /// What there is of each, in the order in which they come.
    fn line(&self) -> String {
        let there = Status::ALL.into_iter().filter(|status| self.of(*status) > 0);
        there.map(|status| format!("{status} {}", number(self.of(status)))).collect::<Vec<_>>().join("  ")
    }
}

/// Sends them all and waits until each has ended; false if one did not.
pub(super) async fn run(stage: &mut Stage, output: &Output, planned: u64) -> Result<bool, Failure> {
    stage.providers.hurry(LOST)?;
    if !output.json() {
        let lost = LOST * 100.0;
        let title = format!("{} messages in bulk: one POST each, {CONNECTIONS} at a time", number(planned));
        output.raw(&format!(
            "{}\n   Each is the template appointment_reminder; the simulated provider loses {lost} % of them.",
            heading(&title)
        ))?;
    }
    let bar = bar(output, planned);
    let began = Instant::now();
    let accepted = Arc::new(AtomicU64::new(0));
    let mut senders = senders(&stage.member, planned, &accepted);
    let (mut counts, mut all_sent) = (Counts::default(), None);
    while counts.ended < planned {
        tokio::select! {
            sent = senders.join_next(), if !senders.is_empty() => {
                if let Some(sent) = sent {
                    sent.map_err(anyhow::Error::from)??;
                }
                if senders.is_empty() {
                    all_sent = Some(began.elapsed());
                }
            }
            received = tokio::time::timeout(PATIENCE, stage.receiver.received.recv()) => {
                let Ok(Some(received)) = received else { break };
                received.events.iter().filter(|_| received.is_genuine()).for_each(|event| counts.add(event));
                bar.set_position(counts.ended);
                let rate = number((counts.ended as f64 / began.elapsed().as_secs_f64().max(0.001)) as u64);
                bar.set_message(format!("ended, {rate}/s  {}", counts.line()));
            }
        }
    }
    bar.finish_and_clear();
    let took = began.elapsed();
    let accepted = accepted.load(Ordering::Relaxed);
    let report = json!({"bulk": {
        "planned": planned, "accepted": accepted, "ended": counts.ended, "events": counts.events,
        "read": counts.of(Status::Read), "failed": counts.of(Status::Failed), "rejected": counts.of(Status::Rejected),
        "secondsToAccept": all_sent.unwrap_or(took).as_secs_f64(), "seconds": took.as_secs_f64(),
    }});
    output.line(&report, |_| summary(planned, accepted, &counts, all_sent.unwrap_or(took), took))?;
    Ok(planned == accepted && accepted == counts.ended)
}

fn summary(planned: u64, accepted: u64, counts: &Counts, all_sent: Duration, took: Duration) -> String {
    let equal = |a: u64, b: u64| if a == b { "=" } else { "but" };
    let rate = |time: Duration| number((planned as f64 / time.as_secs_f64().max(0.001)) as u64);
    format!(
        "   {} planned {} {} accepted {} {} ended\n   {}\n   {} events, each by signed webhook\n   \
         accepted in {:.1} s ({} a second), all ended after {:.1} s ({} a second; the lane's rate is {RATE})\n",
        number(planned),
        equal(planned, accepted),
        number(accepted),
        equal(accepted, counts.ended),
        number(counts.ended),
        counts.line(),
        number(counts.events),
        all_sent.as_secs_f64(),
        rate(all_sent),
        took.as_secs_f64(),
        rate(took),
    )
}

fn bar(output: &Output, planned: u64) -> ProgressBar {
    if output.json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(planned);
    // The template is a constant: an error would only mean the default style.
    if let Ok(style) = ProgressStyle::with_template("   {bar:16} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn senders(member: &Api, planned: u64, accepted: &Arc<AtomicU64>) -> JoinSet<Result<(), Failure>> {
    let next = Arc::new(AtomicU64::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS.min(planned) {
        let (member, next, accepted) = (member.clone(), next.clone(), accepted.clone());
        senders.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= planned {
                    return Ok(());
                }
                let body = json!({
                    "protocolType": "WhatsApp", "from": "972550000001", "to": format!("97252{:07}", number % 10_000_000),
                    "text": "Hello ${customer.name}, we look forward to seeing you on Friday at 10:00. See you soon!",
                    "customer": {"name": format!("customer {number}")}, "priority": "bulk",
                });
                let answer: Value = member.post("/api/v1.2/protocols/send", &body).await?;
                if show::text(&answer["status"]) == "Pending" {
                    accepted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    senders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_is_counted_once() {
        let event =
            |id: &str, status: &str| json!({"changes": [{"message": {"providerMessageId": id, "status": status}}]});
        let mut counts = Counts::default();
        for (id, status) in [("a", "Accepted"), ("a", "Read"), ("a", "Read"), ("b", "Failed"), ("c", "Delivered")] {
            counts.add(&event(id, status));
        }
        assert_eq!((counts.ended, counts.of(Status::Read), counts.of(Status::Delivered)), (2, 1, 1));
    }
}
