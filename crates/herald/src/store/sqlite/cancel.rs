//! Cancelling: it wins only before the claim.

use super::{Engine, Writing, outcome::Report};
use crate::store::{Cancelled, DepartmentRow, LaneRow, StoreError};
use herald_rules::{
    ids::MessageId,
    reason::{Cause, Reason},
    status::Status,
    time::Timestamp,
};
use rusqlite::OptionalExtension;

impl Writing<'_> {
    /// Whether any message was cancelled while it waited on disk. Nearly never, so the answer is kept.
    pub(super) fn any_cancelled(&mut self) -> Result<bool, StoreError> {
        let count = match self.memory.cancelled {
            Some(count) => count,
            None => self.connection.query_row("SELECT count(*) FROM cancelled", [], |row| row.get(0))?,
        };
        self.memory.cancelled = Some(count);
        Ok(count > 0)
    }

    /// Takes the mark of a cancelled message away; tells whether there was one.
    pub(super) fn take_cancelled(&mut self, department: DepartmentRow, id: MessageId) -> Result<bool, StoreError> {
        let taken = self
            .connection
            .prepare_cached("DELETE FROM cancelled WHERE department = ?1 AND id = ?2")?
            .execute((department, id.0.as_bytes()))?;
        if taken > 0 {
            self.memory.cancelled = None;
        }
        Ok(taken > 0)
    }
}

impl Engine {
    pub(in crate::store) async fn cancel(
        &self,
        department: DepartmentRow,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Cancelled, StoreError> {
        self.write(move |writing| writing.cancel(department, id, now)).await
    }
}

impl Writing<'_> {
    fn cancel(&mut self, department: DepartmentRow, id: MessageId, now: Timestamp) -> Result<Cancelled, StoreError> {
        let lane = self
            .connection
            .prepare_cached("SELECT lane FROM message WHERE department = ?1 AND id = ?2")?
            .query_row((department, id.0.as_bytes()), |row| row.get::<_, LaneRow>(0))
            .optional()?;
        let Some(lane) = lane else { return Ok(Cancelled::NotFound) };
        let standing = self.standing(department, id)?;
        let left = self.part_has_left(department, id)?;
        if standing.status != Status::Pending || left || self.is_claimed(department, lane, id)? {
            return Ok(Cancelled::TooLate(standing.status));
        }
        let cause = Cause::from(Reason::Cancelled);
        let report = Report { status: Status::Rejected, at: now, cause: Some(&cause), reference: None, resent: false };
        self.report(department, lane, id, &report)?;
        // Its place in the queue is found when the lane comes to it: the queue has no index by id.
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO cancelled (department, id) VALUES (?, ?)")?
            .execute((department, id.0.as_bytes()))?;
        self.memory.cancelled = None;
        Ok(self.memory.changes.last().map_or(Cancelled::NotFound, |change| Cancelled::Done(*change)))
    }

    /// Whether it is at the provider's door, or nobody knows.
    fn is_claimed(&self, department: DepartmentRow, lane: LaneRow, id: MessageId) -> Result<bool, StoreError> {
        let checking = self
            .connection
            .prepare_cached("SELECT 1 FROM checking WHERE department = ?1 AND lane = ?2 AND id = ?3")?
            .exists((department, lane, id.0.as_bytes()))?;
        Ok(checking || self.claimed_entry(department, lane, id)?)
    }
}
