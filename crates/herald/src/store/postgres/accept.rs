//! Taking messages: all callers of the moment in one statement, which is a transaction by itself, so that a node that
//! stands still holds nobody's lock.

use super::{
    Engine, columns,
    gather::Call,
    pipeline::{Pipeline, values},
};
use crate::store::{Accepted, Idempotency, LaneRow, NewMessage, Place, Queued, StoreError};
use herald_rules::message::Message;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// A batch is full with so many messages, or bytes of them: more only lengthens the wait of the first.
pub(super) const FULL: usize = 1_024;
/// A message of average length, in the measure of [`FULL`]; a longer one counts for several.
const LONG: usize = 4 * 1024;

/// Lanes are locked in the order of their numbers, and what they give out follows what they gave out before. What the update
/// counts from is each row as it is once the lock is had.
const ACCEPT: &str = "
    WITH new AS MATERIALIZED (
        SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::smallint[],
            $8::bigint[], $9::smallint[]) WITH ORDINALITY
            AS n (department, lane, id, recipient, at, body, class, due, parts, number)),
    counted AS MATERIALIZED (SELECT lane, count(*) AS messages FROM new GROUP BY lane),
    locked AS MATERIALIZED (
        SELECT lane FROM lane_queue WHERE lane = ANY ($10::bigint[]) ORDER BY lane FOR UPDATE),
    queue AS (
        UPDATE lane_queue q SET position = q.position + c.messages, arrived = q.arrived + c.messages
        FROM locked l JOIN counted c ON c.lane = l.lane WHERE q.lane = l.lane
        RETURNING q.lane, q.position - c.messages AS before),
    placed AS MATERIALIZED (
        SELECT n.*, q.before + row_number() OVER (PARTITION BY n.lane ORDER BY n.number) AS position
        FROM new n JOIN queue q ON q.lane = n.lane),
    messages AS (
        INSERT INTO message (department, id, lane, recipient, at, body)
        SELECT department, id, lane, recipient, at, body FROM placed ORDER BY number),
    live_ones AS (
        INSERT INTO live (department, lane, class, position, id)
        SELECT department, lane, class, position, id FROM placed WHERE due IS NULL),
    later_ones AS (
        INSERT INTO later (department, lane, due, position, class, id)
        SELECT department, lane, due, position, class, id FROM placed WHERE due IS NOT NULL),
    parts AS (
        INSERT INTO part (department, id, part, status, at)
        SELECT p.department, p.id, s.part, 0, p.at FROM placed p, generate_series(0, p.parts - 1) AS s (part)
        WHERE p.parts > 1),
    keys AS (
        INSERT INTO idempotency (department, key_hash, body_hash, id, warnings, at)
        SELECT * FROM UNNEST($11::bigint[], $12::bytea[], $13::bytea[], $14::uuid[], $15::text[], $16::bigint[]))
    SELECT lane, before FROM queue";

/// What earlier requests under these keys were answered with.
const EARLIER: &str = "
    SELECT i.department, i.key_hash, i.body_hash, m.body, i.warnings
    FROM UNNEST($1::bigint[], $2::bytea[]) AS k (department, key_hash)
    CROSS JOIN LATERAL (SELECT * FROM idempotency WHERE department = k.department AND key_hash = k.key_hash OFFSET 0) AS i
    CROSS JOIN LATERAL (SELECT body FROM message WHERE department = i.department AND id = i.id OFFSET 0) AS m";

/// What was answered under a key: the body's hash, the message, its warnings.
type Known = HashMap<(i64, [u8; 16]), ([u8; 16], Arc<Message>, String)>;

impl Engine {
    pub(in crate::store) async fn accept(&self, messages: Vec<NewMessage>) -> Result<Vec<Accepted>, StoreError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let weight = messages.iter().map(|new| 1 + new.body.len() / LONG).sum();
        let engine = self.clone();
        self.accepting
            .call(messages, weight, move |calls| {
                let engine = engine.clone();
                async move { engine.accept_batch(calls).await }
            })
            .await
    }

    async fn accept_batch(&self, calls: Vec<Call<Vec<NewMessage>, Vec<Accepted>>>) {
        let (asked, answers): (Vec<_>, Vec<_>) = calls.into_iter().map(|call| (call.asked, call.answer)).unzip();
        let sizes: Vec<usize> = asked.iter().map(Vec::len).collect();
        match self.accept_all(asked.iter().flatten()).await {
            Ok(accepted) => {
                let mut accepted = accepted.into_iter();
                for (answer, size) in answers.into_iter().zip(sizes) {
                    // The caller may have gone.
                    drop(answer.send(Ok(accepted.by_ref().take(size).collect())));
                }
            }
            // Another node was quicker with a key of one of them: each call alone, since one that conflicts again must not
            // undo the others.
            Err(StoreError::Conflict(_)) => {
                for (answer, messages) in answers.into_iter().zip(&asked) {
                    let mut accepted = self.accept_all(messages.iter()).await;
                    if let Err(StoreError::Conflict(_)) = accepted {
                        accepted = self.accept_all(messages.iter()).await;
                    }
                    drop(answer.send(accepted));
                }
            }
            Err(error) => {
                for answer in answers {
                    drop(answer.send(Err(error.clone())));
                }
            }
        }
    }

    /// All of them or none.
    async fn accept_all(&self, all: impl Iterator<Item = &NewMessage>) -> Result<Vec<Accepted>, StoreError> {
        let all: Vec<&NewMessage> = all.collect();
        let mut known = self.earlier(&all).await?;
        let mut new = Vec::with_capacity(all.len());
        let mut accepted = Vec::with_capacity(all.len());
        for message in all {
            if let Some(key) = &message.idempotency
                && let Some(earlier) = known.get(&(message.department, key.key_hash))
            {
                accepted.push(match earlier.0 == key.body_hash {
                    true => Accepted::Repeated {
                        message: Box::new(Message::clone(&earlier.1)),
                        warnings: earlier.2.clone(),
                    },
                    false => Accepted::KeyUsed,
                });
                continue;
            }
            if let Some(Idempotency { key_hash, body_hash, warnings }) = &message.idempotency {
                let answer = (*body_hash, message.message.clone(), warnings.clone());
                known.insert((message.department, *key_hash), answer);
            }
            accepted.push(Accepted::New);
            new.push(message);
        }
        if !new.is_empty() {
            let before = self.write_accepted(&new).await?;
            self.tell_accepted(&new, before)?;
        }
        Ok(accepted)
    }

    async fn earlier(&self, all: &[&NewMessage]) -> Result<Known, StoreError> {
        let keys = all.iter().filter_map(|new| Some((new.department, &new.idempotency.as_ref()?.key_hash[..])));
        let (departments, hashes): (Vec<i64>, Vec<&[u8]>) = keys.unzip();
        if hashes.is_empty() {
            return Ok(Known::new());
        }
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(EARLIER, values![departments, hashes]);
        let mut known = Known::new();
        for row in self.look(pipeline).await?.take(found) {
            let hash = |index| {
                columns::get::<&[u8]>(&row, index)?
                    .try_into()
                    .map_err(|_| StoreError::Corrupt("a hash is not 16 bytes long".into()))
            };
            known.insert(
                (columns::get(&row, 0)?, hash(1)?),
                (hash(2)?, columns::message(&row, 3)?, columns::get(&row, 4)?),
            );
        }
        Ok(known)
    }

    /// Returns the last position of each lane before these.
    async fn write_accepted(&self, new: &[&NewMessage]) -> Result<BTreeMap<LaneRow, i64>, StoreError> {
        fn each<'a, T>(new: &[&'a NewMessage], column: impl Fn(&'a NewMessage) -> T) -> Vec<T> {
            new.iter().map(|new| column(new)).collect()
        }
        let mut lanes = each(new, |new| new.lane);
        lanes.sort_unstable();
        lanes.dedup();
        let keyed: Vec<(&NewMessage, &Idempotency)> =
            new.iter().filter_map(|new| Some((*new, new.idempotency.as_ref()?))).collect();
        let values = values![
            each(new, |new| new.department),
            each(new, |new| new.lane),
            each(new, |new| new.message.id.0),
            each(new, |new| new.message.to.as_str()),
            each(new, |new| new.message.accepted_at.0),
            each(new, |new| new.body.as_str()),
            each(new, |new| i16::from(new.message.priority.class())),
            each(new, |new| due(new).map(|due| due.0)),
            each(new, |new| new.message.parts.cast_signed()),
            lanes,
            keyed.iter().map(|(new, _)| new.department).collect::<Vec<_>>(),
            keyed.iter().map(|(_, key)| &key.key_hash[..]).collect::<Vec<_>>(),
            keyed.iter().map(|(_, key)| &key.body_hash[..]).collect::<Vec<_>>(),
            keyed.iter().map(|(new, _)| new.message.id.0).collect::<Vec<_>>(),
            keyed.iter().map(|(_, key)| key.warnings.as_str()).collect::<Vec<_>>(),
            keyed.iter().map(|(new, _)| new.message.accepted_at.0).collect::<Vec<_>>(),
        ];
        let rows = self.run(ACCEPT, values).await?;
        rows.iter().map(|row| Ok((columns::get(row, 0)?, columns::get(row, 1)?))).collect()
    }

    fn tell_accepted(&self, new: &[&NewMessage], mut last: BTreeMap<LaneRow, i64>) -> Result<(), StoreError> {
        let mut counts: HashMap<LaneRow, i64> = HashMap::with_capacity(last.len());
        for new in new {
            *counts.entry(new.lane).or_insert(0) += 1;
        }
        let mut telling = self.positions.telling();
        // What is not told one by one is read from disk.
        let mut unbroken = HashMap::with_capacity(last.len());
        for (lane, before) in &last {
            let count = counts.get(lane).copied().unwrap_or(0);
            unbroken.insert(*lane, telling.follow(*lane, *before, before + count));
        }
        for new in new {
            let position = last
                .get_mut(&new.lane)
                .ok_or_else(|| StoreError::Corrupt(format!("lane {} has no queue", new.lane)))?;
            *position += 1;
            match due(new) {
                Some(due) => self.observer.scheduled(new.lane, due),
                None if unbroken.get(&new.lane) == Some(&true) => {
                    let place = Place { priority: new.message.priority, position: *position };
                    let message = new.message.clone();
                    self.observer.arrived(new.lane, Queued { place, attempt: 0, resent: false, part: 0, message });
                }
                None => {}
            }
        }
        for (lane, _) in unbroken.into_iter().filter(|(_, unbroken)| !unbroken) {
            self.observer.more(lane);
        }
        Ok(())
    }
}

/// When a scheduled message is to go.
fn due(new: &NewMessage) -> Option<herald_rules::time::Timestamp> {
    new.message.send_at.filter(|at| *at > new.message.accepted_at)
}
