//! Polling queues: events handed out and hidden for a while, until they are deleted by handle.
//!
//! A queue costs a cursor a lane; a row exists only for what was handed out and not deleted. All rows of one message
//! share the moment at which they can be seen again, so that its events always come in order.

use super::{log, subscriptions};
use crate::store::{
    DepartmentRow, EventKey, EventKind, NewSubscription, Poll, PolledEvent, StoreError, Subscription, SubscriptionKind,
    SubscriptionRow, SubscriptionState,
    sqlite::{Engine, Writing, columns},
};
use herald_rules::{ids::MessageId, time::Timestamp};
use rusqlite::OptionalExtension;
use std::collections::HashSet;

impl Engine {
    pub(in crate::store) async fn standard_queue(
        &self,
        department: DepartmentRow,
        now: Timestamp,
    ) -> Result<Subscription, StoreError> {
        if let Some(found) = self.read(move |connection| subscriptions::standard(connection, department)).await? {
            return Ok(found);
        }
        self.write(move |writing| {
            if let Some(found) = subscriptions::standard(writing.connection, department)? {
                return Ok(found);
            }
            writing.create_subscription(&NewSubscription::standard(department, now), true)
        })
        .await
    }

    pub(in crate::store) async fn poll(
        &self,
        subscription: Subscription,
        poll: Poll,
    ) -> Result<Vec<PolledEvent>, StoreError> {
        if subscription.kind != SubscriptionKind::Polling || subscription.state != SubscriptionState::Active {
            return Ok(Vec::new());
        }
        // An idle queue is looked at every few seconds by every client: that must not cost a commit.
        let (row, known) = (subscription.clone(), poll);
        if !self.read(move |connection| anything(connection, &row, known.now)).await? {
            return Ok(Vec::new());
        }
        self.write(move |writing| writing.poll(&subscription, &poll)).await
    }

    pub(in crate::store) async fn delete_polled(
        &self,
        row: SubscriptionRow,
        keys: Vec<EventKey>,
    ) -> Result<u64, StoreError> {
        self.write(move |writing| {
            let mut gone = 0;
            for key in keys {
                gone += u64::from(writing.delete_polled(row, key)?);
            }
            Ok(gone)
        })
        .await
    }
}

/// Whether there is anything to hand out.
fn anything(
    connection: &rusqlite::Connection,
    subscription: &Subscription,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let visible = connection
        .prepare_cached("SELECT 1 FROM polled WHERE subscription = ?1 AND visible_at <= ?2 LIMIT 1")?
        .query_row((subscription.row, now.0), |_| Ok(()))
        .optional()?
        .is_some();
    if visible {
        return Ok(true);
    }
    for (lane, position) in subscriptions::positions(connection, subscription)? {
        if log::head(connection, subscription.department, lane)? > position {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Writing<'_> {
    fn poll(&mut self, subscription: &Subscription, poll: &Poll) -> Result<Vec<PolledEvent>, StoreError> {
        let hidden_until = poll.now + poll.hidden_for;
        let mut out = Vec::new();
        let mut touched = HashSet::new();
        for (event, message) in self.visible(subscription.row, poll)? {
            touched.insert(message);
            out.push(event);
            if poll.delete {
                self.forget(subscription.row, event.key)?;
            } else {
                self.connection
                    .prepare_cached(
                        "UPDATE polled SET taken = ?4 WHERE subscription = ?1 AND lane = ?2 AND sequence = ?3",
                    )?
                    .execute((subscription.row, event.key.lane, event.key.sequence, event.taken))?;
            }
        }
        // The rest of those messages waits with what was handed out, or comes into view where all of it was taken.
        for &message in &touched {
            self.show_message_at(subscription.row, message, if poll.delete { Timestamp(0) } else { hidden_until })?;
        }
        for (lane, position) in subscriptions::positions(self.connection, subscription)? {
            if out.len() >= poll.limit {
                break;
            }
            self.poll_lane(subscription, EventKey { lane, sequence: position }, poll, &mut out, &mut touched)?;
        }
        Ok(out)
    }

    /// What was handed out before and can be seen again.
    fn visible(&self, row: SubscriptionRow, poll: &Poll) -> Result<Vec<(PolledEvent, MessageId)>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT lane, sequence, taken, id FROM polled WHERE subscription = ?1 AND visible_at <= ?2
             ORDER BY visible_at, lane, sequence LIMIT ?3",
        )?;
        let rows = query.query_map((row, poll.now.0, poll.limit as i64), |row| {
            let key = EventKey { lane: row.get(0)?, sequence: row.get(1)? };
            Ok((PolledEvent { key, taken: row.get::<_, u32>(2)? + 1 }, columns::message_id(row, 3)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn poll_lane(
        &mut self,
        subscription: &Subscription,
        position: EventKey,
        poll: &Poll,
        out: &mut Vec<PolledEvent>,
        here: &mut HashSet<MessageId>,
    ) -> Result<(), StoreError> {
        let (row, department, lane) = (subscription.row, subscription.department, position.lane);
        let hidden_until = poll.now + poll.hidden_for;
        let mut position = position.sequence;
        // Bounded, since events that only come to wait make room for more: what is left is there the next time.
        let found = {
            let mut query = self.connection.prepare_cached(
                "SELECT sequence, id, at, status FROM event WHERE department = ?1 AND lane = ?2 AND sequence > ?3
                 ORDER BY sequence LIMIT ?4",
            )?;
            let mut read = |after| -> Result<Vec<(i64, MessageId, i64, EventKind)>, StoreError> {
                let rows = query.query_map((department, lane, after, (poll.limit - out.len()) as i64), |row| {
                    Ok((row.get(0)?, columns::message_id(row, 1)?, row.get(2)?, columns::event_kind(row, 3)?))
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            };
            let oldest = poll.now - poll.keep;
            let found = read(position)?;
            if found.first().is_some_and(|(_, _, at, _)| *at < oldest.0) {
                position = log::first_since(self.connection, department, lane, position, oldest)? - 1;
                read(position)?
            } else {
                found
            }
        };
        let wanted = &subscription.settings.events;
        for (sequence, message, _, kind) in found {
            position = sequence;
            if !wanted.is_empty() && !wanted.iter().any(|name| name == kind.name()) {
                continue;
            }
            let key = EventKey { lane, sequence };
            let waits = if here.contains(&message) { None } else { self.message_hidden_until(row, message)? };
            if let Some(until) = waits {
                // An earlier event of this message is in somebody's hands: this one waits for it.
                self.remember(row, key, message, until, 0)?;
                continue;
            }
            if !poll.delete {
                self.remember(row, key, message, hidden_until, 1)?;
            }
            here.insert(message);
            out.push(PolledEvent { key, taken: 1 });
        }
        self.connection
            .prepare_cached(
                "INSERT INTO cursor (subscription, lane, sequence) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE sequence <> excluded.sequence",
            )?
            .execute((row, lane, position))?;
        Ok(())
    }

    fn delete_polled(&mut self, row: SubscriptionRow, key: EventKey) -> Result<bool, StoreError> {
        let found = self
            .connection
            .prepare_cached("SELECT id FROM polled WHERE subscription = ? AND lane = ? AND sequence = ? AND taken > 0")?
            .query_row((row, key.lane, key.sequence), |row| columns::message_id(row, 0))
            .optional()?;
        let Some(message) = found else { return Ok(false) };
        self.forget(row, key)?;
        let still_out = self
            .connection
            .prepare_cached("SELECT 1 FROM polled WHERE subscription = ?1 AND id = ?2 AND taken > 0 LIMIT 1")?
            .query_row((row, message.0.as_bytes()), |_| Ok(()))
            .optional()?
            .is_some();
        if !still_out {
            self.show_message_at(row, message, Timestamp(0))?;
        }
        Ok(true)
    }

    fn message_hidden_until(&self, row: SubscriptionRow, message: MessageId) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT visible_at FROM polled WHERE subscription = ?1 AND id = ?2 LIMIT 1")?
            .query_row((row, message.0.as_bytes()), |row| row.get(0).map(Timestamp))
            .optional()?)
    }

    fn remember(
        &self,
        row: SubscriptionRow,
        key: EventKey,
        message: MessageId,
        visible_at: Timestamp,
        taken: u32,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO polled (subscription, lane, sequence, id, visible_at, taken) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute((row, key.lane, key.sequence, message.0.as_bytes(), visible_at.0, taken))?;
        Ok(())
    }

    fn forget(&self, row: SubscriptionRow, key: EventKey) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM polled WHERE subscription = ? AND lane = ? AND sequence = ?")?
            .execute((row, key.lane, key.sequence))?;
        Ok(())
    }

    fn show_message_at(&self, row: SubscriptionRow, message: MessageId, at: Timestamp) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE polled SET visible_at = ?3 WHERE subscription = ?1 AND id = ?2")?
            .execute((row, message.0.as_bytes(), at.0))?;
        Ok(())
    }
}
