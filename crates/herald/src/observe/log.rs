//! The log: one line an entry on stderr, text for people or JSON for machines.

use crate::config::{Format, Log};
use anyhow::Context;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts the log of this process. Call once, before anything that logs.
///
/// `log.filter` was checked when the settings were loaded, so the only error left is that there is a log already.
pub fn start(settings: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&settings.filter).context("log.filter cannot be read")?;
    super::personal::show(settings.show_personal_data);
    // A line that cannot be written (a full disk) is lost. To complain about that on stderr, as is the default, panics there
    // in whatever thread it was: the store's writer, for one.
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let started = match settings.format {
        Format::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).compact().try_init(),
        Format::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
