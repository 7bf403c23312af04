//! What is known about customers: their windows, whether they can be reached, and how much marketing they had.

use super::behaviour::Limits;
use herald_rules::time::Timestamp;
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Meta counts in moving days.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
/// Somebody who came by an advertisement may be answered so long.
pub(crate) const FREE_ENTRY: Duration = Duration::from_secs(72 * 3600);

/// Above this many customers with marketing the old ones are forgotten.
const MANY: usize = 100_000;

/// The window of one customer to one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) until: Timestamp,
    pub(crate) free_entry: bool,
}

#[derive(Debug, Default)]
struct Customer {
    /// By the number's id: most accounts have few.
    windows: Vec<(String, Window)>,
    unreachable: bool,
    stopped_marketing: bool,
}

/// The customers of an account that anything is known about.
#[derive(Debug, Default)]
pub(crate) struct Customers {
    known: HashMap<String, Customer>,
    marketing: HashMap<String, VecDeque<Timestamp>>,
    /// How many of them were left when the old ones were last forgotten.
    left: usize,
}

/// A message on its way to a customer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending<'a> {
    pub(crate) number: &'a str,
    pub(crate) to: &'a str,
    pub(crate) template: bool,
    pub(crate) marketing: bool,
    pub(crate) in_usa: bool,
    pub(crate) now: Timestamp,
}

impl Customers {
    /// A customer wrote.
    pub(crate) fn wrote(&mut self, number: &str, customer: &str, window: Window) {
        let customer = self.known.entry(customer.to_owned()).or_default();
        customer.windows.retain(|(of, _)| of != number);
        customer.windows.push((number.to_owned(), window));
    }

    /// Closes a customer's windows.
    pub(crate) fn close(&mut self, customer: &str) {
        self.known.entry(customer.to_owned()).or_default().windows.clear();
    }

    pub(crate) fn set_reachable(&mut self, customer: &str, reachable: bool) {
        self.known.entry(customer.to_owned()).or_default().unreachable = !reachable;
    }

    pub(crate) fn set_marketing(&mut self, customer: &str, wanted: bool) {
        self.known.entry(customer.to_owned()).or_default().stopped_marketing = !wanted;
    }

    /// The window that is open now.
    pub(crate) fn window(&self, number: &str, customer: &str, now: Timestamp) -> Option<Window> {
        let customer = self.known.get(customer)?;
        let found = customer.windows.iter().find(|(of, _)| of == number);
        found.map(|(_, window)| *window).filter(|window| window.until > now)
    }

    /// The code with which Meta will let a message fail, by the rules about single customers.
    pub(crate) fn fate(&mut self, sending: Sending<'_>, limits: &Limits) -> Option<u32> {
        let customer = self.known.get(sending.to);
        if customer.is_some_and(|customer| customer.unreachable) {
            return Some(131_026);
        }
        if sending.marketing && customer.is_some_and(|customer| customer.stopped_marketing) {
            return Some(131_050);
        }
        if sending.marketing && sending.in_usa && limits.no_marketing_to_the_usa {
            return Some(131_049);
        }
        let open = || self.window(sending.number, sending.to, sending.now).is_some();
        if !sending.template && limits.window && !open() {
            return Some(131_047);
        }
        let most = limits.marketing_a_day.filter(|_| sending.marketing)?;
        // Twice as many as last time, so that a great number in use is not looked through at every message.
        if self.marketing.len() > MANY.max(self.left * 2) {
            self.marketing.retain(|_, sent| sent.back().is_some_and(|at| sending.now.since(*at) < DAY));
            self.left = self.marketing.len();
        }
        let sent = self.marketing.entry(sending.to.to_owned()).or_default();
        while sent.front().is_some_and(|at| sending.now.since(*at) >= DAY) {
            sent.pop_front();
        }
        if sent.len() >= most as usize {
            return Some(131_049);
        }
        sent.push_back(sending.now);
        None
    }
}

/// The customers that a portfolio wrote to outside of their windows within a day.
#[derive(Debug, Default)]
pub(crate) struct Portfolio {
    reached: HashMap<String, Timestamp>,
}

impl Portfolio {
    /// Takes one of so many customers a day, unless this one counts already. False: there is none left.
    pub(crate) fn take(&mut self, customer: &str, most: u32, now: Timestamp) -> bool {
        let counts = |at: &Timestamp| now.since(*at) < DAY;
        if self.reached.get(customer).is_some_and(counts) {
            return true;
        }
        if self.reached.len() >= most as usize {
            self.reached.retain(|_, at| counts(at));
        }
        let room = self.reached.len() < most as usize;
        if room {
            self.reached.insert(customer.to_owned(), now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::{super::behaviour::GraphBehaviour, *};

    #[test]
    fn fates_by_the_rules_about_customers() {
        let limits = Limits { marketing_a_day: Some(1), ..GraphBehaviour::default().limits };
        let mut customers = Customers::default();
        let now = Timestamp(1_000_000_000_000);
        let text = Sending { number: "1", to: "49", template: false, marketing: false, in_usa: false, now };
        let offer = Sending { template: true, marketing: true, ..text };
        assert_eq!(customers.fate(text, &limits), Some(131_047));
        customers.wrote("1", "49", Window { until: now + DAY, free_entry: false });
        assert_eq!(customers.fate(text, &limits), None);
        assert_eq!(customers.fate(Sending { number: "2", ..text }, &limits), Some(131_047));
        assert_eq!(customers.fate(Sending { now: now + DAY, ..text }, &limits), Some(131_047));
        assert_eq!(customers.fate(Sending { in_usa: true, ..offer }, &limits), Some(131_049));
        assert_eq!(customers.fate(offer, &limits), None);
        assert_eq!(customers.fate(offer, &limits), Some(131_049));
        assert_eq!(customers.fate(Sending { now: now + DAY, ..offer }, &limits), None);
        customers.set_marketing("49", false);
        assert_eq!(customers.fate(offer, &limits), Some(131_050));
        customers.set_reachable("49", false);
        assert_eq!(customers.fate(text, &limits), Some(131_026));
    }

    #[test]
    fn a_portfolio_reaches_so_many_a_day() {
        let (mut portfolio, now) = (Portfolio::default(), Timestamp(0));
        assert!(portfolio.take("1", 2, now) && portfolio.take("2", 2, now) && portfolio.take("1", 2, now));
        assert!(!portfolio.take("3", 2, now + DAY / 2));
        assert!(portfolio.take("3", 2, now + DAY));
    }
}
