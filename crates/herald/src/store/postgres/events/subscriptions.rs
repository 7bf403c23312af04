//! Making, reading and changing subscriptions.

use crate::store::{
    Backlog, DepartmentRow, Failing, NewSubscription, StoreError, Subscription, SubscriptionKind, SubscriptionRow,
    SubscriptionState,
    postgres::{Engine, change::changing, columns},
};
use herald_rules::ids::SubscriptionId;
use tokio_postgres::Row;

/// A statement that answers the columns which [`subscription`] reads: what stands before and after them.
macro_rules! with_columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " subscription, department, id, kind, standard, name, state, url, settings, sealed, failing_since, failures,
              retry_at, problem, created_at ",
            $after
        )
    };
}

impl Engine {
    pub(in crate::store) async fn create_subscription(&self, new: NewSubscription) -> Result<Subscription, StoreError> {
        let settings = serde_json::to_string(&new.settings)?;
        let rows = self
            .write(
                // What happened before is not for it. Lanes made later have no cursor: all of theirs is.
                changing!(
                    Subscriptions,
                    with_columns!(
                        ", made AS (
                         INSERT INTO subscription (department, id, kind, name, url, settings, sealed, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *),
                     cursors AS (
                         INSERT INTO cursor (subscription, lane, sequence)
                         SELECT made.subscription, lane, sequence FROM made JOIN lane_log USING (department))
                     SELECT",
                        "FROM made"
                    )
                ),
                &[
                    &new.department,
                    &new.id.0,
                    &i16::from(new.kind.code()),
                    &new.name,
                    &new.url,
                    &settings,
                    &new.sealed,
                    &new.created_at.0,
                ],
            )
            .await?;
        rows.first().map_or_else(|| Err(StoreError::Corrupt("a subscription was not made".into())), subscription)
    }

    pub(in crate::store) async fn subscriptions(
        &self,
        department: Option<DepartmentRow>,
    ) -> Result<Vec<Subscription>, StoreError> {
        let rows = self
            .rows(
                with_columns!(
                    "SELECT",
                    "FROM subscription WHERE state <> 3 AND ($1::bigint IS NULL OR department = $1)
                     ORDER BY subscription"
                ),
                &[&department],
            )
            .await?;
        rows.iter().map(subscription).collect()
    }

    pub(in crate::store) async fn subscription(
        &self,
        row: SubscriptionRow,
    ) -> Result<Option<Subscription>, StoreError> {
        let found = self
            .row(with_columns!("SELECT", "FROM subscription WHERE subscription = $1 AND state <> 3"), &[&row])
            .await?;
        found.as_ref().map(subscription).transpose()
    }

    pub(in crate::store) async fn subscription_by_id(
        &self,
        department: DepartmentRow,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        let found = self
            .row(
                with_columns!("SELECT", "FROM subscription WHERE id = $1 AND department = $2 AND state <> 3"),
                &[&id.0, &department],
            )
            .await?;
        found.as_ref().map(subscription).transpose()
    }

    pub(in crate::store) async fn update_subscription(&self, changed: Subscription) -> Result<(), StoreError> {
        let settings = serde_json::to_string(&changed.settings)?;
        self.execute(
            changing!(
                Subscriptions,
                "UPDATE subscription SET name = $2, url = $3, settings = $4, sealed = $5 WHERE subscription = $1"
            ),
            &[&changed.row, &changed.name, &changed.url, &settings, &changed.sealed],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn set_subscription_state(
        &self,
        row: SubscriptionRow,
        state: SubscriptionState,
    ) -> Result<(), StoreError> {
        let sql = match state {
            SubscriptionState::Active => changing!(
                Subscriptions,
                "UPDATE subscription SET state = $2, failing_since = NULL, failures = 0, retry_at = NULL
                 WHERE subscription = $1 AND state <> 3"
            ),
            _ => changing!(Subscriptions, "UPDATE subscription SET state = $2 WHERE subscription = $1 AND state <> 3"),
        };
        self.execute(sql, &[&row, &i16::from(state.code())]).await.map(drop)
    }

    pub(in crate::store) async fn backlog(&self, row: SubscriptionRow) -> Result<Backlog, StoreError> {
        let found = self
            .row(
                "SELECT
                     (SELECT coalesce(sum(greatest(l.sequence - coalesce(c.sequence, 0), 0)), 0)::bigint FROM lane_log l
                         LEFT JOIN LATERAL (SELECT sequence FROM cursor c
                             WHERE c.subscription = s.subscription AND c.lane = l.lane LIMIT 1) AS c ON true
                         WHERE l.department = s.department)
                     + (SELECT count(*) FROM held h WHERE h.subscription = s.subscription)
                     + (SELECT count(*) FROM polled p WHERE p.subscription = s.subscription),
                     (SELECT count(*) FROM delivery d WHERE d.subscription = s.subscription AND state = 0 AND state <> 2),
                     (SELECT count(*) FROM delivery d WHERE d.subscription = s.subscription AND state = 1 AND state <> 2),
                     (SELECT count(*) FROM delivery d WHERE d.subscription = s.subscription AND state = 3 AND state <> 2)
                 FROM subscription s WHERE s.subscription = $1 AND s.state <> 3",
                &[&row],
            )
            .await?;
        let Some(row) = found else { return Ok(Backlog::default()) };
        let count = |index| columns::number::<i64, u64>(&row, index);
        Ok(Backlog { behind: count(0)?, waiting: count(1)?, parked: count(2)?, exhausted: count(3)? })
    }

    /// The polling queue that v1.2 reads, if it was made already.
    pub(super) async fn standard(&self, department: DepartmentRow) -> Result<Option<Subscription>, StoreError> {
        let found = self
            .row(
                with_columns!("SELECT", "FROM subscription WHERE department = $1 AND standard AND state <> 3"),
                &[&department],
            )
            .await?;
        found.as_ref().map(subscription).transpose()
    }

    /// Makes that queue, unless another has made it meanwhile.
    pub(super) async fn create_standard(&self, new: &NewSubscription) -> Result<(), StoreError> {
        self.execute(
            changing!(
                Subscriptions,
                "INSERT INTO subscription (department, id, kind, standard, name, settings, created_at)
                 VALUES ($1, $2, $3, true, $4, $5, $6) ON CONFLICT (department) WHERE standard DO NOTHING"
            ),
            &[
                &new.department,
                &new.id.0,
                &i16::from(new.kind.code()),
                &new.name,
                &serde_json::to_string(&new.settings)?,
                &new.created_at.0,
            ],
        )
        .await
        .map(drop)
    }
}

fn subscription(row: &Row) -> Result<Subscription, StoreError> {
    let (since, retry_at) = (columns::timestamp_or_none(row, 10)?, columns::timestamp_or_none(row, 12)?);
    Ok(Subscription {
        row: columns::get(row, 0)?,
        department: columns::get(row, 1)?,
        id: SubscriptionId(columns::uuid(row, 2)?),
        kind: columns::code(row, 3, SubscriptionKind::from_code)?,
        standard: columns::get(row, 4)?,
        name: columns::get(row, 5)?,
        state: columns::code(row, 6, SubscriptionState::from_code)?,
        url: columns::get(row, 7)?,
        settings: columns::json(row, 8)?,
        sealed: columns::get(row, 9)?,
        failing: Failing::kept(since, columns::count(row, 11)?, retry_at),
        problem: columns::get(row, 13)?,
        created_at: columns::timestamp(row, 14)?,
    })
}
