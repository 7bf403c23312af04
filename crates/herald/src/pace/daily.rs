//! The budget of customers a day, shared by all lanes of a portfolio: memory here, its rows with the outcomes.

use crate::store::{DailyBudgetRow, DailyCustomers, Store, StoreError};
use herald_rules::{
    pace::budget::{Budget, Grant},
    reason::{Cause, Reason},
    time::Timestamp,
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::OnceCell;

/// What a portfolio says of writing to a customer first.
#[derive(Clone, Debug, PartialEq)]
pub enum Daily {
    /// They may be written to.
    Granted,
    /// Not before this moment.
    Until(Timestamp, Cause),
}

/// The budget of one portfolio.
#[derive(Debug, Default)]
pub struct DailyBudget {
    portfolio: String,
    state: Mutex<State>,
    restored: OnceCell<()>,
}

#[derive(Debug, Default)]
struct State {
    budget: Budget,
    /// Counted and not handed to the store yet.
    unwritten: Vec<(u64, Timestamp)>,
}

impl DailyBudget {
    /// A budget without a limit: until the provider tells one, what it is cannot be known, and too low a guess would hold back what
    /// may go.
    fn new(portfolio: String) -> Self {
        Self { portfolio, ..Self::default() }
    }

    /// Whose budget it is.
    pub fn portfolio(&self) -> &str {
        &self.portfolio
    }

    /// Asks to write to a customer first: outside the window, by our own will.
    pub fn take(&self, customer: &str, now: Timestamp) -> Daily {
        let mut state = self.lock();
        let customer = number_of(customer);
        match state.budget.take(customer, now) {
            Grant::Granted { counted } => {
                if counted {
                    state.unwritten.push((customer, now));
                }
                Daily::Granted
            }
            Grant::Until(until) => {
                let detail = state.budget.limit().map(|limit| {
                    format!("{limit} customers have been written to within 24 hours; it goes at about {until}.")
                });
                Daily::Until(until, Cause { detail, ..Reason::DailyLimit.into() })
            }
        }
    }

    /// A customer who may have been written to just before a crash counts.
    pub fn count(&self, customer: &str, at: Timestamp) {
        let mut state = self.lock();
        if state.budget.limit().is_some() {
            let customer = number_of(customer);
            state.budget.count_earlier(customer, at);
            state.unwritten.push((customer, at));
        }
    }

    /// What has been counted and is to be written; None: nothing.
    pub fn unwritten(&self) -> Option<DailyCustomers> {
        let customers = std::mem::take(&mut self.lock().unwritten);
        (!customers.is_empty()).then(|| DailyCustomers { portfolio: self.portfolio.clone(), customers })
    }

    /// It could not be written: it is with the next.
    pub fn not_written(&self, counted: DailyCustomers) {
        self.lock().unwritten.extend(counted.customers);
    }

    /// Reads what was kept before the start, once; who asks meanwhile waits for it.
    pub async fn read(&self, store: &Store) -> Result<(), StoreError> {
        let read = || async {
            self.restore(store.daily_budget(self.portfolio.clone()).await?);
            Ok(())
        };
        self.restored.get_or_try_init(read).await.copied()
    }

    fn restore(&self, row: DailyBudgetRow) {
        let mut state = self.lock();
        state.budget = Budget::new(row.limit);
        let mut customers = row.customers;
        customers.sort_unstable_by_key(|(_, at)| *at);
        for (customer, at) in customers {
            state.budget.count_earlier(customer, at);
        }
    }

    /// The limit; None: as many as one likes, or the provider has told none.
    pub fn limit(&self) -> Option<u32> {
        self.lock().budget.limit()
    }

    /// Customers counted within 24 hours.
    pub fn counted(&self, now: Timestamp) -> usize {
        self.lock().budget.counted(now)
    }

    /// The provider has told a limit; whether it is another one.
    pub fn set_limit(&self, limit: Option<u32>) -> bool {
        let mut state = self.lock();
        let changed = state.budget.limit() != limit;
        state.budget.set_limit(limit);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain values: a panic elsewhere leaves them whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The budgets of all portfolios of this node.
#[derive(Debug, Default)]
pub struct DailyBudgets {
    by_portfolio: Mutex<HashMap<String, Arc<DailyBudget>>>,
}

impl DailyBudgets {
    /// The budget of a portfolio.
    pub fn of(&self, portfolio: &str) -> Arc<DailyBudget> {
        let mut budgets = self.by_portfolio.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(DailyBudget::new(portfolio.to_owned()));
        budgets.entry(portfolio.to_owned()).or_insert_with(new).clone()
    }

    /// What was counted here is no longer all: the next look reads it anew.
    pub fn forget(&self, portfolio: &str) {
        self.by_portfolio.lock().unwrap_or_else(PoisonError::into_inner).remove(portfolio);
    }
}

/// A customer as a number. That two of a hundred thousand share one happens in one of four billion days; then one place counts
/// for both.
fn number_of(customer: &str) -> u64 {
    let hash = Sha256::digest(customer.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

    fn until(daily: Daily) -> (Timestamp, Reason) {
        match daily {
            Daily::Until(at, cause) => (at, cause.reason),
            Daily::Granted => panic!("granted"),
        }
    }

    #[test]
    fn all_of_a_portfolio_share_it_and_a_restart_keeps_it() {
        let budgets = DailyBudgets::default();
        budgets.of("1").set_limit(Some(1));
        assert_eq!(budgets.of("1").take("a", T0), Daily::Granted);
        assert_eq!(until(budgets.of("1").take("b", T0)).1, Reason::DailyLimit);
        assert_eq!(budgets.of("2").take("b", T0), Daily::Granted);
        let written = budgets.of("1").unwritten().unwrap();
        assert_eq!(budgets.of("1").unwritten(), None);
        assert_eq!(budgets.of("2").unwritten(), None, "without a limit nothing is kept");

        let again = DailyBudgets::default().of("1");
        again.restore(DailyBudgetRow { limit: Some(1), customers: written.customers });
        assert_eq!(again.take("a", T0), Daily::Granted);
        assert!(until(again.take("b", T0)).0 >= T0 + DAY);
    }

    #[test]
    fn who_may_have_been_written_to_before_a_crash_counts() {
        let budget = DailyBudgets::default().of("1");
        budget.set_limit(Some(1));
        budget.count("a", T0);
        assert_eq!(until(budget.take("b", T0)).1, Reason::DailyLimit);
        assert_eq!(budget.unwritten().unwrap().customers.len(), 1);
    }
}
