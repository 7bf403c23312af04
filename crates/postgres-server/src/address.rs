//! How a server is reached, and what it is asked.

use crate::binaries::Binaries;
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};

/// How a server is reached. A [`crate::Server`] and the [`crate::Shared`] one can all that an address can.
#[derive(Clone, Debug)]
pub struct Address {
    pub(crate) binaries: &'static Binaries,
    pub(crate) port: u16,
    /// The folder that holds the socket.
    pub(crate) folder: PathBuf,
    pub(crate) password: Option<String>,
}

impl Address {
    /// The URL of the database `postgres`, which is always there.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database, over TCP.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{}127.0.0.1:{}/{database}", self.who(), self.port)
    }

    /// The URL of a database on two servers: whichever takes writes.
    pub fn url_with(&self, other: &Self, database: &str) -> String {
        let (one, two) = (self.port, other.port);
        format!("postgres://{}127.0.0.1:{one},127.0.0.1:{two}/{database}?target_session_attrs=read-write", self.who())
    }

    fn who(&self) -> String {
        self.password.as_ref().map_or_else(|| "postgres@".to_owned(), |password| format!("postgres:{password}@"))
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the Unix socket, as libpq takes it for a host name.
    pub fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// The version of the server: `15.10`.
    pub fn version(&self) -> &str {
        &self.binaries.version
    }

    /// Creates an empty database, and returns its URL. Its name is an SQL identifier.
    pub fn database(&self, name: &str) -> anyhow::Result<String> {
        self.query("postgres", &format!("CREATE DATABASE \"{name}\""))?;
        Ok(self.url_of(name))
    }

    /// Creates a database that has all that `template` has, which nobody may be connected to.
    pub fn database_like(&self, template: &str, name: &str) -> anyhow::Result<String> {
        self.query("postgres", &format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""))?;
        Ok(self.url_of(name))
    }

    /// Drops a database, and whoever is connected to it.
    pub fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        self.query("postgres", &format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")).map(drop)
    }

    /// Runs SQL by `psql`, which takes some 20 ms: rows as lines, columns parted by `|`, without the last line's end.
    pub fn query(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let mut command = self.binaries.client("psql");
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        command.args(["--username", "postgres", "--port", &self.port.to_string(), "--host"]).arg(&self.folder);
        let said = command.args(["--dbname", database, "--command", sql]).output().context("psql cannot be started")?;
        ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr).trim());
        Ok(String::from_utf8_lossy(&said.stdout).trim_end_matches('\n').to_owned())
    }
}
