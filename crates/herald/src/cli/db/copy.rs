//! `herald db copy`.

use super::{Failure, Output, Place, lock};
use crate::{
    cli::{Kind, output},
    config,
    store::{
        Options, PostgresOptions,
        upkeep::copy::{Copying, Told, copy, sqlite_path},
    },
};
use clap::Args;
use serde_json::json;
use std::path::Path;

/// Move a SQLite instance into an empty PostgreSQL database
#[derive(Debug, Args)]
#[command(
    after_help = "Stop the node first; it must not run again on the SQLite file afterwards, since it would send what the new one sends.
If the copy breaks off, start it again: it goes on where it was. At the end both sides are read and compared,
by rows and by a checksum of each table; before that has come out even no node starts on the database.

The password does not stand on a command line where every user can read it, if --to is left out:
  export HERALD_STORE__URL=postgres://herald:PASSWORD@db1,db2/herald?sslmode=require
  herald db copy --from sqlite:/var/lib/herald/herald.db

Afterwards start the node with that store.url and the same data folder: master.key, admin.token and spool/ are there."
)]
pub(super) struct Copy {
    /// The SQLite file, as sqlite:PATH
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database, as postgres://USER:PASSWORD@HOST/NAME [default: store.url]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Rows written at once
    #[arg(long, value_name = "ROWS", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    page: u32,
}

impl Copy {
    pub(super) async fn run(self, place: &Place, output: &Output) -> Result<(), Failure> {
        let to = self.target(place)?;
        let from = sqlite_path(&self.from);
        // Where the database is the one of the data folder, that is locked; where it is elsewhere, the folder that it is in, if a
        // node has ever worked there.
        let own = place.config.data.folder.join("herald.db");
        let _locks = match from.parent() {
            Some(folder) if folder.join("lock").exists() => vec![lock(folder)?],
            _ if own == from => vec![place.lock()?],
            _ => vec![],
        };
        let copying = Copying { from: from.to_owned(), to, page: self.page as usize };
        let mut last = String::new();
        let tables = copy(&copying, |told| match told {
            Told::GoesOn { rows } => output.talk(&format!("Going on: {rows} rows are there already.")),
            Told::Copied { table, rows } => {
                // A line a table, and one for each hundred pages of a large one.
                if rows % (u64::from(self.page) * 100) == 0 || last != table {
                    output.talk(&format!("{table}: {rows}"));
                }
                last = table;
            }
            Told::Compares { table } => output.talk(&format!("{table}: compared")),
        })
        .await?;
        output.answer(&json!({"tables": tables}), |_| {
            let rows = tables.iter().map(|table| [table.table.clone(), table.rows.to_string(), table.checksum.clone()]);
            output::table(["table", "rows", "checksum on both sides"], rows)
        })?;
        output.talk(&format!(
            "Everything is there and the same. Start the node with this store.url and the same data folder, and never again on {}.",
            Path::new(from).display()
        ));
        Ok(())
    }

    fn target(&self, place: &Place) -> Result<PostgresOptions, Failure> {
        let options = match (&self.to, &place.options) {
            (None, Options::Postgres(options)) => return Ok(options.clone()),
            (None, Options::Sqlite(_)) => None,
            (Some(url), _) => {
                let store = config::Store { url: Some(url.clone()), ..place.config.store.clone() };
                Some(store.options(&place.config.data))
            }
        };
        match options {
            Some(Options::Postgres(options)) => Ok(options),
            _ => Err(Failure::new(
                Kind::Usage,
                "The database to copy to must be a PostgreSQL server.",
                "Give --to postgres://USER@HOST/NAME, or set store.url (HERALD_STORE__URL) to it.",
            )),
        }
    }
}
