//! `herald db`: what is done to the database as a whole.
//!
//! Unlike other commands these open the database themselves, with the node's own settings, and ask no running Herald.

mod backup;
mod copy;
mod migrate;
mod restore;
mod status;

use super::{Failure, Global, Kind, Output, serve};
use crate::{
    config::{self, Config},
    node::lock_folder,
    store::{Options, upkeep::Trouble},
};
use clap::{Args, Subcommand};

/// Migrate, look at, back up, restore or move the database
#[derive(Debug, Args)]
#[command(
    after_help = "These commands open the database themselves, as the node would: settings come from --config, --set and the
environment (HERALD_STORE__URL), so run them where the node runs and as its user. They need no running Herald;
what must not happen beside one is refused.

Examples:
  herald db status                             engine, versions, nodes, queues, sizes
  herald db migrate --dry-run                  which migrations are missing
  herald db backup /var/backups/               while Herald runs
  herald db restore /var/backups/herald.db     into an empty folder or database
  HERALD_STORE__URL=postgres://... herald db copy --from sqlite:/var/lib/herald/herald.db"
)]
pub(super) struct Db {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Migrate(migrate::Migrate),
    Status(status::Status),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Copy(copy::Copy),
}

impl Db {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        let loaded = config::load(&global.sources([]))?;
        let place = Place { options: loaded.config.store.options(&loaded.config.data), config: loaded.config };
        serve::runtime()?.block_on(async {
            match self.action {
                Action::Migrate(command) => command.run(&place, output).await,
                Action::Status(command) => command.run(&place, output).await,
                Action::Backup(command) => command.run(&place, output).await,
                Action::Restore(command) => command.run(&place, output).await,
                Action::Copy(command) => command.run(&place, output).await,
            }
        })
    }
}

/// Which database.
struct Place {
    options: Options,
    config: Config,
}

impl Place {
    /// Keeps every node away from the data folder for as long as the lock is held.
    fn lock(&self) -> Result<std::fs::File, Failure> {
        lock(&self.config.data.folder)
    }
}

/// Keeps every node away from a folder.
fn lock(folder: &std::path::Path) -> Result<std::fs::File, Failure> {
    lock_folder(folder).map_err(|error| Failure::new(Kind::Refused, format!("{error:#}."), ""))
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused { sentence, way_out } => Self::new(Kind::Refused, sentence, way_out),
            Trouble::Unreachable(_) => {
                Self::new(Kind::Unreachable, trouble.to_string(), "Is store.url right, and the server up?")
            }
            Trouble::Failed(sentence) => Self::new(Kind::Failed, sentence, ""),
        }
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    match bytes {
        0..1024 => format!("{bytes} B"),
        _ => format!("{amount:.1} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let all = [0, 1023, 1024, 1_572_864, 5 << 30, u64::MAX].map(size);
        assert_eq!(all, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "5.0 GiB", "16777216.0 TiB"]);
    }

    #[test]
    fn what_is_refused_has_an_exit_code_of_its_own() {
        let refused = Trouble::Refused { sentence: "No.".into(), way_out: "Yes.".into() };
        assert_eq!(Failure::from(refused).kind, Kind::Refused);
        assert_eq!(Failure::from(Trouble::Unreachable("away".into())).kind, Kind::Unreachable);
        assert_eq!(Failure::from(Trouble::Failed("Broken.".into())).kind, Kind::Failed);
    }
}
