//! How links are looked at: what the configuration says, and what only tests change.

use crate::config::Config;
use ipnet::IpNet;
use std::{sync::Arc, time::Duration};

/// How links are looked at.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The largest file that is sent, in bytes.
    pub most: u64,
    /// Networks that may be reached although they are not on the public internet.
    pub allow_networks: Arc<[IpNet]>,
    /// For looking the name up and connecting.
    pub connect: Duration,
    /// For one try: all redirects, and both requests.
    pub total: Duration,
    /// Between the two tries.
    pub pause: Duration,
    /// How long a check waits until others have ended.
    pub turn: Duration,
    /// Checks at once.
    pub at_once: usize,
    /// Checks at once of one server.
    pub per_host: usize,
    /// Verdicts that are kept.
    pub entries: usize,
    /// How long it is known that a file can be sent.
    pub keep_sendable: Duration,
    /// How long it is known that a file cannot be sent.
    pub keep_refused: Duration,
    /// How long it is known that a server is away.
    pub keep_unreachable: Duration,
}

impl Settings {
    /// As configured.
    pub fn of(config: &Config) -> Self {
        Self {
            most: config.files.most(),
            // One list for both: who may be reached does not depend on why.
            allow_networks: config.webhooks.allow_networks.clone().into(),
            connect: Duration::from_secs(5),
            total: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            turn: Duration::from_secs(60),
            at_once: 64,
            per_host: 8,
            entries: 10_000,
            // As long as Meta keeps a file that it has fetched.
            keep_sendable: Duration::from_secs(10 * 60),
            // Files are replaced by better ones under the same link, but not by the second.
            keep_refused: Duration::from_secs(5 * 60),
            keep_unreachable: Duration::from_secs(30),
        }
    }
}
