//! `herald db backup`.

use super::{Failure, Output, Place, size};
use crate::store::{
    Options,
    upkeep::{postgres, sqlite},
};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write the database, as it stands at this moment, into a file; Herald may run meanwhile
#[derive(Debug, Args)]
#[command(
    after_help = "SQLite: a copy of the file, checked, that can be opened as it is. PostgreSQL: what pg_dump -Fc writes.
A dump of a large PostgreSQL takes hours to restore and loses what came after it. There a physical backup is
better: pg_basebackup with WAL archiving, which can be restored to any moment.

Not in it: the master key and admin.token. Without the key the credentials in the backup cannot be read.

Examples:
  herald db backup /var/backups/                  named after the moment
  herald db backup /var/backups/before-1.4.db"
)]
pub(super) struct Backup {
    /// A new file, or a folder in which it is named after the moment
    #[arg(value_name = "FILE|FOLDER")]
    to: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, place: &Place, output: &Output) -> Result<(), Failure> {
        let ending = if matches!(place.options, Options::Sqlite(_)) { "db" } else { "dump" };
        let to = file(&self.to, ending);
        let bytes = match &place.options {
            Options::Sqlite(options) => {
                let mut last = 100;
                sqlite::back_up(&options.path, &to, |left, all| {
                    let percent = (all - left) * 100 / all.max(1);
                    if percent / 10 != last / 10 {
                        last = percent;
                        output.talk(&format!("{percent} %"));
                    }
                })?
            }
            Options::Postgres(options) => {
                let bytes = postgres::back_up(options, &to).await?;
                output.talk("For point-in-time recovery use pg_basebackup and WAL archiving as well: see --help.");
                bytes
            }
        };
        let answer = json!({"file": to, "bytes": bytes, "checked": true});
        output.answer(&answer, |_| format!("{}  {}, checked", to.display(), size(bytes)))?;
        Ok(())
    }
}

fn file(to: &Path, ending: &str) -> PathBuf {
    match to.is_dir() {
        false => to.to_owned(),
        true => {
            let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ");
            to.join(format!("herald-{now}.{ending}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_folder_it_is_named_after_the_moment() {
        let folder = tempfile::tempdir().unwrap();
        let name = file(folder.path(), "db").file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            name.starts_with("herald-2")
                && name.ends_with("Z.db")
                && name.len() == "herald-2026-11-23T003225Z.db".len(),
            "{name}"
        );
        assert_eq!(file(&folder.path().join("own"), "db"), folder.path().join("own"));
    }
}
