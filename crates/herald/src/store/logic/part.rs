//! Messages of several parts: each part is claimed and recorded alone, and the message is as far as its parts together.
//!
//! Rows of parts stand there only for such messages, from the accept on, so that a receipt which comes before the answer
//! finds them.

use super::{
    Rows,
    report::{About, Judged, Report, report},
};
use crate::store::{DepartmentRow, Place, Queued, StoreError, provider_words};
use herald_rules::{
    ids::MessageId,
    part::{Part, aggregate},
    status::{Standing, Status, Verdict, judge},
};

/// Whether a part of it has left us.
pub(super) fn part_has_left(
    rows: &mut impl Rows,
    department: DepartmentRow,
    id: MessageId,
) -> Result<bool, StoreError> {
    Ok(rows.any_parts()? && rows.parts(department, id)?.iter().any(|part| part.status != Status::Pending))
}

/// [`report`] for one part of a message: the message moves when its parts together do. The verdict is the part's.
pub(super) fn report_part(
    rows: &mut impl Rows,
    about: About,
    part: u16,
    what: &Report<'_>,
) -> Result<Judged, StoreError> {
    let mut parts = rows.parts(about.department, about.id)?;
    let Some(known) = parts.get_mut(usize::from(part)) else {
        return report(rows, about, what);
    };
    let standing = Standing { status: known.status, reason: known.cause.as_ref().map(|cause| cause.reason) };
    let verdict = judge(standing, what.status, standing.status == what.status);
    if verdict != Verdict::Change {
        return Ok(Judged { verdict, change: None });
    }
    *known = Part { status: what.status, cause: what.cause.cloned() };
    let (reason, words) = match what.reference {
        Some(reference) => (None, Some(provider_words::reference_words(reference)?)),
        None => provider_words::split_cause(what.cause)?,
    };
    rows.set_part(about.department, about.id, part, (what.status, what.at, reason), words)?;
    let mut change = None;
    if let Some((status, cause)) = aggregate(&parts) {
        let whole = Report { status, at: what.at, cause: cause.as_ref(), reference: None, resent: what.resent };
        change = report(rows, about, &whole)?.change;
    }
    Ok(Judged { verdict, change })
}

/// A receipt about one part. Where its outcome was being found out, the search is over, and the next part goes.
pub(super) fn receipt_for_part(
    rows: &mut impl Rows,
    about: About,
    part: u16,
    report: &Report<'_>,
) -> Result<Judged, StoreError> {
    let About { department, lane, id } = about;
    let judged = report_part(rows, about, part, report)?;
    if !judged.changes() || !rows.any_checking()? {
        return Ok(judged);
    }
    let Some(checked) = rows.checked(department, lane, id)?.filter(|checked| checked.part == part) else {
        return Ok(judged);
    };
    rows.delete_checking(department, lane, id)?;
    if report.status == Status::Failed {
        rows.count_queued(lane, -1);
        return Ok(judged);
    }
    next_part(rows, about, checked.place, (part, checked.resent))?;
    Ok(judged)
}

/// Whether a part is known to have been taken, of a message of several (`parts`; more than one where that is not known).
pub(super) fn part_is_proved(
    rows: &mut impl Rows,
    department: DepartmentRow,
    id: MessageId,
    (part, parts): (u16, u16),
) -> Result<bool, StoreError> {
    if parts < 2 || !rows.any_parts()? {
        return Ok(false);
    }
    let known = rows.parts(department, id)?;
    let status = known.get(usize::from(part)).map(|part| part.status);
    Ok(matches!(status, Some(Status::Accepted | Status::Delivered | Status::Read)))
}

/// After a part that was taken, and that no longer stands in the queue: the next goes, or the message has left it.
pub(super) fn next_part(
    rows: &mut impl Rows,
    about: About,
    mut place: Place,
    (part, resent): (u16, bool),
) -> Result<(), StoreError> {
    let About { department, lane, id } = about;
    let message =
        rows.message(department, id)?.ok_or_else(|| StoreError::Corrupt("a queued message is gone".into()))?;
    if part + 1 >= message.parts || rows.history(department, id)?.standing.status != Status::Pending {
        rows.count_queued(lane, -1);
        return Ok(());
    }
    // The lane takes a position that it has passed for something it has seen: the next part gets a new one.
    place.position = rows.next_position(lane)?;
    let next = Queued { place, attempt: 0, resent, part: part + 1, message };
    rows.insert_live(department, lane, &next)?;
    rows.tell_arrived(lane, next);
    Ok(())
}
