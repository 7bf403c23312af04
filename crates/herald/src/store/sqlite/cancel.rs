//! Cancelling: it wins only before the claim.

use super::Writing;
use crate::store::{DepartmentRow, StoreError};
use herald_rules::ids::MessageId;

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
