//! The loops that send.

use super::{
    connection::Connection,
    histogram::{Histogram, Quantiles},
    message::{Request, Sender},
};
use anyhow::Context;
use herald_rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep_until};

/// What to send.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Of one installation. Connections are shared out among them, so that each sender has some to each.
    pub(crate) targets: Vec<SocketAddr>,
    /// Connections share them out.
    pub(crate) senders: Vec<Sender>,
    pub(crate) connections: usize,
    pub(crate) until: Until,
    /// Messages a second; None: as fast as answers come.
    pub(crate) rate: Option<f64>,
    /// The number of the first message.
    pub(crate) first: u64,
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    Messages(u64),
    Elapsed(Duration),
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Messages answered with 200.
    pub(crate) accepted: u64,
    /// Other answers, by status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// From the first request to the last answer.
    pub(crate) seconds: f64,
    pub(crate) accepted_per_second: f64,
    /// In milliseconds.
    pub(crate) latency: Quantiles,
    /// When the first request went out.
    pub(crate) began: Timestamp,
}

/// tokio's timers are exact to a millisecond. A connection that slept and woke this late at most was not kept waiting
/// by the server, so its clock starts when it wakes. In all other cases the clock starts when the message was due:
/// waiting for a free connection counts as latency.
const TIMER: Duration = Duration::from_millis(2);

/// What the connections share.
struct Course {
    plan: Plan,
    begin: Instant,
    taken: AtomicU64,
}

impl Course {
    /// The next message's number and when it is due; None: that is all.
    fn next(&self) -> Option<(u64, Option<Instant>)> {
        let ticket = self.taken.fetch_add(1, Relaxed);
        let due = self.plan.rate.map(|rate| self.begin + Duration::from_secs_f64(ticket as f64 / rate));
        let goes_on = match self.plan.until {
            Until::Messages(all) => ticket < all,
            Until::Elapsed(time) => due.unwrap_or_else(Instant::now) < self.begin + time,
        };
        goes_on.then_some((self.plan.first + ticket, due))
    }
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    accepted: u64,
    refused: BTreeMap<u16, u64>,
    histogram: Histogram,
}

impl Plan {
    /// Sends it all, on tasks of the present runtime.
    pub(crate) async fn drive(self) -> anyhow::Result<Report> {
        let mut ready = Vec::with_capacity(self.connections);
        let pairs = self.targets.iter().flat_map(|target| self.senders.iter().map(move |sender| (target, sender)));
        for (target, sender) in pairs.cycle().take(self.connections) {
            ready.push((Connection::open(*target).await?, Request::new(&target.to_string(), sender)));
        }
        let began = Timestamp::now();
        let course = Arc::new(Course { plan: self, begin: Instant::now(), taken: AtomicU64::new(0) });
        let mut tasks = JoinSet::new();
        for (connection, request) in ready {
            tasks.spawn(send(connection, request, course.clone()));
        }
        let mut report = Report { began, ..Report::default() };
        let mut histogram = Histogram::default();
        while let Some(task) = tasks.join_next().await {
            let seen = task.context("a connection's task ended")??;
            report.accepted += seen.accepted;
            for (status, count) in seen.refused {
                *report.refused.entry(status).or_default() += count;
            }
            histogram.add(&seen.histogram);
        }
        report.seconds = course.begin.elapsed().as_secs_f64();
        report.accepted_per_second = report.accepted as f64 / report.seconds;
        report.latency = histogram.quantiles();
        Ok(report)
    }
}

async fn send(mut connection: Connection, mut request: Request, course: Arc<Course>) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    while let Some((number, due)) = course.next() {
        let begin = match due {
            Some(due) if due > Instant::now() => {
                sleep_until(due.into()).await;
                let woken = Instant::now();
                if woken - due <= TIMER { woken } else { due }
            }
            Some(due) => due,
            None => Instant::now(),
        };
        let answer = connection.exchange(request.number(number)).await?;
        if answer.status == 200 {
            seen.accepted += 1;
        } else {
            *seen.refused.entry(answer.status).or_default() += 1;
        }
        seen.histogram.record(begin.elapsed());
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
    use herald_rules::protocol::Protocol;
    use serde_json::Value;
    use std::{collections::BTreeSet, sync::Mutex};
    use tokio::net::TcpListener;

    type Recipients = Arc<Mutex<Vec<String>>>;

    /// Answers as Herald does; one recipient is refused.
    async fn answer(State(recipients): State<Recipients>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
        let to = body["to"].as_str().unwrap().to_owned();
        let status = if to.ends_with("00000003") { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
        recipients.lock().unwrap().push(to);
        (status, Json(body))
    }

    async fn drive(until: Until, rate: Option<f64>) -> (Report, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let recipients = Recipients::default();
        let router = Router::new().route("/api/v1.2/protocols/send", post(answer)).with_state(recipients.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let sender = Sender { protocol: Protocol::SMS, from: "4930123456".into(), token: "secret".into() };
        let report =
            Plan { targets: vec![target], senders: vec![sender], connections: 4, until, rate, first: 0 }.drive().await;
        server.abort();
        let all = recipients.lock().unwrap().clone();
        (report.unwrap(), all)
    }

    #[tokio::test]
    async fn sends_each_message_once() {
        let (report, recipients) = drive(Until::Messages(50), None).await;
        assert_eq!((report.accepted, report.refused), (49, BTreeMap::from([(429, 1)])));
        assert_eq!((recipients.len(), recipients.iter().collect::<BTreeSet<_>>().len()), (50, 50));
        assert!(report.latency.p50 > 0.0 && report.latency.p50 <= report.latency.max);
    }

    #[tokio::test]
    async fn a_rate_is_kept() {
        let (report, recipients) = drive(Until::Elapsed(Duration::from_millis(200)), Some(500.0)).await;
        assert_eq!(recipients.len(), 100);
        assert!(report.seconds >= 0.19, "{report:?}");
    }
}
