//! The HTTP clients of webhooks.

use crate::net::{Clients, Guard};
use herald_channels::http::{Client, Limits};
use std::time::Duration;

/// The largest answer that is read. Nothing in it matters but the first line of a refusal.
const ANSWER: usize = 20 * 1024;

pub(super) fn clients(guard: Guard) -> Result<Clients, String> {
    let limits = Limits { connect: Duration::from_secs(5), body: ANSWER, ..Limits::default() };
    Clients::new(guard, |resolver| Client::with_resolver_and_capitals(limits, resolver))
}
