//! Making and changing departments, channels and identifiers: each one statement.

use super::{Engine, change::changing, columns};
use crate::{
    node::directory::DepartmentSettings,
    store::{
        ChannelChange, ChannelPlace, ChannelRow, DepartmentRow, LaneChange, LaneRow, NewChannel, NewDepartment,
        NewIdentifier, StoreError,
    },
};
use herald_rules::{protocol::Protocol, time::Timestamp};

impl Engine {
    pub(in crate::store) async fn add_department(&self, new: NewDepartment) -> Result<DepartmentRow, StoreError> {
        let settings = serde_json::to_string(&new.settings)?;
        let (secret, user) = (&new.secret, new.user.as_ref());
        let row = self
            .write(
                changing!(
                    Directory,
                    ", made AS (
                         INSERT INTO department (id, name, settings, created_at) VALUES ($1, $2, $3, $4)
                         RETURNING department),
                     secret_made AS (
                         INSERT INTO secret (department, id, name, sealed, created_at)
                         SELECT department, $5::uuid, $6::text, $7::bytea, $8::bigint FROM made),
                     user_made AS (
                         INSERT INTO api_user (department, email, name, created_at)
                         SELECT department, $9::text, $10::text, $11::bigint FROM made WHERE $9 IS NOT NULL)
                     SELECT department FROM made"
                ),
                &[
                    &new.id.0,
                    &new.name,
                    &settings,
                    &new.created_at.0,
                    &secret.id,
                    &secret.name,
                    &secret.sealed,
                    &secret.created_at.0,
                    &user.map(|user| &user.email),
                    &user.map(|user| &user.name),
                    &user.map(|user| user.created_at.0),
                ],
            )
            .await?;
        first(&row)
    }

    pub(in crate::store) async fn change_department(
        &self,
        department: DepartmentRow,
        name: Option<String>,
        settings: Option<DepartmentSettings>,
    ) -> Result<(), StoreError> {
        let settings = settings.map(|settings| serde_json::to_string(&settings)).transpose()?;
        self.execute(
            changing!(
                Directory,
                "UPDATE department SET name = coalesce($2, name), settings = coalesce($3, settings)
                 WHERE department = $1"
            ),
            &[&department, &name, &settings],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn add_channel(&self, new: NewChannel) -> Result<ChannelRow, StoreError> {
        let settings = serde_json::to_string(&new.settings)?;
        let identifiers: Vec<&str> = new.identifiers.iter().map(|new| new.identifier.as_str()).collect();
        let names: Vec<&str> = new.identifiers.iter().map(|new| new.name.as_str()).collect();
        let rates: Vec<Option<&str>> = new.identifiers.iter().map(|new| new.rate.as_deref()).collect();
        let made = self
            .write(
                changing!(
                    Directory,
                    ", made AS (
                         INSERT INTO channel (department, id, protocol, provider, name, active, non_ticket, settings,
                             credentials, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING channel),
                     lanes AS (
                         INSERT INTO lane (department, channel, protocol, identifier, name, rate, created_at)
                         SELECT $1::bigint, made.channel, $3::text, new.identifier, new.name, new.rate, $10::bigint
                         FROM made, unnest($11::text[], $12::text[], $13::text[]) AS new (identifier, name, rate)
                         RETURNING lane),
                     queues AS (INSERT INTO lane_queue (lane, department) SELECT lane, $1::bigint FROM lanes),
                     logs AS (INSERT INTO lane_log (lane, department) SELECT lane, $1::bigint FROM lanes)
                     SELECT channel FROM made"
                ),
                &[
                    &new.department,
                    &new.id.0,
                    &new.protocol.as_str(),
                    &new.provider.as_str(),
                    &new.name,
                    &new.active,
                    &new.non_ticket,
                    &settings,
                    &new.sealed_credentials,
                    &new.created_at.0,
                    &identifiers,
                    &names,
                    &rates,
                ],
            )
            .await;
        match made {
            Ok(made) => first(&made),
            Err(error) => Err(self.naming_the_taken(error, new.protocol, &identifiers).await),
        }
    }

    pub(in crate::store) async fn change_channel(
        &self,
        channel: ChannelRow,
        change: ChannelChange,
    ) -> Result<(), StoreError> {
        let settings = change.settings.as_ref().map(serde_json::to_string).transpose()?;
        self.execute(
            changing!(
                Directory,
                "UPDATE channel SET name = coalesce($2, name), active = coalesce($3, active),
                 non_ticket = coalesce($4, non_ticket), settings = coalesce($5, settings),
                 credentials = coalesce($6, credentials) WHERE channel = $1"
            ),
            &[&channel, &change.name, &change.active, &change.non_ticket, &settings, &change.sealed_credentials],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn add_identifier(
        &self,
        place: ChannelPlace,
        identifier: NewIdentifier,
        now: Timestamp,
    ) -> Result<LaneRow, StoreError> {
        let ChannelPlace { department, channel, protocol } = place;
        let made = self
            .write(
                changing!(
                    Directory,
                    ", made AS (
                         INSERT INTO lane (department, channel, protocol, identifier, name, rate, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING lane),
                     queues AS (INSERT INTO lane_queue (lane, department) SELECT lane, $1::bigint FROM made),
                     logs AS (INSERT INTO lane_log (lane, department) SELECT lane, $1::bigint FROM made)
                     SELECT lane FROM made"
                ),
                &[
                    &department,
                    &channel,
                    &protocol.as_str(),
                    &identifier.identifier,
                    &identifier.name,
                    &identifier.rate,
                    &now.0,
                ],
            )
            .await;
        match made {
            Ok(made) => first(&made),
            Err(error) => Err(self.naming_the_taken(error, protocol, &[&identifier.identifier]).await),
        }
    }

    pub(in crate::store) async fn change_lane(&self, lane: LaneRow, change: LaneChange) -> Result<(), StoreError> {
        self.execute(
            changing!(
                Directory,
                "UPDATE lane SET name = coalesce($2, name), paused = coalesce($3, paused),
                 rate = CASE WHEN $4 THEN $5 ELSE rate END WHERE lane = $1"
            ),
            &[&lane, &change.name, &change.paused, &change.rate.is_some(), &change.rate.flatten()],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn queue_lengths(
        &self,
        department: DepartmentRow,
    ) -> Result<Vec<(LaneRow, u64)>, StoreError> {
        let rows = self
            .rows(
                "SELECT q.lane, q.arrived - l.departed FROM lane
                 JOIN lane_queue q ON q.lane = lane.lane JOIN lane_log l ON l.lane = lane.lane
                 WHERE lane.department = $1 ORDER BY q.lane",
                &[&department],
            )
            .await?;
        rows.iter()
            .map(|row| Ok((columns::get(row, 0)?, u64::try_from(columns::get::<i64>(row, 1)?).unwrap_or(0))))
            .collect()
    }

    /// A refused lane says which identifier is taken: callers name it to people. An inbound message must have exactly one
    /// department, so an identifier is one lane in the whole instance.
    async fn naming_the_taken(&self, error: StoreError, protocol: Protocol, identifiers: &[&str]) -> StoreError {
        let StoreError::Conflict(text) = error else { return error };
        let found = self
            .row(
                "SELECT identifier FROM lane WHERE protocol = $1 AND identifier = ANY ($2) LIMIT 1",
                &[&protocol.as_str(), &identifiers],
            )
            .await;
        match found {
            Ok(Some(row)) => columns::get(&row, 0).map_or_else(|error| error, StoreError::Conflict),
            // Twice in the same request, or another row that is there already.
            Ok(None) => match first_repeated(identifiers) {
                Some(repeated) => StoreError::Conflict(repeated.to_owned()),
                None => StoreError::Conflict(text),
            },
            Err(error) => error,
        }
    }
}

fn first_repeated<'a>(identifiers: &[&'a str]) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    identifiers.iter().copied().find(|identifier| !seen.insert(*identifier))
}

/// The row number that was given out.
pub(super) fn first(rows: &[tokio_postgres::Row]) -> Result<i64, StoreError> {
    match rows.first() {
        Some(row) => columns::get(row, 0),
        None => Err(StoreError::Corrupt("a row was not made".into())),
    }
}
