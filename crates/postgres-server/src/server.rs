//! A server of one's own.

use crate::{
    address::Address,
    binaries::Binaries,
    cluster,
    folder::{self, Folder},
    options::Options,
    process,
};
use anyhow::{Context, bail, ensure};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, TcpStream},
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

/// How long a start or a stop may take; recovery after a kill is part of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ports below those that the kernel gives out by itself (32,768 and up), so that a server that is down for a while
/// finds its own free when it comes back.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A server of one's own; stopped and removed when dropped. [`Address`] has what it can be asked.
#[derive(Debug)]
pub struct Server {
    address: Address,
    child: Option<Child>,
    paused: bool,
    // The last field, because it is dropped last: when the process has ended.
    folder: Folder,
}

impl Deref for Server {
    type Target = Address;

    fn deref(&self) -> &Address {
        &self.address
    }
}

impl Server {
    /// Starts a server with no database but its own; it takes connections when this returns.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        Self::start_with(&options, |binaries, data| cluster::make(binaries, &options, data))
    }

    /// Starts a server on the data folder that `make` makes.
    pub(crate) fn start_with(
        options: &Options,
        make: impl FnOnce(&Binaries, &Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let binaries = Binaries::find()?;
        let folder = Folder::make(&folder::root(options))?;
        let sockets = folder.path().join("socket");
        fs::create_dir(&sockets)?;
        folder::own(binaries, &sockets)?;
        make(binaries, &folder.path().join("data"))?;
        let address = Address { binaries, port: 0, folder: sockets, password: options.password.clone() };
        let mut server = Self { address, child: None, paused: false, folder };
        // Somebody may take the port between our look and the server's.
        for _ in 0..20 {
            server.address.port = free_port()?;
            match server.run() {
                Err(error) if format!("{error:#}").contains("Address already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    if let Some(password) = &options.password {
                        let password = password.replace('\'', "''");
                        server.query("postgres", &format!("ALTER ROLE postgres PASSWORD '{password}'"))?;
                    }
                    return Ok(server);
                }
            }
        }
        bail!("no free port found for PostgreSQL in twenty attempts")
    }

    /// Stops in order: sessions are ended, all is written.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.end(Signal::INT)
    }

    /// As a power cut would end it: postmaster and children get `kill -9`, and nothing is written any more.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(child) = &mut self.child {
            process::kill(child.id());
            child.wait()?;
        }
        self.child = None;
        self.paused = false;
        Ok(())
    }

    /// Starts it again after [`Self::stop`] or [`Self::kill`], on the same port; it has recovered when this returns.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "the server runs already");
        self.run()
    }

    /// [`Self::stop`] and [`Self::start_again`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.start_again()
    }

    /// Freezes it: connections stay open and nobody answers, as behind a broken network.
    pub fn pause(&mut self) {
        if let Some(child) = &self.child {
            process::pause(child.id());
            self.paused = true;
        }
    }

    /// Ends [`Self::pause`].
    pub fn resume(&mut self) {
        if let Some(child) = &self.child {
            process::resume(child.id());
        }
        self.paused = false;
    }

    /// Whether there is a process, paused or not.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Changes a setting of the whole server, at once where PostgreSQL can.
    pub fn set(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.query("postgres", &format!("ALTER SYSTEM SET {name} = '{}'", value.replace('\'', "''")))?;
        self.query("postgres", "SELECT pg_reload_conf()").map(drop)
    }

    /// What the server has written to its log since it was last started.
    pub fn log(&self) -> String {
        fs::read(self.log_path()).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// The process number of the postmaster, for measurements of processor time; none while it is down.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn run(&mut self) -> anyhow::Result<()> {
        let data = self.folder.path().join("data");
        let mut command = self.address.binaries.owner("postgres");
        command.args(arguments(&data, self.port, &self.address.folder));
        let log = File::create(self.log_path()).context("no log file")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(process::start(command)?);
        let ready = process::wait(PATIENCE, || is_ready(&data, self.port) || self.has_ended());
        if ready && !self.has_ended() {
            return Ok(());
        }
        let log = self.log();
        self.kill()?;
        bail!("PostgreSQL has not started: {}", log.trim())
    }

    fn has_ended(&self) -> bool {
        let state = self.child.as_ref().and_then(|child| process::state(child.id()));
        state.is_none_or(|(_, state)| state == 'Z')
    }

    fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.paused {
            self.resume();
        }
        let Some(child) = &mut self.child else { return Ok(()) };
        process::signal(child.id(), signal);
        let ended = process::wait(PATIENCE, || process::state(child.id()).is_none_or(|(_, state)| state == 'Z'));
        if ended {
            child.wait()?;
            self.child = None;
            return Ok(());
        }
        self.kill()?;
        bail!("PostgreSQL did not stop within {} s, and was killed", PATIENCE.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An immediate shutdown: the data is thrown away, so nothing need be written.
        if self.end(Signal::QUIT).is_err() {
            let _ = self.kill();
        }
    }
}

/// The command line has what differs between servers with a common history; the rest is in `postgresql.conf`.
pub(crate) fn arguments(data: &Path, port: u16, sockets: &Path) -> Vec<String> {
    vec![
        "-D".to_owned(),
        data.display().to_string(),
        "-p".to_owned(),
        port.to_string(),
        "-c".to_owned(),
        "listen_addresses=127.0.0.1".to_owned(),
        "-c".to_owned(),
        format!("unix_socket_directories={}", sockets.display()),
    ]
}

/// Whether a server takes connections: its own word (the eighth line of its lock file), and the port's.
pub(crate) fn is_ready(data: &Path, port: u16) -> bool {
    let lock = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    lock.lines().nth(7).is_some_and(|line| line.trim() == "ready")
        && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (0..1000).map(|_| fastrand::u16(PORTS)).find(free).context("no free port below 32,000")
}
