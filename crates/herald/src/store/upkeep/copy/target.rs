//! Writing the PostgreSQL side.

use super::{
    line::{Kind, Sum},
    plan::{Column, Table, Target},
    source::{Key, Page},
};
use crate::store::{
    postgres::{
        month::Month,
        open::COPYING,
        partitions::{TABLES as BY_MONTH, making},
    },
    upkeep::{Trouble, status::moment},
};
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use herald_rules::ids::MessageId;
use std::{collections::HashMap, pin::pin};
use tokio_postgres::Client;
use uuid::Uuid;

/// The row of the progress table that names the source.
const FROM: &str = "";
/// Held while a copy runs: "HCPY".
const ALONE: i64 = 0x4843_5059;

/// How far a table has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) behind: Option<Key>,
    pub(super) rows: u64,
    pub(super) done: bool,
}

/// Takes the database for this copy alone.
pub(super) async fn lock(client: &Client) -> Result<(), Trouble> {
    match client.query_one("SELECT pg_try_advisory_lock($1)", &[&ALONE]).await?.try_get(0)? {
        true => Ok(()),
        false => Err(Trouble::refused("Another copy into this database is under way.", "Wait for its end.")),
    }
}

/// What it says of its tables. A column of a type that no table of ours has is an error.
pub(super) async fn catalogue(client: &Client) -> Result<Target, Trouble> {
    let mut target = Target::default();
    let columns = client
        .query(
            "SELECT t.relname::text, a.attname::text, y.typname::text, a.attidentity <> ''
             FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid JOIN pg_type y ON y.oid = a.atttypid
             WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition
             AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum",
            &[],
        )
        .await?;
    for row in &columns {
        let (table, name, kind): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let Some(kind) = Kind::of(&kind) else {
            return Err(Trouble::Failed(format!(
                "The column {table}.{name} is of the type {kind}, which nothing says how to copy."
            )));
        };
        target.columns.entry(table).or_default().push(Column { name, kind, identity: row.try_get(3)? });
    }
    let references = client
        .query(
            "SELECT t.relname::text, f.relname::text FROM pg_constraint c
             JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
             WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace",
            &[],
        )
        .await?;
    for row in &references {
        target.references.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?);
    }
    Ok(target)
}

/// Begins a copy, or goes on with that of the same source. In a database in which there is something else it is refused.
pub(super) async fn begin(
    client: &Client,
    tables: &[Table],
    source: &str,
) -> Result<HashMap<String, Progress>, Trouble> {
    let begun: bool = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&COPYING]).await?.try_get(0)?;
    if !begun {
        for table in tables {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
            if client.query_one(&sql, &[]).await?.try_get(0)? {
                return Err(Trouble::refused(
                    format!("The database is not empty: there are rows in {}.", table.name),
                    "Give an empty one (CREATE DATABASE); nothing is overwritten or mixed.",
                ));
            }
        }
        client
            .batch_execute(&format!(
                "CREATE TABLE {COPYING} (copied text PRIMARY KEY, behind text, rows bigint NOT NULL DEFAULT 0,
                     done boolean NOT NULL DEFAULT false);
                 INSERT INTO {COPYING} (copied, behind) VALUES ('{FROM}', '{source}')"
            ))
            .await?;
        return Ok(HashMap::new());
    }
    let mut progress = HashMap::new();
    for row in client.query(&format!("SELECT copied, behind, rows, done FROM {COPYING}"), &[]).await? {
        let (table, behind): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        if table == FROM {
            if behind.as_deref() != Some(source) {
                return Err(Trouble::refused(
                    "The database holds half of a copy of another instance.",
                    "Give an empty one, or the file that this copy was begun with.",
                ));
            }
            continue;
        }
        let behind = behind.as_deref().and_then(Key::from_text);
        let rows = row.try_get::<_, i64>(2)?.unsigned_abs();
        progress.insert(table, Progress { behind, rows, done: row.try_get(3)? });
    }
    Ok(progress)
}

/// Makes the partition of each month from the first id to the last, so that retention drops them as it drops others.
pub(super) async fn make_months(client: &Client, first: Uuid, last: Uuid) -> Result<(), Trouble> {
    let month = |id| Month::of(moment(MessageId(id)));
    let (Some(first), Some(last)) = (month(first), month(last)) else { return Ok(()) };
    // A clock that was wrong for a while makes no thousand tables; such rows go to the rest.
    for month in
        std::iter::successors(Some(first), |month| Some(month.next())).take_while(|month| *month <= last).take(120)
    {
        let (Some(low), Some(high)) = (month.first_id(), month.next().first_id()) else { continue };
        for table in BY_MONTH {
            client.batch_execute(&making(table, month, low, high)).await?;
        }
    }
    Ok(())
}

/// Writes a page and how far it reaches, in one transaction.
pub(super) async fn write(
    client: &mut Client,
    table: &Table,
    page: Page,
    before: &Progress,
) -> Result<Progress, Trouble> {
    let now = Progress { rows: before.rows + page.rows, done: page.last.is_none(), behind: page.last };
    let transaction = client.transaction().await?;
    if page.rows > 0 {
        let sink =
            transaction.copy_in::<_, Bytes>(&format!("COPY {} ({}) FROM STDIN", table.name, table.names())).await?;
        let mut sink = pin!(sink);
        sink.send(Bytes::from(page.lines)).await?;
        sink.finish().await?;
    }
    let (behind, rows) = (now.behind.as_ref().map(Key::to_text), i64::try_from(now.rows).unwrap_or(i64::MAX));
    transaction
        .execute(
            &format!(
                "INSERT INTO {COPYING} (copied, behind, rows, done) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (copied) DO UPDATE SET behind = $2, rows = $3, done = $4"
            ),
            &[&table.name, &behind, &rows, &now.done],
        )
        .await?;
    transaction.commit().await?;
    Ok(now)
}

/// Counts and sums all rows of a table, as COPY writes them.
pub(super) async fn sum(client: &Client, table: &Table) -> Result<Sum, Trouble> {
    let mut sum = Sum::default();
    let copied = client.copy_out(&format!("COPY (SELECT {} FROM {}) TO STDOUT", table.names(), table.name)).await?;
    let mut copied = pin!(copied);
    let mut rest: Vec<u8> = Vec::new();
    while let Some(bytes) = copied.try_next().await? {
        let mut bytes = &bytes[..];
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            rest.extend_from_slice(&bytes[..end]);
            sum.add(&rest);
            rest.clear();
            bytes = &bytes[end + 1..];
        }
        rest.extend_from_slice(bytes);
    }
    match rest.is_empty() {
        true => Ok(sum),
        false => Err(Trouble::Failed(format!("PostgreSQL broke off in a row of {}.", table.name))),
    }
}

/// Numbers that PostgreSQL gives out go on behind those in use.
pub(super) async fn set_sequences(client: &Client, tables: &[Table]) -> Result<(), Trouble> {
    for table in tables {
        for column in table.columns.iter().filter(|column| column.identity) {
            let (table, column) = (&table.name, &column.name);
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table} HAVING max({column}) > 0"
            );
            client.query(&sql, &[]).await?;
        }
    }
    let epochs = "SELECT setval('epoch', last) FROM (SELECT greatest(
             (SELECT max(epoch) FROM lane_log), (SELECT max(epoch) FROM subscription)) AS last) AS e WHERE last > 0";
    client.query(epochs, &[]).await?;
    Ok(())
}

/// It is a database to work on from now on.
pub(super) async fn end(client: &Client) -> Result<(), Trouble> {
    // Without figures the planner takes the tables for empty.
    client.batch_execute("ANALYZE").await?;
    Ok(client.batch_execute(&format!("DROP TABLE {COPYING}")).await?)
}
