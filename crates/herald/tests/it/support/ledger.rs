//! The judge: holds what clients were answered against what the store says, what the provider's journal says, and what
//! subscribers were told.

use super::{Department, Receiver, Sent, event_message, until_within};
use futures_util::{StreamExt, stream};
use herald_rules::protocol::Protocol;
use herald_simulators::{Call, ReceiptStatus, Simulator};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    time::Duration,
};

/// How long everything may take to end after a load.
const DRAIN: Duration = Duration::from_secs(90);

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
    /// Messages that the provider took twice: all of them are marked, and their channel's policy is to send again.
    pub duplicates: usize,
    /// Messages marked as possible duplicates.
    pub marked: usize,
    /// Messages that went again after an unknown outcome, and were overtaken by later ones of their customer meanwhile.
    pub overtaken: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, calls, changes, deliveries, posts, ends, duplicates, marked, overtaken } = self;
        write!(f, "{messages} messages, {calls} calls, {changes} changes; {deliveries} deliveries so far ")?;
        write!(f, "in {posts} posts; {duplicates} taken twice of {marked} marked, {overtaken} overtaken; {ends:?}")
    }
}

/// Whose messages are judged, and who saw them.
pub struct Ledger<'a> {
    pub department: &'a Department,
    pub simulator: &'a Simulator,
    pub receiver: &'a Receiver,
    /// The protocols whose channels send again when an outcome stays unknown.
    pub resending: &'a [&'a str],
}

impl Ledger<'_> {
    /// Waits until all that was sent has ended and all events are handed over, then judges.
    pub async fn settle(&self, sent: &[Sent]) -> Report {
        let what = format!("the provider to have handed over its receipts for {} messages", sent.len());
        until_within(DRAIN, &what, || async { (self.simulator.summary().receipts_waiting == 0).then_some(()) }).await;
        let stories = self.ended(sent).await;
        let mut report = Report { messages: sent.len(), ..Report::default() };
        for story in stories.values() {
            let reason = story["reason"]["code"].as_str().map(|code| format!(" ({code})")).unwrap_or_default();
            *report.ends.entry(format!("{}{reason}", story["status"].as_str().unwrap())).or_default() += 1;
            report.marked += usize::from(story["possibleDuplicate"] == true);
            let bad = matches!(story["status"].as_str(), Some("Rejected" | "Failed"));
            assert!(!bad || story["reason"]["code"].is_string(), "it ended badly and nobody says why: {story:#}");
        }
        self.judge_events(&stories, &mut report).await;
        self.judge_calls(sent, &stories, &mut report);
        report
    }

    /// Every message that was answered 2xx ends.
    async fn ended(&self, sent: &[Sent]) -> HashMap<String, Value> {
        let mut ended = HashMap::new();
        let mut open: Vec<&Sent> = sent.iter().collect();
        let what = "every accepted message to end";
        let look = async {
            while !open.is_empty() {
                let ids: Vec<String> = open.iter().map(|sent| sent.id.clone()).collect();
                let stories = stream::iter(ids).map(|id| async move { self.department.story(&id).await });
                let stories: Vec<Value> = stories.buffered(4).collect().await;
                let mut still = Vec::new();
                let reported = self.reported();
                for (sent, story) in open.iter().zip(stories) {
                    // A guess that no receipt came is corrected when one is worked off: Herald has it, as it was answered.
                    let guessed = story["reason"]["code"] == "outcome_unknown" && reported.contains(&sent.id);
                    if has_ended(sent, &story) && !guessed {
                        ended.insert(sent.id.clone(), story);
                    } else {
                        still.push(*sent);
                    }
                }
                open = still;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(DRAIN, look).await.is_err() {
            let first = self.department.story(&open[0].id).await;
            let calls: Vec<_> = self.calls_of(&open[0].id).collect();
            panic!(
                "waited in vain for {what}; {} of {} have not, such as {first:#}\n{calls:#?}",
                open.len(),
                sent.len()
            );
        }
        ended
    }

    /// The messages of which the provider has reported, by our own id, that it has them.
    fn reported(&self) -> HashSet<String> {
        let receipts = self.simulator.receipts().into_iter();
        let echoed = receipts.filter(|receipt| receipt.protocol == Protocol::WhatsApp);
        let good = echoed.filter(|receipt| receipt.status != ReceiptStatus::Failed);
        good.map(|receipt| receipt.client_reference.to_string()).collect()
    }

    fn calls_of(&self, id: &str) -> impl Iterator<Item = Call> {
        self.simulator.calls().into_iter().filter(move |call| call.client_reference.to_string() == id)
    }

    /// The events received are the changes in the messages' histories, in order, each in one delivery.
    async fn judge_events(&self, stories: &HashMap<String, Value>, report: &mut Report) {
        let changes: HashMap<&str, Vec<String>> =
            stories.iter().map(|(id, story)| (id.as_str(), changes(story))).collect();
        report.changes = changes.values().map(Vec::len).sum();
        let what = format!("{} changes to be told", report.changes);
        let complete = async {
            while told(self.receiver, &changes).values().map(Vec::len).sum::<usize>() < report.changes {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let late = tokio::time::timeout(DRAIN, complete).await.is_err();
        let told = told(self.receiver, &changes);
        for (id, changes) in &changes {
            let told = told.get(id).map(Vec::as_slice).unwrap_or_default();
            assert!(
                told == changes,
                "{id} changed {changes:?}, and subscribers were told {told:?}: {:#}",
                stories[*id]
            );
        }
        assert!(!late, "waited in vain for {what}");
        let mut bodies: HashMap<String, axum::body::Bytes> = HashMap::new();
        for post in self.receiver.received() {
            let id = delivery_id(&post);
            report.posts += 1;
            let before = bodies.entry(id.clone()).or_insert_with(|| {
                report.deliveries += 1;
                post.body.clone()
            });
            assert!(*before == post.body, "the delivery {id} came with another body");
        }
    }

    /// The provider was called for what was accepted and for nothing else, took nothing twice beyond the policy, and saw
    /// each customer's messages in their order.
    fn judge_calls(&self, sent: &[Sent], stories: &HashMap<String, Value>, report: &mut Report) {
        let mut calls: HashMap<String, Vec<Call>> = HashMap::new();
        for call in self.simulator.calls() {
            calls.entry(call.client_reference.to_string()).or_default().push(call);
        }
        calls.retain(|id, _| stories.contains_key(id));
        report.calls = calls.values().map(Vec::len).sum();
        for sent in sent {
            let (calls, story) = (calls.get(&sent.id).map(Vec::as_slice).unwrap_or_default(), &stories[&sent.id]);
            let taken = calls.iter().filter(|call| call.outcome.taken()).count();
            let marked = story["possibleDuplicate"] == true;
            assert!(
                !marked || self.resending.contains(&sent.protocol.as_str()),
                "marked against the policy: {story:#}"
            );
            if taken > 1 {
                report.duplicates += 1;
                assert!(marked && taken == 2, "taken {taken} times: {story:#}\n{calls:#?}");
            }
            let left = matches!(story["status"].as_str(), Some("Accepted" | "Delivered" | "Read"));
            assert!(!left || taken > 0, "the provider never took it: {story:#}\n{calls:#?}");
            assert!(!sent.cancelled || calls.is_empty(), "sent although it was cancelled: {story:#}");
        }
        let mut last: HashMap<(&str, &str, &str), (u64, &str)> = HashMap::new();
        for message in sent {
            let Some(first) = calls.get(&message.id).and_then(|calls| calls.first()) else { continue };
            let customer = (message.protocol.as_str(), message.to.as_str(), message.priority);
            if let Some((before, earlier)) = last.insert(customer, (first.number, &message.id)) {
                let story = &stories[earlier];
                // Its first try never reached the provider. It holds the others back for a while, and not for ever.
                let again = story["notes"].as_array().unwrap().iter().any(|note| note["kind"] == "resent");
                report.overtaken += usize::from(before > first.number && again);
                let own = sent
                    .iter()
                    .filter(|other| (other.protocol.as_str(), other.to.as_str(), other.priority) == customer);
                let lines =
                    || own.map(|sent| line(&stories[&sent.id], calls.get(&sent.id))).collect::<Vec<_>>().join("\n");
                assert!(before < first.number || again, "out of order for {customer:?}:\n{}", lines());
            }
        }
    }
}

/// A message in one line, for those who look for what went wrong.
fn line(story: &Value, calls: Option<&Vec<Call>>) -> String {
    let list = |name: &str, what: &str| {
        let entries = story[name].as_array().unwrap().iter();
        entries.map(|entry| format!("{} {}", entry[what], entry["at"])).collect::<Vec<_>>().join(", ")
    };
    let calls = calls.into_iter().flatten().map(|call| format!("{} {:?} {}", call.number, call.outcome, call.at));
    let (history, notes, calls) =
        (list("history", "status"), list("notes", "kind"), calls.collect::<Vec<_>>().join(", "));
    format!("{} {}: {history}; notes {notes}; calls {calls}", story["id"], story["metadata"])
}

/// Final, or settled as far as its provider reports.
fn has_ended(sent: &Sent, story: &Value) -> bool {
    let last = match sent.protocol.as_str() {
        "WhatsApp" => "Read",
        "SMS" => "Delivered",
        _ => "Accepted",
    };
    let status = story["status"].as_str().unwrap();
    status == last || matches!(status, "Rejected" | "Failed")
}

/// What of a history are changes: all but the beginning, and what was reported late.
pub fn changes(story: &Value) -> Vec<String> {
    let steps = story["history"].as_array().unwrap().iter().filter(|step| step["reportedLate"] != true);
    steps.map(|step| step["status"].as_str().unwrap().to_owned()).filter(|status| status != "Pending").collect()
}

/// The statuses of each of these messages, in the order in which they were told, each delivery read once.
fn told<'a>(receiver: &Receiver, of: &HashMap<&'a str, Vec<String>>) -> HashMap<&'a str, Vec<String>> {
    let (mut seen, mut told) = (HashSet::new(), HashMap::<&str, Vec<String>>::new());
    for post in receiver.received() {
        if !post.answer.is_success() || !seen.insert(delivery_id(&post)) {
            continue;
        }
        for event in post.events() {
            let message = event_message(&event);
            if let Some((id, _)) = of.get_key_value(message["providerMessageId"].as_str().unwrap()) {
                told.entry(id).or_default().push(message["status"].as_str().unwrap().to_owned());
            }
        }
    }
    told
}

fn delivery_id(post: &super::Received) -> String {
    post.headers["webhook-id"].to_str().unwrap().to_owned()
}
