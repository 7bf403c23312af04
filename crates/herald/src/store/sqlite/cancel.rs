//! Cancelling: it wins only before the claim.

use super::Engine;
use crate::store::{Cancelled, DepartmentRow, StoreError, logic};
use herald_rules::{ids::MessageId, time::Timestamp};

impl Engine {
    pub(in crate::store) async fn cancel(
        &self,
        department: DepartmentRow,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Cancelled, StoreError> {
        self.write(move |writing| logic::cancel(writing, department, id, now)).await
    }
}
