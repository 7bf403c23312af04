//! What a figure depends on and does not say: machine, kernel, versions, commit.

use crate::process::file_system;
use std::{fs, path::Path, process::Command};

/// Machine and versions.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) herald: String,
    /// Processors, memory, kernel, file system, in words.
    pub(crate) hardware: String,
    /// The load average of the last minute: above a few tenths, others were at work.
    pub(crate) load: f64,
}

impl Machine {
    pub(crate) fn here(herald: String, data: &Path, now: herald_rules::time::Timestamp) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let (processors, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let model = model.trim_start_matches([' ', '\t', ':']);
        let megahertz = processors.lines().find_map(|line| line.strip_prefix("cpu MHz")).unwrap_or_default();
        let megahertz = megahertz.trim_start_matches([' ', '\t', ':']).split('.').next().unwrap_or_default();
        let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
        let gib = kib.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1_048_576.0;
        let hardware = format!(
            "{} x {model} {megahertz} MHz, {gib:.0} GiB, Linux {}, {}",
            std::thread::available_parallelism().map_or(0, usize::from),
            read("/proc/sys/kernel/osrelease").trim(),
            file_system(data).unwrap_or_default(),
        );
        let load = read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
        let minute = now.to_string().get(..16).unwrap_or_default().replace('T', " ");
        Self {
            date: minute,
            commit: commit(),
            herald: format!("{herald}, {}", output("rustc", &["--version"])),
            hardware,
            load,
        }
    }
}

/// The commit, with a plus where files differ from it.
fn commit() -> String {
    let commit = output("git", &["rev-parse", "--short=9", "HEAD"]);
    let changed = !output(
        "git",
        &["status", "--porcelain", "--untracked-files=no", "--", ":!bench/RESULTS.md", ":!bench/results.json"],
    )
    .is_empty();
    format!("{commit}{}", if changed { "+" } else { "" })
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
