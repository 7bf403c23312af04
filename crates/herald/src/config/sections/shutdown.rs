//! `[shutdown]`: how a stop goes.

use crate::config::duration::human;
use serde::Deserialize;
use std::time::Duration;

/// How a stop goes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// How long a stop is only told of on `/readyz`, before it begins.
    #[serde(deserialize_with = "human")]
    pub notice: Duration,
    /// How long to wait for what is under way.
    #[serde(deserialize_with = "human")]
    pub grace: Duration,
}
