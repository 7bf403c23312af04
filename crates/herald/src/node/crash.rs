//! Named crash points: places where a test ends the process as a power cut would, to see that nothing is lost.
//!
//! Only in builds with debug assertions: a release build has none. `HERALD_CRASH_AT=claim.after:3` ends the process
//! when `claim.after` is reached for the third time.

/// Ends the process here if the test asked for it.
#[cfg(debug_assertions)]
pub fn point(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };
    static WISH: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let wish = std::env::var("HERALD_CRASH_AT").ok()?;
        let (name, nth) = wish.split_once(':').unwrap_or((&wish, "1"));
        Some((name.to_owned(), AtomicU32::new(nth.parse().unwrap_or(1))))
    });
    if let Some((wanted, left)) = &*WISH
        && wanted == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        // Not exit: no destructor runs, nothing is flushed.
        std::process::abort();
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: &str) {}
