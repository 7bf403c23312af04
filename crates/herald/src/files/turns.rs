//! How many links are looked at at once: in all, and of one server, so that a slow one holds up only its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

#[derive(Debug)]
pub(super) struct Turns {
    all: Semaphore,
    per_host: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Leave to look at one link, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    // In this order: the place is left last.
    _in_all: SemaphorePermit<'a>,
    _at_host: OwnedSemaphorePermit,
    _place: Place<'a>,
}

/// Somebody who waits at a host or looks at it. Whoever leaves last takes the host out of the list.
#[derive(Debug)]
struct Place<'a> {
    turns: &'a Turns,
    host: String,
}

impl Turns {
    pub(super) fn new(at_once: usize, per_host: usize) -> Self {
        Self { all: Semaphore::new(at_once), per_host, hosts: Mutex::default() }
    }

    /// Waits for leave. None if there will be none: nobody closes the semaphores.
    pub(super) async fn take(&self, host: &str) -> Option<Turn<'_>> {
        let place = Place { turns: self, host: host.to_owned() };
        let semaphore = {
            let mut hosts = self.lock();
            hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.per_host))).clone()
        };
        // The host first: those who wait for a slow one must not hold what others could use.
        let at_host = semaphore.acquire_owned().await.ok()?;
        let in_all = self.all.acquire().await.ok()?;
        Some(Turn { _in_all: in_all, _at_host: at_host, _place: place })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut hosts = self.turns.lock();
        // Permits and waiters each hold the semaphore.
        if hosts.get(&self.host).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            hosts.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_full_host_holds_up_only_its_own() {
        let turns = Turns::new(3, 2);
        let (first, second) = (turns.take("a").await, turns.take("a").await);
        let mut third = Box::pin(turns.take("a"));
        assert!(third.as_mut().now_or_never().is_none());
        let other = turns.take("b").await;
        assert!(other.is_some());
        drop(first);
        let third = third.await;
        // Three at once in all.
        let mut fourth = Box::pin(turns.take("c"));
        assert!(fourth.as_mut().now_or_never().is_none());
        drop(second);
        let fourth = fourth.await;
        assert_eq!(turns.lock().len(), 3);
        drop((third, other, fourth));
        assert_eq!(turns.lock().len(), 0, "nothing is kept of hosts that nobody looks at");
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_behind() {
        let turns = Turns::new(9, 1);
        let first = turns.take("a").await;
        let mut second = Box::pin(turns.take("a"));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        drop(second);
        assert_eq!(turns.lock().len(), 0);
    }
}
