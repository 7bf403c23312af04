//! The pair limit: what each customer has taken of it.

use crate::{
    message::Priority,
    pace::{gcra::Gcra, pair::PairLimit, rate::Rate},
    time::Timestamp,
};
use std::collections::HashMap;

/// Fewer buckets than this are not worth a sweep.
const SMALL: usize = 1_024;

/// A bucket for each customer who was written to lately. A full bucket says nothing and is dropped, so that there are at most
/// twice as many as messages in the last `every * burst`, whatever the number of customers.
#[derive(Debug)]
pub(super) struct Pairs {
    limit: Option<PairLimit>,
    rate: Option<Rate>,
    buckets: HashMap<String, Gcra>,
    sweep_at: usize,
}

impl Pairs {
    pub(super) fn new(limit: Option<PairLimit>) -> Self {
        let mut pairs = Self { limit: None, rate: None, buckets: HashMap::new(), sweep_at: SMALL };
        pairs.set(limit);
        pairs
    }

    /// Changes the limit from now on.
    pub(super) fn set(&mut self, limit: Option<PairLimit>) {
        self.limit = limit;
        self.rate = limit.and_then(|limit| limit.rate());
        if self.rate.is_none() {
            self.buckets = HashMap::new();
        }
    }

    pub(super) fn limit(&self) -> Option<PairLimit> {
        self.limit
    }

    /// When the next message of a class may go to a customer; `now` if it may now. Bulk leaves one for transactional.
    pub(super) fn ready_at(&self, customer: &str, priority: Priority, now: Timestamp) -> Timestamp {
        self.several_at(customer, priority, now, 1)
    }

    /// When so many may go at once, or as many as ever may.
    pub(super) fn several_at(&self, customer: &str, priority: Priority, now: Timestamp, count: u32) -> Timestamp {
        let Some((rate, bucket)) = self.rate.as_ref().zip(self.buckets.get(customer)) else { return now };
        let left = match priority {
            Priority::Transactional => 0,
            Priority::Bulk => 1,
        };
        bucket.ready_at(rate, now, count.saturating_add(left).min(rate.burst()))
    }

    /// A message goes to a customer.
    pub(super) fn take(&mut self, customer: &str, now: Timestamp) {
        let Some(rate) = &self.rate else { return };
        if let Some(bucket) = self.buckets.get_mut(customer) {
            bucket.take(rate, now, 1);
            return;
        }
        if self.buckets.len() >= self.sweep_at {
            self.buckets.retain(|_, bucket| bucket.full_at() > now);
            self.sweep_at = (2 * self.buckets.len()).max(SMALL);
        }
        let mut bucket = Gcra::default();
        bucket.take(rate, now, 1);
        self.buckets.insert(customer.to_owned(), bucket);
    }

    /// It was not sent after all.
    pub(super) fn give_back(&mut self, customer: &str, taken_at: Timestamp) {
        if let Some((rate, bucket)) = self.rate.as_ref().zip(self.buckets.get_mut(customer)) {
            bucket.give_back(rate, 1, taken_at);
        }
    }

    /// The provider says that it is used up, whatever we have counted.
    pub(super) fn empty(&mut self, customer: &str, now: Timestamp) {
        if let Some(rate) = &self.rate {
            self.buckets.entry(customer.to_owned()).or_default().empty(rate, now);
        }
    }

    /// Customers with a bucket.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }
}
