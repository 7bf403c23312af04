//! `match`: how long it takes to find the template that a text is, in this process. Nothing is sent.

mod corpus;
mod measure;

use crate::{figures::Samples, machine::Machine, report};
use clap::Args;
use herald_rules::time::Timestamp;
use std::path::{Path, PathBuf};

/// Measure the match of texts to templates, and write that into RESULTS.md and results.json
#[derive(Debug, Args)]
pub(crate) struct Match {
    /// How often everything is measured; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// One run with a hundredth of the templates, to see that everything works
    #[arg(long)]
    quick: bool,
    /// Where RESULTS.md and results.json are [default: bench; nowhere with --quick]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Match {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let machine =
            Machine::here(format!("herald-rules {}", env!("CARGO_PKG_VERSION")), Path::new("."), Timestamp::now());
        eprintln!("{}\n{}\ncommit {}", machine.hardware, machine.herald, machine.commit);
        let mut samples = Samples::default();
        for run in 1..=if self.quick { 1 } else { self.runs } {
            eprintln!("Run {run}");
            measure::measure(if self.quick { 100 } else { 1 }, run as u64, &mut samples)?;
        }
        samples.print();
        let Some(out) = self.out.or_else(|| (!self.quick).then(|| "bench".into())) else { return Ok(()) };
        let settings = "texts of 600 characters, 2,000 different ones, 20,000 matches; templates of 600 characters with 4 parameters";
        report::write(&out, &samples, &machine, settings)
    }
}
