//! The Herald under test: the real binary, with a data folder of its own.

use crate::{
    client::Client,
    process::{Memory, Process},
};
use anyhow::{Context, bail};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{process::Command, time::sleep};

/// How to start it.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    /// Further settings, as `key=value`.
    pub(crate) settings: Vec<String>,
}

/// A running Herald.
#[derive(Debug)]
pub(crate) struct Herald {
    process: Process,
    folder: PathBuf,
    pub(crate) public: SocketAddr,
    internal: SocketAddr,
    /// When it was started.
    pub(crate) began: Instant,
    /// From there to the first 200 of /readyz.
    pub(crate) ready_after: Duration,
}

/// Longer than any start that is worth a figure.
const START: Duration = Duration::from_secs(300);

impl Binary {
    /// Starts it and waits until it is ready. Settings that tests and measurements need differ from the defaults:
    /// webhooks may go to loopback, and ports are free ones.
    pub(crate) async fn start(&self, folder: &Path, public: Option<SocketAddr>) -> anyhow::Result<Herald> {
        fs::create_dir_all(folder)?;
        let (public_file, internal_file) = (folder.join("public.address"), folder.join("internal.address"));
        for left in [&public_file, &internal_file] {
            // Absent at the first start.
            let _ = fs::remove_file(left);
        }
        let log = fs::File::options().create(true).append(true).open(folder.join("log.txt"))?;
        let public = public.map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
        let mut command = Command::new(&self.path);
        command.arg("serve").arg("--data-folder").arg(folder).args(["--public", &public, "--internal", "127.0.0.1:0"]);
        command.args(["--set", r#"webhooks.allow_networks=["127.0.0.0/8"]"#]);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        // Settings of the user must not change what is measured.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HERALD_")) {
            command.env_remove(name);
        }
        command.current_dir(folder).stdout(Stdio::null()).stderr(log);
        let began = Instant::now();
        let mut process = Process::start(command)?;
        let ready = async {
            loop {
                if !process.is_alive()? {
                    bail!("Herald did not start:\n{}", last_lines(folder));
                }
                if let Some((public, internal)) = address(&public_file).zip(address(&internal_file)) {
                    // A port that is announced and not served yet refuses.
                    let answer = Client::new(internal, "").exchange("GET", "/readyz", None).await;
                    if answer.is_ok_and(|(status, _)| status == 200) {
                        return Ok((public, internal));
                    }
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        let (public, internal) =
            tokio::time::timeout(START, ready).await.context("Herald is not ready after five minutes")??;
        Ok(Herald { process, folder: folder.to_owned(), public, internal, began, ready_after: began.elapsed() })
    }

    /// What it says of itself.
    pub(crate) fn version(&self) -> anyhow::Result<String> {
        let output = std::process::Command::new(&self.path).arg("--version").output();
        let output = output.with_context(|| format!("{} cannot be run", self.path.display()))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn address(file: &Path) -> Option<SocketAddr> {
    fs::read_to_string(file).ok()?.trim().rsplit("//").next()?.parse().ok()
}

fn last_lines(folder: &Path) -> String {
    let log = fs::read_to_string(folder.join("log.txt")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

impl Herald {
    /// The API as the administrator.
    pub(crate) fn admin(&self) -> anyhow::Result<Client> {
        let token = fs::read_to_string(self.folder.join("admin.token")).context("no admin token")?;
        Ok(Client::new(self.public, token.trim()))
    }

    /// One of its metrics.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let (_, body) = Client::new(self.internal, "").exchange("GET", "/metrics", None).await?;
        let text = String::from_utf8_lossy(&body);
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("there is no metric {name}"))
    }

    /// The lines of its log that tell of something that went wrong.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("log.txt")).unwrap_or_default();
        let wrong = |line: &&str| [" ERROR ", " WARN "].iter().any(|level| line.contains(level));
        log.lines().filter(wrong).map(str::to_owned).collect()
    }

    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        self.process.processor_time()
    }

    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        self.process.memory()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The end of its log, for errors.
    pub(crate) fn last_words(&self) -> String {
        last_lines(&self.folder)
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let folder = self.folder;
        self.process.stop().await.with_context(|| last_lines(&folder))
    }

    pub(crate) async fn kill(self) -> anyhow::Result<()> {
        self.process.kill().await
    }
}
