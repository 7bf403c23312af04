//! PostgreSQL: a server that nodes share.

mod restore;
mod status;
mod tools;

pub use restore::{refuse_to_restore, restore};
pub use status::status;
pub use tools::back_up;

use super::{Schema, Trouble};
use crate::store::{
    PostgresOptions,
    postgres::open::{self, Session},
};
use tokio_postgres::{Client, Config};

/// The server's clock, in microseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

pub(super) async fn schema(options: &PostgresOptions) -> Result<Schema, Trouble> {
    let (_, mut session) = connect(options).await?;
    let schema = open::schema(&mut session.client).await;
    session.close().await;
    Ok(schema?)
}

pub(super) async fn migrate(options: &PostgresOptions) -> Result<Schema, Trouble> {
    // So that a server that is away is told from a migration that fails.
    let (config, session) = connect(options).await?;
    session.close().await;
    Ok(open::migrate(&config, options).await?)
}

/// A session without limits of time.
pub(super) async fn connect(options: &PostgresOptions) -> Result<(Config, Session), Trouble> {
    let config = open::configure(options)?;
    match Session::open(&config, options).await {
        Ok(session) => Ok((config, session)),
        Err(error) => Err(Trouble::Unreachable(error.to_string())),
    }
}

/// The names of the nodes that live, by the server's clock.
pub(super) async fn live_nodes(client: &Client) -> Result<Vec<String>, Trouble> {
    if !exists(client, "node").await? {
        return Ok(vec![]);
    }
    let rows = client.query(&format!("SELECT name FROM node WHERE until > {NOW} ORDER BY name"), &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Refuses what must not happen while a node works.
pub(super) async fn refuse_while_nodes_live(client: &Client) -> Result<(), Trouble> {
    let nodes = live_nodes(client).await?;
    match nodes.is_empty() {
        true => Ok(()),
        false => Err(Trouble::refused(
            format!("Nodes work on this database: {}.", nodes.join(", ")),
            "Stop them first. One that was killed counts for 3 seconds.",
        )),
    }
}

/// Whether there is such a table.
pub(super) async fn exists(client: &Client, table: &str) -> Result<bool, Trouble> {
    Ok(client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?.try_get(0)?)
}
