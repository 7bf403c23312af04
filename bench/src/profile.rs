//! `profile`: where the time goes in Herald's process, by `perf`.

mod kind;
mod step;
mod tables;

use crate::{
    measure::{Stage, end_to_end},
    process::Process,
    provider::Packing,
    run::Subject,
    tenant::{BACKLOG, SMS},
};
use clap::{Args, ValueEnum};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use tables::Tables;

/// Show where the time goes while messages run, by step, kind of work and function (needs perf)
#[derive(Debug, Args)]
pub(crate) struct Profile {
    #[command(flatten)]
    subject: Subject,
    /// What is looked at
    #[arg(long, value_enum, default_value_t = What::EndToEnd)]
    what: What,
    /// Keep perf's own file there
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum What {
    /// A run from end to end
    EndToEnd,
    /// Accepting into a paused lane
    Accept,
}

/// Samples a second of each thread that runs: enough for tenths of a percent, few enough that copying stacks costs little.
/// Odd, so that nothing regular keeps step with it.
const FREQUENCY: &str = "499";
/// Of the stack, in bytes. Longer ones are cut, and then the step is not always known.
const STACKS: &str = "dwarf,16384";
/// Functions that are listed on the terminal, and in a file.
const FUNCTIONS: (usize, usize) = (60, 12);

impl Profile {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let stage = self.subject.stage().await?;
            let (seen, tables) = look(&stage, self.what, self.keep.as_deref()).await?;
            println!("{seen}\n\n{}", tables.text(FUNCTIONS.0));
            Ok(())
        })
    }
}

/// Whether there is a perf that may be used.
pub(crate) fn is_possible() -> bool {
    let mut command = std::process::Command::new("perf");
    command.args(["record", "--quiet", "-e", "cpu-clock", "-o", "/dev/null", "true"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Looks once, and tells it in tables.
pub(crate) async fn describe(stage: &Stage, what: What) -> anyhow::Result<String> {
    let (seen, tables) = look(stage, what, None).await?;
    Ok(format!("{seen}\n\n{}", tables.text(FUNCTIONS.1)))
}

async fn look(stage: &Stage, what: What, keep: Option<&Path>) -> anyhow::Result<(String, Tables)> {
    let folder = tempfile::tempdir_in(&stage.data)?;
    let file = keep.map_or_else(|| folder.path().join("perf.data"), Path::to_owned);
    let seen = record(stage, what, &file).await?;
    Ok((seen, Tables::read(&file)?))
}

/// Runs it once under perf.
async fn record(stage: &Stage, what: What, file: &Path) -> anyhow::Result<String> {
    let fresh = stage.fresh(Packing::Many).await?;
    if let What::Accept = what {
        fresh.tenant.pause(BACKLOG).await?;
    }
    let mut command = tokio::process::Command::new("perf");
    command.args([
        "record",
        "--quiet",
        "-e",
        "cpu-clock",
        "--call-graph",
        STACKS,
        "-F",
        FREQUENCY,
        "-p",
        &fresh.herald.process_id().to_string(),
    ]);
    command.arg("-o").arg(file).stdout(Stdio::null());
    let perf = Process::start(command)?;
    let seen = match what {
        What::EndToEnd => {
            let course = end_to_end(stage, &fresh, SMS, stage.sizes.end_to_end).await?;
            format!(
                "From end to end (SMS, profile A), {:.0} messages a second, {:.3} s of processor for 1,000 under perf.",
                course.per_second, course.processor[0]
            )
        }
        What::Accept => {
            let (report, processor) = stage.accept(&fresh, BACKLOG).await?;
            let rate = report.accepted_per_second;
            format!("Accepting, {rate:.0} messages a second, {processor:.3} s of processor for 1,000 under perf.")
        }
    };
    perf.interrupt().await?;
    fresh.herald.kill().await?;
    Ok(seen)
}
