//! Writing what became of claimed messages, and closing their claims.

use super::{
    Rows, Tried,
    part::{next_part, part_is_proved},
    receipt::learn_reference,
    report::{About, Report, note, report_which},
    standing::change_standing,
};
use crate::store::{ChannelRow, Ended, Outcomes, ProviderReference, Recorded, StoreError};
use herald_rules::{reason::Cause, status::Status, time::Timestamp};

/// Writes outcomes with their events, closes the claims that have ended, and what else came of the same calls.
pub(in crate::store) fn record(rows: &mut impl Rows, outcomes: &Outcomes) -> Result<(), StoreError> {
    let Outcomes { department, channel, lane, epoch: _, ended, closed, standings, daily_customers } = outcomes;
    for ended in ended {
        let about = About { department: *department, lane: *lane, id: ended.id };
        record_one(rows, about, *channel, ended)?;
    }
    for number in closed {
        rows.delete_claim(*department, *lane, *number)?;
    }
    for change in standings {
        change_standing(rows, *department, *lane, change)?;
    }
    if let Some(customers) = daily_customers {
        rows.count_customers(customers)?;
    }
    Ok(())
}

fn record_one(rows: &mut impl Rows, about: About, channel: ChannelRow, ended: &Ended) -> Result<(), StoreError> {
    let About { department, lane, id } = about;
    let Ended { id: _, place, attempt, claimed_as: _, resent, part, parts, at, outcome } = ended;
    let which = (*part, *parts);
    // No row: it left the queue in another way (a receipt settled it), and must not be counted or put back twice.
    let was_live = rows.delete_live(department, lane, *place)?;
    let tried = Tried { id, place: *place, attempt: *attempt, resent: *resent, part: *part, claimed_at: *at };
    match outcome {
        Recorded::Accepted { reference } => accepted(rows, about, channel, ended, reference.as_ref())?,
        Recorded::PartAccepted { reference, next } => {
            accepted(rows, about, channel, ended, reference.as_ref())?;
            if was_live {
                return rows.insert_live(department, lane, next);
            }
        }
        Recorded::Rejected(cause) => {
            report_which(rows, about, which, &rejection(cause, *at, *resent))?;
        }
        Recorded::Again { due, cause } => {
            note(rows, about, *at, "try", Some(cause))?;
            if was_live {
                return rows.insert_later(department, lane, &tried, *due, Some(cause.reason));
            }
        }
        Recorded::Held { due, reason, cause } => {
            if let Some(cause) = cause {
                note(rows, about, *at, "waits", Some(cause))?;
            }
            if was_live {
                return rows.insert_later(department, lane, &tried, *due, *reason);
            }
        }
        Recorded::Unknown { deadline, cause } => {
            note(rows, about, *at, "checking", Some(cause))?;
            // A receipt may have been quicker than the broken connection.
            if was_live && part_is_proved(rows, department, id, which)? {
                return next_part(rows, about, *place, (*part, *resent));
            }
            if was_live && rows.history(department, id)?.standing.status == Status::Pending {
                return rows.insert_checking(department, lane, &tried, *at, *deadline);
            }
        }
    }
    if was_live {
        rows.count_queued(lane, -1);
    }
    Ok(())
}

/// The report of a message that the provider refused, or that was not to be sent.
pub(super) fn rejection(cause: &Cause, at: Timestamp, resent: bool) -> Report<'_> {
    Report { status: Status::Rejected, at, cause: Some(cause), reference: None, resent }
}

fn accepted(
    rows: &mut impl Rows,
    about: About,
    channel: ChannelRow,
    ended: &Ended,
    reference: Option<&ProviderReference>,
) -> Result<(), StoreError> {
    let report = Report {
        status: Status::Accepted,
        at: ended.at,
        cause: None,
        reference: reference.map(|reference| reference.text.as_str()),
        resent: ended.resent,
    };
    report_which(rows, about, (ended.part, ended.parts), &report)?;
    if let Some(reference) = reference.filter(|reference| reference.named_by_receipts) {
        learn_reference(rows, about.department, channel, &reference.text, (ended.id, ended.part))?;
    }
    Ok(())
}
