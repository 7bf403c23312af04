//! `[limits]`: what a client may ask of us.

use serde::Deserialize;
use std::num::NonZeroU32;

/// What a client may ask of us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Messages a department may hand in per minute.
    pub messages_per_minute: NonZeroU32,
    /// How many of them at once.
    pub burst: NonZeroU32,
    /// The largest request body.
    pub body_bytes: usize,
    /// Calls of `token/get` per API key and minute.
    pub tokens_per_minute: NonZeroU32,
}
