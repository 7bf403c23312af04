//! Where a worker stands, and each of its steps as one transaction.

use super::deliveries::{delivery, select_deliveries};
use crate::store::{
    DeliveryStep, Epoch, EventKey, Progress, StoreError, Subscription, SubscriptionRow, event_codec,
    postgres::{
        Engine,
        change::changing,
        columns::{self, as_integer},
        flight::Flight,
    },
};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::Row;
use uuid::Uuid;

impl Engine {
    pub(in crate::store) async fn progress(&self, subscription: &Subscription) -> Result<Progress, StoreError> {
        let row = subscription.row;
        let mut flight = Flight::default();
        let cursors = flight.add("SELECT lane, sequence FROM cursor WHERE subscription = $1", &[&row]);
        let held =
            flight.add("SELECT lane, sequence, id FROM held WHERE subscription = $1 ORDER BY lane, sequence", &[&row]);
        let open = flight.add(
            select_deliveries!(
                "FROM delivery d WHERE subscription = $1 AND state IN (0, 1) AND state <> 2 AND kind = 0 ORDER BY id"
            ),
            &[&row],
        );
        let read = flight.read(self).await?;
        let mut progress = Progress::default();
        for row in &read[cursors] {
            progress.cursors.push(key(row, 0)?);
        }
        for row in &read[held] {
            progress.held.push((key(row, 0)?, columns::message_id(row, 2)?));
        }
        let open: Vec<_> = read[open].iter().map(delivery).collect::<Result<_, _>>()?;
        let keys: Vec<EventKey> = open.iter().flat_map(|delivery| &delivery.events).copied().collect();
        let (lanes, sequences) = columns_of(&keys);
        // Events never change, so this need not see the same moment.
        let rows = match keys.is_empty() {
            true => Vec::new(),
            false => {
                self.rows(
                    "SELECT e.lane, e.sequence, e.id FROM unnest($2::bigint[], $3::bigint[]) AS k (lane, sequence)
                     CROSS JOIN LATERAL (
                         SELECT lane, sequence, id FROM event e
                         WHERE e.department + 0 = $1 AND e.lane = k.lane AND e.sequence = k.sequence LIMIT 1) AS e",
                    &[&subscription.department, &lanes, &sequences],
                )
                .await?
            }
        };
        let mut messages = HashMap::with_capacity(rows.len());
        for row in &rows {
            messages.insert(key(row, 0)?, columns::message_id(row, 2)?);
        }
        for delivery in open {
            let of_events = delivery.events.iter().filter_map(|key| messages.get(key).copied()).collect();
            progress.open.push((delivery, of_events));
        }
        Ok(progress)
    }

    pub(in crate::store) async fn record_step(&self, step: DeliveryStep) -> Result<(), StoreError> {
        self.write_step(step.subscription, &step, Some(step.epoch)).await
    }

    /// Writes a step in one flight, looks whether the subscription is still ours, and commits. It may be repeated: what is
    /// there already stays as it is.
    pub(super) async fn write_step(
        &self,
        row: SubscriptionRow,
        step: &DeliveryStep,
        epoch: Option<Epoch>,
    ) -> Result<(), StoreError> {
        let kept = Arrays::of(step);
        let failing = step.failing.as_ref().map(|(failing, problem)| {
            let failures = failing.map_or(0, |failing| as_integer(failing.failures));
            (failing.map(|failing| failing.since.0), failures, failing.map(|failing| failing.retry_at.0), problem)
        });
        let mut flight = Flight::default();
        // Its lock holds back a new owner until this is written.
        flight.add("SELECT epoch FROM subscription WHERE subscription = $1 FOR NO KEY UPDATE", &[&row]);
        kept.add_to(&mut flight, &row);
        if let Some((since, failures, retry_at, problem)) = &failing {
            flight.add(
                "UPDATE subscription SET failing_since = $2, failures = $3, retry_at = $4, problem = $5
                 WHERE subscription = $1",
                &[&row, since, failures, retry_at, problem],
            );
        }
        if step.pause {
            flight.add(
                changing!(Subscriptions, "UPDATE subscription SET state = 2 WHERE subscription = $1 AND state = 0"),
                &[&row],
            );
        }
        let transaction = self.transaction().await?;
        let answers = flight.open(&transaction).await?;
        let Some(subscription) = answers.first().and_then(|rows| rows.first()) else {
            transaction.roll_back().await?;
            return Err(StoreError::Unavailable("the subscription is gone".into()));
        };
        if epoch.is_some_and(|epoch| columns::get(subscription, 0).map(Epoch).is_ok_and(|owner| epoch < owner)) {
            transaction.roll_back().await?;
            return Err(StoreError::Fenced);
        }
        transaction.commit().await
    }
}

fn key(row: &Row, first: usize) -> Result<EventKey, StoreError> {
    Ok(EventKey { lane: columns::get(row, first)?, sequence: columns::get(row, first + 1)? })
}

/// Keys as two columns.
pub(super) fn columns_of(keys: &[EventKey]) -> (Vec<i64>, Vec<i64>) {
    keys.iter().map(|key| (key.lane, key.sequence)).unzip()
}

/// A step as columns, a row of a table in each place.
struct Arrays<'a> {
    attempts: Attempts<'a>,
    moved: Moves,
    frozen: Frozen,
    cursors: (Vec<i64>, Vec<i64>),
    held: (Vec<i64>, Vec<i64>, Vec<Uuid>),
    released: (Vec<i64>, Vec<i64>),
}

#[derive(Default)]
struct Attempts<'a> {
    deliveries: Vec<Uuid>,
    numbers: Vec<i32>,
    at: Vec<i64>,
    took: Vec<i64>,
    statuses: Vec<Option<i32>>,
    errors: Vec<Option<&'a str>>,
    answers: Vec<Option<&'a str>>,
}

#[derive(Default)]
struct Moves {
    ids: Vec<Uuid>,
    states: Vec<i16>,
    attempts: Vec<i32>,
    due: Vec<i64>,
}

#[derive(Default)]
struct Frozen {
    ids: Vec<Uuid>,
    kinds: Vec<i16>,
    states: Vec<i16>,
    attempts: Vec<i32>,
    due: Vec<i64>,
    oldest: Vec<i64>,
    counts: Vec<i64>,
    events: Vec<Vec<u8>>,
    origins: Vec<Option<Uuid>>,
}

impl<'a> Arrays<'a> {
    fn of(step: &'a DeliveryStep) -> Self {
        let mut attempts = Attempts::default();
        for attempt in &step.attempts {
            attempts.deliveries.push(attempt.delivery.0);
            attempts.numbers.push(as_integer(attempt.number));
            attempts.at.push(attempt.at.0);
            attempts.took.push(i64::try_from(attempt.took.as_micros()).unwrap_or(i64::MAX));
            attempts.statuses.push(attempt.status.map(i32::from));
            attempts.errors.push(attempt.error.as_deref());
            attempts.answers.push(attempt.answer.as_deref());
        }
        // One statement touches a row once: of several moves the last one holds.
        let last: BTreeMap<_, _> = step.moved.iter().map(|moved| (moved.id, moved)).collect();
        let mut moved = Moves::default();
        for change in last.values() {
            moved.ids.push(change.id.0);
            moved.states.push(i16::from(change.state.code()));
            moved.attempts.push(as_integer(change.attempts));
            moved.due.push(change.due.0);
        }
        let mut frozen = Frozen::default();
        for delivery in &step.frozen {
            frozen.ids.push(delivery.id.0);
            frozen.kinds.push(i16::from(delivery.kind.code()));
            frozen.states.push(i16::from(delivery.state.code()));
            frozen.attempts.push(as_integer(delivery.attempts));
            frozen.due.push(delivery.due.0);
            frozen.oldest.push(delivery.oldest.0);
            frozen.counts.push(i64::try_from(delivery.events.len()).unwrap_or(i64::MAX));
            frozen.events.push(event_codec::encode(&delivery.events));
            frozen.origins.push(delivery.origin.map(|id| id.0));
        }
        let cursors: BTreeMap<_, _> = step.cursors.iter().map(|cursor| (cursor.lane, cursor.sequence)).collect();
        let mut held = (Vec::new(), Vec::new(), Vec::new());
        for (key, message) in &step.held {
            held.0.push(key.lane);
            held.1.push(key.sequence);
            held.2.push(message.0);
        }
        Self {
            attempts,
            moved,
            frozen,
            cursors: cursors.into_iter().unzip(),
            held,
            released: columns_of(&step.released),
        }
    }

    fn add_to<'f>(&'f self, flight: &mut Flight<'f>, row: &'f SubscriptionRow) {
        let Self { attempts, moved, frozen, cursors, held, released } = self;
        if !attempts.deliveries.is_empty() {
            flight.add(
                "INSERT INTO attempt (subscription, delivery, number, at, took, status, error, answer)
                 SELECT $1::bigint, * FROM unnest($2::uuid[], $3::integer[], $4::bigint[], $5::bigint[], $6::integer[],
                     $7::text[], $8::text[])
                 ON CONFLICT DO NOTHING",
                &[
                    row,
                    &attempts.deliveries,
                    &attempts.numbers,
                    &attempts.at,
                    &attempts.took,
                    &attempts.statuses,
                    &attempts.errors,
                    &attempts.answers,
                ],
            );
        }
        if !moved.ids.is_empty() {
            flight.add(
                "UPDATE delivery d SET state = moved.state, attempts = moved.attempts, due = moved.due
                 FROM (SELECT place.ctid, m.* FROM unnest($2::uuid[], $3::smallint[], $4::integer[], $5::bigint[])
                           AS m (id, state, attempts, due)
                       CROSS JOIN LATERAL (
                           SELECT ctid FROM delivery WHERE subscription = $1 AND id = m.id LIMIT 1) AS place) AS moved
                 WHERE d.ctid = moved.ctid",
                &[row, &moved.ids, &moved.states, &moved.attempts, &moved.due],
            );
        }
        if !frozen.ids.is_empty() {
            flight.add(
                "INSERT INTO delivery (subscription, id, kind, state, attempts, due, oldest, count, events, origin)
                 SELECT $1::bigint, * FROM unnest($2::uuid[], $3::smallint[], $4::smallint[], $5::integer[], $6::bigint[],
                     $7::bigint[], $8::bigint[], $9::bytea[], $10::uuid[])
                 ON CONFLICT DO NOTHING",
                &[
                    row,
                    &frozen.ids,
                    &frozen.kinds,
                    &frozen.states,
                    &frozen.attempts,
                    &frozen.due,
                    &frozen.oldest,
                    &frozen.counts,
                    &frozen.events,
                    &frozen.origins,
                ],
            );
        }
        if !cursors.0.is_empty() {
            flight.add(
                "INSERT INTO cursor (subscription, lane, sequence)
                 SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[])
                 ON CONFLICT (subscription, lane) DO UPDATE SET sequence = excluded.sequence",
                &[row, &cursors.0, &cursors.1],
            );
        }
        if !held.0.is_empty() {
            flight.add(
                "INSERT INTO held (subscription, lane, sequence, id)
                 SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[], $4::uuid[]) ON CONFLICT DO NOTHING",
                &[row, &held.0, &held.1, &held.2],
            );
        }
        if !released.0.is_empty() {
            flight.add(
                "DELETE FROM held h USING unnest($2::bigint[], $3::bigint[]) AS released (lane, sequence)
                 WHERE h.subscription = $1 AND h.lane = released.lane AND h.sequence = released.sequence",
                &[row, &released.0, &released.1],
            );
        }
    }
}
