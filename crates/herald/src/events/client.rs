//! The two HTTP clients of webhooks: one for the public internet, one for allowed networks only.

use super::guard::Guard;
use herald_channels::http::{Client, Limits};
use std::time::Duration;

/// The largest answer that is read. Nothing in it matters but the first line of a refusal.
const ANSWER: usize = 20 * 1024;

/// Clients that connect only to what the guard allows. Cheap to clone; connections are kept and shared.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    pub(super) guard: Guard,
    public: Client,
    inside: Client,
}

impl Clients {
    pub(super) fn new(guard: Guard) -> Result<Self, String> {
        let limits = Limits { connect: Duration::from_secs(5), body: ANSWER, ..Limits::default() };
        let public = Client::with_resolver_and_capitals(limits, guard.resolver(false))?;
        let inside = Client::with_resolver_and_capitals(limits, guard.resolver(true))?;
        Ok(Self { guard, public, inside })
    }

    /// The client for a URL that was checked.
    pub(super) fn of(&self, url: &reqwest::Url) -> &Client {
        if self.guard.is_inside(url) { &self.inside } else { &self.public }
    }
}
