//! What every scenario needs: a Herald of its own, a way to ask it, a department in it, and a receiver of webhooks.
//!
//! ```ignore
//! let herald = Herald::start().await;
//! let simulator = Simulator::start(Options::default()).await.unwrap();
//! let sales = Department::new(&herald, "Sales").await;
//! let channel = sales.channel(&simulator, "WhatsApp", "972550000001", true).await;
//! let receiver = Receiver::start().await;
//! ```

#![allow(dead_code, unused_imports, reason = "not every scenario needs all of it")]

mod ask;
mod department;
mod files;
mod herald;
mod ledger;
mod load;
mod receiver;
mod whatsapp;
mod world;

pub use ask::{Answer, Ask};
pub use department::{Channel, Department, USER};
pub use files::Website;
pub use herald::{Builder, Herald, own_port};
pub use ledger::{Ledger, Report, changes};
pub use load::{Load, Sent};
pub use receiver::{Received, Receiver, event_message};
pub use whatsapp::{CUSTOMER, OURS, WhatsAppWorld, template};
pub use world::World;

use std::{future::Future, time::Duration};

/// How long a condition may take: much longer than any machine needs, much shorter than anybody waits.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until there is something; a scenario waits for what it needs, and never for a time.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl FnMut() -> F) -> T {
    until_within(PATIENCE, what, look).await
}

/// The same with more patience, for what takes its time.
pub async fn until_within<T, F: Future<Output = Option<T>>>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(patience, looking).await {
        Ok(found) => found,
        Err(_) => panic!("waited {} s in vain for: {what}", patience.as_secs()),
    }
}
