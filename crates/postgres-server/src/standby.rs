//! A primary with a standby that its commits wait for.

use crate::{Options, Server, cluster, folder, process};
use anyhow::ensure;
use std::time::Duration;

/// The name by which the primary knows the standby it waits for.
const NAME: &str = "standby";
const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    /// Starts a copy of `primary` that follows it. From then on each commit there waits until it is here.
    ///
    /// What `options` sets is added to the settings that come with the copy. While the standby is down, commits on the
    /// primary wait for its return: `primary.set("synchronous_standby_names", "")` ends that.
    pub fn start_standby_of(primary: &Self, options: Options) -> anyhow::Result<Self> {
        let mut options = options;
        // A copy has the primary's roles and passwords.
        options.password.clone_from(&primary.password);
        let standby = Self::start_copy(primary, &options)?;
        primary.set("synchronous_standby_names", NAME)?;
        let state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
        let follows = process::wait(PATIENCE, || primary.query("postgres", state).is_ok_and(|count| count == "1"));
        ensure!(follows, "the standby does not follow: {}", standby.log().trim());
        Ok(standby)
    }

    fn start_copy(primary: &Self, options: &Options) -> anyhow::Result<Self> {
        let source = format!("host=127.0.0.1 port={} user=postgres application_name={NAME}", primary.port());
        Self::start_with(options, |binaries, data| {
            folder::owned(binaries, data)?;
            let mut command = binaries.owner("pg_basebackup");
            // pg_hba.conf lets replication in without a password; it comes from this machine alone.
            command.args(["--dbname", &source, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"]);
            let said = command.arg("--no-sync").arg("--pgdata").arg(data).output()?;
            ensure!(said.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&said.stderr).trim());
            cluster::configure(binaries, options, data)
        })
    }

    /// Makes a standby the primary; it takes writes when this returns.
    pub fn promote(&self) -> anyhow::Result<()> {
        // Commits here wait for no one: the other is gone, or must not be waited for.
        let done = self.query("postgres", "SELECT pg_promote(true, 60)")?;
        ensure!(done == "t", "the standby has not become the primary: {}", self.log().trim());
        Ok(())
    }

    /// Whether it follows another and takes no writes.
    pub fn is_standby(&self) -> anyhow::Result<bool> {
        Ok(self.query("postgres", "SELECT pg_is_in_recovery()")? == "t")
    }
}
