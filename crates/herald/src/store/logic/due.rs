//! What was put away and is due.

use super::Rows;
use crate::store::{DepartmentRow, LaneRow, Queued, StoreError};
use herald_rules::time::Timestamp;

/// A message that was put away until a moment, or scheduled for it.
pub(in crate::store) struct PutAway {
    /// As it goes to the queue.
    pub(in crate::store) queued: Queued,
    /// Until when.
    pub(in crate::store) due: Timestamp,
    /// It stood in the queue before, and its customer waits for it.
    pub(in crate::store) held: bool,
}

/// Moves what is due to the live queue. What was held is returned; what was scheduled arrives.
pub(in crate::store) fn move_due(
    rows: &mut impl Rows,
    department: DepartmentRow,
    lane: LaneRow,
    found: Vec<PutAway>,
) -> Result<Vec<Queued>, StoreError> {
    let mut returned = Vec::new();
    for PutAway { mut queued, due, held } in found {
        rows.delete_later(department, lane, due, queued.place.position)?;
        if held {
            rows.insert_live(department, lane, &queued)?;
            returned.push(queued);
            continue;
        }
        // Its place is where its moment came, not where it was accepted. It is told of like everything that arrives: by
        // another way it would overtake what has a place before it.
        queued.place.position = rows.next_position(lane)?;
        rows.insert_live(department, lane, &queued)?;
        rows.tell_arrived(lane, queued);
    }
    Ok(returned)
}
