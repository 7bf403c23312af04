//! Reading departments, channels and lanes for the directory.

use super::{Engine, columns};
use crate::{
    node::directory::{Channel, Department, Lane, Snapshot},
    store::StoreError,
};
use herald_rules::ids::{ChannelId, DepartmentId};
use rusqlite::{Connection, Row};

impl Engine {
    pub(in crate::store) async fn directory(&self) -> Result<Snapshot, StoreError> {
        self.read(|connection| Ok(Snapshot::new(departments(connection)?, channels(connection)?, lanes(connection)?)))
            .await
    }
}

fn departments(connection: &Connection) -> Result<Vec<Department>, StoreError> {
    let mut query = connection.prepare_cached("SELECT department, id, name, settings FROM department")?;
    let rows = query.query_map([], |row| {
        Ok(Department {
            row: row.get(0)?,
            id: DepartmentId(columns::uuid(row, 1)?),
            name: row.get(2)?,
            settings: json(row, 3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn channels(connection: &Connection) -> Result<Vec<Channel>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT channel, department, id, protocol, provider, name, active, non_ticket, settings, credentials FROM channel",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Channel {
            row: row.get(0)?,
            department: row.get(1)?,
            id: ChannelId(columns::uuid(row, 2)?),
            protocol: columns::word(row, 3)?,
            provider: columns::word(row, 4)?,
            name: row.get(5)?,
            active: row.get(6)?,
            non_ticket: row.get(7)?,
            settings: json(row, 8)?,
            sealed_credentials: row.get(9)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn lanes(connection: &Connection) -> Result<Vec<Lane>, StoreError> {
    let mut query = connection
        .prepare_cached("SELECT lane, department, channel, protocol, identifier, name, rate, paused FROM lane")?;
    let rows = query.query_map([], |row| {
        Ok(Lane {
            row: row.get(0)?,
            department: row.get(1)?,
            channel: row.get(2)?,
            protocol: columns::word(row, 3)?,
            identifier: row.get(4)?,
            name: row.get(5)?,
            rate: row.get(6)?,
            paused: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A JSON column.
fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    serde_json::from_slice(row.get_ref(index)?.as_bytes()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error)))
}
