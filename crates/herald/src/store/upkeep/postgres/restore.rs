//! A dump becomes the database.

use super::{connect, refuse_while_nodes_live, tools::Program};
use crate::store::{
    PostgresOptions,
    postgres::open::MIGRATING,
    upkeep::{Trouble, sqlite::Restored},
};
use std::path::Path;
use tokio_postgres::Client;

/// Restores a dump that [`super::back_up`] has made into an empty database.
///
/// # Errors
/// When the database is not empty, when a node lives, when pg_restore is missing or fails; nothing is restored then.
pub async fn restore(options: &PostgresOptions, from: &Path, pause_lanes: bool) -> Result<Restored, Trouble> {
    if !from.is_file() {
        return Err(Trouble::Failed(format!("There is no file {}.", from.display())));
    }
    let (config, session) = connect(options).await?;
    let client = &session.client;
    // A node that starts waits here until the lanes are paused.
    client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATING]).await?;
    refuse_to_restore(client).await?;
    let mut program = Program::new("pg_restore", options, &config)?;
    let database: String = client.query_one("SELECT current_database()", &[]).await?.try_get(0)?;
    program
        .command
        .args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"])
        .arg(format!("--dbname={database}"))
        .arg(from);
    program.run()?;
    // Nodes of the time of the backup, and what they held.
    client.batch_execute("BEGIN; DELETE FROM node; UPDATE lease SET node = NULL").await?;
    let lanes_paused = match pause_lanes {
        true => client.execute("UPDATE lane SET paused = true WHERE NOT paused", &[]).await?,
        false => 0,
    };
    client.batch_execute("COMMIT; ANALYZE").await?;
    let waiting: i64 = client
        .query_one(
            "SELECT coalesce(sum(arrived - departed), 0)::bigint FROM lane_queue JOIN lane_log USING (lane)",
            &[],
        )
        .await?
        .try_get(0)?;
    session.close().await;
    Ok(Restored { waiting: waiting.unsigned_abs(), lanes_paused })
}

/// Refuses a database in which there is something, or on which a node works.
///
/// # Errors
/// [`Trouble::Refused`], or that it cannot be read.
pub async fn refuse_to_restore(client: &Client) -> Result<(), Trouble> {
    refuse_while_nodes_live(client).await?;
    // Also tables without rows, which a node has made: pg_restore cannot replace divided ones.
    let tables =
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')";
    let found: i64 = client.query_one(tables, &[]).await?.try_get(0)?;
    match found {
        0 => Ok(()),
        _ => Err(Trouble::refused(
            "The database is not empty: there are tables in it.",
            "Give an empty one (CREATE DATABASE) as store.url, and keep the old: it is all that is left of what came after the backup.",
        )),
    }
}
