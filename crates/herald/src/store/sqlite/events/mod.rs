//! Subscriptions, their way through the log of events, and what was handed over.

mod deliveries;
mod log;
mod polling;
mod prune;
mod replay;
mod step;
mod subscriptions;
