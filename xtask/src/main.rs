//! `cargo xtask`: work on the repository that is more than a shell line.

use clap::Parser;
use std::process::ExitCode;

mod openapi;
mod unused;

/// Work on the repository
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Write openapi.json from the routes; with --check, only say whether it is up to date
    Openapi {
        /// Change nothing; fail if the file differs
        #[arg(long)]
        check: bool,
    },
    /// Fail if a crate lists a dependency that its sources never name
    Unused,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Openapi { check } => openapi::run(check),
        Task::Unused => unused::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
