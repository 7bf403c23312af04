//! What the logic wrote, as statements over whole arrays: one a table, and only where there is something to write.

use super::{PartRow, WorkingSet, needs::PlaceKey, small, standing_of};
use crate::store::{
    LaneRow, StoreError,
    logic::LiveRow,
    postgres::{
        columns,
        pipeline::{Pipeline, values},
    },
};
use herald_rules::{reason::Reason, status::Status, time::Timestamp};
use uuid::Uuid;

/// A row for `event`.
pub(super) struct NewEventRow {
    pub(super) lane: LaneRow,
    pub(super) sequence: i64,
    pub(super) id: Uuid,
    pub(super) kind: i16,
    pub(super) at: Timestamp,
    pub(super) reason: Option<u16>,
    pub(super) resent: bool,
    pub(super) words: Option<String>,
}

/// A row for `note`; `nth` of those that this operation writes of its message.
pub(super) struct NoteRow {
    pub(super) id: Uuid,
    pub(super) nth: i32,
    pub(super) at: Timestamp,
    pub(super) kind: String,
    pub(super) status: Option<Status>,
    pub(super) reason: Option<u16>,
    pub(super) words: Option<String>,
}

/// What changes in a row of `part`.
pub(super) struct PartChange {
    pub(super) row: PartRow,
    pub(super) at: Timestamp,
}

/// A row for `later`.
pub(super) struct LaterRow {
    pub(super) lane: LaneRow,
    pub(super) due: i64,
    pub(super) place: PlaceKey,
    pub(super) id: Uuid,
    pub(super) attempt: u32,
    pub(super) resent: bool,
    pub(super) part: u16,
    pub(super) reason: Option<Reason>,
}

/// A row for `claim`.
pub(super) struct ClaimRow {
    pub(super) lane: LaneRow,
    pub(super) number: i64,
    pub(super) at: Timestamp,
    pub(super) entries: Vec<u8>,
}

/// A row for `inbound`, but for its key.
#[derive(Clone, Default)]
pub(super) struct InboundRow {
    pub(super) id: Uuid,
    pub(super) lane: LaneRow,
    pub(super) customer: String,
    pub(super) received_at: i64,
    pub(super) body: String,
}

/// One column of many rows.
fn each<T, V>(rows: &[T], column: impl FnMut(&T) -> V) -> Vec<V> {
    rows.iter().map(column).collect()
}

impl WorkingSet {
    /// Adds the statements that write. They leave nothing out and assume nothing of what they find, so that the operation
    /// may be repeated.
    pub(super) fn flush(&self, pipeline: &mut Pipeline<'_>) -> Result<(), StoreError> {
        self.flush_queue(pipeline);
        self.flush_claims(pipeline);
        self.flush_story(pipeline);
        self.flush_references(pipeline);
        self.flush_people(pipeline);
        self.flush_inbox(pipeline);
        self.flush_lanes(pipeline)
    }

    fn flush_queue(&self, pipeline: &mut Pipeline<'_>) {
        let department = self.department;
        let gone: Vec<&PlaceKey> = self.live.deleted().collect();
        if !gone.is_empty() {
            pipeline.add(
                // Each looked up by itself; see `load`.
                "DELETE FROM live WHERE ctid = ANY (ARRAY(
                     SELECT l.ctid FROM UNNEST($2::bigint[], $3::smallint[], $4::bigint[]) AS n (lane, class, position)
                     CROSS JOIN LATERAL (SELECT ctid FROM live WHERE department = $1 AND lane = n.lane
                         AND class = n.class AND position = n.position OFFSET 0) AS l))",
                values![department, each(&gone, |key| key.0), each(&gone, |key| key.1), each(&gone, |key| key.2)],
            );
        }
        let put: Vec<(&PlaceKey, &LiveRow)> = self.live.put_rows().collect();
        if !put.is_empty() {
            // One is written over where a part has made way for the next.
            pipeline.add(
                "INSERT INTO live (department, lane, class, position, id, attempt, resent, part)
                 SELECT $1::bigint, n.* FROM UNNEST($2::bigint[], $3::smallint[], $4::bigint[], $5::uuid[], $6::integer[],
                     $7::boolean[], $8::smallint[]) AS n
                 ON CONFLICT (department, lane, class, position) DO UPDATE SET id = excluded.id,
                     attempt = excluded.attempt, resent = excluded.resent, part = excluded.part",
                values![
                    department,
                    each(&put, |(key, _)| key.0),
                    each(&put, |(key, _)| key.1),
                    each(&put, |(key, _)| key.2),
                    each(&put, |(_, row)| row.id.0),
                    each(&put, |(_, row)| columns::as_integer(row.attempt)),
                    each(&put, |(_, row)| row.resent),
                    each(&put, |(_, row)| small(row.part)),
                ],
            );
        }
        let gone = &self.written.later_gone;
        if !gone.is_empty() {
            pipeline.add(
                "DELETE FROM later l USING UNNEST($2::bigint[], $3::bigint[], $4::bigint[]) AS n (lane, due, position)
                 WHERE l.department = $1 AND l.lane = n.lane AND l.due = n.due AND l.position = n.position",
                values![department, each(gone, |key| key.0), each(gone, |key| key.1), each(gone, |key| key.2)],
            );
        }
        let later = &self.written.later;
        if !later.is_empty() {
            pipeline.add(
                "INSERT INTO later (department, lane, due, position, class, id, attempt, resent, part, reason, held)
                 SELECT $1::bigint, n.*, true FROM UNNEST($2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[],
                     $6::uuid[], $7::integer[], $8::boolean[], $9::smallint[], $10::smallint[]) AS n",
                values![
                    department,
                    each(later, |row| row.lane),
                    each(later, |row| row.due),
                    each(later, |row| row.place.2),
                    each(later, |row| row.place.1),
                    each(later, |row| row.id),
                    each(later, |row| columns::as_integer(row.attempt)),
                    each(later, |row| row.resent),
                    each(later, |row| small(row.part)),
                    each(later, |row| row.reason.map(|reason| small(reason.number()))),
                ],
            );
        }
        let gone: Vec<&Uuid> = self.cancelled.deleted().collect();
        if !gone.is_empty() {
            pipeline.add(
                "DELETE FROM cancelled WHERE department = $1 AND id = ANY ($2::uuid[])",
                values![department, each(&gone, |id| **id)],
            );
        }
        let put: Vec<&Uuid> = self.cancelled.put_rows().map(|(id, ())| id).collect();
        if !put.is_empty() {
            pipeline.add(
                "INSERT INTO cancelled (department, id) SELECT $1::bigint, n FROM UNNEST($2::uuid[]) AS n
                 ON CONFLICT DO NOTHING",
                values![department, each(&put, |id| **id)],
            );
        }
    }

    fn flush_claims(&self, pipeline: &mut Pipeline<'_>) {
        let department = self.department;
        if !self.written.claims_gone.is_empty() {
            let lanes: Vec<LaneRow> = self.written.claims_gone.iter().copied().collect();
            pipeline.add(
                "DELETE FROM claim WHERE department = $1 AND lane = ANY ($2::bigint[])",
                values![department, lanes],
            );
        }
        let closed = &self.written.claims_closed;
        if !closed.is_empty() {
            pipeline.add(
                "DELETE FROM claim c USING UNNEST($3::bigint[], $4::bigint[]) AS n (lane, number)
                 WHERE c.department = $1 AND c.epoch = $2 AND c.lane = n.lane AND c.number = n.number",
                values![department, self.epoch.0, each(closed, |key| key.0), each(closed, |key| key.1)],
            );
        }
        for claim in &self.written.claims {
            // The same claim once more, after an answer that was lost, is nothing new. Another one of that number breaks NOT
            // NULL, before anything is sent that nobody could find after a crash.
            pipeline.add(
                "INSERT INTO claim (department, lane, number, epoch, at, entries) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (department, lane, epoch, number) DO UPDATE
                     SET entries = CASE WHEN claim.entries = excluded.entries THEN claim.entries END",
                values![department, claim.lane, claim.number, self.epoch.0, claim.at.0, claim.entries.clone()],
            );
        }
        let gone: Vec<&Uuid> = self.checking.deleted().collect();
        if !gone.is_empty() {
            pipeline.add(
                "DELETE FROM checking c USING UNNEST($2::uuid[]) AS n (id) WHERE c.department = $1 AND c.id = n.id",
                values![department, each(&gone, |id| **id)],
            );
        }
        let put: Vec<_> = self.checking.put_rows().map(|(id, (lane, row))| (id, lane, row)).collect();
        if !put.is_empty() {
            pipeline.add(
                "INSERT INTO checking
                     (department, lane, id, class, position, attempt, resent, part, since, deadline, claimed_at)
                 SELECT $1::bigint, n.* FROM UNNEST($2::bigint[], $3::uuid[], $4::smallint[], $5::bigint[], $6::integer[],
                     $7::boolean[], $8::smallint[], $9::bigint[], $10::bigint[], $11::bigint[]) AS n
                 ON CONFLICT (department, lane, id) DO UPDATE SET class = excluded.class, position = excluded.position,
                     attempt = excluded.attempt, resent = excluded.resent, part = excluded.part, since = excluded.since,
                     deadline = excluded.deadline, claimed_at = excluded.claimed_at",
                values![
                    department,
                    each(&put, |(_, lane, _)| **lane),
                    each(&put, |(id, _, _)| **id),
                    each(&put, |(_, _, row)| row.place.1),
                    each(&put, |(_, _, row)| row.place.2),
                    each(&put, |(_, _, row)| columns::as_integer(row.attempt)),
                    each(&put, |(_, _, row)| row.resent),
                    each(&put, |(_, _, row)| small(row.part)),
                    each(&put, |(_, _, row)| row.since.0),
                    each(&put, |(_, _, row)| row.deadline.0),
                    each(&put, |(_, _, row)| row.claimed_at.0),
                ],
            );
        }
    }

    fn flush_story(&self, pipeline: &mut Pipeline<'_>) {
        let department = self.department;
        let events = &self.written.events;
        if !events.is_empty() {
            pipeline.add(
                "INSERT INTO event (department, lane, sequence, id, status, at, reason, resent, provider)
                 SELECT $1::bigint, n.* FROM UNNEST($2::bigint[], $3::bigint[], $4::uuid[], $5::smallint[], $6::bigint[],
                     $7::smallint[], $8::boolean[], $9::text[]) AS n",
                values![
                    department,
                    each(events, |event| event.lane),
                    each(events, |event| event.sequence),
                    each(events, |event| event.id),
                    each(events, |event| event.kind),
                    each(events, |event| event.at.0),
                    each(events, |event| event.reason.map(small)),
                    each(events, |event| event.resent),
                    each(events, |event| event.words.clone()),
                ],
            );
        }
        let notes = &self.written.notes;
        if !notes.is_empty() {
            // A provider that repeats itself for days must not fill the disk.
            pipeline.add(
                "INSERT INTO note (department, id, number, at, kind, status, reason, provider)
                 SELECT $1::bigint, n.id, o.last + n.nth, n.at, n.kind, n.status, n.reason, n.provider
                 FROM UNNEST($2::uuid[], $3::integer[], $4::bigint[], $5::text[], $6::smallint[], $7::smallint[], $8::text[])
                     AS n (id, nth, at, kind, status, reason, provider)
                 CROSS JOIN LATERAL (
                     SELECT coalesce(max(number), 0) AS last FROM note WHERE department = $1 AND id = n.id) AS o
                 WHERE o.last + n.nth <= 100",
                values![
                    department,
                    each(notes, |note| note.id),
                    each(notes, |note| note.nth),
                    each(notes, |note| note.at.0),
                    each(notes, |note| note.kind.clone()),
                    each(notes, |note| note.status.map(|status| i16::from(status.code()))),
                    each(notes, |note| note.reason.map(small)),
                    each(notes, |note| note.words.clone()),
                ],
            );
        }
        let parts: Vec<(&(Uuid, u16), &PartChange)> = self.written.parts.iter().collect();
        if !parts.is_empty() {
            pipeline.add(
                "UPDATE part p SET status = n.status, at = n.at, reason = n.reason, provider = coalesce(n.provider, p.provider)
                 FROM UNNEST($2::uuid[], $3::smallint[], $4::smallint[], $5::bigint[], $6::smallint[], $7::text[])
                     AS n (id, part, status, at, reason, provider)
                 WHERE p.department = $1 AND p.id = n.id AND p.part = n.part",
                values![
                    department,
                    each(&parts, |(key, _)| key.0),
                    each(&parts, |(key, _)| small(key.1)),
                    each(&parts, |(_, change)| i16::from(change.row.status.code())),
                    each(&parts, |(_, change)| change.at.0),
                    each(&parts, |(_, change)| change.row.reason.map(small)),
                    each(&parts, |(_, change)| change.row.words.clone()),
                ],
            );
        }
    }

    fn flush_references(&self, pipeline: &mut Pipeline<'_>) {
        let references: Vec<_> = self.written.references.iter().collect();
        if !references.is_empty() {
            pipeline.add(
                "INSERT INTO reference (channel, reference, id, part)
                 SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::uuid[], $4::smallint[]) ON CONFLICT DO NOTHING",
                values![
                    each(&references, |(key, _)| key.0),
                    each(&references, |(key, _)| key.1.clone()),
                    each(&references, |(_, row)| row.0.0),
                    each(&references, |(_, row)| small(row.1)),
                ],
            );
        }
        let taken: Vec<_> = self.written.early_taken.iter().collect();
        if !taken.is_empty() {
            pipeline.add(
                "DELETE FROM early e USING UNNEST($1::bigint[], $2::text[]) AS n (channel, reference)
                 WHERE e.channel = n.channel AND e.reference = n.reference",
                values![each(&taken, |key| key.0), each(&taken, |key| key.1.clone())],
            );
        }
        let kept: Vec<_> = self
            .written
            .early
            .iter()
            .flat_map(|(key, receipts)| receipts.iter().map(move |(status, receipt)| (key, *status, receipt)))
            .collect();
        if !kept.is_empty() {
            pipeline.add(
                "INSERT INTO early (channel, reference, status, received_at, receipt)
                 SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::smallint[], $4::bigint[], $5::text[])
                 ON CONFLICT DO NOTHING",
                values![
                    each(&kept, |(key, _, _)| key.0),
                    each(&kept, |(key, _, _)| key.1.clone()),
                    each(&kept, |(_, status, _)| i16::from(*status)),
                    each(&kept, |(_, _, (at, _))| at.0),
                    each(&kept, |(_, _, (_, receipt))| receipt.clone()),
                ],
            );
        }
    }

    fn flush_inbox(&self, pipeline: &mut Pipeline<'_>) {
        let inbound: Vec<_> = self.inbound.put_rows().collect();
        if !inbound.is_empty() {
            pipeline.add(
                "INSERT INTO inbound (department, channel, reference, id, lane, customer, received_at, body)
                 SELECT $1::bigint, n.* FROM UNNEST($2::bigint[], $3::text[], $4::uuid[], $5::bigint[], $6::text[],
                     $7::bigint[], $8::text[]) AS n
                 ON CONFLICT (channel, reference) DO NOTHING",
                values![
                    self.department,
                    each(&inbound, |(key, _)| key.0),
                    each(&inbound, |(key, _)| key.1.clone()),
                    each(&inbound, |(_, row)| row.id),
                    each(&inbound, |(_, row)| row.lane),
                    each(&inbound, |(_, row)| row.customer.clone()),
                    each(&inbound, |(_, row)| row.received_at),
                    each(&inbound, |(_, row)| row.body.clone()),
                ],
            );
        }
        if !self.written.inbox_done.is_empty() {
            pipeline.add(
                "DELETE FROM inbox i USING UNNEST($1::bigint[]) AS n (number) WHERE i.number = n.number",
                values![self.written.inbox_done.clone()],
            );
        }
        let unreadable = &self.written.inbox_unreadable;
        if !unreadable.is_empty() {
            pipeline.add(
                "UPDATE inbox i SET problem = n.problem FROM UNNEST($1::bigint[], $2::text[]) AS n (number, problem)
                 WHERE i.number = n.number",
                values![each(unreadable, |row| row.0), each(unreadable, |row| row.1.clone())],
            );
        }
    }

    fn flush_lanes(&self, pipeline: &mut Pipeline<'_>) -> Result<(), StoreError> {
        let lanes: Vec<_> = self.written.lanes.iter().collect();
        if !lanes.is_empty() {
            let standings = each(&lanes, |(_, change)| change.standing.as_ref().map(serde_json::to_string).transpose());
            pipeline.add(
                "UPDATE lane_log g SET sequence = coalesce(n.sequence, g.sequence), departed = g.departed + n.departed,
                     pace = coalesce(n.pace, g.pace), standing = coalesce(n.standing, g.standing)
                 FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
                     AS n (lane, sequence, departed, pace, standing)
                 WHERE g.lane = n.lane",
                values![
                    each(&lanes, |(lane, _)| **lane),
                    each(&lanes, |(_, change)| change.sequence),
                    each(&lanes, |(_, change)| change.departed),
                    each(&lanes, |(_, change)| change.pace.clone()),
                    standings.into_iter().collect::<Result<Vec<_>, _>>()?,
                ],
            );
        }
        if !self.written.positions.is_empty() {
            pipeline.add(
                "UPDATE lane_queue q SET position = n.position FROM UNNEST($1::bigint[], $2::bigint[]) AS n (lane, position)
                 WHERE q.lane = n.lane",
                values![
                    self.written.positions.keys().copied().collect::<Vec<_>>(),
                    self.written.positions.values().copied().collect::<Vec<_>>(),
                ],
            );
        }
        let stands_otherwise = lanes.iter().any(|(lane, change)| {
            let before = self.locked.get(lane).map(standing_of);
            change.standing.is_some() && change.standing != before
        });
        if stands_otherwise {
            // Other nodes show how lanes stand.
            pipeline.add("UPDATE change SET version = version + 1 WHERE kind = 4", vec![]);
        }
        Ok(())
    }
}
