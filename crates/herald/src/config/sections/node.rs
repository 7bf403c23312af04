//! `[node]`: what this node does of all that several share.

use crate::config::duration::optional;
use serde::Deserialize;

/// What this node does of all that several share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Which work it takes.
    pub role: Role,
    /// As people call it. Use [`Node::name`].
    #[serde(deserialize_with = "optional")]
    name: Option<String>,
}

/// Which work a node takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    All,
    /// Requests and callbacks; it sends nothing and hands nothing over.
    Api,
    /// Sending and handing over; it has no public listener.
    Worker,
}

impl Node {
    /// Its name, by default that of the machine.
    pub fn name(&self) -> String {
        let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        self.name.clone().unwrap_or_else(machine)
    }
}

impl Role {
    /// Whether it takes lanes and subscriptions.
    pub fn works(self) -> bool {
        self != Self::Api
    }

    /// Whether it answers requests.
    pub fn answers(self) -> bool {
        self != Self::Worker
    }
}
