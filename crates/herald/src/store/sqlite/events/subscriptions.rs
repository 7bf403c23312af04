//! Making, reading and changing subscriptions.

use super::log;
use crate::store::{
    Backlog, DepartmentRow, Failing, NewSubscription, StoreError, Subscription, SubscriptionKind, SubscriptionRow,
    SubscriptionSettings, SubscriptionState,
    sqlite::{Engine, Writing, columns},
};
use herald_rules::{ids::SubscriptionId, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

const COLUMNS: &str = "subscription, department, id, kind, standard, name, state, url, settings, sealed, failing_since, \
                       failures, retry_at, problem, created_at";

impl Engine {
    pub(in crate::store) async fn create_subscription(&self, new: NewSubscription) -> Result<Subscription, StoreError> {
        self.write(move |writing| writing.create_subscription(&new, false)).await
    }

    pub(in crate::store) async fn subscriptions(
        &self,
        department: Option<DepartmentRow>,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM subscription WHERE state <> 3 AND (?1 IS NULL OR department = ?1)
                 ORDER BY subscription"
            ))?;
            let rows = query.query_map([department], subscription)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn subscription(
        &self,
        row: SubscriptionRow,
    ) -> Result<Option<Subscription>, StoreError> {
        self.read(move |connection| by_row(connection, row)).await
    }

    pub(in crate::store) async fn subscription_by_id(
        &self,
        department: DepartmentRow,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM subscription WHERE id = ?1 AND department = ?2 AND state <> 3"
            ))?;
            Ok(query.query_row((id.0.as_bytes(), department), subscription).optional()?)
        })
        .await
    }

    pub(in crate::store) async fn update_subscription(&self, changed: Subscription) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached(
                    "UPDATE subscription SET name = ?2, url = ?3, settings = ?4, sealed = ?5 WHERE subscription = ?1",
                )?
                .execute((
                    changed.row,
                    &changed.name,
                    &changed.url,
                    serde_json::to_string(&changed.settings)?,
                    &changed.sealed,
                ))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn set_subscription_state(
        &self,
        row: SubscriptionRow,
        state: SubscriptionState,
    ) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached("UPDATE subscription SET state = ?2 WHERE subscription = ?1 AND state <> 3")?
                .execute((row, state.code()))?;
            if state == SubscriptionState::Active {
                writing
                    .connection
                    .prepare_cached(
                        "UPDATE subscription SET failing_since = NULL, failures = 0, retry_at = NULL
                         WHERE subscription = ?1",
                    )?
                    .execute([row])?;
            }
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn backlog(&self, row: SubscriptionRow) -> Result<Backlog, StoreError> {
        self.read(move |connection| {
            let Some(subscription) = by_row(connection, row)? else { return Ok(Backlog::default()) };
            let mut backlog = Backlog::default();
            for (lane, position) in positions(connection, &subscription)? {
                let head = log::head(connection, subscription.department, lane)?;
                backlog.behind += u64::try_from(head - position).unwrap_or(0);
            }
            let mut query = connection.prepare_cached(
                "SELECT state, count(*) FROM delivery INDEXED BY delivery_open
                 WHERE subscription = ?1 AND state <> 2 GROUP BY state",
            )?;
            let mut rows = query.query([row])?;
            while let Some(row) = rows.next()? {
                let count = row.get::<_, i64>(1)?.unsigned_abs();
                match row.get::<_, u8>(0)? {
                    0 => backlog.waiting = count,
                    1 => backlog.parked = count,
                    3 => backlog.exhausted = count,
                    _ => {}
                }
            }
            let of = |table| format!("SELECT count(*) FROM {table} WHERE subscription = ?1");
            for table in ["held", "polled"] {
                let count: i64 = connection.prepare_cached(&of(table))?.query_row([row], |row| row.get(0))?;
                backlog.behind += count.unsigned_abs();
            }
            Ok(backlog)
        })
        .await
    }
}

impl Writing<'_> {
    pub(super) fn create_subscription(
        &mut self,
        new: &NewSubscription,
        standard: bool,
    ) -> Result<Subscription, StoreError> {
        let row: SubscriptionRow = self
            .connection
            .prepare_cached(
                "INSERT INTO subscription (department, id, kind, standard, name, url, settings, sealed, created_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING subscription",
            )?
            .query_row(
                (
                    new.department,
                    new.id.0.as_bytes(),
                    new.kind.code(),
                    standard,
                    &new.name,
                    &new.url,
                    serde_json::to_string(&new.settings)?,
                    &new.sealed,
                    new.created_at.0,
                ),
                |row| row.get(0),
            )?;
        if !standard {
            // What happened before is not for it. Lanes made later have no cursor: all of theirs is.
            self.connection
                .prepare_cached(
                    "INSERT INTO cursor (subscription, lane, sequence)
                     SELECT ?1, lane, (SELECT coalesce(max(sequence), 0) FROM event
                         WHERE event.department = lane.department AND event.lane = lane.lane)
                     FROM lane WHERE department = ?2",
                )?
                .execute((row, new.department))?;
        }
        by_row(self.connection, row)?.ok_or_else(|| StoreError::Corrupt("a subscription vanished".into()))
    }
}

pub(super) fn by_row(connection: &Connection, row: SubscriptionRow) -> Result<Option<Subscription>, StoreError> {
    let mut query = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM subscription WHERE subscription = ?1 AND state <> 3"))?;
    Ok(query.query_row([row], subscription).optional()?)
}

/// The polling queue that v1.2 reads, if it was made already.
pub(super) fn standard(connection: &Connection, department: DepartmentRow) -> Result<Option<Subscription>, StoreError> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM subscription WHERE department = ?1 AND standard = 1 AND state <> 3"
    ))?;
    Ok(query.query_row([department], subscription).optional()?)
}

/// Where a subscription stands in each lane of its department.
pub(super) fn positions(connection: &Connection, subscription: &Subscription) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT l.lane, coalesce(c.sequence, 0) FROM lane l
         LEFT JOIN cursor c ON c.subscription = ?1 AND c.lane = l.lane WHERE l.department = ?2 ORDER BY l.lane",
    )?;
    let rows = query.query_map((subscription.row, subscription.department), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let settings: SubscriptionSettings = serde_json::from_slice(row.get_ref(8)?.as_bytes()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(8, rusqlite::types::Type::Text, Box::new(error)))?;
    let (since, retry_at): (Option<i64>, Option<i64>) = (row.get(10)?, row.get(12)?);
    Ok(Subscription {
        row: row.get(0)?,
        department: row.get(1)?,
        id: SubscriptionId(columns::uuid(row, 2)?),
        kind: columns::code(row, 3, SubscriptionKind::from_code)?,
        standard: row.get(4)?,
        name: row.get(5)?,
        state: columns::code(row, 6, SubscriptionState::from_code)?,
        url: row.get(7)?,
        settings,
        sealed: row.get(9)?,
        failing: Failing::kept(since.map(Timestamp), row.get(11)?, retry_at.map(Timestamp)),
        problem: row.get(13)?,
        created_at: Timestamp(row.get(14)?),
    })
}
