//! What a crash, or an earlier owner, has left claimed.

use super::{
    Rows, Tried,
    entry::Entry,
    part::{next_part, part_is_proved},
    report::About,
};
use crate::store::{DepartmentRow, LaneRow, StoreError};
use herald_rules::time::Timestamp;
use std::time::Duration;

/// When the search for an outcome begins and ends.
#[derive(Clone, Copy)]
pub(in crate::store) struct Search {
    /// Now.
    pub(in crate::store) now: Timestamp,
    /// From when on no call of an earlier owner can be under way.
    pub(in crate::store) settled_at: Timestamp,
    /// How long it is searched for.
    pub(in crate::store) reconcile_for: Duration,
}

/// Moves what is left of a lane's claims to `checking`: nobody knows whether the provider was called.
pub(in crate::store) fn recover(
    rows: &mut impl Rows,
    department: DepartmentRow,
    lane: LaneRow,
    search: Search,
) -> Result<(), StoreError> {
    for (at, entries) in rows.claims(department, lane)? {
        for entry in Entry::read_all(&entries)? {
            orphan(rows, department, lane, entry, at, search)?;
        }
    }
    rows.delete_claims(department, lane)
}

/// A claimed message without an outcome.
fn orphan(
    rows: &mut impl Rows,
    department: DepartmentRow,
    lane: LaneRow,
    entry: Entry,
    claimed_at: Timestamp,
    search: Search,
) -> Result<(), StoreError> {
    // Of another part: the one that was claimed was taken, and the next stands in its place, never claimed.
    let Some(live) = rows.live(department, lane, entry.place)?.filter(|live| live.part == entry.part) else {
        return Ok(());
    };
    let id = live.id;
    rows.delete_live(department, lane, entry.place)?;
    if part_is_proved(rows, department, id, (live.part, u16::MAX))? {
        return next_part(rows, About { department, lane, id }, entry.place, (live.part, live.resent));
    }
    if rows.has_event(department, id)? {
        rows.count_queued(lane, -1);
        return Ok(());
    }
    let Search { now, settled_at, reconcile_for } = search;
    let tried =
        Tried { id, place: entry.place, attempt: live.attempt + 1, resent: live.resent, part: live.part, claimed_at };
    let (since, deadline) = (claimed_at.max(settled_at), now.max(settled_at) + reconcile_for);
    rows.insert_checking(department, lane, &tried, since, deadline)
}
