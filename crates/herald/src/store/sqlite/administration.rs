//! Making and changing departments, channels and identifiers.

use super::{Engine, access};
use crate::{
    node::directory::DepartmentSettings,
    store::{
        ChannelChange, ChannelPlace, ChannelRow, DepartmentRow, LaneChange, LaneRow, NewChannel, NewDepartment,
        NewIdentifier, StoreError,
    },
};
use herald_rules::{protocol::Protocol, time::Timestamp};
use rusqlite::Connection;

impl Engine {
    pub(in crate::store) async fn add_department(&self, new: NewDepartment) -> Result<DepartmentRow, StoreError> {
        self.write(move |writing| {
            let connection = writing.connection;
            connection
                .prepare_cached("INSERT INTO department (id, name, settings, created_at) VALUES (?, ?, ?, ?)")?
                .execute((new.id.0.as_bytes(), &new.name, serde_json::to_string(&new.settings)?, new.created_at.0))?;
            let department = connection.last_insert_rowid();
            access::insert_secret(connection, department, &new.secret)?;
            if let Some(user) = &new.user {
                access::insert_user(connection, department, user)?;
            }
            Ok(department)
        })
        .await
    }

    pub(in crate::store) async fn change_department(
        &self,
        department: DepartmentRow,
        name: Option<String>,
        settings: Option<DepartmentSettings>,
    ) -> Result<(), StoreError> {
        let settings = settings.map(|settings| serde_json::to_string(&settings)).transpose()?;
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached(
                    "UPDATE department SET name = coalesce(?2, name), settings = coalesce(?3, settings)
                     WHERE department = ?1",
                )?
                .execute((department, name, settings))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn add_channel(&self, new: NewChannel) -> Result<ChannelRow, StoreError> {
        self.write(move |writing| {
            let connection = writing.connection;
            connection
                .prepare_cached(
                    "INSERT INTO channel (department, id, protocol, provider, name, active, non_ticket, settings,
                     credentials, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute((
                    new.department,
                    new.id.0.as_bytes(),
                    new.protocol.as_str(),
                    new.provider.as_str(),
                    &new.name,
                    new.active,
                    new.non_ticket,
                    serde_json::to_string(&new.settings)?,
                    &new.sealed_credentials,
                    new.created_at.0,
                ))?;
            let channel = connection.last_insert_rowid();
            let place = ChannelPlace { department: new.department, channel, protocol: new.protocol };
            for identifier in &new.identifiers {
                insert_lane(connection, place, identifier, new.created_at)?;
            }
            Ok(channel)
        })
        .await
    }

    pub(in crate::store) async fn change_channel(
        &self,
        channel: ChannelRow,
        change: ChannelChange,
    ) -> Result<(), StoreError> {
        let settings = change.settings.as_ref().map(serde_json::to_string).transpose()?;
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached(
                    "UPDATE channel SET name = coalesce(?2, name), active = coalesce(?3, active),
                     non_ticket = coalesce(?4, non_ticket), settings = coalesce(?5, settings),
                     credentials = coalesce(?6, credentials) WHERE channel = ?1",
                )?
                .execute((
                    channel,
                    change.name,
                    change.active,
                    change.non_ticket,
                    settings,
                    change.sealed_credentials,
                ))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn add_identifier(
        &self,
        place: ChannelPlace,
        identifier: NewIdentifier,
        now: Timestamp,
    ) -> Result<LaneRow, StoreError> {
        self.write(move |writing| insert_lane(writing.connection, place, &identifier, now)).await
    }

    pub(in crate::store) async fn change_lane(&self, lane: LaneRow, change: LaneChange) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached(
                    "UPDATE lane SET name = coalesce(?2, name), paused = coalesce(?3, paused),
                     rate = CASE WHEN ?4 THEN ?5 ELSE rate END WHERE lane = ?1",
                )?
                .execute((lane, change.name, change.paused, change.rate.is_some(), change.rate.flatten()))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn queue_lengths(
        &self,
        department: DepartmentRow,
    ) -> Result<Vec<(LaneRow, u64)>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT lane, queued FROM lane WHERE department = ?1")?;
            let rows = query
                .query_map([department], |row| Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn insert_lane(
    connection: &Connection,
    place: ChannelPlace,
    new: &NewIdentifier,
    now: Timestamp,
) -> Result<LaneRow, StoreError> {
    let ChannelPlace { department, channel, protocol } = place;
    if is_taken(connection, protocol, &new.identifier)? {
        return Err(StoreError::Conflict(new.identifier.clone()));
    }
    connection
        .prepare_cached(
            "INSERT INTO lane (department, channel, protocol, identifier, name, rate, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((department, channel, protocol.as_str(), &new.identifier, &new.name, &new.rate, now.0))?;
    Ok(connection.last_insert_rowid())
}

/// An inbound message must have exactly one department, so an identifier is one lane in the whole instance.
fn is_taken(connection: &Connection, protocol: Protocol, identifier: &str) -> Result<bool, StoreError> {
    let mut query = connection.prepare_cached("SELECT 1 FROM lane WHERE protocol = ?1 AND identifier = ?2")?;
    Ok(query.exists((protocol.as_str(), identifier))?)
}
