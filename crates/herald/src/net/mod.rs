//! Reaching addresses that somebody else has chosen: webhooks of subscriptions, links of files.

mod clients;
pub mod guard;

pub use clients::Clients;
pub use guard::{Forbidden, Guard};
