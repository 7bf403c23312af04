//! Cancelling: it wins only before the claim.

use super::{
    Rows,
    claim::claimed_at,
    part::part_has_left,
    record::rejection,
    report::{About, report},
};
use crate::store::{Cancelled, DepartmentRow, StoreError};
use herald_rules::{
    ids::MessageId,
    reason::{Cause, Reason},
    status::Status,
    time::Timestamp,
};

/// Ends a message that nobody has claimed.
pub(in crate::store) fn cancel(
    rows: &mut impl Rows,
    department: DepartmentRow,
    id: MessageId,
    now: Timestamp,
) -> Result<Cancelled, StoreError> {
    let Some(lane) = rows.lane_of_message(department, id)? else { return Ok(Cancelled::NotFound) };
    let status = rows.history(department, id)?.standing.status;
    // At the provider's door, or nobody knows.
    let gone = status != Status::Pending
        || part_has_left(rows, department, id)?
        || (rows.any_checking()? && rows.checked(department, lane, id)?.is_some())
        || claimed_at(rows, department, lane, id)?.is_some();
    if gone {
        return Ok(Cancelled::TooLate(status));
    }
    let cause = Cause::from(Reason::Cancelled);
    let judged = report(rows, About { department, lane, id }, &rejection(&cause, now, false))?;
    // Its place in the queue is found when the lane comes to it: the queue has no index by id.
    rows.insert_cancelled(department, id)?;
    Ok(judged.change.map_or(Cancelled::TooLate(status), Cancelled::Done))
}
