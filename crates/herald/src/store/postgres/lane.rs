//! What is read of a lane: its pace, how its customers can be reached, what is being found out.

use super::{
    Engine, columns,
    pipeline::{Pipeline, values},
};
use crate::store::{ChannelRow, Checking, DepartmentRow, HeldBefore, LaneRow, StoreError};
use herald_rules::{
    admission::{Reach, Suppressed},
    identifier::other_spelling,
    ids::MessageId,
    lane::Pace,
    message::Priority,
    reason::Reason,
    status::Status,
    time::Timestamp,
};
use std::collections::HashMap;

/// No start reads more of a log than this: three events a message, 80 messages a second for 270 s (WhatsApp's pair limit) are
/// 65,000.
const RECENT_EVENTS: usize = 500_000;
/// Events read at once.
const RECENT_PAGE: usize = 10_000;
/// Customers held back because they wait for a place of the day; see `dispatch::worker`.
const HELD_FOR_PLACES: i64 = 5_000;

impl Engine {
    pub(in crate::store) async fn reach(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        lane: LaneRow,
        customer: &str,
    ) -> Result<Reach, StoreError> {
        let spellings: Vec<String> = spellings(customer).collect();
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(
            "SELECT (SELECT max(until) FROM open_window WHERE lane = $1 AND customer = ANY ($2::text[])),
                 (SELECT array_agg(kind) FROM suppression
                  WHERE department = $3 AND customer = ANY ($2::text[]) AND channel IN (0, $4))",
            values![lane, spellings, department, channel],
        );
        let rows = self.look(pipeline).await?.take(found);
        let Some(row) = rows.first() else { return Ok(Reach::default()) };
        let kinds = columns::get::<Option<Vec<&str>>>(row, 1)?.unwrap_or_default();
        Ok(Reach { window_until: columns::timestamp_or_none(row, 0)?, suppressed: strongest(kinds.into_iter()) })
    }

    pub(in crate::store) async fn pace(&self, lane: LaneRow) -> Result<Pace, StoreError> {
        let mut pipeline = Pipeline::default();
        let found = pipeline.add("SELECT pace FROM lane_log WHERE lane = $1", values![lane]);
        let rows = self.look(pipeline).await?.take(found);
        let row = rows.first().ok_or_else(|| StoreError::Corrupt(format!("lane {lane} has no log")))?;
        columns::json(row, 0)
    }

    pub(in crate::store) async fn is_checking(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
    ) -> Result<bool, StoreError> {
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(
            "SELECT 1 FROM checking WHERE department = $1 AND lane = $2 AND id = $3",
            values![department, lane, id.0],
        );
        Ok(!self.look(pipeline).await?.take(found).is_empty())
    }

    pub(in crate::store) async fn checking(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        limit: u32,
    ) -> Result<Vec<Checking>, StoreError> {
        let mut pipeline = Pipeline::default();
        let found = add_checking(&mut pipeline, department, lane, limit);
        self.look(pipeline).await?.take(found).iter().map(read_checking).collect()
    }

    pub(in crate::store) async fn recent_customers(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        since: Timestamp,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let (mut below, mut looked_at) = (i64::MAX, 0);
        let mut sent: HashMap<MessageId, Timestamp> = HashMap::new();
        'log: while looked_at < RECENT_EVENTS {
            let mut pipeline = Pipeline::default();
            let found = pipeline.add(
                "SELECT id, at, status, sequence FROM event WHERE department + 0 = $1 AND lane = $2 AND sequence < $3
                 ORDER BY sequence DESC LIMIT $4",
                values![department, lane, below, i64::try_from(RECENT_PAGE).unwrap_or(i64::MAX)],
            );
            let rows = self.look(pipeline).await?.take(found);
            let last_page = rows.len() < RECENT_PAGE;
            looked_at += rows.len();
            for row in &rows {
                let (id, at) = (columns::message_id(row, 0)?, columns::timestamp(row, 1)?);
                below = columns::get(row, 3)?;
                match Status::from_code(columns::number::<i16, _>(row, 2)?) {
                    // The one time that is by our own clock, in the order in which it was written.
                    Some(Status::Accepted) if at < since => break 'log,
                    // It may never have left us, but it may have been the provider that refused it.
                    Some(_) if at >= since => {
                        sent.entry(id).and_modify(|first| *first = at.min(*first)).or_insert(at);
                    }
                    _ => {}
                }
            }
            if last_page {
                break;
            }
        }
        let (ids, times): (Vec<_>, Vec<_>) = sent.into_iter().map(|(id, at)| (id.0, at.0)).unzip();
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(
            "SELECT m.recipient, n.at FROM UNNEST($2::uuid[], $3::bigint[]) AS n (id, at)
             CROSS JOIN LATERAL (SELECT recipient FROM message WHERE department = $1 AND id = n.id OFFSET 0) AS m
             ORDER BY n.at",
            values![department, ids, times],
        );
        let rows = self.look(pipeline).await?.take(found);
        rows.iter().map(|row| Ok((columns::get(row, 0)?, columns::timestamp(row, 1)?))).collect()
    }
}

/// An identifier as it may be written.
pub(super) fn spellings(customer: &str) -> impl Iterator<Item = String> {
    std::iter::once(customer.to_owned()).chain(other_spelling(customer))
}

/// Of several suppressions the one that covers most.
pub(super) fn strongest<'a>(kinds: impl Iterator<Item = &'a str>) -> Option<Suppressed> {
    // A kind of a newer version, after a downgrade: rather silent than unwanted.
    let kinds = kinds.map(|kind| kind.parse().unwrap_or(Suppressed::All));
    kinds.min_by_key(|kind| *kind != Suppressed::All)
}

/// Asks for what is being found out in a lane.
pub(super) fn add_checking(pipeline: &mut Pipeline<'_>, department: DepartmentRow, lane: LaneRow, limit: u32) -> usize {
    pipeline.add(
        "SELECT m.body, c.class, c.position, c.attempt, c.resent, c.part, c.since, c.deadline FROM checking c
         CROSS JOIN LATERAL (SELECT body FROM message WHERE department = $1 AND id = c.id OFFSET 0) AS m
         WHERE c.department = $1 AND c.lane = $2 ORDER BY c.deadline, c.position LIMIT $3",
        values![department, lane, i64::from(limit)],
    )
}

pub(super) fn read_checking(row: &tokio_postgres::Row) -> Result<Checking, StoreError> {
    Ok(Checking {
        message: columns::message(row, 0)?,
        place: columns::place(row, 1, 2)?,
        attempt: columns::count(row, 3)?,
        resent: columns::get(row, 4)?,
        part: columns::small(row, 5)?,
        since: columns::timestamp(row, 6)?,
        deadline: columns::timestamp(row, 7)?,
    })
}

/// Asks for the customers held back: all that wait for a try, as many as a lane bounds; and the first of those who wait for a
/// place of the day, of whom there may be a million.
pub(super) fn add_held(pipeline: &mut Pipeline<'_>, department: DepartmentRow, lane: LaneRow) -> [usize; 2] {
    let places: Vec<i16> =
        [Reason::DailyLimit, Reason::AccountRestricted].map(|reason| columns::as_small(reason.number())).to_vec();
    [
        pipeline.add(
            "SELECT m.recipient, l.class, l.due, l.reason FROM later l
             CROSS JOIN LATERAL (SELECT recipient FROM message WHERE department = $1 AND id = l.id OFFSET 0) AS m
             WHERE l.department = $1 AND l.lane = $2 AND l.held AND (l.reason IS NULL OR l.reason <> ALL ($3::smallint[]))",
            values![department, lane, places.clone()],
        ),
        pipeline.add(
            "SELECT m.recipient, l.class, l.due, l.reason FROM later l
             CROSS JOIN LATERAL (SELECT recipient FROM message WHERE department = $1 AND id = l.id OFFSET 0) AS m
             WHERE l.department = $1 AND l.lane = $2 AND l.held AND l.reason = ANY ($3::smallint[])
             ORDER BY l.due, l.position LIMIT $4",
            values![department, lane, places, HELD_FOR_PLACES],
        ),
    ]
}

pub(super) fn read_held(row: &tokio_postgres::Row) -> Result<HeldBefore, StoreError> {
    let reason = columns::get::<Option<i16>>(row, 3)?.and_then(|number| u16::try_from(number).ok());
    Ok(HeldBefore {
        customer: columns::get(row, 0)?,
        priority: Priority::from_class(columns::number::<i16, _>(row, 1)?),
        until: columns::timestamp(row, 2)?,
        reason: reason.and_then(Reason::from_number),
    })
}
