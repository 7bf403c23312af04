//! One server for all tests of a run: a start takes longer than most tests.

use crate::{
    address::Address,
    binaries::Binaries,
    cluster, folder,
    options::Options,
    process,
    server::{arguments, free_port, is_ready},
};
use anyhow::{Context, bail, ensure};
use std::{
    env,
    fs::{self, File},
    ops::Deref,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio, id},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Runs the server, waits until the process it is for has ended, and cleans up. It is a process of its own, because
/// that one may be killed. Its arguments: that process, the folder, and the server's command line.
const KEEPER: &str = r#"
owner=$1 folder=$2; shift 2
exec 9>"$folder/lock" && flock 9
"$@" >"$folder/log" 2>&1 9>&- &
server=$!
tail --pid="$owner" --sleep-interval=0.2 -f /dev/null 9>&-
kill -QUIT "$server"; wait "$server"; rm -rf "$folder"
"#;
const PATIENCE: Duration = Duration::from_secs(60);

/// The server that all tests of a run have in common: those of this process, and under nextest, which gives each test
/// a process, those of all. It ends with the process or the run.
#[derive(Debug)]
pub struct Shared {
    address: Address,
    folder: PathBuf,
}

impl Deref for Shared {
    type Target = Address;

    fn deref(&self) -> &Address {
        &self.address
    }
}

impl Shared {
    /// The server of this run; the first who asks starts it.
    pub fn get() -> anyhow::Result<&'static Self> {
        static SHARED: OnceLock<Shared> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        // Nothing is half done where another start has panicked: a file tells what runs.
        let _starting = STARTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(shared) = SHARED.get() {
            return Ok(shared);
        }
        let shared = Self::find_or_start()?;
        Ok(SHARED.get_or_init(|| shared))
    }

    fn find_or_start() -> anyhow::Result<Self> {
        let binaries = Binaries::find()?;
        let base = folder::base(&folder::root(&Options::default()))?;
        let owner = owner();
        let folder = base.join(format!("server-shared-{owner}"));
        let lock = File::create(base.join(format!("{owner}.starting")))?;
        lock.lock()?;
        let port = match fs::read_to_string(folder.join("port")) {
            Ok(port) if is_ready(&folder.join("data"), port.parse()?) => port.parse()?,
            _ => start(binaries, &folder, owner)?,
        };
        let _ = fs::remove_file(base.join(format!("{owner}.starting")));
        let address = Address { binaries, port, folder: folder.join("socket"), password: None };
        Ok(Self { address, folder })
    }

    /// A database to be copied by [`Self::copy_of`], made once a run: the first who asks fills it, the others wait.
    ///
    /// `fill` gets its URL; connections that it has closed may still be ending when it returns.
    pub fn template(&self, name: &str, fill: impl FnOnce(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let lock = File::create(self.folder.join(format!("{name}.template")))?;
        lock.lock()?;
        let made = self.folder.join(format!("{name}.made"));
        if made.exists() {
            return Ok(());
        }
        self.drop_database(name)?;
        fill(&self.database(name)?)?;
        // PostgreSQL copies no database that somebody is connected to, and sessions end a little after their connection.
        let sessions = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
        process::wait(PATIENCE, || self.query("postgres", &sessions).is_ok_and(|count| count == "0"));
        File::create(made)?;
        Ok(())
    }

    /// A database of one's own like `template`, dropped with the value.
    pub fn copy_of(&self, template: &str) -> anyhow::Result<Database> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("test_{}_{}", id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        self.database_like(template, &name)?;
        Ok(Database { address: self.address.clone(), name })
    }

    /// An empty database of one's own, dropped with the value.
    pub fn empty(&self) -> anyhow::Result<Database> {
        self.copy_of("template1")
    }
}

/// A database of one's own on a server that others use too.
#[derive(Debug)]
pub struct Database {
    address: Address,
    name: String,
}

impl Database {
    /// Where it is.
    pub fn url(&self) -> String {
        self.address.url_of(&self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL in it: see [`Address::query`].
    pub fn query(&self, sql: &str) -> anyhow::Result<String> {
        self.address.query(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // It goes with its server at the latest.
        let _ = self.address.drop_database(&self.name);
    }
}

/// Whose server it is: the test runner's, where that gives each test a process, else this process's.
fn owner() -> u32 {
    let runner = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    let name = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let is_nextest = |pid: &u32| env::var_os("NEXTEST_RUN_ID").is_some() && name(pid).starts_with("cargo-nextest");
    runner.filter(is_nextest).unwrap_or_else(id)
}

fn start(binaries: &Binaries, folder: &Path, owner: u32) -> anyhow::Result<u16> {
    // One that is left over from a process of the same number.
    process::end_left_over(&folder.join("data"));
    let _ = fs::remove_dir_all(folder);
    folder::sweep(&folder::base(&folder::root(&Options::default()))?, folder::YOUNG);
    fs::create_dir(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let (data, sockets) = (folder.join("data"), folder.join("socket"));
    fs::create_dir(&sockets)?;
    folder::own(binaries, &sockets)?;
    cluster::make(binaries, &Options::default(), &data)?;
    for _ in 0..20 {
        let port = free_port()?;
        let mut keeper = Command::new("setsid");
        keeper.args(["sh", "-c", KEEPER, "keeper", &owner.to_string()]).arg(folder);
        keeper.args(binaries.owner_words("postgres")).args(arguments(&data, port, &sockets));
        // Nothing of ours: the runner waits until the last who can write to its output has gone.
        keeper.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keeper = keeper.spawn().context("setsid cannot be started")?;
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        let failed = || log().contains("FATAL") && !is_ready(&data, port);
        if process::wait(PATIENCE, || is_ready(&data, port) || failed()) && !failed() {
            fs::write(folder.join("port"), port.to_string())?;
            return Ok(port);
        }
        // Its server is told to quit by its end.
        keeper.kill()?;
        keeper.wait()?;
        process::end_left_over(&data);
        ensure!(log().contains("Address already in use"), "PostgreSQL has not started: {}", log().trim());
    }
    bail!("no free port found for PostgreSQL in twenty attempts")
}
