//! The real binary as a process, with a folder of its own.

use super::{Ask, PATIENCE, until};
use rustix::process::{Pid, Signal};
use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A running Herald. When it is dropped the process is killed and its folder removed; if the test is failing, the end
/// of its log is shown first.
#[derive(Debug)]
pub struct Herald {
    /// Where the API is.
    pub base: String,
    /// Where metrics and health are.
    pub internal: String,
    /// The admin token.
    pub admin: String,
    builder: Builder,
    child: Option<Child>,
}

/// How to start one.
#[derive(Clone, Debug)]
pub struct Builder {
    folder: Arc<TempDir>,
    settings: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    ignores_file_size_signal: bool,
}

impl Default for Builder {
    fn default() -> Self {
        let settings = [
            ("listen.public", "127.0.0.1:0"),
            ("listen.internal", "127.0.0.1:0"),
            ("webhooks.allow_networks", r#"["127.0.0.0/8"]"#),
        ];
        Self {
            folder: Arc::new(tempfile::tempdir().unwrap()),
            settings: settings.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec(),
            environment: Vec::new(),
            ignores_file_size_signal: false,
        }
    }
}

impl Builder {
    /// With a setting, as `--set KEY=VALUE`.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With an environment variable, such as `HERALD_CRASH_AT`.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without it.
    pub fn without_env(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// With the keys of its cluster: the master key as 64 hexadecimal digits, and the administrator's token.
    pub fn with_keys(self, master: &str, admin: &str) -> Self {
        fs::create_dir_all(self.folder()).unwrap();
        let mut private = fs::OpenOptions::new();
        private.write(true).create(true).truncate(true).mode(0o600);
        std::io::Write::write_all(&mut private.open(self.folder().join("admin.token")).unwrap(), admin.as_bytes())
            .unwrap();
        self.env("HERALD_MASTER_KEY", master)
    }

    /// So that a write beyond its limit of file sizes fails like one on a full disk, instead of ending it.
    pub fn without_file_size_signal(mut self) -> Self {
        self.ignores_file_size_signal = true;
        self
    }

    /// At addresses that stay free while it is down, for scenarios that kill it while others go on calling it.
    pub fn at_lasting_addresses(self) -> Self {
        let [public, internal] = [own_port(), own_port()].map(|port| format!("127.0.0.1:{port}"));
        self.set("listen.public", &public).set("listen.internal", &internal)
    }

    /// Starts it, and waits until it is ready.
    pub async fn start(self) -> Herald {
        let mut herald =
            Herald { base: String::new(), internal: String::new(), admin: String::new(), builder: self, child: None };
        herald.launch().await;
        herald
    }

    /// The data folder.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn has(&self, key: &str, value: &str) -> bool {
        self.settings.iter().any(|(known, present)| known == key && present == value)
    }

    /// The program in a clean environment: what the machine has set must not reach the test.
    fn command(&self) -> Command {
        let mut command = match self.ignores_file_size_signal {
            false => Command::new(env!("CARGO_BIN_EXE_herald")),
            true => {
                let mut command = Command::new("sh");
                command.args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#, env!("CARGO_BIN_EXE_herald")]);
                command
            }
        };
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Profiles, and a herald.toml that is not there.
        command.env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Herald {
    /// With the settings of most tests.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// To be told more before the start.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The data folder.
    pub fn folder(&self) -> PathBuf {
        self.builder.folder()
    }

    /// What it has logged so far, over all its starts.
    pub fn log(&self) -> String {
        fs::read_to_string(self.builder.log()).unwrap_or_default()
    }

    /// A client without a token.
    pub fn ask(&self) -> Ask {
        Ask::new(&self.base)
    }

    /// The administrator.
    pub fn admin(&self) -> Ask {
        self.ask().with_token(&self.admin)
    }

    /// Metrics and health.
    pub fn inside(&self) -> Ask {
        Ask::new(&self.internal)
    }

    /// Runs a command beside it, on the same folder.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = self.builder.command();
        command.args(arguments).env("HERALD_DATA__FOLDER", self.folder());
        // Crash points are the node's, not the command's.
        command.env_remove("HERALD_CRASH_AT");
        command.output().unwrap()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself, at a crash point.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// From now on no file of it can grow beyond so many bytes; None: beyond nothing.
    pub fn limit_file_size(&self, bytes: Option<u64>) -> Result<(), rustix::io::Errno> {
        use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
        let child = self.child.as_ref().expect("it is running");
        let maximum = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit { current: bytes.or(maximum), maximum };
        prlimit(Some(Pid::from_child(child)), Resource::Fsize, limit).map(drop)
    }

    /// Stops it as an operator does, with SIGTERM, and says how it ended.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Its process; None while there is none.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it is running");
        rustix::process::kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Waits for it to end by itself, as at a crash point.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it is running");
        until("the process to end", move || {
            let ended = child.try_wait().unwrap();
            async move { ended }
        })
        .await
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// Starts it again on the same folder and at the same addresses, so that providers and clients find it again.
    pub async fn restart(&mut self) {
        self.restart_with(|builder| builder).await;
    }

    /// The same with other settings or environment.
    pub async fn restart_with(&mut self, change: impl FnOnce(Builder) -> Builder) {
        assert!(self.tries_to_restart_with(change).await, "it did not start:\n{}", self.log());
    }

    /// Starts it again, and says whether it lived to be ready: with a crash point on the way of the start it does not.
    pub async fn tries_to_restart_with(&mut self, change: impl FnOnce(Builder) -> Builder) -> bool {
        self.kill();
        let mut builder = self.builder.clone();
        for (key, url) in [("listen.public", &self.base), ("listen.internal", &self.internal)] {
            // One without a public listener has no such address.
            if let Some((_, address)) = url.split_once("//") {
                builder = builder.set(key, address);
            }
        }
        self.builder = change(builder);
        self.tries_to_launch().await
    }

    async fn launch(&mut self) {
        assert!(self.tries_to_launch().await, "it did not start:\n{}", self.log());
    }

    /// False when it ended before it was ready.
    async fn tries_to_launch(&mut self) -> bool {
        let folder = self.folder();
        for name in ["public.address", "internal.address"] {
            // Those of the start before, if there was one.
            let _ = fs::remove_file(folder.join(name));
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.builder.log()).unwrap();
        let mut command = self.builder.command();
        command.arg("serve").arg("--set").arg(format!("data.folder={}", folder.display()));
        for (key, value) in &self.builder.settings {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        if !self.builder.has("node.role", "worker") {
            let Some(base) = self.read(&folder.join("public.address")).await else { return false };
            self.base = base;
        }
        let Some(internal) = self.read(&folder.join("internal.address")).await else { return false };
        self.internal = internal;
        self.admin = fs::read_to_string(folder.join("admin.token")).unwrap().trim().to_owned();
        let (inside, began) = (self.inside(), Instant::now());
        while !self.has_ended() {
            let answer = inside.try_ask(http::Method::GET, "/readyz", None).await;
            if answer.is_ok_and(|answer| answer.status.is_success()) {
                return true;
            }
            assert!(began.elapsed() < PATIENCE, "it is not ready:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    /// A file that the start writes; None when it ended before.
    async fn read(&mut self, path: &Path) -> Option<String> {
        let began = Instant::now();
        loop {
            let text = fs::read_to_string(path).unwrap_or_default();
            if !text.trim().is_empty() {
                return Some(text.trim().to_owned());
            }
            if self.has_ended() {
                return None;
            }
            assert!(began.elapsed() < PATIENCE, "{} did not come:\n{}", path.display(), self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A port of this process until it ends, below those that the system gives to outgoing connections: such a one, given
/// up by a Herald that was killed, may be another's when it starts again.
pub fn own_port() -> u16 {
    static OWN: Mutex<Vec<fs::File>> = Mutex::new(Vec::new());
    let mut own = OWN.lock().unwrap();
    // One folder for all that run on this machine, whatever copy of the sources they were built from.
    let folder = std::env::temp_dir().join("herald-test-ports");
    fs::create_dir_all(&folder).unwrap();
    for port in 10_000..32_000 {
        // Other test processes know by the lock that it is taken, also while nobody listens.
        let Ok(lock) = fs::File::create(folder.join(port.to_string())) else { continue };
        if lock.try_lock().is_ok() && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            own.push(lock);
            return port;
        }
    }
    panic!("no port is free");
}

impl Drop for Herald {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // What has ended already needs no kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().rev().take(60).collect();
            eprintln!("The end of its log:");
            lines.iter().rev().for_each(|line| eprintln!("  {line}"));
        }
    }
}
