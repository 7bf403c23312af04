//! Reading departments, channels and lanes for the directory.

use super::{Engine, columns, flight::Flight};
use crate::{
    node::directory::{Channel, Department, Lane, Snapshot},
    store::StoreError,
};
use herald_rules::ids::{ChannelId, DepartmentId};
use tokio_postgres::Row;

impl Engine {
    pub(in crate::store) async fn directory(&self) -> Result<Snapshot, StoreError> {
        let mut flight = Flight::default();
        let departments = flight.add("SELECT department, id, name, settings FROM department", &[]);
        let channels = flight.add(
            "SELECT channel, department, id, protocol, provider, name, active, non_ticket, settings, credentials
             FROM channel",
            &[],
        );
        let lanes =
            flight.add("SELECT lane, department, channel, protocol, identifier, name, rate, paused FROM lane", &[]);
        let read = flight.read(self).await?;
        Ok(Snapshot::new(
            read[departments].iter().map(department).collect::<Result<_, _>>()?,
            read[channels].iter().map(channel).collect::<Result<_, _>>()?,
            read[lanes].iter().map(lane).collect::<Result<_, _>>()?,
        ))
    }
}

fn department(row: &Row) -> Result<Department, StoreError> {
    Ok(Department {
        row: columns::get(row, 0)?,
        id: DepartmentId(columns::uuid(row, 1)?),
        name: columns::get(row, 2)?,
        settings: columns::json(row, 3)?,
    })
}

fn channel(row: &Row) -> Result<Channel, StoreError> {
    Ok(Channel {
        row: columns::get(row, 0)?,
        department: columns::get(row, 1)?,
        id: ChannelId(columns::uuid(row, 2)?),
        protocol: columns::word(row, 3)?,
        provider: columns::word(row, 4)?,
        name: columns::get(row, 5)?,
        active: columns::get(row, 6)?,
        non_ticket: columns::get(row, 7)?,
        settings: columns::json(row, 8)?,
        sealed_credentials: columns::get(row, 9)?,
    })
}

fn lane(row: &Row) -> Result<Lane, StoreError> {
    Ok(Lane {
        row: columns::get(row, 0)?,
        department: columns::get(row, 1)?,
        channel: columns::get(row, 2)?,
        protocol: columns::word(row, 3)?,
        identifier: columns::get(row, 4)?,
        name: columns::get(row, 5)?,
        rate: columns::get(row, 6)?,
        paused: columns::get(row, 7)?,
    })
}
