//! Clearing away, in small steps, so that nobody waits for it.

use crate::store::{
    EventRetention, StoreError, first_id_of,
    postgres::{Engine, columns, flight::Flight},
};

/// What is left of deleted subscriptions, a step of each of their tables.
macro_rules! of_deleted {
    ($table:literal, $key:literal) => {
        concat!(
            "WITH gone AS (DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM (SELECT subscription AS deleted FROM subscription WHERE state = 3) AS s
              CROSS JOIN LATERAL (SELECT ",
            $key,
            " FROM ",
            $table,
            " t WHERE t.subscription = s.deleted LIMIT $1) AS old) RETURNING 1) SELECT count(*) FROM gone"
        )
    };
}

const OLD_ATTEMPTS: &str = "WITH gone AS (DELETE FROM attempt WHERE (subscription, delivery, number) IN (
        SELECT old.* FROM (SELECT subscription AS kept FROM subscription WHERE state <> 3) AS s
        CROSS JOIN LATERAL (SELECT subscription, delivery, number FROM attempt t
            WHERE t.subscription = s.kept AND t.delivery < $1 LIMIT $2) AS old) RETURNING 1)
    SELECT count(*) FROM gone";

const OLD_DELIVERIES: &str = "WITH gone AS (DELETE FROM delivery WHERE (subscription, id) IN (
        SELECT old.* FROM (SELECT subscription AS kept FROM subscription WHERE state <> 3) AS s
        CROSS JOIN LATERAL (SELECT subscription, id FROM delivery t
            WHERE t.subscription = s.kept AND t.id < $1 AND state IN (2, 3, 4) LIMIT $2) AS old) RETURNING 1)
    SELECT count(*) FROM gone";

/// Numbers rise with time, so each lane's old rows are the first ones of its range. An event that was cleared away is older
/// than any that is kept.
const OLD_POLLED: &str = "WITH gone AS (DELETE FROM polled WHERE (subscription, lane, sequence) IN (
        SELECT old.subscription, old.lane, old.sequence
        FROM (SELECT subscription AS kept, department FROM subscription WHERE state <> 3 AND kind = 1) AS s
        JOIN lane_log log USING (department)
        CROSS JOIN LATERAL (SELECT subscription, lane, sequence, id FROM polled t
            WHERE t.subscription = s.kept AND t.lane = log.lane ORDER BY sequence LIMIT $2) AS old
        LEFT JOIN LATERAL (SELECT at FROM event e WHERE e.department = s.department AND e.id = old.id
            AND e.lane = old.lane AND e.sequence = old.sequence) AS e ON true
        WHERE e.at IS NULL OR e.at < $1) RETURNING 1)
    SELECT count(*) FROM gone";

/// Deleted subscriptions of which nothing is left.
const EMPTY: &str = "WITH gone AS (DELETE FROM subscription s WHERE state = 3
        AND NOT EXISTS (SELECT 1 FROM attempt t WHERE t.subscription = s.subscription)
        AND NOT EXISTS (SELECT 1 FROM delivery t WHERE t.subscription = s.subscription)
        AND NOT EXISTS (SELECT 1 FROM polled t WHERE t.subscription = s.subscription)
        AND NOT EXISTS (SELECT 1 FROM held t WHERE t.subscription = s.subscription)
        AND NOT EXISTS (SELECT 1 FROM cursor t WHERE t.subscription = s.subscription) RETURNING 1)
    SELECT count(*) FROM gone";

impl Engine {
    pub(in crate::store) async fn prune_events(&self, retention: EventRetention) -> Result<u64, StoreError> {
        let before = first_id_of(retention.deliveries_before);
        let step = i64::from(retention.step);
        let mut flight = Flight::default();
        flight.add(OLD_ATTEMPTS, &[&before, &step]);
        flight.add(OLD_DELIVERIES, &[&before, &step]);
        flight.add(OLD_POLLED, &[&retention.polled_before.0, &step]);
        flight.add(of_deleted!("attempt", "subscription, delivery, number"), &[&step]);
        flight.add(of_deleted!("delivery", "subscription, id"), &[&step]);
        flight.add(of_deleted!("polled", "subscription, lane, sequence"), &[&step]);
        flight.add(of_deleted!("held", "subscription, lane, sequence"), &[&step]);
        flight.add(of_deleted!("cursor", "subscription, lane"), &[&step]);
        flight.add(EMPTY, &[]);
        let client = self.client().await?;
        let mut gone = 0;
        for rows in flight.send(&client).await? {
            gone += rows.first().map_or(Ok(0), |row| columns::number::<i64, u64>(row, 0))?;
        }
        Ok(gone)
    }
}
