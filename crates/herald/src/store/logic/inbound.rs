//! What customers wrote: kept once, with who they are and the window that it opens.

use super::Rows;
use crate::store::{ChannelRow, DepartmentRow, LaneRow, NewInbound, StoreError};
use herald_rules::{
    inbound::{Inbound, InboundContent},
    time::Timestamp,
};
use std::time::Duration;

/// Characters kept of a name from a profile: as many as the API takes.
const LONGEST_NAME: usize = 100;
/// A message older than this opens nothing, whatever it says: no window is longer (free entry points: 72 h).
const LONGEST_WINDOW: Duration = Duration::from_secs(72 * 3600);

/// Keeps a customer's message, unless it is here already; tells whether it is new.
pub(super) fn keep_inbound(
    rows: &mut impl Rows,
    department: DepartmentRow,
    channel: ChannelRow,
    new: &NewInbound,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let inbound = &new.inbound;
    let answers = match &inbound.reply_to {
        Some(reference) => rows.reference(channel, reference)?.map(|(id, _)| id),
        None => None,
    };
    let body = match answers {
        Some(_) => serde_json::to_string(&Inbound { reply_to_id: answers, ..inbound.clone() })?,
        None => serde_json::to_string(inbound)?,
    };
    if !rows.insert_inbound(department, channel, new, &body)? {
        return Ok(false);
    }
    open_window(rows, new.lane, inbound, now)?;
    know(rows, department, inbound, now)?;
    Ok(true)
}

/// Opens the window that a customer's message opens, or extends it; never makes it shorter.
fn open_window(rows: &mut impl Rows, lane: LaneRow, inbound: &Inbound, now: Timestamp) -> Result<(), StoreError> {
    let Some(opens) = inbound.opens_window else { return Ok(()) };
    // A provider's clock that is ahead of ours must not make the window longer.
    let from = inbound.at.min(now);
    let until = from + opens.min(LONGEST_WINDOW);
    if from < now - LONGEST_WINDOW || until <= now {
        return Ok(());
    }
    rows.open_window(lane, &inbound.from, until)
}

/// Makes or completes the contact of whoever wrote.
fn know(rows: &mut impl Rows, department: DepartmentRow, inbound: &Inbound, now: Timestamp) -> Result<(), StoreError> {
    let Inbound { protocol, from, user_id, name, content, .. } = inbound;
    let mut contact = rows.contact_row(department, *protocol, from)?;
    // Someone who hid their number until now is known by the provider's id of them.
    if contact.is_none()
        && let Some(user_id) = user_id
    {
        contact = rows.contact_row(department, *protocol, user_id)?;
    }
    let contact = match contact {
        Some(contact) => contact,
        None => rows.add_contact(department, *protocol, from, now)?,
    };
    rows.add_contact_identifier(department, contact, *protocol, from)?;
    if let Some(user_id) = user_id {
        rows.add_contact_identifier(department, contact, *protocol, user_id)?;
    }
    if let InboundContent::NumberChanged { new_identifier } = content {
        rows.add_contact_identifier(department, contact, *protocol, new_identifier)?;
    }
    match name.as_deref().and_then(printable) {
        Some(name) => rows.name_by_profile(contact, &name, now),
        None => Ok(()),
    }
}

/// A name as it may stand in a text and on a terminal; None where nothing is left of it.
fn printable(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
