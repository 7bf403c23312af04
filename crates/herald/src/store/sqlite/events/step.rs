//! Where a worker stands, and each of its steps as one transaction.

use super::deliveries;
use crate::store::{
    Attempt, Delivery, DeliveryStep, Epoch, EventKey, Progress, StoreError, Subscription, SubscriptionRow, event_codec,
    sqlite::{Engine, Writing, columns},
};
use rusqlite::Connection;

impl Engine {
    pub(in crate::store) async fn progress(&self, subscription: &Subscription) -> Result<Progress, StoreError> {
        let (row, department) = (subscription.row, subscription.department);
        self.read(move |connection| {
            let mut progress = Progress::default();
            let mut query = connection.prepare_cached("SELECT lane, sequence FROM cursor WHERE subscription = ?1")?;
            let mut rows = query.query([row])?;
            while let Some(row) = rows.next()? {
                progress.cursors.push(EventKey { lane: row.get(0)?, sequence: row.get(1)? });
            }
            let mut query = connection.prepare_cached(
                "SELECT lane, sequence, id FROM held WHERE subscription = ?1 ORDER BY lane, sequence",
            )?;
            let mut rows = query.query([row])?;
            while let Some(row) = rows.next()? {
                let key = EventKey { lane: row.get(0)?, sequence: row.get(1)? };
                progress.held.push((key, columns::message_id(row, 2)?));
            }
            for delivery in deliveries::unfinished(connection, row)? {
                let mut messages = Vec::with_capacity(delivery.events.len());
                let mut query = connection
                    .prepare_cached("SELECT id FROM event WHERE department = ? AND lane = ? AND sequence = ?")?;
                for key in &delivery.events {
                    let mut rows = query.query((department, key.lane, key.sequence))?;
                    if let Some(row) = rows.next()? {
                        messages.push(columns::message_id(row, 0)?);
                    }
                }
                progress.open.push((delivery, messages));
            }
            Ok(progress)
        })
        .await
    }

    pub(in crate::store) async fn record_step(&self, step: DeliveryStep) -> Result<(), StoreError> {
        self.write(move |writing| writing.record_step(&step)).await
    }
}

impl Writing<'_> {
    fn record_step(&mut self, step: &DeliveryStep) -> Result<(), StoreError> {
        let row = step.subscription;
        let owned: Epoch = self
            .connection
            .prepare_cached("SELECT epoch FROM subscription WHERE subscription = ?1")?
            .query_row([row], |row| row.get(0).map(Epoch))?;
        if step.epoch < owned {
            return Err(StoreError::Fenced);
        }
        keep_attempts(self.connection, row, &step.attempts)?;
        for moved in &step.moved {
            self.connection
                .prepare_cached(
                    "UPDATE delivery SET state = ?3, attempts = ?4, due = ?5 WHERE subscription = ?1 AND id = ?2",
                )?
                .execute((row, moved.id.0.as_bytes(), moved.state.code(), moved.attempts, moved.due.0))?;
        }
        for delivery in &step.frozen {
            insert(self.connection, row, delivery)?;
        }
        for cursor in &step.cursors {
            self.connection
                .prepare_cached(
                    "INSERT INTO cursor (subscription, lane, sequence) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET sequence = excluded.sequence",
                )?
                .execute((row, cursor.lane, cursor.sequence))?;
        }
        for (key, message) in &step.held {
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO held (subscription, lane, sequence, id) VALUES (?, ?, ?, ?)")?
                .execute((row, key.lane, key.sequence, message.0.as_bytes()))?;
        }
        for key in &step.released {
            self.connection
                .prepare_cached("DELETE FROM held WHERE subscription = ? AND lane = ? AND sequence = ?")?
                .execute((row, key.lane, key.sequence))?;
        }
        if let Some((failing, problem)) = &step.failing {
            self.connection
                .prepare_cached(
                    "UPDATE subscription SET failing_since = ?2, failures = ?3, retry_at = ?4, problem = ?5
                     WHERE subscription = ?1",
                )?
                .execute((
                    row,
                    failing.map(|failing| failing.since.0),
                    failing.map_or(0, |failing| failing.failures),
                    failing.map(|failing| failing.retry_at.0),
                    problem,
                ))?;
        }
        if step.pause {
            self.connection
                .prepare_cached("UPDATE subscription SET state = 2 WHERE subscription = ?1 AND state = 0")?
                .execute([row])?;
        }
        Ok(())
    }
}

pub(super) fn insert(connection: &Connection, row: SubscriptionRow, delivery: &Delivery) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO delivery (subscription, id, kind, state, attempts, due, oldest, count, events, origin)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((
            row,
            delivery.id.0.as_bytes(),
            delivery.kind.code(),
            delivery.state.code(),
            delivery.attempts,
            delivery.due.0,
            delivery.oldest.0,
            delivery.events.len() as i64,
            event_codec::encode(&delivery.events),
            delivery.origin.map(|id| *id.0.as_bytes()),
        ))?;
    Ok(())
}

pub(super) fn keep_attempts(
    connection: &Connection,
    row: SubscriptionRow,
    attempts: &[Attempt],
) -> Result<(), StoreError> {
    for attempt in attempts {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO attempt (subscription, delivery, number, at, took, status, error, answer)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                row,
                attempt.delivery.0.as_bytes(),
                attempt.number,
                attempt.at.0,
                i64::try_from(attempt.took.as_micros()).unwrap_or(i64::MAX),
                attempt.status,
                &attempt.error,
                &attempt.answer,
            ))?;
    }
    Ok(())
}
