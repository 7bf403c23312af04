//! Two HTTP clients behind one guard: one for the public internet, one for allowed networks only.

use super::guard::{Guard, Resolver};
use herald_channels::http::Client;

/// Clients that connect only to what the guard allows. Cheap to clone; connections are kept and shared.
#[derive(Clone, Debug)]
pub struct Clients {
    guard: Guard,
    public: Client,
    inside: Client,
}

impl Clients {
    /// Makes both, each with its resolver.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(guard: Guard, make: impl Fn(Resolver) -> Result<Client, String>) -> Result<Self, String> {
        let (public, inside) = (make(guard.resolver(false))?, make(guard.resolver(true))?);
        Ok(Self { guard, public, inside })
    }

    /// The guard that URLs are to be checked with.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The client for a URL that was checked.
    pub fn of(&self, url: &reqwest::Url) -> &Client {
        if self.guard.is_inside(url) { &self.inside } else { &self.public }
    }
}
