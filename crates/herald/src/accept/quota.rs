//! How many messages a department may hand in: a rate limit that counts messages, not requests.

use crate::{
    api::{
        codes::Code,
        problem::{Problem, whole_seconds},
    },
    config,
    node::directory::{DepartmentSettings, Snapshot},
    store::DepartmentRow,
};
use arc_swap::ArcSwap;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, StateInformationMiddleware>;

/// The limits of all departments.
#[derive(Default)]
pub struct Quotas {
    departments: ArcSwap<HashMap<DepartmentRow, Arc<DepartmentQuota>>>,
    /// Nodes that share the limits, less one.
    others: AtomicU32,
}

struct DepartmentQuota {
    /// The whole limit, as the department knows it.
    whole: (NonZeroU32, NonZeroU32),
    /// This node's share of it.
    per_minute: NonZeroU32,
    burst: NonZeroU32,
    limiter: Limiter,
}

/// What is left of a department's limit, for the answer's headers: so many messages at once, of so many, and all of them
/// again after so long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    limit: u32,
    remaining: u32,
    reset: u32,
}

impl Quotas {
    /// Brings the limits in line with the departments; one whose limit did not change keeps its state.
    pub fn update(&self, snapshot: &Snapshot, limits: &config::Limits) {
        let old = self.departments.load();
        let nodes = self.nodes();
        let departments = snapshot.departments().map(|department| {
            let whole = limits_of(&department.settings, limits);
            let kept = old.get(&department.row).filter(|quota| quota.whole == whole && quota.is_share(nodes));
            (department.row, kept.cloned().unwrap_or_else(|| Arc::new(DepartmentQuota::new(whole, nodes))))
        });
        self.departments.store(Arc::new(departments.collect()));
    }

    /// So many nodes take requests: each grants its share of every limit. While nodes come and go a department may hand in more
    /// than its limit, by one share at most.
    pub fn shared_by(&self, nodes: usize) {
        let others = u32::try_from(nodes.saturating_sub(1)).unwrap_or(u32::MAX);
        if self.others.swap(others, Ordering::Relaxed) == others {
            return;
        }
        let shared = |(row, quota): (&DepartmentRow, &Arc<DepartmentQuota>)| {
            (*row, Arc::new(DepartmentQuota::new(quota.whole, self.nodes())))
        };
        self.departments.rcu(|departments| departments.iter().map(shared).collect::<HashMap<_, _>>());
    }

    fn nodes(&self) -> u32 {
        self.others.load(Ordering::Relaxed).saturating_add(1)
    }

    /// Takes one message off the department's limit.
    ///
    /// # Errors
    /// 429 when nothing is left, with the time to wait.
    pub fn take(&self, department: DepartmentRow) -> Result<Allowance, Problem> {
        match self.departments.load().get(&department) {
            Some(quota) => quota.take(),
            // A department made a moment ago, before the limits were brought in line: nothing has been counted yet.
            None => Ok(Allowance::default()),
        }
    }

    /// The limit of a department without taking anything off it: for an answer that costs nothing.
    pub fn allowance(&self, department: DepartmentRow) -> Allowance {
        let limit = self.departments.load().get(&department).map_or(0, |quota| quota.burst.get());
        Allowance { limit, remaining: 0, reset: 0 }
    }
}

fn limits_of(own: &DepartmentSettings, limits: &config::Limits) -> (NonZeroU32, NonZeroU32) {
    (
        own.messages_per_minute.and_then(NonZeroU32::new).unwrap_or(limits.messages_per_minute),
        own.burst.and_then(NonZeroU32::new).unwrap_or(limits.burst),
    )
}

/// What one of so many nodes grants of a limit: at least 1.
fn share(limit: NonZeroU32, nodes: u32) -> NonZeroU32 {
    NonZeroU32::new(limit.get().div_ceil(nodes.max(1))).unwrap_or(limit)
}

impl DepartmentQuota {
    fn new(whole: (NonZeroU32, NonZeroU32), nodes: u32) -> Self {
        let (per_minute, burst) = (share(whole.0, nodes), share(whole.1, nodes));
        let quota = Quota::per_minute(per_minute).allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(quota, MonotonicClock);
        Self { whole, per_minute, burst, limiter: limiter.with_middleware() }
    }

    fn is_share(&self, nodes: u32) -> bool {
        (self.per_minute, self.burst) == (share(self.whole.0, nodes), share(self.whole.1, nodes))
    }

    fn take(&self) -> Result<Allowance, Problem> {
        match self.limiter.check() {
            Ok(state) => Ok(self.allowance(state.remaining_burst_capacity())),
            Err(until) => {
                let wait = until.wait_time_from(MonotonicClock.now());
                let seconds = whole_seconds(wait);
                let problem = Problem::new(
                    Code::RateLimited,
                    format!(
                        "This department may hand in {} messages a minute, {} at once. Go on in {seconds} s; the header \
                         Retry-After says so too.",
                        self.per_minute, self.burst
                    ),
                );
                Err(self.allowance(0).on(problem.retry_after(wait)))
            }
        }
    }

    fn allowance(&self, remaining: u32) -> Allowance {
        let missing = u64::from(self.burst.get().saturating_sub(remaining));
        let reset = (missing * 60).div_ceil(u64::from(self.per_minute.get()));
        Allowance { limit: self.burst.get(), remaining, reset: u32::try_from(reset).unwrap_or(u32::MAX) }
    }
}

impl Allowance {
    fn headers(self) -> [(HeaderName, HeaderValue); 3] {
        [
            (LIMIT, HeaderValue::from(self.limit)),
            (REMAINING, HeaderValue::from(self.remaining)),
            (RESET, HeaderValue::from(self.reset)),
        ]
    }

    /// Writes it into an answer.
    pub fn write(self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            headers.insert(name, value);
        }
    }

    fn on(self, problem: Problem) -> Problem {
        self.headers().into_iter().fold(problem, |problem, (name, value)| problem.with_header(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_down_then_refuses_with_a_wait() {
        let quota = DepartmentQuota::new((NonZeroU32::new(60).unwrap(), NonZeroU32::new(3).unwrap()), 1);
        assert_eq!(quota.take().unwrap(), Allowance { limit: 3, remaining: 2, reset: 1 });
        assert_eq!(quota.take().unwrap().reset, 2);
        assert_eq!(quota.take().unwrap().remaining, 0);
        let problem = quota.take().unwrap_err();
        assert_eq!(problem.code(), Code::RateLimited);
        assert!(problem.detail().contains("60 messages a minute, 3 at once. Go on in 1 s"), "{}", problem.detail());
    }

    #[test]
    fn each_of_several_nodes_grants_its_share() {
        let whole = (NonZeroU32::new(60).unwrap(), NonZeroU32::new(10).unwrap());
        let granted = |nodes| {
            let quota = DepartmentQuota::new(whole, nodes);
            assert!(quota.is_share(nodes));
            (0..20).filter(|_| quota.take().is_ok()).count()
        };
        assert_eq!([granted(1), granted(3), granted(100)], [10, 4, 1]);
    }

    #[test]
    fn the_largest_limit_works() {
        let quota = DepartmentQuota::new((NonZeroU32::MAX, NonZeroU32::MAX), 1);
        assert!((0..1_000).all(|_| quota.take().is_ok()));
    }
}
