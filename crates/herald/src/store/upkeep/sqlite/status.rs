//! What there is in a file.

use super::look_at;
use crate::store::{
    sqlite::open,
    upkeep::{
        Content, DatabaseStatus, InboxStatus, LaneStatus, TableStatus, Trouble,
        status::{file_size, moment, unsigned},
    },
};
use herald_rules::{ids::MessageId, time::Timestamp};
use rusqlite::Connection;
use std::path::Path;
use uuid::Uuid;

/// What there is in the file. `tables`: with the size of each table, for which all of it is read.
///
/// # Errors
/// When there is no file, or when it cannot be read.
pub fn status(path: &Path, tables: bool) -> Result<DatabaseStatus, Trouble> {
    if !path.exists() {
        return Err(Trouble::Failed(format!("There is no database at {} yet.", path.display())));
    }
    let mut connection = look_at(path)?;
    let schema = open::schema(&mut connection)?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Ok(DatabaseStatus {
        engine: "sqlite",
        engine_version: rusqlite::version().to_owned(),
        place: path.display().to_string(),
        program: env!("CARGO_PKG_VERSION"),
        content: match schema.missing.is_empty() {
            true => Some(content(&connection, tables)?),
            false => None,
        },
        schema,
        bytes: file_size(path),
        log_bytes: Some(file_size(Path::new(&log))),
    })
}

fn content(connection: &Connection, tables: bool) -> Result<Content, Trouble> {
    let lanes = connection
        .prepare(
            "SELECT lane.protocol || ':' || lane.identifier, department.name, queued, paused
             FROM lane JOIN department USING (department) WHERE queued > 0 ORDER BY queued DESC, 1",
        )?
        .query_map([], |row| {
            Ok(LaneStatus {
                lane: row.get(0)?,
                department: row.get(1)?,
                queued: unsigned(row.get(2)?),
                paused: row.get(3)?,
            })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    // The first of each lane and class is its oldest: two steps into the tree for each.
    let oldest: Option<[u8; 16]> = connection.query_row(
        "SELECT min((SELECT id FROM live WHERE live.department = lane.department AND live.lane = lane.lane
             AND class = c.class ORDER BY position LIMIT 1))
         FROM lane CROSS JOIN (SELECT 0 AS class UNION ALL SELECT 1) AS c",
        [],
        |row| row.get(0),
    )?;
    let inbox = connection.query_row(
        "SELECT count(*) FILTER (WHERE problem IS NULL), min(at) FILTER (WHERE problem IS NULL),
             count(*) FILTER (WHERE problem IS NOT NULL) FROM inbox",
        [],
        |row| {
            Ok(InboxStatus {
                waiting: unsigned(row.get(0)?),
                oldest: row.get::<_, Option<i64>>(1)?.map(Timestamp),
                unreadable: unsigned(row.get(2)?),
            })
        },
    )?;
    Ok(Content {
        waiting: lanes.iter().map(|lane| lane.queued).sum(),
        lanes,
        oldest_waiting: oldest.map(|id| moment(MessageId(Uuid::from_bytes(id)))),
        inbox,
        tables: if tables { sizes(connection)? } else { vec![] },
        ..Content::default()
    })
}

/// Tables with their indexes, the largest first.
fn sizes(connection: &Connection) -> Result<Vec<TableStatus>, Trouble> {
    let mut query = connection.prepare(
        "SELECT tbl_name, sum(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name)
         WHERE aggregate = 1 GROUP BY tbl_name ORDER BY bytes DESC, tbl_name",
    )?;
    let rows = query.query_map([], |row| {
        Ok(TableStatus { table: row.get(0)?, bytes: unsigned(row.get(1)?), rows: None, partitions: vec![] })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
