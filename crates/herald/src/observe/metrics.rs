//! The metrics, one closed list.
//!
//! Every label has a closed set of values, and their counters are made at the start: on a hot path a metric is an array
//! index and an atomic addition. Histograms lock a mutex for some nanoseconds, so on the path of a message they are
//! fed per batch or per call, not per message.

mod by;
mod words;

pub use by::{By, By2, Labelled};
pub use words::Words;

use super::process::Process;
use herald_rules::{lease::Kind, protocol::Protocol, status::Status};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

/// What a try at a provider came to; the label of [`Metrics::outcomes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The provider has it.
    Accepted,
    /// The provider said no, for good.
    Refused,
    /// The provider said no for now.
    Retry,
    /// It certainly never left us.
    NotSent,
    /// Nobody knows.
    Unknown,
}

/// What an attempt of a webhook came to; the label of [`Metrics::deliveries`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The endpoint took it.
    Delivered,
    /// It will be tried again.
    Retry,
    /// A refused batch was cut in two.
    Halved,
    /// A single refused event was put aside.
    Parked,
    /// Time ran out.
    Exhausted,
}

/// What became of a provider's callback; the label of [`Metrics::callbacks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackResult {
    /// It is durable.
    Taken,
    /// Its signature is missing or wrong.
    Unauthorised,
    /// It does not have the provider's form, or did not come whole.
    Malformed,
    /// It is larger than any provider's.
    TooLarge,
    /// There is no such channel.
    NoChannel,
    /// The store is away.
    NotStored,
}

/// What a callback tells; the label of [`Metrics::notices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// What became of a message.
    Receipt,
    /// A customer wrote.
    Inbound,
    /// A customer stopped marketing messages, or wants them again.
    Marketing,
    /// A template changed.
    Template,
    /// An account changed.
    Account,
    /// Nobody acts on it.
    Ignored,
}

/// How a comparison of templates with Meta went; the label of [`Metrics::template_syncs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncResult {
    /// All pages were read, and differences written.
    Done,
    /// Meta could not be asked, or nothing could be written.
    Failed,
}

/// What the check of a file's link came to; the label of [`Metrics::file_checks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileVerdict {
    /// It can be sent.
    Sendable,
    /// A page.
    WebPage,
    /// Too large.
    TooLarge,
    /// Of a type that is not taken.
    TypeNotAllowed,
    /// Not fetched.
    Unreachable,
}

/// What is counted of HTTP requests.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct HttpLabels {
    /// GET, POST, ...
    pub method: &'static str,
    /// As the router knows it, `/api/v2/messages/{id}`: never the path itself, whose number has no bound.
    pub route: String,
    /// The status of the answer.
    pub status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

/// All metrics of a node.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Messages that were accepted and are durable.
    pub accepted: By<Protocol, Counter>,
    refused: Family<CodeLabel, Counter>,
    /// Messages claimed for a provider.
    pub claimed: By<Protocol, Counter>,
    /// Tries by what they came to.
    pub outcomes: By2<Protocol, OutcomeKind, Counter>,
    /// How long a provider took to answer a call.
    pub provider_call_seconds: By<Protocol, Histogram>,
    /// Receipts taken from providers.
    pub receipts: By<Protocol, Counter>,
    /// Receipts whose message never became known.
    pub receipt_orphans: Counter,
    /// Providers' callbacks.
    pub callbacks: By<CallbackResult, Counter>,
    /// Callbacks that were kept and that nobody can read.
    pub callbacks_unreadable: Counter,
    /// What callbacks told.
    pub notices: By<NoticeKind, Counter>,
    /// What callbacks told and nobody acts on, by the provider's word for it.
    pub ignored_notices: Words,
    /// Callbacks that wait to be worked off.
    pub inbox_length: Gauge,
    /// Age of the oldest of them.
    pub inbox_age_seconds: Gauge<f64, AtomicU64>,
    /// Callbacks that are kept for whoever mends them.
    pub inbox_unreadable: Gauge,
    /// Forward moves of messages.
    pub status_changes: By<Status, Counter>,
    /// Events written.
    pub events_written: Counter,
    /// Attempts of webhooks by what they came to.
    pub deliveries: By<DeliveryResult, Counter>,
    /// Links of files that were looked at.
    pub file_checks: By<FileVerdict, Counter>,
    /// Links of files whose verdict was known.
    pub file_checks_known: Counter,
    /// From a change of status to the 2xx of the webhook that carried it, for the oldest event of each delivery.
    pub webhook_lag_seconds: Histogram,
    /// Messages that wait.
    pub queue_length: By<Protocol, Gauge>,
    /// Lanes that somebody, or a breaker, has paused.
    pub lanes_paused: Gauge,
    /// Lanes that stand still because their provider says that nothing can be sent.
    pub lanes_stopped: Gauge,
    /// Groups that this node works.
    pub leases: By<Kind, Gauge>,
    /// Leases that ran out or were taken while this node held them.
    pub leases_lost: Counter,
    /// Nodes that live, as this one sees it.
    pub nodes: Gauge,
    /// 1 when the store could be written at the last look, 0 when it could not.
    pub store_ready: Gauge,
    /// How long a group commit took.
    pub store_commit_seconds: Histogram,
    /// How many operations shared it.
    pub store_commit_size: Histogram,
    /// Statements that a database server was asked.
    pub store_statements: Counter,
    /// How often its answers were waited for: statements leave several at once.
    pub store_round_trips: Counter,
    /// Comparisons of templates with Meta.
    pub template_syncs: By<SyncResult, Counter>,
    http_requests: Family<HttpLabels, Counter>,
    http_seconds: By<Speed, Histogram>,
    /// Open connections of both listeners.
    pub http_connections: Gauge,
}

/// Whether a request was one that hands in messages: those have a promise on their latency, others have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speed {
    Send,
    Other,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A list of its own, all at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("herald");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);

        let accepted = by::counters(&mut registry, "messages_accepted", "Messages accepted, each durable");
        let refused = Family::<CodeLabel, Counter>::default();
        registry.register("messages_refused", "Messages refused in the answer, by code", refused.clone());
        let claimed = by::counters(&mut registry, "messages_claimed", "Messages claimed for a provider");
        let outcomes = by::counters2(&mut registry, "outcomes", "Tries at a provider, by what they came to");
        // 1 ms to 16 s: from a provider on the same machine to the longest time-out.
        let provider_call_seconds =
            by::histograms(&mut registry, "provider_call_seconds", "Time a provider took to answer a call", || {
                Histogram::new(exponential_buckets(0.001, 2.0, 15))
            });
        let receipts = by::counters(&mut registry, "receipts", "Receipts taken from providers");
        let receipt_orphans = Counter::default();
        registry.register(
            "receipt_orphans",
            "Receipts whose message did not become known within a day",
            receipt_orphans.clone(),
        );
        let callbacks = by::counters(&mut registry, "callbacks", "Providers' callbacks, by what became of them");
        let callbacks_unreadable = Counter::default();
        registry.register(
            "callbacks_unreadable",
            "Callbacks that were kept and cannot be read",
            callbacks_unreadable.clone(),
        );
        let notices = by::counters(&mut registry, "notices", "What callbacks told, by kind");
        let ignored_notices =
            Words::register(&mut registry, "notices_ignored", "What callbacks told and nobody acts on", "field");
        let inbox_length = Gauge::default();
        registry.register("inbox_length", "Callbacks that wait to be worked off", inbox_length.clone());
        let inbox_age_seconds = Gauge::default();
        registry.register(
            "inbox_age_seconds",
            "Age of the oldest callback that waits to be worked off",
            inbox_age_seconds.clone(),
        );
        let inbox_unreadable = Gauge::default();
        registry.register("inbox_unreadable", "Callbacks kept that cannot be read", inbox_unreadable.clone());
        let status_changes = by::counters(&mut registry, "status_changes", "Forward moves of messages, by new status");
        let events_written = Counter::default();
        registry.register("events_written", "Events written", events_written.clone());
        let deliveries = by::counters(&mut registry, "deliveries", "Attempts of webhooks, by what they came to");
        let file_checks = by::counters(&mut registry, "file_checks", "Links of files that were looked at, by verdict");
        let file_checks_known = Counter::default();
        registry.register(
            "file_checks_known",
            "Links of files whose verdict was known from an earlier look",
            file_checks_known.clone(),
        );
        // 10 ms to 3 days: a delivery is tried for that long.
        let webhook_lag_seconds = Histogram::new(exponential_buckets(0.01, 4.0, 13));
        registry.register(
            "webhook_lag_seconds",
            "Age of the oldest event of a delivery when the endpoint took it",
            webhook_lag_seconds.clone(),
        );
        let queue_length = by::gauges(&mut registry, "queue_length", "Messages that wait for their turn");
        let lanes_paused = Gauge::default();
        registry.register("lanes_paused", "Lanes paused by a person or a breaker", lanes_paused.clone());
        let lanes_stopped = Gauge::default();
        let help = "Lanes whose provider says that nothing can be sent until somebody acts";
        registry.register("lanes_stopped", help, lanes_stopped.clone());
        let leases =
            by::gauges(&mut registry, "leases", "Groups of lanes, subscriptions and duties that this node works");
        let leases_lost = Counter::default();
        registry.register("leases_lost", "Leases that were lost to another node", leases_lost.clone());
        let nodes = Gauge::default();
        registry.register("nodes", "Nodes that live, as this one sees it", nodes.clone());
        let store_ready = Gauge::default();
        registry.register("store_ready", "1 when the store could be written at the last look", store_ready.clone());
        // 0.1 ms to 0.8 s: an fsync takes 0.2 ms on a good disk and some 100 ms on a bad one.
        let store_commit_seconds = Histogram::new(exponential_buckets(0.0001, 2.0, 14));
        registry.register("store_commit_seconds", "Time of a group commit", store_commit_seconds.clone());
        let store_commit_size = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        registry.register("store_commit_size", "Operations in a group commit", store_commit_size.clone());
        let store_statements = Counter::default();
        registry.register("store_statements", "Statements that PostgreSQL was asked", store_statements.clone());
        let store_round_trips = Counter::default();
        let help = "Times that PostgreSQL's answers were waited for; statements leave several at once";
        registry.register("store_round_trips", help, store_round_trips.clone());
        let template_syncs =
            by::counters(&mut registry, "template_syncs", "Comparisons of WhatsApp templates with Meta's");
        let http_requests = Family::<HttpLabels, Counter>::default();
        registry.register("http_requests", "Requests answered, by route and status", http_requests.clone());
        let http_seconds = by::histograms(
            &mut registry,
            "http_request_seconds",
            "Time to answer a request; kind=send are those that hand in messages",
            || Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
        );
        let http_connections = Gauge::default();
        registry.register("http_connections", "Open connections", http_connections.clone());
        registry.register_collector(Box::new(Process::new()));

        Self {
            registry,
            accepted,
            refused,
            claimed,
            outcomes,
            provider_call_seconds,
            receipts,
            receipt_orphans,
            callbacks,
            callbacks_unreadable,
            notices,
            ignored_notices,
            inbox_length,
            inbox_age_seconds,
            inbox_unreadable,
            status_changes,
            events_written,
            deliveries,
            file_checks,
            file_checks_known,
            webhook_lag_seconds,
            queue_length,
            lanes_paused,
            lanes_stopped,
            store_ready,
            leases,
            leases_lost,
            nodes,
            store_commit_seconds,
            store_commit_size,
            store_statements,
            store_round_trips,
            template_syncs,
            http_requests,
            http_seconds,
            http_connections,
        }
    }

    /// Counts messages refused in the answer; `code` is the stable code of the reason.
    pub fn refused(&self, code: &'static str, messages: u64) {
        self.refused.get_or_create(&CodeLabel { code }).inc_by(messages);
    }

    /// Counts an answered request.
    pub fn answered(&self, labels: &HttpLabels, seconds: f64) {
        let speed = if labels.method == "POST" && labels.route.ends_with("/send") { Speed::Send } else { Speed::Other };
        self.http_seconds.of(speed).observe(seconds);
        self.http_requests.get_or_create(labels).inc();
    }

    /// The list in the OpenMetrics text form.
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Writing into a String cannot fail; a collector that fails leaves its metrics out.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_listed_and_counts() {
        let metrics = Metrics::new();
        metrics.accepted.of(Protocol::SMS).inc_by(3);
        metrics.outcomes.of(Protocol::WhatsApp, OutcomeKind::Retry).inc();
        metrics.status_changes.of(Status::Delivered).inc();
        metrics.refused("channel_inactive", 2);
        metrics.store_commit_seconds.observe(0.0003);
        metrics
            .answered(&HttpLabels { method: "POST", route: "/api/v1.2/protocols/send".to_owned(), status: 200 }, 0.001);
        metrics.callbacks.of(CallbackResult::Taken).inc();
        metrics.ignored_notices.count("message_echoes", 2);
        let text = metrics.render();
        for line in [
            "herald_messages_accepted_total{protocol=\"SMS\"} 3",
            "herald_messages_accepted_total{protocol=\"WhatsApp\"} 0",
            "herald_outcomes_total{protocol=\"WhatsApp\",outcome=\"retry\"} 1",
            "herald_status_changes_total{status=\"Delivered\"} 1",
            "herald_messages_refused_total{code=\"channel_inactive\"} 2",
            "herald_store_commit_seconds_count 1",
            "herald_http_requests_total{method=\"POST\",route=\"/api/v1.2/protocols/send\",status=\"200\"} 1",
            "herald_http_request_seconds_count{kind=\"send\"} 1",
            "herald_queue_length{protocol=\"AppleBusinessChat\"} 0",
            "herald_lanes_paused 0",
            "herald_callbacks_total{result=\"taken\"} 1",
            "herald_notices_total{kind=\"inbound\"} 0",
            "herald_notices_ignored_total{field=\"message_echoes\"} 2",
            "herald_inbox_age_seconds 0.0",
            "herald_receipt_orphans_total 0",
            "herald_lanes_stopped 0",
            "herald_build_info{version=",
            "herald_process_resident_memory_bytes ",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
