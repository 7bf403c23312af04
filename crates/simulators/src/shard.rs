//! One ordered stream of receipts to one callback address, and the task that posts them.

use crate::{callbacks::Target, code::Code, engine::Engine, post::deliver, schedule::Schedule, wire::ReceiptStatus};
use herald_rules::time::Timestamp;
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// A receipt that waits for its time.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) serial: u64,
    pub(crate) client_reference: Uuid,
    pub(crate) status: ReceiptStatus,
    pub(crate) code: Option<Code>,
    pub(crate) at: Timestamp,
    /// Told when the receiver has taken it.
    pub(crate) taken: Option<oneshot::Sender<()>>,
}

/// See the module.
pub(crate) type Shard = Schedule<Waiting>;

/// Posts what becomes due, for ever, one batch after the other.
pub(crate) async fn work(shard: &Shard, target: &Target, engine: &Engine) {
    let mut line = None;
    loop {
        let packing = || {
            let behaviours = engine.behaviours();
            let packing = &behaviours.of(target.protocol).callbacks;
            (packing.batch as usize, Duration::from_millis(u64::from(packing.linger_ms)))
        };
        let batch = shard.next(packing).await;
        deliver(&mut line, target, engine, batch).await;
    }
}
