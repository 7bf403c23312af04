//! Unknown outcomes: what a crash leaves claimed, and what is being found out.

use super::{Engine, Writing, columns, head::next_due};
use crate::store::{
    Checking, DepartmentRow, HeldBefore, LaneRow, Owned, Recovered, StoreError,
    logic::{self, Search},
};
use herald_rules::{ids::MessageId, message::Priority, reason::Reason, status::Status, time::Timestamp};
use rusqlite::{Connection, OptionalExtension};
use std::{collections::HashMap, time::Duration};

impl Engine {
    pub(in crate::store) async fn checking(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        limit: u32,
    ) -> Result<Vec<Checking>, StoreError> {
        self.read(move |connection| checking(connection, department, lane, limit)).await
    }

    pub(in crate::store) async fn recover(
        &self,
        owned: Owned,
        now: Timestamp,
        settled_at: Timestamp,
        reconcile_for: Duration,
    ) -> Result<Recovered, StoreError> {
        self.write(move |writing| {
            let Owned { department, lane, epoch } = owned;
            writing.owned(lane, epoch)?;
            logic::recover(writing, department, lane, Search { now, settled_at, reconcile_for })?;
            writing.recovered(department, lane)
        })
        .await
    }

    pub(in crate::store) async fn recent_customers(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        since: Timestamp,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.read(move |connection| recent_customers(connection, department, lane, since)).await
    }
}

/// Customers held back because they wait for a place of the day; see `dispatch::worker`.
const HELD_FOR_PLACES: u32 = 5_000;

/// No start reads more of a log than this: three events a message, 80 messages a second for 270 s (WhatsApp's pair limit) are
/// 65,000.
const RECENT_EVENTS: u32 = 500_000;

impl Writing<'_> {
    fn recovered(&self, department: DepartmentRow, lane: LaneRow) -> Result<Recovered, StoreError> {
        Ok(Recovered {
            checking: checking(self.connection, department, lane, u32::MAX)?,
            held: held(self.connection, department, lane)?,
            next_due: next_due(self.connection, department, lane)?,
        })
    }
}

fn recent_customers(
    connection: &Connection,
    department: DepartmentRow,
    lane: LaneRow,
    since: Timestamp,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT id, at, status FROM event WHERE department = ?1 AND lane = ?2 ORDER BY sequence DESC LIMIT ?3",
    )?;
    let mut rows = query.query((department, lane, RECENT_EVENTS))?;
    let mut sent: HashMap<MessageId, Timestamp> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (id, at) = (columns::message_id(row, 0)?, Timestamp(row.get(1)?));
        match row.get::<_, u8>(2).map(Status::from_code)? {
            // The one time that is by our own clock, in the order in which it was written.
            Some(Status::Accepted) if at < since => break,
            // It may never have left us, but it may have been the provider that refused it.
            Some(_) if at >= since => {
                sent.entry(id).and_modify(|first| *first = at.min(*first)).or_insert(at);
            }
            _ => {}
        }
    }
    let mut customer = connection.prepare_cached("SELECT recipient FROM message WHERE department = ?1 AND id = ?2")?;
    let mut customers = Vec::with_capacity(sent.len());
    for (id, at) in sent {
        let found = customer.query_row((department, id.0.as_bytes()), |row| row.get::<_, String>(0)).optional()?;
        customers.extend(found.map(|found| (found, at)));
    }
    customers.sort_by_key(|(_, at)| *at);
    Ok(customers)
}

fn checking(
    connection: &Connection,
    department: DepartmentRow,
    lane: LaneRow,
    limit: u32,
) -> Result<Vec<Checking>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT m.body, c.class, c.position, c.attempt, c.resent, c.part, c.since, c.deadline FROM checking c
         JOIN message m ON m.department = c.department AND m.id = c.id
         WHERE c.department = ?1 AND c.lane = ?2 ORDER BY c.deadline, c.position LIMIT ?3",
    )?;
    let rows = query.query_map((department, lane, limit), |row| {
        Ok(Checking {
            message: columns::message(row, 0)?,
            place: columns::place(row, 1, 2)?,
            attempt: row.get(3)?,
            resent: row.get(4)?,
            part: row.get(5)?,
            since: Timestamp(row.get(6)?),
            deadline: Timestamp(row.get(7)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The customers held back: all that wait for a try, as many as a lane bounds; and the first of those who wait for a place of
/// the day, of whom there may be a million.
fn held(connection: &Connection, department: DepartmentRow, lane: LaneRow) -> Result<Vec<HeldBefore>, StoreError> {
    let places = (Reason::DailyLimit.number(), Reason::AccountRestricted.number());
    let read = |row: &rusqlite::Row<'_>| {
        Ok(HeldBefore {
            customer: row.get(0)?,
            priority: Priority::from_class(row.get(1)?),
            until: Timestamp(row.get(2)?),
            reason: row.get::<_, Option<u16>>(3)?.and_then(Reason::from_number),
        })
    };
    let mut query = connection.prepare_cached(
        "SELECT m.recipient, l.class, l.due, l.reason FROM later l
         JOIN message m ON m.department = l.department AND m.id = l.id
         WHERE l.department = ?1 AND l.lane = ?2 AND l.held = 1 AND (l.reason IS NULL OR l.reason NOT IN (?3, ?4))",
    )?;
    let mut held = query.query_map((department, lane, places.0, places.1), read)?.collect::<Result<Vec<_>, _>>()?;
    let mut query = connection.prepare_cached(
        "SELECT m.recipient, l.class, l.due, l.reason FROM later l
         JOIN message m ON m.department = l.department AND m.id = l.id
         WHERE l.department = ?1 AND l.lane = ?2 AND l.held = 1 AND l.reason IN (?3, ?4)
         ORDER BY l.due, l.position LIMIT ?5",
    )?;
    let rows = query.query_map((department, lane, places.0, places.1, HELD_FOR_PLACES), read)?;
    for row in rows {
        held.push(row?);
    }
    Ok(held)
}
