//! PostgreSQL's own programs, and how they learn where the server is: by the environment and a file of passwords. What stands on
//! a command line every user of the machine can read.

use super::connect;
use crate::store::{PostgresOptions, upkeep::Trouble};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

/// Debian's list of the certificate authorities of the system.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Writes a dump of the database into a new file, as `pg_dump -Fc` does, and returns its size.
///
/// # Errors
/// When there is a file already, when pg_dump is missing or fails; no half dump is left.
pub async fn back_up(options: &PostgresOptions, to: &Path) -> Result<u64, Trouble> {
    if to.exists() {
        return Err(Trouble::refused(
            format!("{} exists already.", to.display()),
            "Give another name; nothing is overwritten.",
        ));
    }
    let (config, session) = connect(options).await?;
    session.close().await;
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // Left by one that was killed.
    drop(fs::remove_file(&part));
    let file = File::options().create_new(true).write(true).mode(0o600).open(&part)?;
    let dumped = dump(options, &config, &file, &part).and_then(|()| {
        fs::hard_link(&part, to)?;
        if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    });
    drop(fs::remove_file(&part));
    dumped?;
    Ok(fs::metadata(to)?.len())
}

fn dump(options: &PostgresOptions, config: &Config, file: &File, part: &Path) -> Result<(), Trouble> {
    let mut program = Program::new("pg_dump", options, config)?;
    program.command.args(["--format=custom", "--no-owner", "--no-privileges"]).stdout(file.try_clone()?);
    program.run()?;
    file.sync_all()?;
    // It is read once, so that a dump that cannot be is noticed today.
    let mut list = Program::new("pg_restore", options, config)?;
    list.command.arg("--list").arg(part).stdout(Stdio::null());
    list.run()
}

/// One of them, with its environment.
pub(super) struct Program {
    pub(super) command: Command,
    name: &'static str,
    // Gone with it.
    _passwords: Option<tempfile::NamedTempFile>,
}

impl Program {
    pub(super) fn new(name: &'static str, options: &PostgresOptions, config: &Config) -> Result<Self, Trouble> {
        let mut command = Command::new(name);
        command.stdin(Stdio::null());
        let (hosts, ports) = (hosts(config), ports(config));
        command.env("PGHOST", &hosts).env("PGPORT", &ports).env("PGAPPNAME", "herald db");
        if let Some(user) = config.get_user() {
            command.env("PGUSER", user);
        }
        if let Some(database) = config.get_dbname() {
            command.env("PGDATABASE", database);
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite {
            command.env("PGTARGETSESSIONATTRS", "read-write");
        }
        for (name, value) in tls(options, config.get_ssl_mode()) {
            // What the operator has set goes before.
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        let passwords = config.get_password().map(passwords).transpose()?;
        if let Some(file) = &passwords {
            command.env_remove("PGPASSWORD").env("PGPASSFILE", file.path());
        }
        Ok(Self { command, name, _passwords: passwords })
    }

    /// Waits for its end; what it says on stderr becomes the error.
    pub(super) fn run(mut self) -> Result<(), Trouble> {
        let said = self.command.stderr(Stdio::piped()).output().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Trouble::Failed(format!(
                "{} is not installed. On Debian: apt-get install postgresql-client, of the server's version or newer.",
                self.name
            )),
            _ => Trouble::Failed(format!("{} cannot be started: {error}.", self.name)),
        })?;
        if said.status.success() {
            return Ok(());
        }
        Err(Trouble::Failed(format!("{} has failed: {}", self.name, String::from_utf8_lossy(&said.stderr).trim())))
    }
}

fn hosts(config: &Config) -> String {
    let names: Vec<_> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    names.join(",")
}

fn ports(config: &Config) -> String {
    config.get_ports().iter().map(u16::to_string).collect::<Vec<_>>().join(",")
}

/// As strict as our own connection: where TLS is required, the certificate is checked.
fn tls(options: &PostgresOptions, mode: SslMode) -> Vec<(&'static str, PathBuf)> {
    match mode {
        SslMode::Disable => vec![("PGSSLMODE", "disable".into())],
        SslMode::Prefer => vec![("PGSSLMODE", "prefer".into())],
        _ => {
            let authorities = options.ca_file.clone().unwrap_or_else(|| SYSTEM_AUTHORITIES.into());
            vec![("PGSSLMODE", "verify-full".into()), ("PGSSLROOTCERT", authorities)]
        }
    }
}

/// A file for PGPASSFILE, readable by its owner alone, as libpq demands: the same password for every server.
fn passwords(password: &[u8]) -> Result<tempfile::NamedTempFile, Trouble> {
    let mut line = b"*:*:*:*:".to_vec();
    for &byte in password {
        if matches!(byte, b':' | b'\\') {
            line.push(b'\\');
        }
        line.push(byte);
    }
    line.push(b'\n');
    let mut file = tempfile::Builder::new().prefix("herald-db-").tempfile()?;
    file.write_all(&line)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, os::unix::fs::PermissionsExt};

    fn program(url: &str) -> Program {
        Program::new("pg_dump", &PostgresOptions::at(url), &url.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_password_stands_in_no_argument_and_no_variable() {
        let program = program("postgres://herald:se%3Acret@one,two:5433/db?target_session_attrs=read-write");
        let value = |name: &str| {
            program
                .command
                .get_envs()
                .find(|(key, _)| *key == OsStr::new(name))
                .and_then(|(_, value)| value)
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            (value("PGHOST"), value("PGUSER"), value("PGDATABASE")),
            ("one,two".into(), "herald".into(), "db".into())
        );
        assert_eq!(value("PGTARGETSESSIONATTRS"), "read-write");
        let words = program.command.get_args().chain(program.command.get_envs().filter_map(|(_, value)| value));
        assert!(words.into_iter().all(|word| !word.to_string_lossy().contains("cret")));
        let file = value("PGPASSFILE");
        assert_eq!(fs::read_to_string(&file).unwrap(), "*:*:*:*:se\\:cret\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        drop(program);
        assert!(!Path::new(&file).exists());
    }

    #[test]
    fn tls_that_is_required_is_checked() {
        let own = PostgresOptions { ca_file: Some("/own.pem".into()), ..PostgresOptions::at("") };
        assert_eq!(
            tls(&own, SslMode::Require),
            [("PGSSLMODE", "verify-full".into()), ("PGSSLROOTCERT", "/own.pem".into())]
        );
        assert_eq!(tls(&own, SslMode::Prefer), [("PGSSLMODE", PathBuf::from("prefer"))]);
    }
}
