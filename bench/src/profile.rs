//! `profile`: where the time goes in Herald's process, by `perf`.

mod kind;

use crate::{
    measure::{Stage, end_to_end},
    process::Process,
    provider::Packing,
    run::Subject,
    tenant::{BACKLOG, SMS},
};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Show where the time goes while messages run, by thread, kind of work and function (needs perf)
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// A run from end to end
    EndToEnd,
    /// Accepting into a paused lane
    Accept,
}

/// Samples a second and thread that runs; odd, so that nothing regular keeps step with it.
const FREQUENCY: &str = "997";
/// Functions that are listed.
const FUNCTIONS: usize = 40;

impl Profile {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.profile())
    }

    async fn profile(self) -> anyhow::Result<()> {
        let stage = self.subject.stage().await?;
        let folder = tempfile::tempdir_in(&stage.data)?;
        let file = self.keep.clone().unwrap_or_else(|| folder.path().join("perf.data"));
        let seen = record(&stage, self.what, &file).await?;
        eprintln!("{seen}");
        Tables::read(&file)?.print();
        Ok(())
    }
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
        "-g",
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
            format!("{:.0} messages a second, {:.3} s of processor for 1,000", course.per_second, course.processor[0])
        }
        What::Accept => {
            format!("{:.0} messages accepted a second", stage.accept(&fresh, BACKLOG).await?.0.accepted_per_second)
        }
    };
    perf.interrupt().await?;
    fresh.herald.kill().await?;
    Ok(seen)
}

/// Samples by what they were taken in.
#[derive(Default)]
struct Tables {
    all: u64,
    threads: HashMap<String, u64>,
    kinds: HashMap<String, u64>,
    functions: HashMap<(String, String), u64>,
}

impl Tables {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let mut script = Command::new("perf");
        // Inlined frames would take minutes to look up.
        script.args(["script", "--no-inline", "-F", "comm,ip,sym,dso", "-i"]).arg(file);
        let mut script = script.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("perf cannot be run")?;
        let output = script.stdout.take().context("perf says nothing")?;
        let mut tables = Self::default();
        let mut sample = Vec::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            if line.is_empty() {
                tables.count(&sample);
                sample.clear();
            } else {
                sample.push(line);
            }
        }
        tables.count(&sample);
        script.wait()?;
        if tables.all == 0 {
            bail!("perf took no samples");
        }
        Ok(tables)
    }

    /// One sample: a line with the thread, then a line a frame, innermost first: `address function (file)`.
    fn count(&mut self, sample: &[String]) {
        let Some((thread, frames)) = sample.split_first() else { return };
        let frames: Vec<_> = frames.iter().filter_map(|frame| read_frame(frame)).collect();
        let Some((function, file)) = frames.first().copied() else { return };
        let thread = thread.trim();
        self.all += 1;
        *self.threads.entry(thread.to_owned()).or_default() += 1;
        // The frame that the kernel's entry called: the system call.
        let entry = frames.iter().position(|(function, _)| function.starts_with("do_syscall_"));
        let call = entry.and_then(|entry| frames.get(entry.checked_sub(1)?)).map(|(function, _)| *function);
        *self.kinds.entry(kind::of(function, file, call)).or_default() += 1;
        *self.functions.entry((thread.to_owned(), function.to_owned())).or_default() += 1;
    }

    fn print(self) {
        let all = self.all;
        print("thread", self.threads, all, usize::MAX);
        print("kind of work", self.kinds, all, usize::MAX);
        let functions =
            self.functions.into_iter().map(|((thread, function), count)| (format!("{thread}: {function}"), count));
        print("function", functions, all, FUNCTIONS);
    }
}

fn print<Name: AsRef<str>>(title: &str, counts: impl IntoIterator<Item = (Name, u64)>, all: u64, most: usize) {
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("\n| {title} | share |\n|---|---:|");
    for (name, count) in rows.iter().take(most) {
        println!("| {} | {:.1} % |", name.as_ref().replace('|', "\\|"), *count as f64 * 100.0 / all as f64);
    }
}

/// Function and file of `address function (file)`.
fn read_frame(line: &str) -> Option<(&str, &str)> {
    let (head, file) = line.trim().trim_end_matches(')').rsplit_once(" (")?;
    let (_, function) = head.split_once(' ')?;
    Some((function, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_by_thread_and_function() {
        let mut tables = Tables::default();
        let mut count = |text: &str| tables.count(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        count(
            "tokio-rt-worker\n\t 55d0 <hyper::Dispatcher<D,Bs> as core::future>::poll (/x/herald)\n\t 55d1 main (/x/herald)",
        );
        count("store-writer\n\t 55d0 sqlite3VdbeExec (/x/herald)");
        count(
            "store-writer\n\t ffff0 iowrite16 ([kernel.kallsyms])\n\t ffff1 __x64_sys_fdatasync ([kernel.kallsyms])\n\t ffff2 do_syscall_64 ([kernel.kallsyms])",
        );
        count("");
        assert_eq!((tables.all, tables.threads["store-writer"]), (3, 2));
        assert_eq!(tables.functions[&("store-writer".into(), "sqlite3VdbeExec".into())], 1);
        assert_eq!(tables.kinds["kernel: fdatasync (commits)"], 1);
    }
}
