//! A SQLite instance moves into a PostgreSQL database.
//!
//! Page by page in the order of SQLite's keys, each page with a note of how far it reaches in one transaction: whoever starts it
//! again goes on there. Then both sides are read once more and compared, by rows and by a checksum of each table. Until that has
//! come out even, no node works on the database (`postgres::open::COPYING`).

mod line;
mod plan;
mod source;
mod target;
#[cfg(test)]
mod tests;

use super::{Trouble, postgres};
use crate::store::{PostgresOptions, postgres::open};
use rusqlite::Connection;
use serde::Serialize;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// From where to where.
#[derive(Clone, Debug)]
pub struct Copying {
    /// The SQLite file. The caller holds the lock of its folder.
    pub from: PathBuf,
    /// The empty database.
    pub to: PostgresOptions,
    /// Rows a page.
    pub page: usize,
}

/// What is told meanwhile.
#[derive(Clone, Debug)]
pub enum Told {
    /// An earlier run got so far.
    GoesOn {
        /// Rows that are there already.
        rows: u64,
    },
    /// A page was written.
    Copied {
        /// Of which table.
        table: String,
        /// Rows of it so far.
        rows: u64,
    },
    /// All is written; a table is compared.
    Compares {
        /// Which.
        table: String,
    },
}

/// A table that is the same on both sides.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CopiedTable {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// Their checksum, whatever their order.
    pub checksum: String,
}

/// Copies everything; returns the tables as compared.
///
/// # Errors
/// When something speaks against it, when it breaks off (start it again: it goes on), or when the two sides differ.
pub async fn copy(copying: &Copying, mut told: impl FnMut(Told)) -> Result<Vec<CopiedTable>, Trouble> {
    let from = source::open(&copying.from)?;
    let (config, mut session) = postgres::connect(&copying.to).await?;
    let client = &mut session.client;
    target::lock(client).await?;
    refuse_other_encodings(client).await?;
    postgres::refuse_while_nodes_live(client).await?;
    open::migrate(&config, &copying.to).await?;
    let tables = plan::plan(&source::catalogue(&from)?, &target::catalogue(client).await?)
        .map_err(|problem| Trouble::Failed(format!("The tables of the two engines differ: {problem}.")))?;
    let mut progress = target::begin(client, &tables, &source::fingerprint(&from)?).await?;
    if !progress.is_empty() {
        told(Told::GoesOn { rows: progress.values().map(|progress| progress.rows).sum() });
    }
    if let Some((first, last)) = months(&from)? {
        target::make_months(client, first, last).await?;
    }
    for table in &tables {
        let mut reached = progress.remove(&table.name).unwrap_or_default();
        while !reached.done {
            let page = source::page(&from, table, reached.behind.as_ref(), copying.page)?;
            reached = target::write(client, table, page, &reached).await?;
            told(Told::Copied { table: table.name.clone(), rows: reached.rows });
        }
    }
    target::set_sequences(client, &tables).await?;
    let mut compared = Vec::with_capacity(tables.len());
    for table in &tables {
        told(Told::Compares { table: table.name.clone() });
        let (here, there) = (source::sum(&from, table)?, target::sum(client, table).await?);
        if here != there {
            return Err(Trouble::Failed(format!(
                "The two sides differ in {}: {} rows with the checksum {} in {}, {} rows with {} in PostgreSQL. Something has \
                 changed one of them since the copy began: begin again with an empty database. No node will start on this one.",
                table.name,
                here.rows,
                here.checksum(),
                copying.from.display(),
                there.rows,
                there.checksum(),
            )));
        }
        compared.push(CopiedTable { table: table.name.clone(), rows: here.rows, checksum: here.checksum() });
    }
    target::end(client).await?;
    session.close().await;
    Ok(compared)
}

async fn refuse_other_encodings(client: &tokio_postgres::Client) -> Result<(), Trouble> {
    let encoding: String = client.query_one("SHOW server_encoding", &[]).await?.try_get(0)?;
    match encoding.as_str() {
        "UTF8" => Ok(()),
        _ => Err(Trouble::refused(
            format!("The database is in the encoding {encoding}, which cannot hold every text."),
            "Make it with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.",
        )),
    }
}

/// The first and the last id of what is divided by month.
fn months(from: &Connection) -> Result<Option<(Uuid, Uuid)>, Trouble> {
    // Every event, note and part is about a message, but for events of channels, whose ids are as old as their neighbours.
    let (first, last): (Option<[u8; 16]>, Option<[u8; 16]>) = from.query_row(
        "SELECT min((SELECT id FROM message m WHERE m.department = d.department ORDER BY id LIMIT 1)),
             max((SELECT id FROM message m WHERE m.department = d.department ORDER BY id DESC LIMIT 1)) FROM department d",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(first.zip(last).map(|(first, last)| (Uuid::from_bytes(first), Uuid::from_bytes(last))))
}

/// The file that a URL names: `sqlite:PATH`, or the path alone.
pub fn sqlite_path(url: &str) -> &Path {
    Path::new(url.strip_prefix("sqlite:").unwrap_or(url))
}
