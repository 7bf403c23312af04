//! `[log]`: the log.

use serde::Deserialize;

/// The log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How a line looks.
    pub format: Format,
    /// What is logged, in the syntax of `tracing`'s `EnvFilter`.
    pub filter: String,
    /// Whether message texts and full numbers may be written.
    pub show_personal_data: bool,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}
