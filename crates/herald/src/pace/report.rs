//! What a lane says of itself: every wait can be explained.

use herald_rules::{
    lane::{Hold, Lane, Waiting},
    pace::stop::{Stop, StopScope},
    reason::Reason,
    time::Timestamp,
};
use serde::Serialize;

/// The state of a lane at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaneReport {
    /// Messages at the provider's door.
    pub in_flight: usize,
    /// Messages in memory.
    pub in_memory: usize,
    /// The rate that was set, as "80/s,burst=10".
    pub rate: String,
    /// The rate that holds now, after the provider's throttling.
    pub effective_rate: String,
    /// How often one customer may be written to, as "1/6s,burst=45"; absent: there is no such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair_limit: Option<String>,
    /// Whether it is paused.
    pub paused: bool,
    /// Why it does not send more than it does.
    pub waiting: WaitReport,
    /// Set while its provider says that nothing can be sent until somebody acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopReport>,
}

/// A stop: the provider says that nothing can be sent until somebody acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LaneStop)]
pub struct StopReport {
    /// Why: a reason's code.
    #[schema(example = "provider_auth_failed")]
    pub reason: &'static str,
    /// What to do about it.
    pub sentence: &'static str,
    /// `identifier`, or `account`: all identifiers of the channel.
    #[schema(value_type = String, example = "account")]
    pub scope: StopScope,
    /// Since when.
    #[schema(value_type = String, format = "date-time")]
    pub since: Timestamp,
    /// When one message is tried, if nothing else ends it.
    #[schema(value_type = String, format = "date-time")]
    pub next_try_at: Timestamp,
    /// The provider's own code.
    pub provider_code: Option<String>,
    /// The provider's own text.
    pub provider_text: Option<String>,
}

impl From<Stop> for StopReport {
    fn from(stop: Stop) -> Self {
        Self {
            reason: stop.cause.reason.code(),
            sentence: stop.cause.reason.sentence(),
            scope: stop.scope,
            since: stop.since,
            next_try_at: stop.next_try,
            provider_code: stop.cause.provider_code,
            provider_text: stop.cause.provider_text,
        }
    }
}

/// Why a lane waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WaitReport {
    /// A stable code.
    pub code: &'static str,
    /// A sentence.
    pub sentence: String,
    /// Until when, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "date-time")]
    pub until: Option<Timestamp>,
}

impl LaneReport {
    /// Reads the machine; `breaker` is set while the provider cannot be reached, `stop` while it says that nothing can be sent.
    pub fn of(lane: &Lane, breaker: Option<Timestamp>, stop: Option<Stop>, now: Timestamp) -> Self {
        Self {
            in_flight: lane.in_flight(),
            in_memory: lane.in_memory(),
            rate: lane.rate().to_string(),
            effective_rate: lane.effective_rate(now).to_string(),
            pair_limit: lane.pair().and_then(|pair| pair.rate()).map(|rate| rate.to_string()),
            paused: lane.is_paused(),
            waiting: WaitReport::of(lane.waiting(now), breaker, stop.as_ref()),
            stopped: stop.map(Into::into),
        }
    }
}

impl WaitReport {
    fn of(waiting: Waiting, breaker: Option<Timestamp>, stop: Option<&Stop>) -> Self {
        if let Some(stop) = stop.filter(|_| waiting != Waiting::Paused) {
            let sentence = format!(
                "Stopped since {}. {} One message is tried at {}; new credentials or settings, or resuming the lane, end it at once.",
                stop.since,
                stop.cause.reason.sentence(),
                stop.next_try
            );
            return Self { code: "stopped", sentence, until: Some(stop.next_try) };
        }
        let (code, sentence, until) = match (waiting, breaker) {
            (Waiting::Idle, _) => ("idle", "Nothing waits.".into(), None),
            (Waiting::Paused, _) => ("paused", "The lane is paused, or its channel is off.".into(), None),
            (_, Some(until)) => (
                "provider_unavailable",
                format!("The provider cannot be reached; the next try is at {until}."),
                Some(until),
            ),
            (Waiting::Sending, None) => ("sending", "It is sending.".into(), None),
            (Waiting::Rate(until), None) => ("rate", format!("The rate allows the next at {until}."), Some(until)),
            (Waiting::Throttled(until), None) => {
                ("throttled", format!("The provider asked to wait until {until}."), Some(until))
            }
            (Waiting::InFlight, None) => {
                ("in_flight", "As many messages as allowed are with the provider.".into(), None)
            }
            (Waiting::Customers(Some(hold)), None) if hold.reason == Some(Reason::PairLimit) => {
                return Self::held(hold);
            }
            (Waiting::Customers(hold), None) => (
                "customers",
                "What waits belongs to customers who are being written to or held back.".into(),
                hold.map(|hold| hold.until),
            ),
        };
        Self { code, sentence, until }
    }

    /// Why one customer's messages wait.
    pub fn held(hold: Hold) -> Self {
        let Hold { until, reason } = hold;
        let (code, sentence) = match reason {
            Some(Reason::PairLimit) => {
                ("pair_limit", format!("Pair limit until {until}. {}", Reason::PairLimit.sentence()))
            }
            Some(Reason::DailyLimit) => {
                ("daily_limit", format!("Daily limit until {until}. {}", Reason::DailyLimit.sentence()))
            }
            Some(Reason::AccountRestricted) => {
                let sentence = format!(
                    "Customers may not be written to first until {until}. {}",
                    Reason::AccountRestricted.sentence()
                );
                ("account_restricted", sentence)
            }
            Some(reason) => (
                "customer_held",
                format!("An earlier message to this customer waits until {until}. {}", reason.sentence()),
            ),
            None => ("customer_held", format!("An earlier message to this customer waits until {until}.")),
        };
        Self { code, sentence, until: Some(until) }
    }
}
