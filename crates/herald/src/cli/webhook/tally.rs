//! Counts what came.

use super::receiver::Received;
use std::fmt;

/// How many events of which status.
#[derive(Debug, Default)]
pub(in super::super) struct Tally {
    /// All events of genuine deliveries.
    pub(in super::super) events: u64,
    /// Genuine deliveries.
    pub(in super::super) deliveries: u64,
    accepted: u64,
    delivered: u64,
    read: u64,
    failed: u64,
    refused: u64,
}

impl Tally {
    /// One more delivery.
    pub(in super::super) fn add(&mut self, received: &Received) {
        if !received.is_genuine() {
            self.refused += 1;
            return;
        }
        self.deliveries += 1;
        self.events += received.events.len() as u64;
        for event in &received.events {
            match event["changes"][0]["message"]["status"].as_str() {
                Some("Accepted") => self.accepted += 1,
                Some("Delivered") => self.delivered += 1,
                Some("Read") => self.read += 1,
                Some("Rejected" | "Failed") => self.failed += 1,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, delivered, read, failed, refused, .. } = self;
        write!(f, "accepted {accepted}, delivered {delivered}, read {read}, failed {failed}")?;
        if *refused > 0 { write!(f, ", with a wrong signature {refused}") } else { Ok(()) }
    }
}
