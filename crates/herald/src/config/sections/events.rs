//! `[events]`: polling queues.

use crate::config::duration::human;
use serde::Deserialize;
use std::time::Duration;

/// Polling queues.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// How long an event waits for a reader.
    #[serde(deserialize_with = "human")]
    pub polling_keep: Duration,
    /// How long an event that was read is hidden.
    #[serde(deserialize_with = "human")]
    pub visibility: Duration,
}
