//! `postgres`: the figures of `run` on PostgreSQL, with one, two and three nodes.

mod backlog;
mod cluster;
mod course;
mod server;

use crate::{figures::Samples, herald::Binary, machine::Machine, report, tenant::RATE_LIMIT, tools::Tools};
use anyhow::Context;
use clap::Args;
use cluster::{Cluster, LANES};
use herald_rules::time::Timestamp;
use server::Database;
use std::{path::PathBuf, time::Duration};

/// Measure on PostgreSQL with one, two and three nodes, and write RESULTS.md and results.json
#[derive(Debug, Args)]
pub(crate) struct Postgres {
    /// The binary to measure [default: herald, beside this program]
    #[arg(long, value_name = "FILE")]
    herald: Option<PathBuf>,
    /// Another setting for each node, as key=value; may be repeated, and is written down
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Another setting of PostgreSQL, as name=value; may be repeated, and is written down
    #[arg(long, value_name = "NAME=VALUE")]
    server_set: Vec<String>,
    /// Numbers of nodes to measure with
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    nodes: Vec<usize>,
    /// How often each is measured; the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Messages from end to end
    #[arg(long, default_value_t = 40_000)]
    messages: u64,
    /// Seconds of each measurement of accepting
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Messages in the long queue; 0 leaves that part out
    #[arg(long, default_value_t = 1_000_000)]
    backlog: u64,
    /// One run with few messages, to see that everything works; writes nothing
    #[arg(long)]
    quick: bool,
    /// Print which statements took the server's time (needs PostgreSQL's pg_stat_statements)
    #[arg(long)]
    statements: bool,
    /// Where PostgreSQL's and Herald's data go: on the disk that is to be measured, and where the user postgres may enter
    #[arg(long, value_name = "FOLDER", default_value = "/var/tmp")]
    data: PathBuf,
    /// Where RESULTS.md and results.json are [default: bench; nowhere with --quick]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    messages: u64,
    accept: Duration,
    backlog: u64,
    drain: u64,
    warm_up: u64,
}

/// Connections of the load: so many that each sender has as many to each of one, two or three nodes. Of the open loop more, so
/// that arrivals seldom wait for a free one.
const CONNECTIONS: usize = 72;
const OPEN_CONNECTIONS: usize = 288;

impl Postgres {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.measure())
    }

    async fn measure(self) -> anyhow::Result<()> {
        let beside = std::env::current_exe()?.with_file_name("herald");
        let path = self.herald.clone().unwrap_or(beside).canonicalize().context("there is no binary to measure")?;
        let binary = Binary { path, settings: self.set.clone() };
        let data = self.data.canonicalize()?;
        let sizes = self.sizes();
        let database = Database::start(&data, &self.server_set, self.statements)?;
        let machine = Machine::here(binary.version()?, &data, Timestamp::now());
        let settings = self.settings(&sizes, &database);
        eprintln!("{}\n{}\ncommit {}\n{settings}", machine.hardware, machine.herald, machine.commit);
        if machine.load > 0.5 {
            eprintln!("Others are at work here (load {:.1}): the figures will be too low.", machine.load);
        }
        let tools = Tools::start().await?;
        let mut samples = Samples::default();
        let runs = if self.quick { 1 } else { self.runs };
        for run in 1..=runs {
            let mut alone = None;
            for nodes in &self.nodes {
                eprintln!("Run {run} of {runs}: {nodes} of {:?} nodes", self.nodes);
                let cluster = Cluster::start(&binary, &database, &tools, &data, *nodes).await?;
                let used = course::measure(&cluster, &database, sizes, &mut samples).await?;
                if *nodes == 1 {
                    alone = Some(used);
                }
                if let Some(alone) = alone {
                    used.compare(*nodes, alone, &mut samples);
                }
                cluster.end().await?;
            }
        }
        if sizes.backlog > 0 {
            backlog::measure(&binary, &database, &tools, &data, (&self.nodes, sizes), &mut samples).await?;
        }
        samples.print();
        database.check()?;
        let Some(out) = self.out.or_else(|| (!self.quick).then(|| "bench".into())) else { return Ok(()) };
        report::write(&out, &samples, &machine, &settings)
    }

    fn sizes(&self) -> Sizes {
        if self.quick {
            let accept = Duration::from_millis(500);
            return Sizes { messages: 600, accept, backlog: self.backlog.min(2_000), drain: 300, warm_up: 60 };
        }
        let accept = Duration::from_secs_f64(self.seconds);
        let drain = (self.backlog / 4).min(50_000);
        Sizes { messages: self.messages, accept, backlog: self.backlog, drain, warm_up: 2_000 }
    }

    /// What was set for the measurement, in a sentence.
    fn settings(&self, sizes: &Sizes, database: &Database) -> String {
        let (per_minute, burst) = RATE_LIMIT;
        let own: String = self.set.iter().chain(&self.server_set).map(|set| format!(", {set}")).collect();
        format!(
            "{database}; {} departments with a channel, a lane and a webhook each, rate limit {per_minute} a minute, burst {burst}; \
             lanes unlimited; {CONNECTIONS} connections; {} s; {} messages end to end; {} queued; provider without latency, receipts \
             after 20 ms, no magic numbers; everything on the machine's processors, so that more nodes show what they cost and not \
             what they bring{own}",
            LANES.len(),
            sizes.accept.as_secs_f64(),
            sizes.messages,
            sizes.backlog,
        )
    }
}
