//! `run`: everything in turn, as often as wished, and what came of it.

use crate::{
    figures::{Samples, WIRE, figures},
    herald::Binary,
    machine::Machine,
    measure::{Part, Sizes, Stage},
    profile::{self, What},
    report,
    tenant::RATE_LIMIT,
    tools::Tools,
};
use anyhow::{Context, bail};
use clap::Args;
use herald_rules::time::Timestamp;
use std::{path::PathBuf, time::Duration};

/// What is measured, and how much of it.
#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// The binary to measure [default: herald, beside this program]
    #[arg(long, value_name = "FILE")]
    herald: Option<PathBuf>,
    /// Another setting for it, as key=value; may be repeated, and is written down
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// One run with few messages, to see that everything works
    #[arg(long)]
    quick: bool,
    /// Messages in the long queue
    #[arg(long, default_value_t = 1_000_000)]
    backlog: u64,
    /// Where Herald's data goes: on the disk that is to be measured [default: beside this program]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// Measure, and write RESULTS.md and results.json
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// How often each part is measured; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only the part in which this figure is measured; may be repeated
    #[arg(long, value_name = "FIGURE")]
    only: Vec<String>,
    /// Afterwards look with perf where the time goes, and write that down too
    #[arg(long)]
    profile: bool,
    /// Where RESULTS.md and results.json are [default: bench; nowhere with --quick]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

const FULL: Sizes = Sizes {
    connections: 64,
    open_connections: 256,
    accept: Duration::from_secs(10),
    end_to_end: 100_000,
    drain: 100_000,
    backlog: 1_000_000,
};

const QUICK: Sizes = Sizes {
    connections: 16,
    open_connections: 32,
    accept: Duration::from_millis(500),
    end_to_end: 500,
    drain: 300,
    backlog: 2_000,
};

impl Subject {
    pub(crate) async fn stage(&self) -> anyhow::Result<Stage> {
        let beside = std::env::current_exe()?.with_file_name("herald");
        // Not the system's folder for temporary files: where that is in memory, commits cost nothing.
        let data = self.data.clone().unwrap_or_else(|| beside.with_file_name(""));
        let path = self.herald.clone().unwrap_or(beside).canonicalize().context("there is no binary to measure")?;
        let sizes = if self.quick { QUICK } else { Sizes { backlog: self.backlog, ..FULL } };
        let binary = Binary { path, settings: self.set.clone() };
        Ok(Stage::new(binary, Tools::start().await?, sizes, data.canonicalize()?))
    }
}

impl Run {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.measure())
    }

    async fn measure(self) -> anyhow::Result<()> {
        let mine = || figures().filter(|figure| figure.wire == WIRE);
        if let Some(unknown) = self.only.iter().find(|name| mine().all(|figure| figure.name != **name)) {
            let known: Vec<_> = mine().map(|figure| figure.name).collect();
            bail!("there is no figure {unknown}; there are: {}", known.join(", "));
        }
        let mut parts: Vec<_> = Part::ALL.to_vec();
        if !self.only.is_empty() {
            parts.retain(|part| self.only.iter().any(|name| Part::of(name) == *part));
        }
        let stage = self.subject.stage().await?;
        let machine = Machine::here(stage.binary.version()?, &stage.data, Timestamp::now());
        let settings = self.settings(&stage.sizes);
        eprintln!("{}\n{}\ncommit {}\n{settings}", machine.hardware, machine.herald, machine.commit);
        if machine.load > 0.5 {
            eprintln!("Others are at work here (load {:.1}): the figures will be too low.", machine.load);
        }
        let mut samples = Samples::default();
        let runs = if self.subject.quick { 1 } else { self.runs };
        for run in 1..=runs {
            for part in &parts {
                eprintln!("Run {run} of {runs}: {part:?}");
                part.measure(&stage, &mut samples).await?;
            }
        }
        samples.print();
        let Some(out) = self.out.or_else(|| (!self.subject.quick).then(|| "bench".into())) else { return Ok(()) };
        report::write(&out, &samples, &machine, &settings)?;
        if !self.profile {
            return Ok(());
        }
        if !profile::is_possible() {
            eprintln!("There is no perf that may be used here, so RESULTS.md is not told where the time goes.");
            return Ok(());
        }
        for what in [What::EndToEnd, What::Accept] {
            eprintln!("Profile: {what:?}");
            report::write_profile(&out, &machine, &profile::describe(&stage, what).await?)?;
        }
        Ok(())
    }

    /// What was set for the measurement, in a sentence.
    fn settings(&self, sizes: &Sizes) -> String {
        let (per_minute, burst) = RATE_LIMIT;
        let own =
            if self.subject.set.is_empty() { String::new() } else { format!(", {}", self.subject.set.join(", ")) };
        format!(
            "rate limit of the department {per_minute} a minute, burst {burst}; lanes unlimited; {} connections; {} s; {} \
             messages end to end; {} queued; provider without latency, receipts after 20 ms, no magic numbers{own}",
            sizes.connections,
            sizes.accept.as_secs_f64(),
            sizes.end_to_end,
            sizes.backlog,
        )
    }
}
