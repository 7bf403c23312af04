//! What comes in: providers' callbacks are kept as they came and answered; what they tell is worked off afterwards.
//!
//! `callback` takes them, `worker` works them off page by page, `sort` makes work of what the adapters read, `notices`
//! tells the rest of Herald what concerns it.

pub mod callback;
pub mod notices;
mod sort;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use worker::run;

use std::sync::Arc;
use tokio::sync::Notify;

/// The way to the worker that empties the inbox. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    wake: Arc<Notify>,
}

impl Inbox {
    /// Something was put in.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Until something has been put in since the last time.
    async fn filled(&self) {
        self.wake.notified().await;
    }
}
