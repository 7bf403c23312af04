//! How many customers may be written to first within any 24 hours.
//!
//! Meta counts distinct customers of a whole business portfolio in a moving window. Who has been counted may be written to again
//! without being counted anew; a place comes free 24 hours after it was taken.

use crate::time::Timestamp;
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// The window in which customers are counted: 24 hours, and a minute more, since Meta counts a customer when it has the message and
/// we do before the call.
pub const WINDOW: Duration = Duration::from_secs(24 * 3600 + 60);

/// What the budget says of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// They may be written to. `counted`: they take a place since now, which is to be kept.
    Granted {
        /// Whether this is a new place.
        counted: bool,
    },
    /// Not before this moment.
    Until(Timestamp),
}

/// The customers of the last 24 hours, where there is a limit of them. Customers are numbers: the first 8 bytes of a hash of the
/// identifier, so that the largest limit (100,000) takes some 4 MB.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    limit: Option<u32>,
    counted: HashMap<u64, Timestamp>,
    /// The same by time; each customer is in it once.
    order: VecDeque<(Timestamp, u64)>,
    /// Denials since `round`: each is told the next expiry in turn, so that of a million who wait each place that comes free
    /// wakes one, and not all of them.
    denied: usize,
    /// The newest place when the denials began to be counted.
    round: Timestamp,
}

impl Budget {
    /// A budget of so many customers; None: as many as one likes, and then nothing is kept.
    pub fn new(limit: Option<u32>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The limit.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Customers counted in the 24 hours before a moment.
    pub fn counted(&mut self, now: Timestamp) -> usize {
        self.forget(now);
        self.counted.len()
    }

    /// Changes the limit from now on. What was counted stays counted.
    pub fn set_limit(&mut self, limit: Option<u32>) {
        if self.limit == limit {
            return;
        }
        if limit.is_none() {
            *self = Self::new(None);
            return;
        }
        self.limit = limit;
        self.denied = 0;
    }

    /// A customer who was counted before, at a start. Of two moments the later one holds.
    pub fn count_earlier(&mut self, customer: u64, at: Timestamp) {
        let known = self.counted.get(&customer).copied();
        if self.limit.is_none() || known.is_some_and(|known| known >= at) {
            return;
        }
        if known.is_some() {
            self.order.retain(|(_, counted)| *counted != customer);
        }
        self.count(customer, at);
    }

    fn count(&mut self, customer: u64, at: Timestamp) {
        self.counted.insert(customer, at);
        // At the end but for a clock that was set back: the order holds all the same.
        let place = self.order.partition_point(|(earlier, _)| *earlier <= at);
        self.order.insert(place, (at, customer));
    }

    /// Asks to write to a customer.
    pub fn take(&mut self, customer: u64, now: Timestamp) -> Grant {
        let Some(limit) = self.limit else { return Grant::Granted { counted: false } };
        self.forget(now);
        if self.counted.contains_key(&customer) {
            return Grant::Granted { counted: false };
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if self.counted.len() < limit {
            self.count(customer, now);
            return Grant::Granted { counted: true };
        }
        Grant::Until(self.next_free(limit, now))
    }

    /// When the place that this denial is told of comes free.
    fn next_free(&mut self, limit: usize, now: Timestamp) -> Timestamp {
        let newest = self.order.back().map_or(now, |(at, _)| *at);
        if self.round != newest {
            // Places were given since: those who were told before have come, or have been told anew.
            (self.round, self.denied) = (newest, 0);
        }
        // With a limit that was lowered, so many have to go first.
        let surplus = self.order.len().saturating_sub(limit);
        let turn = self.denied;
        self.denied += 1;
        // Who is told a place beyond the last of this day waits for a later day's: the places come free again in the same order.
        let per_day = self.order.len().saturating_sub(surplus).max(1);
        let days = u32::try_from(turn / per_day).unwrap_or(u32::MAX);
        let place = self.order.get(surplus + turn % per_day).or(self.order.back());
        place.map_or(now + WINDOW, |(at, _)| *at + WINDOW.saturating_mul(days.saturating_add(1)))
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, customer)) = self.order.front().copied()
            && at + WINDOW <= now
        {
            self.order.pop_front();
            self.counted.remove(&customer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BinaryHeap, HashSet};

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);
    const NEW: Grant = Grant::Granted { counted: true };
    const KNOWN: Grant = Grant::Granted { counted: false };

    fn after(seconds: u64) -> Timestamp {
        T0 + Duration::from_secs(seconds)
    }

    #[test]
    fn counts_customers_and_not_messages() {
        let mut budget = Budget::new(Some(2));
        assert_eq!(budget.take(1, T0), NEW);
        assert_eq!(budget.take(1, T0), KNOWN);
        assert_eq!(budget.take(2, after(10)), NEW);
        assert_eq!(budget.take(3, after(20)), Grant::Until(T0 + WINDOW));
        assert_eq!(budget.take(4, after(20)), Grant::Until(after(10) + WINDOW));
        assert_eq!(budget.take(5, after(20)), Grant::Until(T0 + WINDOW * 2), "the same place a day later");
        assert_eq!(budget.take(2, after(30)), KNOWN);
        assert_eq!(budget.take(3, T0 + WINDOW), NEW);
        assert_eq!(budget.take(1, T0 + WINDOW), Grant::Until(after(10) + WINDOW), "who was counted is new a day later");
    }

    #[test]
    fn without_a_limit_nothing_is_kept() {
        let mut budget = Budget::new(None);
        for customer in 0..1_000 {
            assert_eq!(budget.take(customer, T0), KNOWN);
        }
        assert_eq!(budget.counted(T0), 0);
    }

    #[test]
    fn a_limit_that_moves_keeps_what_was_counted() {
        let mut budget = Budget::new(Some(3));
        for customer in 0..3 {
            budget.take(customer, after(customer));
        }
        budget.set_limit(Some(1));
        assert_eq!(budget.take(9, after(5)), Grant::Until(after(2) + WINDOW), "three have to go before one may come");
        budget.set_limit(Some(4));
        assert_eq!(budget.take(9, after(5)), NEW);
        budget.set_limit(Some(0));
        assert!(matches!(Budget::new(Some(0)).take(1, T0), Grant::Until(_)));
    }

    /// A thousand who wait for ten places a day are not put back again and again.
    #[test]
    fn each_place_that_comes_free_wakes_about_one() {
        let mut budget = Budget::new(Some(10));
        let mut waiting: BinaryHeap<_> = (0..1_000u64).map(|n| std::cmp::Reverse((after(n / 100), n))).collect();
        let (mut asks, mut granted) = (0, 0);
        while let Some(std::cmp::Reverse((now, customer))) = waiting.pop() {
            asks += 1;
            match budget.take(customer, now) {
                Grant::Granted { .. } => granted += 1,
                Grant::Until(at) => {
                    assert!(at > now);
                    waiting.push(std::cmp::Reverse((at, customer)));
                }
            }
        }
        assert_eq!(granted, 1_000);
        assert!(asks <= 2 * 1_000, "{asks}");
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_in_any_window(
            limit in 1u32..6,
            asks in proptest::collection::vec((0u64..12, 0u64..40_000), 1..300),
        ) {
            let mut budget = Budget::new(Some(limit));
            let (mut now, mut sent) = (T0, Vec::new());
            for (customer, pause) in asks {
                now = now + Duration::from_secs(pause);
                match budget.take(customer, now) {
                    Grant::Granted { counted } => sent.push((now, customer, counted)),
                    Grant::Until(at) => prop_assert!(at > now),
                }
                prop_assert!(budget.counted.len() <= limit as usize && budget.order.len() == budget.counted.len());
            }
            // Meta's count: whoever was written to first, and not again within the window of that.
            for (index, (from, ..)) in sent.iter().enumerate() {
                let opened = sent[index..]
                    .iter()
                    .filter(|(at, _, counted)| *counted && at.since(*from) < WINDOW)
                    .map(|(_, customer, _)| *customer)
                    .collect::<HashSet<_>>();
                prop_assert!(opened.len() <= limit as usize);
            }
        }

        #[test]
        fn what_was_counted_before_a_start_counts_after_it(
            asks in proptest::collection::vec((0u64..12, 0u64..20_000), 1..100), limit in 1u32..6, cut in 0usize..100,
        ) {
            let mut one = Budget::new(Some(limit));
            let mut kept = Vec::new();
            let mut now = T0;
            let mut other = None;
            for (index, (customer, pause)) in asks.into_iter().enumerate() {
                now = now + Duration::from_secs(pause);
                if index == cut {
                    let mut again = Budget::new(Some(limit));
                    kept.iter().for_each(|(customer, at)| again.count_earlier(*customer, *at));
                    other = Some(again);
                }
                let said = one.take(customer, now);
                if said == NEW {
                    kept.push((customer, now));
                }
                if let Some(other) = &mut other {
                    let again = other.take(customer, now);
                    prop_assert_eq!(matches!(said, Grant::Until(_)), matches!(again, Grant::Until(_)));
                }
            }
        }
    }
}
