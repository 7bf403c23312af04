//! Crash points: places where a test ends the process as a power cut would, to see that nothing is lost.
//!
//! There is one before and one after everything that leaves this process: each commit of the store, and each call of a
//! provider or of a webhook. Only builds with debug assertions have them. `HERALD_CRASH_AT=claim.after:3` ends the
//! process when `claim.after` is reached for the third time.

use std::future::Future;

/// The steps that have a point before and a point after them, by the way of a message. After a commit means: it is
/// durable, and nobody has acted on it yet.
pub const STEPS: [&str; 17] = [
    // A message is taken from a client.
    "accept",
    // A group of operations, whatever is in it, is committed.
    "commit",
    // A message is cancelled.
    "cancel",
    // What was scheduled or put away comes to the queue.
    "due",
    // A batch is claimed.
    "claim",
    // The provider is called.
    "call",
    // What became of calls is written.
    "record",
    // What claims a crash left are put aside, to be found out.
    "recover",
    // The provider is asked what became of a message.
    "look_up",
    // An unknown outcome is settled.
    "resolve",
    // The provider reports: its callback is kept.
    "receipt",
    // What callbacks tell is applied, and they leave the inbox.
    "drain",
    // Events are frozen as deliveries.
    "freeze",
    // A delivery is posted.
    "delivery",
    // What became of deliveries is written.
    "delivered",
    // Events are handed to a poller.
    "poll",
    // Polled events are deleted.
    "poll_delete",
];

/// Takes a step between its two points.
pub async fn around<T>(step: &str, what: impl Future<Output = T>) -> T {
    before(step);
    let result = what.await;
    after(step);
    result
}

/// The point before a step that is no future.
#[inline]
pub fn before(step: &str) {
    reached(step, "before");
}

/// The point after a step that is no future.
#[inline]
pub fn after(step: &str) {
    reached(step, "after");
}

/// Ends the process here if the test asked for it.
#[cfg(debug_assertions)]
fn reached(step: &str, side: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };
    struct Wish {
        step: String,
        side: String,
        left: AtomicU32,
    }
    static WISH: LazyLock<Option<Wish>> = LazyLock::new(|| {
        let wish = std::env::var("HERALD_CRASH_AT").ok()?;
        let (point, nth) = wish.split_once(':').unwrap_or((&wish, "1"));
        let (step, side) = point.split_once('.')?;
        Some(Wish { step: step.into(), side: side.into(), left: AtomicU32::new(nth.parse().unwrap_or(1)) })
    });
    debug_assert!(STEPS.contains(&step), "{step} is not in the list");
    if let Some(wish) = &*WISH
        && wish.step == step
        && wish.side == side
        && wish.left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        // Not exit: no destructor runs, nothing is flushed.
        std::process::abort();
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline(always)]
fn reached(_step: &str, _side: &str) {}
