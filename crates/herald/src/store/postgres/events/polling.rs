//! Polling queues: events handed out and hidden for a while, until they are deleted by handle.
//!
//! The rules are those of SQLite's queues. Two nodes may read one queue at the same time: each locks the row of the
//! subscription first.

use super::step::columns_of;
use crate::store::{
    DepartmentRow, EventKey, NewSubscription, Poll, PolledEvent, StoreError, Subscription, SubscriptionKind,
    SubscriptionRow, SubscriptionState,
    postgres::{
        Engine,
        columns::{self, as_integer, as_limit},
        flight::Flight,
        transaction::Transaction,
    },
};
use herald_rules::{ids::MessageId, time::Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio_postgres::Row;
use uuid::Uuid;

const LOCK: &str = "SELECT 1 FROM subscription WHERE subscription = $1 FOR NO KEY UPDATE";

/// What was handed out before and can be seen again.
const VISIBLE: &str = "SELECT lane, sequence, taken, id FROM polled WHERE subscription = $1 AND visible_at <= $2
    ORDER BY visible_at, lane, sequence LIMIT $3";

/// What comes next in each lane, with the moment until which other events of its message are hidden; a row without an event
/// for a lane whose news were cleared away. Bounded by twice what is asked for, since some only come to wait: what is left is
/// there the next time.
const NEXT: &str = "SELECT l.lane, l.head, e.sequence, e.id, e.at, e.status, hidden.visible_at
    FROM (SELECT lane.lane, log.sequence AS head, coalesce(c.sequence, 0) AS position FROM lane
          CROSS JOIN LATERAL (SELECT sequence FROM lane_log g WHERE g.lane = lane.lane LIMIT 1) AS log
          LEFT JOIN LATERAL (
              SELECT sequence FROM cursor c WHERE c.subscription = $1 AND c.lane = lane.lane LIMIT 1) AS c ON true
          WHERE lane.department = $2 AND log.sequence > coalesce(c.sequence, 0) ORDER BY lane.lane) AS l
    LEFT JOIN LATERAL (
        SELECT sequence, id, at, status FROM event e
        WHERE e.department + 0 = $2 AND e.lane = l.lane AND e.sequence > l.position ORDER BY sequence LIMIT $3) AS e ON true
    LEFT JOIN LATERAL (
        SELECT visible_at FROM polled p WHERE p.subscription = $1 AND p.id = e.id LIMIT 1) AS hidden ON true
    LIMIT 2 * $3";

/// Moves cursors to the first event of a lane that happened at or after a moment, by halving: numbers rise with time but for
/// the difference of two providers' clocks.
const SKIP: &str = "WITH RECURSIVE halving AS (
        SELECT log.lane, coalesce(c.sequence, 0) + 1 AS low, log.sequence + 1 AS high
        FROM unnest($3::bigint[]) AS k (lane) JOIN lane_log log USING (lane)
        LEFT JOIN cursor c ON c.subscription = $1 AND c.lane = log.lane
        UNION ALL
        SELECT h.lane, CASE WHEN e.at < $4 THEN e.sequence + 1 ELSE h.low END,
            CASE WHEN e.at < $4 THEN h.high ELSE h.low + (h.high - h.low) / 2 END
        FROM halving h LEFT JOIN LATERAL (
            SELECT sequence, at FROM event WHERE department + 0 = $2 AND lane = h.lane
            AND sequence >= h.low + (h.high - h.low) / 2 ORDER BY sequence LIMIT 1) AS e ON true
        WHERE h.low < h.high)
    INSERT INTO cursor (subscription, lane, sequence)
    SELECT $1::bigint, lane, low - 1 FROM halving WHERE low >= high
    ON CONFLICT (subscription, lane) DO UPDATE SET sequence = excluded.sequence";

impl Engine {
    pub(in crate::store) async fn standard_queue(
        &self,
        department: DepartmentRow,
        now: Timestamp,
    ) -> Result<Subscription, StoreError> {
        if let Some(found) = self.standard(department).await? {
            return Ok(found);
        }
        self.create_standard(&NewSubscription::standard(department, now)).await?;
        self.standard(department)
            .await?
            .ok_or_else(|| StoreError::Conflict("the queue was deleted and is being cleared away".into()))
    }

    pub(in crate::store) async fn poll(
        &self,
        subscription: Subscription,
        poll: Poll,
    ) -> Result<Vec<PolledEvent>, StoreError> {
        if subscription.kind != SubscriptionKind::Polling || subscription.state != SubscriptionState::Active {
            return Ok(Vec::new());
        }
        // An idle queue is looked at every few seconds by every client: that must not cost a lock and a commit.
        let anything = self
            .row(
                "SELECT EXISTS (SELECT 1 FROM polled WHERE subscription = $1 AND visible_at <= $2)
                 OR EXISTS (SELECT 1 FROM lane l
                     CROSS JOIN LATERAL (SELECT sequence FROM lane_log g WHERE g.lane = l.lane LIMIT 1) AS log
                     LEFT JOIN LATERAL (
                         SELECT sequence FROM cursor c WHERE c.subscription = $1 AND c.lane = l.lane LIMIT 1) AS c ON true
                     WHERE l.department = $3 AND log.sequence > coalesce(c.sequence, 0))",
                &[&subscription.row, &poll.now.0, &subscription.department],
            )
            .await?;
        if !anything.map_or(Ok(false), |row| columns::get(&row, 0))? {
            return Ok(Vec::new());
        }
        let transaction = self.transaction().await?;
        let (visible, next) = self.candidates(&transaction, &subscription, &poll).await?;
        let mut taking = Taking::default();
        taking.again(&visible, &poll)?;
        taking.first_time(&next, &subscription, &poll)?;
        taking.write(&transaction, subscription.row, &poll).await?;
        transaction.commit().await?;
        Ok(taking.out)
    }

    /// Locks the queue, and reads what may be handed out.
    async fn candidates(
        &self,
        transaction: &Transaction,
        subscription: &Subscription,
        poll: &Poll,
    ) -> Result<(Vec<Row>, Vec<Row>), StoreError> {
        let (row, department, limit) = (subscription.row, subscription.department, as_limit(poll.limit));
        let mut flight = Flight::default();
        flight.add(LOCK, &[&row]);
        let visible = flight.add(VISIBLE, &[&row, &poll.now.0, &limit]);
        let next = flight.add(NEXT, &[&row, &department, &limit]);
        let mut read = flight.open(transaction).await?;
        let next = read.swap_remove(next);
        let visible = read.swap_remove(visible);
        let oldest = poll.now - poll.keep;
        let mut stale = HashSet::new();
        let mut seen = HashSet::new();
        for row in &next {
            let lane: i64 = columns::get(row, 0)?;
            if seen.insert(lane) && columns::get::<Option<i64>>(row, 4)?.is_some_and(|at| at < oldest.0) {
                stale.insert(lane);
            }
        }
        if stale.is_empty() {
            return Ok((visible, next));
        }
        // What nobody has fetched for so long is passed over, once.
        let stale: Vec<i64> = stale.into_iter().collect();
        let mut flight = Flight::default();
        flight.add(SKIP, &[&row, &department, &stale, &oldest.0]);
        let next = flight.add(NEXT, &[&row, &department, &limit]);
        let mut read = flight.send(transaction.client()?).await?;
        Ok((visible, read.swap_remove(next)))
    }

    pub(in crate::store) async fn delete_polled(
        &self,
        row: SubscriptionRow,
        keys: Vec<EventKey>,
    ) -> Result<u64, StoreError> {
        let (lanes, sequences) = columns_of(&keys);
        let mut flight = Flight::default();
        flight.add(LOCK, &[&row]);
        // The rest of a message of which nothing is out any more comes into view.
        let gone = flight.add(
            "WITH gone AS (
                 DELETE FROM polled p USING unnest($2::bigint[], $3::bigint[]) AS k (lane, sequence)
                 WHERE p.subscription = $1 AND p.lane = k.lane AND p.sequence = k.sequence AND p.taken > 0
                 RETURNING p.id, p.lane, p.sequence),
             shown AS (
                 UPDATE polled p SET visible_at = 0 FROM (SELECT DISTINCT id FROM gone) AS message
                 WHERE p.subscription = $1 AND p.id = message.id AND p.taken = 0 AND NOT EXISTS (
                     SELECT 1 FROM polled o WHERE o.subscription = $1 AND o.id = p.id AND o.taken > 0 AND NOT EXISTS (
                         SELECT 1 FROM gone g WHERE g.lane = o.lane AND g.sequence = o.sequence)))
             SELECT count(*) FROM gone",
            &[&row, &lanes, &sequences],
        );
        let transaction = self.transaction().await?;
        let answers = flight.open(&transaction).await?;
        let gone = answers[gone].first().map_or(Ok(0), |row| columns::number::<i64, u64>(row, 0))?;
        transaction.commit().await?;
        Ok(gone)
    }
}

/// What is handed out, and what the tables are to say of it.
#[derive(Default)]
struct Taking {
    out: Vec<PolledEvent>,
    /// Messages of which something is handed out.
    here: HashSet<MessageId>,
    again: Vec<EventKey>,
    again_messages: Vec<Uuid>,
    remembered: Remembered,
    cursors: BTreeMap<i64, i64>,
}

#[derive(Default)]
struct Remembered {
    lanes: Vec<i64>,
    sequences: Vec<i64>,
    ids: Vec<Uuid>,
    visible_at: Vec<i64>,
    taken: Vec<i32>,
}

impl Remembered {
    fn add(&mut self, key: EventKey, message: MessageId, visible_at: Timestamp, taken: u32) {
        self.lanes.push(key.lane);
        self.sequences.push(key.sequence);
        self.ids.push(message.0);
        self.visible_at.push(visible_at.0);
        self.taken.push(as_integer(taken));
    }
}

impl Taking {
    fn again(&mut self, rows: &[Row], poll: &Poll) -> Result<(), StoreError> {
        for row in rows.iter().take(poll.limit) {
            let key = EventKey { lane: columns::get(row, 0)?, sequence: columns::get(row, 1)? };
            let message = columns::message_id(row, 3)?;
            if self.here.insert(message) {
                self.again_messages.push(message.0);
            }
            self.again.push(key);
            self.out.push(PolledEvent { key, taken: columns::count(row, 2)?.saturating_add(1) });
        }
        Ok(())
    }

    fn first_time(&mut self, rows: &[Row], subscription: &Subscription, poll: &Poll) -> Result<(), StoreError> {
        let wanted = &subscription.settings.events;
        let hidden_until = poll.now + poll.hidden_for;
        // Those that came to wait just now, in an earlier lane or row.
        let mut waiting = HashMap::new();
        for row in rows {
            if self.out.len() >= poll.limit {
                break;
            }
            let (lane, head) = (columns::get(row, 0)?, columns::get(row, 1)?);
            let Some(sequence) = columns::get::<Option<i64>>(row, 2)? else {
                self.cursors.insert(lane, head);
                continue;
            };
            self.cursors.insert(lane, sequence);
            let (message, kind) = (columns::message_id(row, 3)?, columns::event_kind(row, 5)?);
            if !wanted.is_empty() && !wanted.iter().any(|name| name == kind.name()) {
                continue;
            }
            let key = EventKey { lane, sequence };
            if !self.here.contains(&message) {
                let hidden = columns::timestamp_or_none(row, 6)?.or_else(|| waiting.get(&message).copied());
                if let Some(until) = hidden {
                    // An earlier event of this message is in somebody's hands: this one waits for it.
                    waiting.insert(message, until);
                    self.remembered.add(key, message, until, 0);
                    continue;
                }
            }
            if !poll.delete {
                self.remembered.add(key, message, hidden_until, 1);
            }
            self.here.insert(message);
            self.out.push(PolledEvent { key, taken: 1 });
        }
        Ok(())
    }

    async fn write(&self, transaction: &Transaction, row: SubscriptionRow, poll: &Poll) -> Result<(), StoreError> {
        let (again_lanes, again_sequences) = columns_of(&self.again);
        let (lanes, sequences): (Vec<i64>, Vec<i64>) = self.cursors.iter().unzip();
        let visible_at = if poll.delete { 0 } else { (poll.now + poll.hidden_for).0 };
        let mut flight = Flight::default();
        if !self.again.is_empty() {
            let sql = match poll.delete {
                true => {
                    "DELETE FROM polled p USING unnest($2::bigint[], $3::bigint[]) AS k (lane, sequence)
                     WHERE p.subscription = $1 AND p.lane = k.lane AND p.sequence = k.sequence"
                }
                false => {
                    "UPDATE polled p SET taken = taken + 1 FROM unnest($2::bigint[], $3::bigint[]) AS k (lane, sequence)
                     WHERE p.subscription = $1 AND p.lane = k.lane AND p.sequence = k.sequence"
                }
            };
            flight.add(sql, &[&row, &again_lanes, &again_sequences]);
            // The rest of those messages waits with what was handed out, or comes into view where all of it was taken.
            flight.add(
                "UPDATE polled SET visible_at = $3 WHERE subscription = $1 AND id = ANY ($2)",
                &[&row, &self.again_messages, &visible_at],
            );
        }
        let Remembered { lanes: new_lanes, sequences: new_sequences, ids, visible_at: until, taken } = &self.remembered;
        if !ids.is_empty() {
            flight.add(
                "INSERT INTO polled (subscription, lane, sequence, id, visible_at, taken)
                 SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::integer[])",
                &[&row, new_lanes, new_sequences, ids, until, taken],
            );
        }
        if !lanes.is_empty() {
            flight.add(
                "INSERT INTO cursor (subscription, lane, sequence)
                 SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[])
                 ON CONFLICT (subscription, lane) DO UPDATE SET sequence = excluded.sequence",
                &[&row, &lanes, &sequences],
            );
        }
        flight.send(transaction.client()?).await.map(drop)
    }
}
