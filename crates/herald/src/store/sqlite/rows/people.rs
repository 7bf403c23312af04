//! Customers: how they can be reached, who they are, and what they do not want.

use crate::store::{
    ALL_CHANNELS, ChannelRow, DepartmentRow, LaneRow, StoreError, Suppression, SuppressionKind, sqlite::Writing,
};
use herald_rules::{
    admission::{Reach, Suppressed},
    identifier::other_spelling,
    ids::ContactId,
    protocol::Protocol,
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension};

pub(super) fn any_suppressions(writing: &mut Writing<'_>) -> Result<bool, StoreError> {
    let any = match writing.memory.suppressions {
        Some(any) => any,
        None => writing.connection.prepare_cached("SELECT 1 FROM suppression LIMIT 1")?.exists([])?,
    };
    writing.memory.suppressions = Some(any);
    Ok(any)
}

pub(super) fn reach(
    writing: &mut Writing<'_>,
    whose: (DepartmentRow, ChannelRow, LaneRow),
    customer: &str,
    wanted: (bool, bool),
) -> Result<Reach, StoreError> {
    reach_of(writing.connection, whose, customer, wanted)
}

/// How a customer can be reached from a lane: the window and the suppressions, as far as they are wanted.
pub(in crate::store::sqlite) fn reach_of(
    connection: &Connection,
    (department, channel, lane): (DepartmentRow, ChannelRow, LaneRow),
    customer: &str,
    (window, suppressions): (bool, bool),
) -> Result<Reach, StoreError> {
    let mut reach = Reach::default();
    let other = other_spelling(customer);
    if window {
        reach.window_until = connection
            .prepare_cached("SELECT max(until) FROM open_window WHERE lane = ?1 AND customer IN (?2, ?3)")?
            .query_row((lane, customer, &other), |row| row.get::<_, Option<i64>>(0))?
            .map(Timestamp);
    }
    if suppressions {
        let mut query = connection.prepare_cached(
            "SELECT kind FROM suppression WHERE department = ?1 AND customer IN (?2, ?4) AND channel IN (0, ?3)",
        )?;
        for kind in query.query_map((department, customer, channel, &other), |row| row.get::<_, String>(0))? {
            // A kind of a newer version, after a downgrade: rather silent than unwanted.
            let kind = kind?.parse().unwrap_or(Suppressed::All);
            if reach.suppressed != Some(Suppressed::All) {
                reach.suppressed = Some(kind);
            }
        }
    }
    Ok(reach)
}

/// There is a row at most for each contact and lane, so nothing clears them away: the next message writes over it.
pub(super) fn open_window(
    writing: &mut Writing<'_>,
    lane: LaneRow,
    customer: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT INTO open_window (lane, customer, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (lane, customer) DO UPDATE SET until = excluded.until WHERE until < excluded.until",
        )?
        .execute((lane, customer, until.0))?;
    Ok(())
}

pub(super) fn contact_row(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    protocol: Protocol,
    identifier: &str,
) -> Result<Option<i64>, StoreError> {
    Ok(writing
        .connection
        .prepare_cached(
            "SELECT contact FROM contact_identifier
             WHERE department = ?1 AND protocol = ?2 AND identifier IN (?3, ?4) ORDER BY identifier <> ?3 LIMIT 1",
        )?
        .query_row((department, protocol.as_str(), identifier, other_spelling(identifier)), |row| row.get(0))
        .optional()?)
}

pub(super) fn add_contact(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    protocol: Protocol,
    identifier: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    writing
        .connection
        .prepare_cached("INSERT INTO contact (department, id, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)")?
        .execute((department, ContactId::new().0.as_bytes(), now.0))?;
    let contact = writing.connection.last_insert_rowid();
    add_contact_identifier(writing, department, contact, protocol, identifier)?;
    Ok(contact)
}

/// One that is somebody's already stays theirs: a provider's word does not join two people whom a department knows apart.
pub(super) fn add_contact_identifier(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    contact: i64,
    protocol: Protocol,
    identifier: &str,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT OR IGNORE INTO contact_identifier (department, protocol, identifier, contact)
             VALUES (?, ?, ?, ?)",
        )?
        .execute((department, protocol.as_str(), identifier, contact))?;
    Ok(())
}

pub(super) fn name_by_profile(
    writing: &mut Writing<'_>,
    contact: i64,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "UPDATE contact SET name = ?2, named_by = 'profile', updated_at = ?3
             WHERE contact = ?1 AND named_by IS NOT 'api' AND name IS NOT ?2",
        )?
        .execute((contact, name, now.0))?;
    Ok(())
}

pub(super) fn last_wish(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    channel: ChannelRow,
    customer: &str,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(writing
        .connection
        .prepare_cached("SELECT at FROM marketing_wish WHERE department = ?1 AND customer = ?2 AND channel = ?3")?
        .query_row((department, customer, channel), |row| row.get(0).map(Timestamp))
        .optional()?)
}

pub(super) fn set_wish(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    channel: ChannelRow,
    customer: &str,
    wanted: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT OR REPLACE INTO marketing_wish (department, customer, channel, wanted, at)
             VALUES (?, ?, ?, ?, ?)",
        )?
        .execute((department, customer, channel, wanted, at.0))?;
    Ok(())
}

pub(super) fn suppress(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    suppression: &Suppression,
) -> Result<(), StoreError> {
    let Suppression { customer, channel, kind, source, at } = suppression;
    writing
        .connection
        .prepare_cached(
            "INSERT OR IGNORE INTO suppression (department, customer, channel, kind, source, at)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute((department, customer, channel.unwrap_or(ALL_CHANNELS), kind.as_str(), source, at.0))?;
    writing.memory.suppressions = None;
    Ok(())
}

pub(super) fn unsuppress(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    customer: &str,
    channel: Option<ChannelRow>,
    kind: SuppressionKind,
) -> Result<bool, StoreError> {
    let deleted = writing
        .connection
        .prepare_cached(
            "DELETE FROM suppression WHERE department = ?1 AND customer = ?2 AND channel = ?3 AND kind = ?4",
        )?
        .execute((department, customer, channel.unwrap_or(ALL_CHANNELS), kind.as_str()))?;
    Ok(deleted > 0)
}
