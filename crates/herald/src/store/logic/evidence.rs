//! Applying what a lane's former owner learnt of its calls.

use super::{
    Rows, Tried,
    claim::claimed_at,
    part::{next_part, part_is_proved},
    receipt::{apply_to, lane_of, learn_reference},
    record::rejection,
    report::{About, Report, note, report_which},
    standing::change_standing,
};
use crate::store::{Evidence, Fate, Learnt, Place, ProviderReference, StoreError};
use herald_rules::{reason::Cause, status::Status, time::Timestamp};

/// Applies evidence; tells of how many messages it settled anything.
pub(super) fn apply_evidence(rows: &mut impl Rows, evidence: &Evidence, now: Timestamp) -> Result<u32, StoreError> {
    let Evidence { department, lane, learnt, standings, daily_customers, .. } = evidence;
    let mut settled = 0;
    for learnt in learnt {
        let about = About { department: *department, lane: *lane, id: learnt.id };
        settled += u32::from(apply_one(rows, about, evidence, learnt, now)?);
    }
    for change in standings {
        change_standing(rows, *department, *lane, change)?;
    }
    if let Some(customers) = daily_customers {
        rows.count_customers(customers)?;
    }
    Ok(settled)
}

fn apply_one(
    rows: &mut impl Rows,
    about: About,
    evidence: &Evidence,
    learnt: &Learnt,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match &learnt.fate {
        Fate::Accepted { reference } => accepted(rows, about, evidence, learnt, reference.as_ref()),
        Fate::Rejected(cause) => rejected(rows, about, learnt, cause),
        Fate::NotTaken(cause) => not_taken(rows, about, learnt, cause.as_ref(), now),
    }
}

/// Like a receipt that proves acceptance. Which try it was says nothing: the provider has the message. Where it stands in the
/// queue, its next claim drops it.
fn accepted(
    rows: &mut impl Rows,
    about: About,
    evidence: &Evidence,
    learnt: &Learnt,
    reference: Option<&ProviderReference>,
) -> Result<bool, StoreError> {
    let About { department, id, .. } = about;
    let history = rows.history(department, id)?;
    // Forgotten meanwhile.
    if lane_of(rows, department, evidence.channel, id, &history)? != Some(about.lane) {
        return Ok(false);
    }
    let report = Report {
        status: Status::Accepted,
        at: learnt.at,
        cause: None,
        reference: reference.map(|reference| reference.text.as_str()),
        resent: learnt.resent,
    };
    let judged = apply_to(rows, about, learnt.part, &history, &report)?;
    if let Some(reference) = reference.filter(|reference| reference.named_by_receipts) {
        learn_reference(rows, department, evidence.channel, &reference.text, (id, learnt.part))?;
    }
    Ok(judged.changes())
}

fn rejected(rows: &mut impl Rows, about: About, learnt: &Learnt, cause: &Cause) -> Result<bool, StoreError> {
    let which = (learnt.part, learnt.parts);
    let Some(place) = take_unsettled(rows, about, learnt)? else { return Ok(false) };
    if part_is_proved(rows, about.department, about.id, which)? {
        next_part(rows, about, place, (learnt.part, learnt.resent))?;
        return Ok(true);
    }
    report_which(rows, about, which, &rejection(cause, learnt.at, learnt.resent))?;
    rows.count_queued(about.lane, -1);
    Ok(true)
}

/// It waits for its next try at its old place, ahead of what its customer was sent since: the lane hears that something is
/// due. The try counts, even where nothing was sent: so the next claim has another number, and evidence that comes twice
/// does not bring the message back twice.
fn not_taken(
    rows: &mut impl Rows,
    about: About,
    learnt: &Learnt,
    cause: Option<&Cause>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let About { department, lane, id } = about;
    let Learnt { claimed_as, resent, part, parts, at, .. } = learnt;
    let Some(place) = take_unsettled(rows, about, learnt)? else { return Ok(false) };
    // A receipt knows better.
    if part_is_proved(rows, department, id, (*part, *parts))? {
        next_part(rows, about, place, (*part, *resent))?;
        return Ok(true);
    }
    if rows.has_event(department, id)? {
        rows.count_queued(lane, -1);
        return Ok(true);
    }
    if let Some(cause) = cause {
        note(rows, about, *at, "try", Some(cause))?;
    }
    let tried = Tried { id, place, attempt: *claimed_as, resent: *resent, part: *part, claimed_at: *at };
    rows.insert_later(department, lane, &tried, now, cause.map(|cause| cause.reason))?;
    rows.tell_scheduled(lane, now);
    Ok(true)
}

/// Takes the message out of `checking`, or out of the queue where its claim is open still, if that is what the evidence is
/// about: this try of this part, claimed before its outcome was known. Returns its place.
fn take_unsettled(rows: &mut impl Rows, about: About, learnt: &Learnt) -> Result<Option<Place>, StoreError> {
    let About { department, lane, id } = about;
    let checked = if rows.any_checking()? { rows.checked(department, lane, id)? } else { None };
    if let Some(checked) = checked {
        let this =
            checked.attempt == learnt.claimed_as && checked.part == learnt.part && checked.claimed_at <= learnt.at;
        if this {
            rows.delete_checking(department, lane, id)?;
        }
        return Ok(this.then_some(checked.place));
    }
    let live = rows.live(department, lane, learnt.place)?;
    let same = live.is_some_and(|live| {
        live.id == id && live.attempt.checked_add(1) == Some(learnt.claimed_as) && live.part == learnt.part
    });
    if !same || claimed_at(rows, department, lane, id)?.is_none_or(|at| at > learnt.at) {
        return Ok(None);
    }
    rows.delete_live(department, lane, learnt.place)?;
    Ok(Some(learnt.place))
}
