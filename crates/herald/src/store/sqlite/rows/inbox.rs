//! What came from outside: customers' messages, and callbacks until they are worked off.

use crate::store::{ChannelRow, DepartmentRow, NewInbound, StoreError, sqlite::Writing};

pub(super) fn insert_inbound(
    writing: &mut Writing<'_>,
    department: DepartmentRow,
    channel: ChannelRow,
    new: &NewInbound,
    body: &str,
) -> Result<bool, StoreError> {
    let NewInbound { id, lane, received_at, inbound } = new;
    let written = writing
        .connection
        .prepare_cached(
            "INSERT INTO inbound (department, id, channel, lane, customer, received_at, reference, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel, reference) DO NOTHING",
        )?
        .execute((
            department,
            id.0.as_bytes(),
            channel,
            lane,
            &inbound.from,
            received_at.0,
            &inbound.reference,
            body,
        ))?;
    Ok(written > 0)
}

pub(super) fn delete_inbox(writing: &mut Writing<'_>, numbers: &[i64]) -> Result<(), StoreError> {
    let mut delete = writing.connection.prepare_cached("DELETE FROM inbox WHERE number = ?1")?;
    for number in numbers {
        delete.execute([number])?;
    }
    Ok(())
}

pub(super) fn set_unreadable(writing: &mut Writing<'_>, number: i64, problem: &str) -> Result<(), StoreError> {
    writing.connection.prepare_cached("UPDATE inbox SET problem = ?2 WHERE number = ?1")?.execute((number, problem))?;
    Ok(())
}
