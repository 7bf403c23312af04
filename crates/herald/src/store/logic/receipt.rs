//! Applying receipts: in whatever order they come, each means one forward move, a note, or nothing.

use super::{
    History, Rows,
    part::receipt_for_part,
    report::{About, Judged, Report, report_after},
};
use crate::store::{Applied, Change, ChannelRow, DepartmentRow, LaneRow, StoreError, provider_words};
use herald_channels::contract::{Pricing, Receipt, Reference};
use herald_rules::{ids::MessageId, reason::Cause, time::Timestamp};
use serde::{Deserialize, Serialize};

/// A receipt that waits for its reference, as it is stored.
#[derive(Serialize, Deserialize)]
struct EarlyReceipt {
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
}

/// Applies receipts of one channel, in order.
pub(in crate::store) fn apply(
    rows: &mut impl Rows,
    department: DepartmentRow,
    channel: ChannelRow,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    for receipt in receipts {
        apply_one(rows, department, channel, receipt, now, &mut applied)?;
    }
    Ok(applied)
}

fn apply_one(
    rows: &mut impl Rows,
    department: DepartmentRow,
    channel: ChannelRow,
    receipt: &Receipt,
    now: Timestamp,
    applied: &mut Applied,
) -> Result<(), StoreError> {
    let (id, part) = match &receipt.reference {
        Reference::Ours(id) => (*id, receipt.part),
        Reference::Theirs(reference) => match rows.reference(channel, reference)? {
            Some(known) => known,
            None => {
                keep_early(rows, channel, reference, receipt, now)?;
                applied.early += 1;
                return Ok(());
            }
        },
    };
    let history = rows.history(department, id)?;
    // An id that is not this channel's: forged, or of a message long pruned. Counted, never an error.
    let Some(lane) = lane_of(rows, department, channel, id, &history)? else {
        applied.unknown += 1;
        return Ok(());
    };
    let report = Report {
        status: receipt.status,
        at: receipt.at.unwrap_or(now),
        cause: receipt.cause.as_ref(),
        reference: None,
        resent: false,
    };
    // The provider's id comes with the answer to the call; where that is lost or late, with the first receipt.
    let theirs = receipt.theirs.as_deref().filter(|_| history.lane.is_none());
    let judged = apply_to(rows, About { department, lane, id }, part, &history, &report)?;
    match judged.changes() {
        true => applied.changes += 1,
        false => applied.repeated += 1,
    }
    add_words(rows, judged.change, theirs, receipt.pricing.as_ref())?;
    if let Some(theirs) = theirs {
        learn_reference(rows, department, channel, theirs, (id, part))?;
    }
    Ok(())
}

/// Adds to the event that a receipt made, if it made one, what it said beside the status.
fn add_words(
    rows: &mut impl Rows,
    change: Option<Change>,
    reference: Option<&str>,
    pricing: Option<&Pricing>,
) -> Result<(), StoreError> {
    let Some(change) = change.filter(|_| reference.is_some() || pricing.is_some()) else { return Ok(()) };
    rows.add_words(&change, provider_words::receipt_words(reference, pricing)?)
}

/// One report about a message that left us. A report that proves acceptance also ends the search for its outcome.
pub(super) fn apply_to(
    rows: &mut impl Rows,
    about: About,
    part: u16,
    history: &History,
    report: &Report<'_>,
) -> Result<Judged, StoreError> {
    let About { department, lane, id } = about;
    if rows.any_parts()? && !rows.parts(department, id)?.is_empty() {
        return receipt_for_part(rows, about, part, report);
    }
    let judged = report_after(rows, about, history, report)?;
    if judged.changes() && rows.any_checking()? && rows.delete_checking(department, lane, id)? {
        rows.count_queued(lane, -1);
    }
    Ok(judged)
}

/// The lane of a message, if it is one of this channel. Its events name it, so that the wide rows of messages are read only
/// for those that have none.
pub(super) fn lane_of(
    rows: &mut impl Rows,
    department: DepartmentRow,
    channel: ChannelRow,
    id: MessageId,
    history: &History,
) -> Result<Option<LaneRow>, StoreError> {
    let lane = match history.lane {
        Some(lane) => Some(lane),
        None => rows.lane_of_message(department, id)?,
    };
    let Some(lane) = lane else { return Ok(None) };
    Ok((rows.channel_of(lane)? == channel).then_some(lane))
}

fn keep_early(
    rows: &mut impl Rows,
    channel: ChannelRow,
    reference: &str,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (cause, pricing) = (receipt.cause.clone(), receipt.pricing.clone());
    let kept = EarlyReceipt { at: receipt.at.unwrap_or(now), cause, pricing };
    rows.insert_early(channel, reference, receipt.status, now, serde_json::to_string(&kept)?)
}

/// Remembers the provider's id of a message (and its part), and applies the receipts that came before it.
pub(super) fn learn_reference(
    rows: &mut impl Rows,
    department: DepartmentRow,
    channel: ChannelRow,
    reference: &str,
    (id, part): (MessageId, u16),
) -> Result<(), StoreError> {
    rows.insert_reference(channel, reference, id, part)?;
    if !rows.any_early()? {
        return Ok(());
    }
    for (status, json) in rows.take_early(channel, reference)? {
        let EarlyReceipt { at, cause, pricing } = serde_json::from_str(&json)?;
        let history = rows.history(department, id)?;
        let Some(lane) = lane_of(rows, department, channel, id, &history)? else { return Ok(()) };
        let report = Report { status, at, cause: cause.as_ref(), reference: None, resent: false };
        let judged = apply_to(rows, About { department, lane, id }, part, &history, &report)?;
        add_words(rows, judged.change, None, pricing.as_ref())?;
    }
    Ok(())
}
