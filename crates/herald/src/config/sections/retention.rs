//! `[retention]`: what is deleted when.

use crate::config::duration::human;
use serde::Deserialize;
use std::time::Duration;

/// What is deleted when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Ended messages and their history.
    #[serde(deserialize_with = "human")]
    pub messages: Duration,
    /// Attempts of webhooks.
    #[serde(deserialize_with = "human")]
    pub attempts: Duration,
}
