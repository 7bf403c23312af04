//! Claim, call the provider, record the outcome.
//!
//! A claim is durable before the provider is called, so that after a crash whatever was claimed and has no outcome is
//! known to be of unknown outcome, and is found out before anything else happens to it.

mod account;
mod check;
mod gate;
mod prepare;
mod settle;
mod spool;
mod stops;
#[cfg(test)]
mod tests;
mod worker;

pub use account::{Account, Accounts};
pub use prepare::{check_files, template_by_now};
pub use spool::Spool;
pub use stops::Stops;
pub use worker::{Worker, WorkerContext};
