//! `herald config`: what is in force, and whether it is right.

use super::{Failure, Global, Output, output};
use crate::config;
use clap::{Args, Subcommand};
use serde_json::json;

/// Show or check the settings
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  herald config show                      what is in force, and where each value came from
  herald config check --config new.toml   look for mistakes before a restart
  herald config default > herald.toml     start a file of your own")]
pub(super) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every setting in force with its origin; secrets are hidden
    Show,
    /// Look for mistakes without starting anything
    Check,
    /// Print the commented default file: all settings and what they mean
    Default,
}

impl Config {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        match self.action {
            Action::Default => output.raw(config::DEFAULT_FILE.trim_end())?,
            Action::Show => {
                let loaded = config::load(&global.sources([]))?;
                output.answer(&json!({"settings": loaded.settings, "warnings": loaded.warnings}), |_| {
                    let rows = loaded
                        .settings
                        .iter()
                        .map(|setting| [setting.key.clone(), setting.value.to_string(), setting.origin.clone()]);
                    output::table(["setting", "value", "from"], rows)
                })?;
                warn(output, &loaded.warnings);
            }
            Action::Check => {
                let loaded = config::load(&global.sources([]))?;
                output.answer(&json!({"ok": true, "warnings": loaded.warnings}), |_| {
                    "The settings are right.".to_owned()
                })?;
                warn(output, &loaded.warnings);
            }
        }
        Ok(())
    }
}

fn warn(output: &Output, warnings: &[String]) {
    for warning in warnings {
        output.talk(&format!("warning: {warning}"));
    }
}
