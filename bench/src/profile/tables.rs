//! Samples counted, and shown as tables.

use super::{kind, step};
use anyhow::{Context, bail};
use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

/// Samples by what they were taken in.
#[derive(Default)]
pub(super) struct Tables {
    all: u64,
    threads: HashMap<String, u64>,
    steps: HashMap<&'static str, u64>,
    kinds: HashMap<String, u64>,
    functions: HashMap<(String, String), u64>,
}

impl Tables {
    /// Has perf tell its file.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
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
        *self.steps.entry(step::of(thread, &frames)).or_default() += 1;
        // The frame that the kernel's entry called: the system call.
        let entry = frames.iter().position(|(function, _)| function.starts_with("do_syscall_"));
        let call = entry.and_then(|entry| frames.get(entry.checked_sub(1)?)).map(|(function, _)| *function);
        *self.kinds.entry(kind::of(function, file, call)).or_default() += 1;
        *self.functions.entry((thread.to_owned(), function.to_owned())).or_default() += 1;
    }

    /// All of it, with the functions that most samples were taken in.
    pub(super) fn text(&self, functions: usize) -> String {
        let mut text = String::new();
        let all = self.all;
        let of = |counts: &HashMap<String, u64>| counts.iter().map(|(name, count)| (name.clone(), *count)).collect();
        table(&mut text, "step", all, self.steps.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect());
        table(&mut text, "kind of work", all, of(&self.kinds));
        table(&mut text, "thread", all, of(&self.threads));
        let mut each: Vec<_> =
            self.functions.iter().map(|((thread, name), count)| (format!("{thread}: `{name}`"), *count)).collect();
        each.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        each.truncate(functions);
        table(&mut text, "function", all, each);
        text
    }
}

/// A table, the largest share first, without what is below a tenth of a percent.
fn table(text: &mut String, title: &str, all: u64, mut rows: Vec<(String, u64)>) {
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    // Writing to memory cannot fail.
    let _ = writeln!(text, "| {title} | share |\n|---|---:|");
    for (name, count) in rows.iter().filter(|(_, count)| count * 1000 >= all) {
        let _ = writeln!(text, "| {} | {:.1} % |", name.replace('|', "\\|"), *count as f64 * 100.0 / all as f64);
    }
    text.push('\n');
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
