//! Handing every change to the subscriptions: webhooks that are called, queues that are polled.
//!
//! The log of events is written with the changes themselves (table `event`); a subscription is a cursor in it. For
//! each active webhook a worker takes events from the log, freezes them into deliveries and hands those over. What a
//! worker decides is in [`outbox`], a plain value without I/O; what it does is in [`worker`].

mod attempt;
mod client;
mod endpoint;
mod envelope;
mod log;
mod manager;
mod outbox;
mod polling;
mod secrets;
mod settings;
mod test_event;
mod worker;

#[cfg(test)]
mod tests;

pub use endpoint::{Hidden, SigningSecret, check_headers};
pub use log::Log;
pub use manager::{Events, EventsError, Owner};
pub use polling::Handle;
pub use secrets::{Keys, Secrets};
pub use settings::Settings;
