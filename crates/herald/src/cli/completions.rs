//! `herald completions`: lets the shell complete commands and flags.

use super::{Cli, Failure, Output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a script that completes commands and flags in your shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  herald completions bash > /etc/bash_completion.d/herald
  herald completions zsh > ~/.zfunc/_herald
  herald completions fish > ~/.config/fish/completions/herald.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "herald", &mut script);
        Ok(output.raw(String::from_utf8_lossy(&script).trim_end())?)
    }
}
