//! The judge of a cluster: holds what clients were answered against the store, the provider's journal, and what subscribers
//! were told. Stricter than that of one node (`support::Ledger`): here no call is ever to be made twice.

use super::{cluster::Cluster, told::Told, traffic::Sent};
use crate::support::{Department, Receiver, changes, until_within};
use futures_util::{StreamExt, stream};
use herald_simulators::{Call, ReceiptStatus, Simulator};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    time::Duration,
};
use uuid::Uuid;

/// How long everything may take to end after the last blow.
const DRAIN: Duration = Duration::from_secs(120);
/// How long leases may take to be even after the last change of the nodes that live.
const EVEN_WITHIN: Duration = Duration::from_secs(15);
/// The part of all messages whose outcome may be unknown: what was at the provider's door when a node or the database fell.
const UNKNOWN_PART: f64 = 0.1;

/// What was counted.
#[derive(Debug, Default)]
pub struct Report {
    pub messages: usize,
    pub calls: usize,
    pub changes: usize,
    pub deliveries: usize,
    /// POSTs of them: those that came more than once did so under one `webhook-id`.
    pub posts: usize,
    /// Messages by how they ended.
    pub ends: BTreeMap<String, usize>,
    /// Messages that ended as of unknown outcome, and whether the provider was called.
    pub unknown: Vec<(Sent, bool)>,
    /// The lanes of each node at the end.
    pub lanes: Vec<usize>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, calls, changes, deliveries, posts, ends, unknown, lanes } = self;
        writeln!(
            f,
            "{messages} messages, {calls} calls, {changes} changes, {deliveries} deliveries in {posts} posts; "
        )?;
        writeln!(f, "ends: {ends:?}; lanes of the nodes: {lanes:?}")?;
        let called = unknown.iter().filter(|(_, called)| *called).count();
        write!(f, "{} of unknown outcome, {called} of which were called:", unknown.len())?;
        let name = |(sent, called): &(Sent, bool)| {
            format!("{} {}{}", sent.protocol, sent.id, if *called { " (called)" } else { "" })
        };
        unknown.iter().try_for_each(|message| write!(f, "\n  {}", name(message)))
    }
}

/// Whose messages are judged, and who saw them.
pub struct Judge<'a> {
    pub cluster: &'a Cluster,
    pub department: &'a Department,
    pub simulator: &'a Simulator,
    /// Each has a subscription to all events.
    pub receivers: &'a [Receiver],
}

impl Judge<'_> {
    /// Waits until all that was sent has ended and is told, then judges.
    pub async fn settle(&self, sent: &[Sent]) -> Report {
        let left = self.until_empty().await;
        // What went twice says more than what is left because of it.
        self.judge_doubles();
        assert_eq!(left, None, "waited {} s in vain for all to end", DRAIN.as_secs());
        let stories = self.stories(sent).await;
        let mut report = Report { messages: sent.len(), ..Report::default() };
        self.judge_ends(sent, &stories, &mut report);
        self.judge_calls(sent, &stories, &mut report);
        for receiver in self.receivers {
            self.judge_events(receiver, &stories, &mut report).await;
        }
        report.lanes = self.until_even().await;
        report
    }

    /// Waits until nothing waits anywhere, and the counters of all queues say so; returns what is left in the end.
    async fn until_empty(&self) -> Option<String> {
        let tables = ["live", "later", "claim", "checking", "inbox", "cancelled"];
        let count = |table: &&str| format!("(SELECT count(*) FROM {table}) AS {table}");
        let counts = tables.iter().map(count).collect::<Vec<_>>().join(", ");
        let queued = "(SELECT sum(arrived - departed) FROM lane_queue JOIN lane_log USING (lane)) AS queued";
        let (sql, mut last) = (format!("SELECT {counts}, {queued}"), String::new());
        let (ended, seen) = (vec!["0"; tables.len() + 1].join("|"), &mut last);
        let empty = async {
            loop {
                let receipts = self.simulator.summary().receipts_waiting;
                *seen = format!(
                    "{} receipts at the provider; {tables:?}, queued: {}",
                    receipts,
                    self.cluster.sql(&sql).await
                );
                if receipts == 0 && seen.ends_with(&format!(" {ended}")) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let late = tokio::time::timeout(DRAIN, empty).await.is_err();
        late.then_some(last)
    }

    /// Nobody gets two.
    fn judge_doubles(&self) {
        let mut calls: HashMap<Uuid, Vec<Call>> = HashMap::new();
        for call in self.simulator.calls() {
            calls.entry(call.client_reference).or_default().push(call);
        }
        calls.retain(|_, calls| calls.len() > 1);
        assert!(calls.is_empty(), "{} messages were called for more than once: {calls:#?}", calls.len());
    }

    async fn stories(&self, sent: &[Sent]) -> HashMap<String, Value> {
        let stories = stream::iter(sent.iter().map(|sent| sent.id.clone()));
        let stories = stories.map(async |id| (id.clone(), self.department.story(&id).await));
        let stories: HashMap<_, _> = stories.buffer_unordered(8).collect().await;
        assert_eq!(stories.len(), sent.len(), "each request that was answered has a message of its own");
        stories
    }

    /// Each has ended: as far as its provider reports, or because nobody can know what became of it.
    fn judge_ends(&self, sent: &[Sent], stories: &HashMap<String, Value>, report: &mut Report) {
        let good = self.simulator.receipts().into_iter().filter(|receipt| receipt.status != ReceiptStatus::Failed);
        let reported: HashSet<String> = good.map(|receipt| receipt.client_reference.to_string()).collect();
        for sent in sent {
            let story = &stories[&sent.id];
            let (status, reason) = (story["status"].as_str().unwrap(), story["reason"]["code"].as_str());
            let end = match reason {
                Some(reason) => format!("{status} ({reason})"),
                None => status.to_owned(),
            };
            *report.ends.entry(end).or_default() += 1;
            assert_eq!(story["metadata"]["key"], *sent.key, "another client's message");
            if (status, reason) == ("Failed", Some("outcome_unknown")) {
                // Its receipts name our own id.
                let proved = sent.protocol == "WhatsApp" && reported.contains(&sent.id);
                assert!(!proved, "a receipt has proved what is called unknown: {story:#}");
                continue;
            }
            let last = match sent.protocol.as_str() {
                "WhatsApp" => "Read",
                "SMS" => "Delivered",
                _ => "Accepted",
            };
            assert_eq!(status, last, "{story:#}");
        }
    }

    /// Nothing was called for twice, nothing that was not accepted, and each customer's messages in their order.
    fn judge_calls(&self, sent: &[Sent], stories: &HashMap<String, Value>, report: &mut Report) {
        let mut calls: HashMap<String, Vec<Call>> = HashMap::new();
        for call in self.simulator.calls() {
            calls.entry(call.client_reference.to_string()).or_default().push(call);
        }
        report.calls = calls.values().map(Vec::len).sum();
        let strangers: Vec<_> = calls.keys().filter(|id| !stories.contains_key(*id)).collect();
        assert!(strangers.is_empty(), "called for what no client was told to be accepted: {strangers:?}");
        let mut before: HashMap<(&str, &str, &str), (u64, &Sent)> = HashMap::new();
        for sent in sent {
            let (calls, story) = (calls.get(&sent.id).map(Vec::as_slice).unwrap_or_default(), &stories[&sent.id]);
            if story["status"] == "Failed" {
                report.unknown.push((sent.clone(), !calls.is_empty()));
            } else {
                assert!(!calls.is_empty(), "the provider was never called: {story:#}");
            }
            let Some(call) = calls.first() else { continue };
            assert_eq!((&call.from, &call.to), (&sent.from, &sent.to), "{story:#}");
            let customer = (sent.from.as_str(), sent.to.as_str(), sent.priority);
            if let Some((number, earlier)) = before.insert(customer, (call.number, sent)) {
                let stories = (&stories[&earlier.id], story);
                assert!(number < call.number, "out of order for {customer:?}: {number}, {}: {stories:#?}", call.number);
            }
        }
        let allowed = (sent.len() as f64 * UNKNOWN_PART) as usize;
        assert!(report.unknown.len() <= allowed, "{} of unknown outcome: {report}", report.unknown.len());
    }

    /// What subscribers were told are the changes in the messages' histories, in their order, each in one delivery.
    async fn judge_events(&self, receiver: &Receiver, stories: &HashMap<String, Value>, report: &mut Report) {
        let changes: HashMap<&str, Vec<String>> =
            stories.iter().map(|(id, story)| (id.as_str(), changes(story))).collect();
        let count = changes.values().map(Vec::len).sum();
        let mut told = Told::new(receiver);
        let complete = async {
            while told.read() < count {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let late = tokio::time::timeout(DRAIN, complete).await.is_err();
        for (id, changes) in &changes {
            let told = told.of(id);
            assert!(told == changes, "{id} changed {changes:?}, and was told {told:?}: {:#}", stories[*id]);
        }
        assert!(!late && told.read() == count, "told {} events, and there were {count} changes", told.read());
        report.changes = count;
        report.deliveries += told.deliveries;
        report.posts += told.posts;
    }

    /// Waits until the nodes that work have the lanes evenly.
    pub async fn until_even(&self) -> Vec<usize> {
        until_within(EVEN_WITHIN, "the lanes to be spread evenly", async || {
            let counts: Vec<usize> = self.cluster.owned().await.values().map(Vec::len).collect();
            // An account's two lanes move together.
            let even = counts.iter().max().zip(counts.iter().min()).is_some_and(|(most, least)| most - least <= 2);
            (even && counts.iter().sum::<usize>() == self.lanes().await).then_some(counts)
        })
        .await
    }

    async fn lanes(&self) -> usize {
        self.cluster.sql("SELECT count(*) FROM lane").await.parse().unwrap()
    }
}
