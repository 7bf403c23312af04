//! Where PostgreSQL is installed, and as whom it can be run.

use anyhow::{Context, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Where Debian and Ubuntu keep the programs, one folder a version.
const DEBIAN: &str = "/usr/lib/postgresql";
const MISSING: &str = "PostgreSQL is not installed: `apt-get install postgresql` (`make setup-test` does it), or set PG_BIN to the folder that has initdb and postgres";

/// The programs of one installed version.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    folder: PathBuf,
    /// As `postgres --version` prints it, without blanks: 15.10.
    pub(crate) version: String,
    /// Whom to run it as; `None` where we are not root.
    pub(crate) user: Option<User>,
    /// Whether `setpriv` is there, which ties a server's life to ours.
    tied: bool,
}

/// A user of this machine other than root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) group: u32,
}

impl Binaries {
    /// What is installed; looked for once a process.
    pub(crate) fn find() -> anyhow::Result<&'static Self> {
        static FOUND: OnceLock<Binaries> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let found = Self::look()?;
        Ok(FOUND.get_or_init(|| found))
    }

    fn look() -> anyhow::Result<Self> {
        let folder = match env::var_os("PG_BIN") {
            Some(folder) => PathBuf::from(folder),
            None => newest(Path::new(DEBIAN)).or_else(in_path).context(MISSING)?,
        };
        let said = Command::new(folder.join("postgres")).arg("--version").output().context(MISSING)?;
        let version = String::from_utf8_lossy(&said.stdout);
        let version = version.split_whitespace().nth(2).context(MISSING)?.to_owned();
        let tied = Command::new("setpriv").arg("--version").output().is_ok_and(|output| output.status.success());
        let user = if rustix::process::geteuid().is_root() {
            if !tied {
                bail!(
                    "PostgreSQL does not run as root, and setpriv (Debian: util-linux) is missing to change the user"
                );
            }
            let known = fs::read_to_string("/etc/passwd").context("/etc/passwd cannot be read")?;
            Some(
                unprivileged(&known)
                    .context("PostgreSQL does not run as root, and there is no user postgres or nobody")?,
            )
        } else {
            None
        };
        Ok(Self { folder, version, user, tied })
    }

    /// A program that talks to a server: psql, pg_basebackup.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        // Messages are matched, so they must not depend on the machine's language; PGHOST and its like must not lead elsewhere.
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C.UTF-8");
        command
    }

    /// A program that works on the data folder, as the user who owns that, and ended when we end.
    pub(crate) fn owner(&self, program: &str) -> Command {
        let words = self.owner_words(program);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C.UTF-8");
        command.current_dir("/");
        command
    }

    /// The same as words of a command line.
    pub(crate) fn owner_words(&self, program: &str) -> Vec<String> {
        let mut words = Vec::new();
        if self.tied {
            // QUIT is an immediate shutdown: PostgreSQL ends its children and gives its shared memory back.
            words.extend(["setpriv", "--pdeathsig", "QUIT"].map(str::to_owned));
            if let Some(user) = &self.user {
                words.push(format!("--reuid={}", user.id));
                words.push(format!("--regid={}", user.group));
                words.push("--clear-groups".to_owned());
            }
            words.push("--".to_owned());
        }
        words.push(self.folder.join(program).to_string_lossy().into_owned());
        words
    }
}

/// The folder of the highest version that has a server, not just the client.
fn newest(root: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(root).ok()?.filter_map(Result::ok);
    let versions = versions.filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.path().join("bin"))));
    versions.filter(|(_, folder)| folder.join("initdb").exists()).max().map(|(_, folder)| folder)
}

/// `9.6` is older than `15`.
fn number(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn in_path() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).find(|folder| folder.join("initdb").exists())
}

fn unprivileged(passwd: &str) -> Option<User> {
    ["postgres", "nobody"].iter().find_map(|wanted| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _, id, group) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let (id, group) = (id.parse().ok()?, group.parse().ok()?);
            (name == *wanted && id != 0).then(|| User { name: name.to_owned(), id, group })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_with_a_server_is_taken() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "13", "15", "16", "common"] {
            let folder = root.path().join(version).join("bin");
            fs::create_dir_all(&folder).unwrap();
            // Of 16 only the client is installed.
            if version != "16" {
                fs::write(folder.join("initdb"), "").unwrap();
            }
        }
        assert_eq!(newest(root.path()), Some(root.path().join("15/bin")));
        assert_eq!(newest(&root.path().join("none")), None);
    }

    #[test]
    fn postgres_is_rather_taken_than_nobody_and_root_never() {
        let user = |name: &str, id, group| Some(User { name: name.into(), id, group });
        let nobody = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(unprivileged(nobody), user("nobody", 65534, 65533));
        assert_eq!(unprivileged(&format!("{nobody}postgres:x:101:104::/:/bin/sh\n")), user("postgres", 101, 104));
        assert_eq!(unprivileged("postgres:x:0:0::/:/bin/sh\nbroken\n"), None);
    }
}
