//! The queue of a lane: reading its head, moving what is due.

use super::{
    Engine, columns,
    owner::{Owner, fenced},
    pipeline::{Pipeline, values},
};
use crate::store::{DepartmentRow, Due, HeadPage, LaneRow, Owned, Queued, StoreError};
use herald_rules::{message::Priority, protocol::Protocol, reason::Reason, time::Timestamp};
use tokio_postgres::Row;

/// Rows made due by one operation.
const HASTENED: i64 = 1_000;

/// What is due leaves `later` at once, so that what follows in the same flight finds the moment of the next.
const TAKE_DUE: &str = "
    WITH due AS (
        SELECT ctid FROM later WHERE department = $1 AND lane = $2 AND due <= $3
        ORDER BY due, position LIMIT $4),
    taken AS (
        DELETE FROM later WHERE ctid = ANY (ARRAY(SELECT ctid FROM due))
        RETURNING class, position, attempt, resent, part, id, due, held)
    SELECT t.class, t.position, t.attempt, t.resent, t.part, m.body, t.held
    FROM taken t
    CROSS JOIN LATERAL (SELECT body FROM message WHERE department = $1 AND id = t.id OFFSET 0) AS m
    ORDER BY t.due, t.position";

/// Back at the places that they had.
const PUT_BACK: &str = "
    INSERT INTO live (department, lane, class, position, id, attempt, resent, part)
    SELECT $1::bigint, $2::bigint, n.* FROM UNNEST($3::smallint[], $4::bigint[], $5::uuid[], $6::integer[],
        $7::boolean[], $8::smallint[]) AS n";

/// At the end of the queue. They were counted when they were accepted.
const PUT_LAST: &str = "
    WITH queue AS (
        UPDATE lane_queue SET position = position + $3::bigint WHERE lane = $2
        RETURNING position - $3::bigint AS before),
    put AS (
        INSERT INTO live (department, lane, class, position, id, attempt, resent, part)
        SELECT $1::bigint, $2::bigint, n.class, q.before + n.number, n.id, n.attempt, n.resent, n.part
        FROM queue q, UNNEST($4::smallint[], $5::uuid[], $6::integer[], $7::boolean[], $8::smallint[])
            WITH ORDINALITY AS n (class, id, attempt, resent, part, number))
    SELECT before FROM queue";

/// The owner's rows alone, by the index of those that wait for a reason.
const HASTEN: &str = "
    WITH owner AS MATERIALIZED (SELECT lane FROM lane_log WHERE lane = $2 AND epoch = $3 FOR UPDATE),
    waiting AS MATERIALIZED (
        SELECT ctid FROM later WHERE department = $1 AND lane = $2 AND held AND reason = $4 AND due > $5
        ORDER BY due, position LIMIT $6),
    moved AS (
        UPDATE later SET due = $5 WHERE ctid = ANY (ARRAY(SELECT w.ctid FROM waiting w, owner)) RETURNING 1)
    SELECT (SELECT count(*) FROM owner), (SELECT count(*) FROM moved)";

impl Engine {
    pub(in crate::store) async fn head(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        priority: Priority,
        after: i64,
        limit: u32,
    ) -> Result<HeadPage, StoreError> {
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(
            "SELECT l.class, l.position, l.attempt, l.resent, l.part, m.body FROM live l
             CROSS JOIN LATERAL (SELECT body FROM message WHERE department = $1 AND id = l.id OFFSET 0) AS m
             WHERE l.department = $1 AND l.lane = $2 AND l.class = $3 AND l.position > $4
             ORDER BY l.position LIMIT $5",
            values![department, lane, i16::from(priority.class()), after, i64::from(limit)],
        );
        let rows = self.look(pipeline).await?.take(found);
        let messages = rows.iter().map(queued).collect::<Result<Vec<_>, _>>()?;
        Ok(HeadPage { complete: messages.len() < limit as usize, messages })
    }

    pub(in crate::store) async fn waiting_by_protocol(&self) -> Result<Vec<(Protocol, i64)>, StoreError> {
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(
            "SELECT l.protocol, sum(q.arrived - g.departed)::bigint FROM lane l
             JOIN lane_queue q ON q.lane = l.lane JOIN lane_log g ON g.lane = l.lane GROUP BY l.protocol",
            vec![],
        );
        let mut waiting = Vec::new();
        for row in self.look(pipeline).await?.take(found) {
            // A protocol of a newer version, after a downgrade, has no lanes here.
            if let Ok(protocol) = columns::get::<&str>(&row, 0)?.parse() {
                waiting.push((protocol, columns::get(&row, 1)?));
            }
        }
        Ok(waiting)
    }

    pub(in crate::store) async fn hasten(
        &self,
        owned: Owned,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let reason = columns::as_small(reason.number());
        let values = values![owned.department, owned.lane, owned.epoch.0, reason, now.0, HASTENED];
        let rows = self.run(HASTEN, values).await?;
        let Some(row) = rows.first() else { return Err(fenced(owned.lane)) };
        if columns::get::<i64>(row, 0)? == 0 {
            return Err(fenced(owned.lane));
        }
        Ok(columns::get::<i64>(row, 1)? == HASTENED)
    }

    pub(in crate::store) async fn due(&self, owned: Owned, now: Timestamp, limit: u32) -> Result<Due, StoreError> {
        let Owned { department, lane, epoch: _ } = owned;
        let mut pipeline = Pipeline::default();
        let owner = Owner::Lane(owned, Vec::new());
        let lock = owner.add_to(&mut pipeline);
        let taken = pipeline.add(TAKE_DUE, values![department, lane, now.0, i64::from(limit)]);
        let next =
            pipeline.add("SELECT min(due) FROM later WHERE department = $1 AND lane = $2", values![department, lane]);
        let (transaction, mut answers) = self.begin(pipeline).await?;
        if let Err(error) = owner.check(answers.take(lock)) {
            transaction.roll_back().await?;
            return Err(error);
        }
        let next = answers.take(next).first().map(|row| columns::timestamp_or_none(row, 0)).transpose()?.flatten();
        let (mut returned, mut scheduled) = (Vec::new(), Vec::new());
        for row in answers.take(taken) {
            match columns::get(&row, 6)? {
                true => returned.push(queued(&row)?),
                false => scheduled.push(queued(&row)?),
            }
        }
        let complete = returned.len() + scheduled.len() < limit as usize;
        if returned.is_empty() && scheduled.is_empty() {
            transaction.roll_back().await?;
            return Ok(Due { returned, complete, next });
        }
        let mut pipeline = Pipeline::default();
        if !returned.is_empty() {
            let positions: Vec<i64> = returned.iter().map(|queued| queued.place.position).collect();
            let Columns { classes, ids, attempts, resent, parts } = Columns::of(&returned);
            pipeline.add(PUT_BACK, values![department, lane, classes, positions, ids, attempts, resent, parts]);
        }
        let put = match scheduled.len() {
            0 => None,
            count => {
                let Columns { classes, ids, attempts, resent, parts } = Columns::of(&scheduled);
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                Some(pipeline.add(PUT_LAST, values![department, lane, count, classes, ids, attempts, resent, parts]))
            }
        };
        let mut answers = transaction.commit_with(pipeline).await?;
        if let Some(put) = put {
            let rows = answers.take(put);
            let row = rows.first().ok_or_else(|| StoreError::Corrupt(format!("lane {lane} has no queue")))?;
            self.tell_scheduled(lane, columns::get(row, 0)?, scheduled);
        }
        Ok(Due { returned, complete, next })
    }

    /// Their place is where their moment came, not where they were accepted. They are told of like everything that arrives: by
    /// another way they would overtake what has a place before them.
    fn tell_scheduled(&self, lane: LaneRow, before: i64, scheduled: Vec<Queued>) {
        let count = i64::try_from(scheduled.len()).unwrap_or(i64::MAX);
        let mut telling = self.positions.telling();
        if !telling.follow(lane, before, before + count) {
            return self.observer.more(lane);
        }
        for (position, mut queued) in (before + 1..).zip(scheduled) {
            queued.place.position = position;
            self.observer.arrived(lane, queued);
        }
    }
}

/// Reads class, position, attempt, resent, part, body.
fn queued(row: &Row) -> Result<Queued, StoreError> {
    Ok(Queued {
        place: columns::place(row, 0, 1)?,
        attempt: columns::count(row, 2)?,
        resent: columns::get(row, 3)?,
        part: columns::small(row, 4)?,
        message: columns::message(row, 5)?,
    })
}

/// Rows of `live` but for their positions, by column.
struct Columns {
    classes: Vec<i16>,
    ids: Vec<uuid::Uuid>,
    attempts: Vec<i32>,
    resent: Vec<bool>,
    parts: Vec<i16>,
}

impl Columns {
    fn of(queued: &[Queued]) -> Self {
        Self {
            classes: queued.iter().map(|queued| i16::from(queued.place.priority.class())).collect(),
            ids: queued.iter().map(|queued| queued.message.id.0).collect(),
            attempts: queued.iter().map(|queued| columns::as_integer(queued.attempt)).collect(),
            resent: queued.iter().map(|queued| queued.resent).collect(),
            parts: queued.iter().map(|queued| columns::as_small(queued.part)).collect(),
        }
    }
}
