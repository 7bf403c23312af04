//! Calls that wait for one another's statement: whoever comes while two batches are under way goes with the next.

use crate::store::StoreError;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, oneshot};

/// Calls that may wait. Past it the store sheds load: 503 is better than an answer after the caller has gone.
const WAITING: usize = 16_384;
/// Batches under way. While one waits for the server's disk the next is on its way; a third would only wait for the same
/// rows' locks.
const UNDER_WAY: usize = 2;

/// One call, what it weighs, and where its answer goes.
pub(super) struct Call<T, A> {
    pub(super) asked: T,
    weight: usize,
    pub(super) answer: oneshot::Sender<Result<A, StoreError>>,
}

/// Gathers calls and has them done by batches.
pub(super) struct Gather<T, A> {
    state: Mutex<State<T, A>>,
    idle: Notify,
    /// A batch is full with this weight.
    full: usize,
}

struct State<T, A> {
    waiting: VecDeque<Call<T, A>>,
    under_way: usize,
    closed: bool,
}

impl<T: Send + 'static, A: Send + 'static> Gather<T, A> {
    pub(super) fn new(full: usize) -> Self {
        let state = State { waiting: VecDeque::new(), under_way: 0, closed: false };
        Self { state: Mutex::new(state), idle: Notify::new(), full }
    }

    fn state(&self) -> MutexGuard<'_, State<T, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a call done with the next batch. It is done even if the caller goes away meanwhile.
    pub(super) async fn call<F, B>(self: &Arc<Self>, asked: T, weight: usize, batch: F) -> Result<A, StoreError>
    where
        F: Fn(Vec<Call<T, A>>) -> B + Send + Sync + 'static,
        B: Future<Output = ()> + Send,
    {
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.state();
            if state.closed {
                return Err(StoreError::Unavailable("the store is closed".into()));
            }
            if state.waiting.len() >= WAITING {
                return Err(StoreError::Unavailable("too many operations wait for the database".into()));
            }
            state.waiting.push_back(Call { asked, weight, answer });
            if state.under_way < UNDER_WAY {
                state.under_way += 1;
                let mut worker = Worker { gather: self.clone(), counted: true };
                tokio::spawn(async move {
                    while let Some(calls) = worker.next() {
                        batch(calls).await;
                    }
                });
            }
        }
        // Nobody answers where a batch broke on a fault of ours: it may have been written.
        answered.await.unwrap_or_else(|_| Err(StoreError::Uncertain("the batch was given up".into())))
    }

    /// Takes no more calls, and waits until those that wait are done.
    pub(super) async fn close(&self) {
        self.state().closed = true;
        loop {
            let idle = self.idle.notified();
            if self.state().under_way == 0 {
                return;
            }
            idle.await;
        }
    }
}

/// One of the tasks that do batches; counted for as long as it lives, however it ends.
struct Worker<T: Send + 'static, A: Send + 'static> {
    gather: Arc<Gather<T, A>>,
    counted: bool,
}

impl<T: Send + 'static, A: Send + 'static> Worker<T, A> {
    /// The next batch; None: nothing waits, and this worker counts no longer, so that the next call starts another.
    fn next(&mut self) -> Option<Vec<Call<T, A>>> {
        let mut state = self.gather.state();
        let (mut calls, mut weight) = (Vec::new(), 0);
        while let Some(call) = state.waiting.front() {
            weight += call.weight;
            if weight > self.gather.full && !calls.is_empty() {
                break;
            }
            calls.extend(state.waiting.pop_front());
        }
        if calls.is_empty() {
            state.under_way -= 1;
            self.counted = false;
            self.gather.idle.notify_one();
            return None;
        }
        Some(calls)
    }
}

impl<T: Send + 'static, A: Send + 'static> Drop for Worker<T, A> {
    fn drop(&mut self) {
        if self.counted {
            self.gather.state().under_way -= 1;
            self.gather.idle.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn who_comes_meanwhile_goes_together_and_closing_waits_for_all() {
        let gather = Arc::new(Gather::new(100));
        let (go, gate) = tokio::sync::watch::channel(false);
        let batch = move |calls: Vec<Call<u32, usize>>| {
            let mut gate = gate.clone();
            async move {
                drop(gate.wait_for(|open| *open).await);
                let together = calls.len();
                for call in calls {
                    drop(call.answer.send(Ok(together)));
                }
            }
        };
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..20 {
            let (gather, batch) = (gather.clone(), batch.clone());
            callers.spawn(async move { gather.call(number, 10, batch).await });
            tokio::task::yield_now().await;
        }
        while gather.state().waiting.len() < 18 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gather.state().under_way, UNDER_WAY);
        let closing = tokio::spawn({
            let gather = gather.clone();
            async move { gather.close().await }
        });
        go.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(10), closing).await.unwrap().unwrap();
        let mut together: Vec<usize> = callers.join_all().await.into_iter().map(Result::unwrap).collect();
        together.sort_unstable();
        assert_eq!(together.iter().filter(|size| **size == 1).count(), 2);
        assert!(together.iter().all(|size| *size <= 10), "no batch is heavier than it may be: {together:?}");
        assert!(gather.call(0, 1, batch).await.is_err(), "closed");
    }
}
