//! What the receiver keeps: a few bytes a message.

use crate::load::histogram::{Histogram, Quantiles};
use herald_rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};
use uuid::Uuid;

/// The statuses of events, in the order in which a message has them.
const STATUSES: [&str; 5] = ["Accepted", "Delivered", "Read", "Rejected", "Failed"];

/// An event, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    date_time: Timestamp,
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    date_time: Timestamp,
    provider_message_id: Uuid,
    status: &'a str,
}

/// What was received.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    posts: u64,
    events: u64,
    repeated: u64,
    backwards: u64,
    /// A bit for each status seen.
    messages: HashMap<Uuid, u8, BuildHasherDefault<Tail>>,
    distinct: [u64; STATUSES.len()],
    last: [Option<Timestamp>; STATUSES.len()],
    lag: Histogram,
    since_accept: Histogram,
}

/// What was received, in figures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) posts: u64,
    pub(crate) events: u64,
    /// Events whose message had this status already.
    pub(crate) repeated: u64,
    /// Events whose message had a later status already.
    pub(crate) backwards: u64,
    /// Messages of which anything was heard.
    pub(crate) messages: u64,
    /// Distinct messages by status.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// When the newest distinct message came to a status.
    pub(crate) last: BTreeMap<String, Timestamp>,
    /// From an event's time to its arrival here, in milliseconds.
    pub(crate) lag: Quantiles,
    /// From a message's acceptance to the arrival of each of its events, in milliseconds.
    pub(crate) since_accept: Quantiles,
}

impl Tally {
    /// Counts one body: an array of events.
    pub(crate) fn take(&mut self, body: &[u8], now: Timestamp) -> serde_json::Result<()> {
        let events: Vec<Event<'_>> = serde_json::from_slice(body)?;
        self.posts += 1;
        for event in events {
            self.events += 1;
            self.lag.record(now.since(event.date_time));
            for Change { message } in event.changes {
                self.since_accept.record(now.since(message.date_time));
                self.count(message.provider_message_id, message.status, now);
            }
        }
        Ok(())
    }

    fn count(&mut self, id: Uuid, status: &str, now: Timestamp) {
        let Some(place) = STATUSES.iter().position(|known| *known == status) else { return };
        let seen = self.messages.entry(id).or_default();
        let bit = 1 << place;
        if *seen & bit != 0 {
            self.repeated += 1;
            return;
        }
        self.backwards += u64::from(*seen > bit);
        *seen |= bit;
        self.distinct[place] += 1;
        self.last[place] = Some(now);
    }

    pub(crate) fn summary(&self) -> Summary {
        let named = || STATUSES.iter().map(|status| (*status).to_owned());
        Summary {
            posts: self.posts,
            events: self.events,
            repeated: self.repeated,
            backwards: self.backwards,
            messages: self.messages.len() as u64,
            statuses: named().zip(self.distinct).filter(|(_, count)| *count > 0).collect(),
            last: named().zip(self.last).filter_map(|(status, last)| Some((status, last?))).collect(),
            lag: self.lag.quantiles(),
            since_accept: self.since_accept.quantiles(),
        }
    }
}

/// The last eight bytes of a UUIDv7 are random: a hash as they stand.
#[derive(Debug, Default)]
struct Tail(u64);

impl Hasher for Tail {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(tail) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*tail);
        }
    }

    /// Of the length that precedes the bytes of an array.
    fn write_usize(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn event(id: u128, status: &str, at: Timestamp) -> serde_json::Value {
        json!({"key": "d8b6b24f-9178-4c41-a77b-df7a65a1d1b5", "dateTime": at, "changes": [{"_event": "NON_TICKET_MESSAGE_STATUS",
            "message": {"text": "with \"quotes\"", "dateTime": at - Duration::from_secs(1), "status": status,
                        "providerMessageId": Uuid::from_u128(id), "reason": {"code": "x"}}}]})
    }

    #[test]
    fn counts_messages_once_a_status() {
        let at = Timestamp(1_795_348_800_000_000);
        let mut tally = Tally::default();
        let body = json!([event(1, "Accepted", at), event(2, "Accepted", at), event(1, "Delivered", at)]).to_string();
        tally.take(body.as_bytes(), at + Duration::from_millis(5)).unwrap();
        let body = json!([event(2, "Read", at), event(2, "Delivered", at), event(1, "Accepted", at)]).to_string();
        tally.take(body.as_bytes(), at + Duration::from_millis(15)).unwrap();
        let summary = tally.summary();
        assert_eq!((summary.posts, summary.events, summary.messages), (2, 6, 2));
        assert_eq!((summary.repeated, summary.backwards), (1, 1));
        let counts: Vec<_> = summary.statuses.iter().map(|(status, count)| (status.as_str(), *count)).collect();
        assert_eq!(counts, [("Accepted", 2), ("Delivered", 2), ("Read", 1)]);
        assert_eq!(summary.last["Accepted"], at + Duration::from_millis(5));
        assert_eq!(summary.last["Delivered"], at + Duration::from_millis(15));
        assert_eq!((summary.lag.p50, summary.lag.max, summary.since_accept.max), (5.1, 15.1, 1015.1));
        assert!(tally.take(b"{}", at).is_err());
    }
}
