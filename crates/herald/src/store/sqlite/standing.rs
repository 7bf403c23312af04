//! How lanes stand with their providers, and the event that tells of a stop.

use super::{Engine, Writing};
use crate::store::{Change, DepartmentRow, EventKind, LaneRow, Standing, StandingChange, StopWords, StoreError};
use herald_rules::{ids::MessageId, pace::stop::Stop};
use rusqlite::OptionalExtension;

impl Engine {
    pub(in crate::store) async fn standing(&self, lane: LaneRow) -> Result<Standing, StoreError> {
        self.read(move |connection| {
            let json = connection
                .prepare_cached("SELECT standing FROM lane WHERE lane = ?1")?
                .query_row([lane], |row| row.get::<_, String>(0))
                .optional()?;
            // What another version wrote and this one cannot read is found out anew by the next message.
            Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
        })
        .await
    }

    pub(in crate::store) async fn change_standing(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        change: StandingChange,
    ) -> Result<(), StoreError> {
        self.write(move |writing| writing.change_standing(department, lane, &change)).await
    }
}

impl Writing<'_> {
    pub(super) fn change_standing(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        change: &StandingChange,
    ) -> Result<(), StoreError> {
        match change {
            StandingChange::Stopped { lanes, stop } => {
                if self.standing_of(lane)?.stop.is_none() {
                    self.tell_stop(department, lane, stop)?;
                }
                for lane in lanes.iter().chain([&lane]) {
                    self.stand(*lane, |standing| {
                        standing.stop.get_or_insert_with(|| stop.clone());
                    })?;
                }
            }
            StandingChange::Lifted { lanes } => {
                for lane in lanes {
                    self.stand(*lane, |standing| standing.stop = None)?;
                }
            }
            StandingChange::Restricted { lanes, until } => {
                for lane in lanes {
                    self.stand(*lane, |standing| standing.restricted_until = *until)?;
                }
            }
        }
        Ok(())
    }

    fn standing_of(&self, lane: LaneRow) -> Result<Standing, StoreError> {
        let json = self
            .connection
            .prepare_cached("SELECT standing FROM lane WHERE lane = ?1")?
            .query_row([lane], |row| row.get::<_, String>(0))
            .optional()?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
    }

    fn stand(&self, lane: LaneRow, change: impl FnOnce(&mut Standing)) -> Result<(), StoreError> {
        let mut standing = self.standing_of(lane)?;
        change(&mut standing);
        self.connection
            .prepare_cached("UPDATE lane SET standing = ?2 WHERE lane = ?1")?
            .execute((lane, serde_json::to_string(&standing)?))?;
        Ok(())
    }

    /// An event about a channel stands in a lane's log like those of messages, so that the same cursors bring it. Its id is its
    /// own, as it is about no message.
    fn tell_stop(&mut self, department: DepartmentRow, lane: LaneRow, stop: &Stop) -> Result<(), StoreError> {
        let sequence = self.next_sequence(department, lane)?;
        let id = MessageId::new();
        let words = StopWords {
            scope: stop.scope,
            code: stop.cause.provider_code.clone(),
            text: stop.cause.provider_text.clone(),
            detail: stop.cause.detail.clone(),
        };
        self.connection
            .prepare_cached(
                "INSERT INTO event (department, lane, sequence, id, status, at, reason, resent, provider)
                 VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
            )?
            .execute((
                department,
                lane,
                sequence,
                id.0.as_bytes(),
                EventKind::ChannelError.code(),
                stop.since.0,
                stop.cause.reason.number(),
                serde_json::to_string(&words)?,
            ))?;
        self.memory.changes.push(Change { department, lane, sequence, id, kind: EventKind::ChannelError });
        Ok(())
    }
}
