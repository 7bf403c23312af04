//! `herald db restore`.

use super::{Failure, Output, Place};
use crate::store::{
    Options,
    upkeep::{postgres, sqlite},
};
use clap::Args;
use std::path::PathBuf;

/// Make a backup the database; only into an empty place, and with every node stopped
#[derive(Debug, Args)]
#[command(
    after_help = "What waited when the backup was made may have been sent since, and would be sent again. So all lanes are paused:
start the node, cancel what has been sent already as far as your own records say (`herald messages list`,
`herald messages cancel`), then let each lane go: `herald lane resume LANE`.

Example:
  herald db restore /var/backups/herald-2026-11-23T003225Z.db"
)]
pub(super) struct Restore {
    /// What `herald db backup` has written
    #[arg(value_name = "FILE")]
    from: PathBuf,
    /// Pause nothing: what waited is sent as soon as a node starts, some of it for the second time
    #[arg(long)]
    keep_lanes_running: bool,
}

impl Restore {
    pub(super) async fn run(self, place: &Place, output: &Output) -> Result<(), Failure> {
        let pause = !self.keep_lanes_running;
        let restored = match &place.options {
            Options::Sqlite(options) => {
                let _lock = place.lock()?;
                sqlite::restore(&self.from, &options.path, pause)?
            }
            Options::Postgres(options) => postgres::restore(options, &self.from, pause).await?,
        };
        output.answer(&restored, |restored| {
            format!("Restored. {} messages wait; {} lanes were paused.", restored.waiting, restored.lanes_paused)
        })?;
        if pause && restored.lanes_paused > 0 {
            output.talk(
                "Start the node, cancel what has been sent since the backup (`herald messages cancel`), and then let the lanes go: \
                 `herald lane list`, `herald lane resume LANE`.",
            );
        }
        Ok(())
    }
}
