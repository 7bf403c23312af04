//! Forgetting what has served its time, in small steps between other work.

use super::{Engine, Writing, columns};
use crate::store::{ChannelRow, DepartmentRow, LaneRow, StoreError, WindowPlace, logic::Rows, provider_words};
use herald_rules::{ids::MessageId, status::Status, time::Timestamp};
use rusqlite::OptionalExtension;

/// Rows a step: some milliseconds of the writer.
const STEP: u32 = 500;
/// Messages a step, each of which has several rows.
const MESSAGES: u32 = 100;

impl Engine {
    #[expect(clippy::unused_async, reason = "PostgreSQL has something to do")]
    pub(in crate::store) async fn keep_house(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    pub(in crate::store) async fn prune_idempotency(&self, before: Timestamp) -> Result<bool, StoreError> {
        // Row numbers rise with time, so the oldest are at the low end and no index by time is needed.
        self.prune(
            "DELETE FROM idempotency WHERE number IN (SELECT number FROM idempotency ORDER BY number LIMIT ?2) AND at < ?1",
            before,
        )
        .await
    }

    pub(in crate::store) async fn prune_early(&self, before: Timestamp) -> Result<Vec<(ChannelRow, u64)>, StoreError> {
        self.write(move |writing| {
            let mut orphans = std::collections::BTreeMap::new();
            {
                let mut delete = writing.connection.prepare_cached(
                    "DELETE FROM early WHERE (channel, reference, status) IN
                     (SELECT channel, reference, status FROM early WHERE received_at < ?1 LIMIT ?2) RETURNING channel",
                )?;
                let mut rows = delete.query((before.0, STEP))?;
                while let Some(row) = rows.next()? {
                    *orphans.entry(row.get(0)?).or_insert(0) += 1;
                }
            }
            writing.memory.early = None;
            Ok(orphans.into_iter().collect())
        })
        .await
    }

    pub(in crate::store) async fn prune_inbound(
        &self,
        department: DepartmentRow,
        before: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let deleted = writing
                .connection
                .prepare_cached(
                    "DELETE FROM inbound WHERE (department, id) IN
                     (SELECT department, id FROM inbound WHERE department = ?1 AND id < ?2 ORDER BY id LIMIT ?3)",
                )?
                .execute((department, MessageId::first_at(before).0.as_bytes(), STEP))?;
            Ok(deleted >= STEP as usize)
        })
        .await
    }

    pub(in crate::store) async fn prune_inbox(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.prune(
            "DELETE FROM inbox WHERE number IN
             (SELECT number FROM inbox WHERE problem IS NOT NULL AND at < ?1 ORDER BY number LIMIT ?2)",
            before,
        )
        .await
    }

    pub(in crate::store) async fn prune_messages(
        &self,
        department: DepartmentRow,
        before: Timestamp,
        after: Option<MessageId>,
    ) -> Result<Option<MessageId>, StoreError> {
        self.write(move |writing| {
            let after = after.map_or([0; 16], |id| *id.0.as_bytes());
            let found = writing
                .connection
                .prepare_cached(
                    "SELECT m.id, l.lane, l.channel FROM message m JOIN lane l ON l.lane = m.lane
                     WHERE m.department = ?1 AND m.id > ?2 AND m.id < ?3 ORDER BY m.id LIMIT ?4",
                )?
                .query_map((department, after, MessageId::first_at(before).0.as_bytes(), MESSAGES), |row| {
                    Ok((columns::message_id(row, 0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<Result<Vec<_>, _>>()?;
            for (id, lane, channel) in &found {
                writing.forget_message(department, *channel, *lane, *id)?;
            }
            if let Some((last, ..)) = found.last() {
                writing.forget_channel_events(department, after, *last)?;
            }
            let more = found.len() == MESSAGES as usize;
            Ok(found.last().map(|(id, ..)| *id).filter(|_| more))
        })
        .await
    }

    pub(in crate::store) async fn prune_windows(
        &self,
        before: Timestamp,
        after: Option<WindowPlace>,
    ) -> Result<Option<WindowPlace>, StoreError> {
        self.write(move |writing| {
            let (lane, customer) = after.unwrap_or_default();
            // By key, since an index by time would be written with everything that a customer sends.
            let last = writing
                .connection
                .prepare_cached(
                    "SELECT lane, customer FROM open_window WHERE (lane, customer) > (?1, ?2)
                     ORDER BY lane, customer LIMIT 1 OFFSET ?3",
                )?
                .query_row((lane, &customer, STEP - 1), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (last_lane, last_customer) = last.clone().unwrap_or((LaneRow::MAX, String::new()));
            writing
                .connection
                .prepare_cached(
                    "DELETE FROM open_window WHERE (lane, customer) > (?1, ?2) AND (lane, customer) <= (?3, ?4) AND until < ?5",
                )?
                .execute((lane, customer, last_lane, last_customer, before.0))?;
            Ok(last)
        })
        .await
    }

    async fn prune(&self, sql: &'static str, before: Timestamp) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let deleted = writing.connection.prepare_cached(sql)?.execute((before.0, STEP))?;
            Ok(deleted >= STEP as usize)
        })
        .await
    }
}

impl Writing<'_> {
    /// Deletes a message that has ended, and all that is told of it.
    fn forget_message(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        lane: LaneRow,
        id: MessageId,
    ) -> Result<(), StoreError> {
        if self.history(department, id)?.standing.status == Status::Pending {
            return Ok(());
        }
        let key = (department, id.0.as_bytes());
        let events = self
            .connection
            .prepare_cached("SELECT sequence FROM event WHERE department = ?1 AND id = ?2")?
            .query_map(key, |row| row.get::<_, i64>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        // The log goes on from its last row: without it, numbers would begin anew, behind all cursors.
        if events.contains(&self.last_sequence(department, lane)?) {
            return Ok(());
        }
        for sequence in events {
            let row = (department, lane, sequence);
            if let Some(reference) = self.provider_reference(row)? {
                self.connection
                    .prepare_cached("DELETE FROM reference WHERE channel = ?1 AND reference = ?2")?
                    .execute((channel, reference))?;
            }
            self.connection
                .prepare_cached("DELETE FROM event WHERE department = ?1 AND lane = ?2 AND sequence = ?3")?
                .execute(row)?;
        }
        self.connection.prepare_cached("DELETE FROM note WHERE department = ?1 AND id = ?2")?.execute(key)?;
        if self.any_parts()? {
            self.forget_parts(channel, key)?;
        }
        self.connection.prepare_cached("DELETE FROM message WHERE department = ?1 AND id = ?2")?.execute(key)?;
        Ok(())
    }

    fn forget_parts(&mut self, channel: ChannelRow, key: (DepartmentRow, &[u8; 16])) -> Result<(), StoreError> {
        let words = self
            .connection
            .prepare_cached("SELECT provider FROM part WHERE department = ?1 AND id = ?2 AND provider IS NOT NULL")?
            .query_map(key, |row| row.get::<_, String>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        for words in words {
            let Ok(provider_words::ProviderWords { reference: Some(reference), .. }) = serde_json::from_str(&words)
            else {
                continue;
            };
            self.connection
                .prepare_cached("DELETE FROM reference WHERE channel = ?1 AND reference = ?2")?
                .execute((channel, reference))?;
        }
        self.connection.prepare_cached("DELETE FROM part WHERE department = ?1 AND id = ?2")?.execute(key)?;
        Ok(())
    }

    /// Events about no message, as old as the messages between two ids. The last row of a lane's log stays, as with messages.
    fn forget_channel_events(
        &self,
        department: DepartmentRow,
        after: [u8; 16],
        last: MessageId,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "DELETE FROM event WHERE (department, lane, sequence) IN (
                     SELECT department, lane, sequence FROM event e
                     WHERE department = ?1 AND id > ?2 AND id <= ?3 AND status >= 100 AND sequence < (
                         SELECT max(sequence) FROM event l WHERE l.department = e.department AND l.lane = e.lane))",
            )?
            .execute((department, after, last.0.as_bytes()))?;
        Ok(())
    }

    /// The provider's id that came with an event.
    fn provider_reference(&self, event: (DepartmentRow, LaneRow, i64)) -> Result<Option<String>, StoreError> {
        let words = self
            .connection
            .prepare_cached("SELECT provider FROM event WHERE department = ?1 AND lane = ?2 AND sequence = ?3")?
            .query_row(event, |row| row.get::<_, Option<String>>(0))?;
        Ok(words.and_then(|json| serde_json::from_str::<provider_words::ProviderWords>(&json).ok()?.reference))
    }
}
