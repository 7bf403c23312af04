//! A running demo, and a shell beside it.

use super::page::Run;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// All blocks of a page together take some seconds.
const LONGEST: Duration = Duration::from_secs(50);

/// `herald demo`, in a folder of its own.
pub struct Demo {
    child: Child,
    folder: TempDir,
    ready: Value,
    lines: tokio::sync::mpsc::UnboundedReceiver<Value>,
}

/// What a block came to.
#[derive(Debug)]
pub struct Outcome {
    pub printed: String,
}

impl Demo {
    /// Starts it, and waits until it answers.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_herald"))
            .args(["demo", "--json", "--public", "127.0.0.1:0", "--internal", "127.0.0.1:0", "--data-folder", "data"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (out, lines) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The test may have ended.
                let _ = out.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut demo = Self { child, folder, ready: Value::Null, lines };
        demo.ready = demo.next("ready").await;
        demo
    }

    /// The next line of this kind.
    async fn next(&mut self, kind: &str) -> Value {
        let looking = async {
            loop {
                let mut line = self.lines.recv().await.unwrap_or_else(|| panic!("the demo ended before: {kind}"));
                if let Some(found) = line.get_mut(kind) {
                    return found.take();
                }
            }
        };
        tokio::time::timeout(crate::support::PATIENCE, looking).await.unwrap_or_else(|_| panic!("no line: {kind}"))
    }

    /// The lines that it prints to be pasted. They come when the stories are told.
    pub async fn paste(&mut self) -> Vec<String> {
        serde_json::from_value(self.next("paste").await).unwrap()
    }

    /// Runs the blocks, one after the other in one shell, with what the demo says to export. Blocks of a test are never
    /// run anywhere but in its own folder.
    pub fn run(&self, runs: &[Run]) -> Vec<Outcome> {
        let mut script = String::from("set -e -o pipefail\n");
        for (at, run) in runs.iter().enumerate() {
            script.push_str(&format!("{{\n{}\n}} > printed.{at} 2> told.{at} < /dev/null\n", run.script));
        }
        let work = self.folder.path().join("work");
        std::fs::create_dir(&work).unwrap();
        let text =
            |name: &str| self.ready[name].as_str().unwrap_or_else(|| panic!("{name}: {}", self.ready)).to_owned();
        let program = Path::new(env!("CARGO_BIN_EXE_herald")).parent().unwrap().to_owned();
        let searched = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&searched))).unwrap();
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(script).current_dir(&work).env_clear().env("PATH", path).env("HOME", &work);
        shell.env("HERALD_URL", text("url")).env("HERALD_API_USER", text("userName"));
        shell.env("HERALD_API_KEY", text("apiKey")).env("HERALD_API_SECRET", text("apiSecret"));
        shell.env("HERALD_DEMO_FILES", text("filesUrl"));
        // A group of its own, so that nothing of it is left when it takes too long.
        let mut shell = shell.process_group(0).spawn().unwrap();
        let began = Instant::now();
        let ended = loop {
            match shell.try_wait().unwrap() {
                Some(ended) => break ended,
                None if began.elapsed() > LONGEST => {
                    kill_process_group(Pid::from_child(&shell), Signal::KILL).unwrap();
                    break shell.wait().unwrap();
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let read = |name: String| std::fs::read_to_string(work.join(name)).ok();
        let mut outcomes = Vec::new();
        for at in 0..runs.len() {
            outcomes.extend(read(format!("printed.{at}")).map(|printed| Outcome { printed }));
        }
        if !ended.success() {
            let at = outcomes.len().saturating_sub(1);
            let (run, told) = (&runs[at], read(format!("told.{at}")).unwrap_or_default());
            panic!(
                "line {}: {ended}\n{}\n--- it printed\n{}\n--- and told\n{told}",
                run.line, run.script, outcomes[at].printed
            );
        }
        outcomes
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself, which is no reason to fail here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
