//! Claiming: durable before a provider is called.

use super::{
    Rows,
    entry::Entry,
    part::{next_part, part_is_proved},
    report::About,
};
use crate::store::{Claim, ClaimedNow, DepartmentRow, LaneRow, StoreError};
use herald_rules::{admission::Reach, ids::MessageId, time::Timestamp};
use std::collections::HashMap;

/// Claims a batch, but for what was cancelled or proved accepted meanwhile: that leaves the queue.
pub(in crate::store) fn claim(rows: &mut impl Rows, claim: &Claim) -> Result<ClaimedNow, StoreError> {
    let Claim { department, lane, epoch: _, number, at, pace, entries, windows } = claim;
    let (department, lane) = (*department, *lane);
    let (mut dropped, mut reach) = (Vec::new(), HashMap::new());
    let suppressions = rows.any_suppressions()?;
    let cancelled = rows.any_cancelled()?;
    let mut bytes = Vec::new();
    for queued in entries {
        let id = queued.message.id;
        let which = (queued.part, queued.message.parts);
        if queued.attempt > 0 && part_is_proved(rows, department, id, which)? {
            if rows.delete_live(department, lane, queued.place)? {
                next_part(rows, About { department, lane, id }, queued.place, (queued.part, queued.resent))?;
            }
            dropped.push(id);
            continue;
        }
        let gone = (cancelled && rows.take_cancelled(department, id)?)
            || ((queued.attempt > 0 || queued.part > 0) && rows.has_event(department, id)?);
        if gone {
            if rows.delete_live(department, lane, queued.place)? {
                rows.count_queued(lane, -1);
            }
            dropped.push(id);
            continue;
        }
        Entry::of(queued).write(&mut bytes);
        if *windows || suppressions {
            let whose = (department, rows.channel_of(lane)?, lane);
            let found = rows.reach(whose, &queued.message.to, (*windows, suppressions))?;
            if found != Reach::default() {
                reach.insert(id, found);
            }
        }
    }
    if !bytes.is_empty() {
        rows.insert_claim(department, lane, *number, *at, bytes)?;
    }
    if let Some(pace) = pace {
        rows.set_pace(lane, pace)?;
    }
    Ok(ClaimedNow { dropped, reach })
}

/// When an open claim took this message; None: none holds it. A lane has a few dozen claims at most.
pub(super) fn claimed_at(
    rows: &mut impl Rows,
    department: DepartmentRow,
    lane: LaneRow,
    id: MessageId,
) -> Result<Option<Timestamp>, StoreError> {
    for (at, entries) in rows.claims(department, lane)? {
        for entry in Entry::read_all(&entries)?.into_iter().filter(|entry| entry.id == id) {
            // Still in the queue: otherwise it has an outcome, and only others of its batch are open.
            if rows.live(department, lane, entry.place)?.is_some_and(|live| live.part == entry.part) {
                return Ok(Some(at));
            }
        }
    }
    Ok(None)
}
