//! How lanes stand, and whom a portfolio has written to today.

use crate::store::{DailyCustomers, LaneRow, Standing, StoreError, sqlite::Writing};
use rusqlite::{Connection, OptionalExtension};

pub(super) fn set_pace(writing: &mut Writing<'_>, lane: LaneRow, pace: &str) -> Result<(), StoreError> {
    writing.connection.prepare_cached("UPDATE lane SET pace = ?2 WHERE lane = ?1")?.execute((lane, pace))?;
    Ok(())
}

pub(super) fn standing_of(writing: &mut Writing<'_>, lane: LaneRow) -> Result<Standing, StoreError> {
    standing(writing.connection, lane)
}

/// How a lane stands.
pub(in crate::store::sqlite) fn standing(connection: &Connection, lane: LaneRow) -> Result<Standing, StoreError> {
    let json = connection
        .prepare_cached("SELECT standing FROM lane WHERE lane = ?1")?
        .query_row([lane], |row| row.get::<_, String>(0))
        .optional()?;
    // What another version wrote and this one cannot read is found out anew by the next message.
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
}

pub(super) fn set_standing(writing: &mut Writing<'_>, lane: LaneRow, standing: &Standing) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("UPDATE lane SET standing = ?2 WHERE lane = ?1")?
        .execute((lane, serde_json::to_string(standing)?))?;
    Ok(())
}

pub(super) fn count_customers(writing: &mut Writing<'_>, counted: &DailyCustomers) -> Result<(), StoreError> {
    let mut insert = writing.connection.prepare_cached(
        "INSERT INTO daily_customer (portfolio, customer, at) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
    )?;
    for (customer, at) in &counted.customers {
        insert.execute((&counted.portfolio, customer.cast_signed(), at.0))?;
    }
    Ok(())
}
