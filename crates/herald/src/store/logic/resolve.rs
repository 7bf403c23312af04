//! The end of the search for an unknown outcome.

use super::{
    Rows,
    part::{next_part, part_is_proved},
    receipt::learn_reference,
    report::{About, Report, note, report_which},
};
use crate::store::{ChannelRow, Checking, DepartmentRow, LaneRow, Queued, Resolution, StoreError};
use herald_rules::{
    reason::{Cause, Reason},
    status::Status,
    time::Timestamp,
};

/// Ends the checking of an unknown outcome. Returns the message where it goes again.
pub(in crate::store) fn resolve(
    rows: &mut impl Rows,
    (department, channel, lane): (DepartmentRow, ChannelRow, LaneRow),
    checking: &Checking,
    resolution: &Resolution,
    now: Timestamp,
) -> Result<Option<Queued>, StoreError> {
    let id = checking.message.id;
    let about = About { department, lane, id };
    let which = (checking.part, checking.message.parts);
    if !rows.delete_checking(department, lane, id)? {
        return Ok(None);
    }
    match resolution {
        Resolution::Found { reference, status } => {
            let named = reference.as_ref().filter(|reference| reference.named_by_receipts);
            let failed = *status == Status::Failed;
            // A look-up tells the status alone. A receipt that waits for the reference says why; without one, the
            // reason is at least that there is none.
            if let Some(reference) = named.filter(|_| failed) {
                learn_reference(rows, department, channel, &reference.text, (id, checking.part))?;
            }
            let unspecified = failed.then(|| Cause::from(Reason::Unspecified));
            let report = Report {
                status: *status,
                at: now,
                cause: unspecified.as_ref(),
                reference: reference.as_ref().filter(|_| !failed).map(|reference| reference.text.as_str()),
                resent: checking.resent,
            };
            report_which(rows, about, which, &report)?;
            if let Some(reference) = named.filter(|_| !failed) {
                learn_reference(rows, department, channel, &reference.text, (id, checking.part))?;
            }
            if !failed && which.0 + 1 < which.1 {
                let next = Queued { attempt: 0, part: which.0 + 1, ..back(checking, checking.resent) };
                rows.insert_live(department, lane, &next)?;
                return Ok(Some(next));
            }
            rows.count_queued(lane, -1);
        }
        // A receipt proved the part meanwhile.
        Resolution::GivenUp(_) | Resolution::SendAgain { .. } if part_is_proved(rows, department, id, which)? => {
            next_part(rows, about, checking.place, (which.0, checking.resent))?;
        }
        Resolution::GivenUp(reason) => {
            let cause = Cause::from(*reason);
            let (status, resent) = (Status::Failed, checking.resent);
            let report = Report { status, at: now, cause: Some(&cause), reference: None, resent };
            report_which(rows, about, which, &report)?;
            rows.count_queued(lane, -1);
        }
        Resolution::SendAgain { possible_duplicate } => {
            let cause = Cause::from(Reason::PossibleDuplicate);
            note(rows, about, now, "resent", possible_duplicate.then_some(&cause))?;
            let queued = back(checking, checking.resent || *possible_duplicate);
            rows.insert_live(department, lane, &queued)?;
            return Ok(Some(queued));
        }
    }
    Ok(None)
}

/// The message at its old place.
fn back(checking: &Checking, resent: bool) -> Queued {
    Queued {
        place: checking.place,
        attempt: checking.attempt,
        resent,
        part: checking.part,
        message: checking.message.clone(),
    }
}
