//! `[templates]`: WhatsApp templates.

use crate::config::duration::human;
use serde::Deserialize;
use std::time::Duration;

/// WhatsApp templates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// How often they are compared with Meta's.
    #[serde(deserialize_with = "human")]
    pub sync_every: Duration,
}
