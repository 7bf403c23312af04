//! Messages of several parts: each part is claimed and recorded alone, and the message is as far as its parts together.
//!
//! Rows stand here only for such messages, from the accept on, so that a receipt which comes before the answer finds them.

use super::{Writing, columns, outcome::Report};
use crate::store::{DepartmentRow, LaneRow, Place, Queued, StoreError, provider_words};
use herald_rules::{
    ids::MessageId,
    message::Message,
    part::{Part, aggregate},
    status::{Standing, Status, Verdict, judge},
};
use rusqlite::OptionalExtension;

impl Writing<'_> {
    pub(super) fn insert_parts(&mut self, department: DepartmentRow, message: &Message) -> Result<(), StoreError> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO part (department, id, part, status, at) VALUES (?, ?, ?, ?, ?)")?;
        for part in 0..message.parts {
            let status = Status::Pending.code();
            insert.execute((department, message.id.0.as_bytes(), part, status, message.accepted_at.0))?;
        }
        self.memory.parts = Some(true);
        Ok(())
    }

    /// Whether there is any message of several parts. Once there was one, the table is asked each time.
    pub(super) fn any_parts(&mut self) -> Result<bool, StoreError> {
        let any = match self.memory.parts {
            Some(any) => any,
            None => self.connection.prepare_cached("SELECT 1 FROM part LIMIT 1")?.exists([])?,
        };
        self.memory.parts = Some(any);
        Ok(any)
    }

    /// The parts of a message, in order; none where it has but one.
    pub(super) fn parts(&self, department: DepartmentRow, id: MessageId) -> Result<Vec<Part>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT status, reason, provider FROM part WHERE department = ?1 AND id = ?2 ORDER BY part",
        )?;
        let rows = query.query_map((department, id.0.as_bytes()), |row| {
            Ok(Part { status: columns::status(row, 0)?, cause: columns::cause(row, 1, 2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a part of it has left us.
    pub(super) fn part_has_left(&mut self, department: DepartmentRow, id: MessageId) -> Result<bool, StoreError> {
        Ok(self.any_parts()? && self.parts(department, id)?.iter().any(|part| part.status != Status::Pending))
    }

    /// [`Writing::report`] for one part of a message: the message moves when its parts together do. Tells what the report
    /// meant for the part.
    pub(super) fn report_part(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
        part: u16,
        report: &Report<'_>,
    ) -> Result<Verdict, StoreError> {
        let mut parts = self.parts(department, id)?;
        let Some(known) = parts.get_mut(usize::from(part)) else {
            return self.report(department, lane, id, report);
        };
        let standing = Standing { status: known.status, reason: known.cause.as_ref().map(|cause| cause.reason) };
        let verdict = judge(standing, report.status, standing.status == report.status);
        if verdict != Verdict::Change {
            return Ok(verdict);
        }
        *known = Part { status: report.status, cause: report.cause.cloned() };
        let (reason, words) = match report.reference {
            Some(reference) => (None, Some(provider_words::reference_words(reference)?)),
            None => provider_words::split_cause(report.cause)?,
        };
        self.connection
            .prepare_cached(
                "UPDATE part SET status = ?4, at = ?5, reason = ?6, provider = coalesce(?7, provider)
                 WHERE department = ?1 AND id = ?2 AND part = ?3",
            )?
            .execute((department, id.0.as_bytes(), part, report.status.code(), report.at.0, reason, words))?;
        if let Some((status, cause)) = aggregate(&parts) {
            let whole = Report { status, at: report.at, cause: cause.as_ref(), reference: None, resent: report.resent };
            self.report(department, lane, id, &whole)?;
        }
        Ok(verdict)
    }

    /// A receipt about one part. Where its outcome was being found out, the search is over, and the next part goes.
    pub(super) fn receipt_for_part(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
        part: u16,
        report: &Report<'_>,
    ) -> Result<Verdict, StoreError> {
        let verdict = self.report_part(department, lane, id, part, report)?;
        if verdict != Verdict::Change || !self.any_checking()? {
            return Ok(verdict);
        }
        let checked = self
            .connection
            .prepare_cached(
                "SELECT class, position, part, resent FROM checking WHERE department = ? AND lane = ? AND id = ?",
            )?
            .query_row((department, lane, id.0.as_bytes()), |row| {
                Ok((columns::place(row, 0, 1)?, row.get::<_, u16>(2)?, row.get::<_, bool>(3)?))
            })
            .optional()?;
        let Some((place, _, resent)) = checked.filter(|(_, checked, _)| *checked == part) else {
            return Ok(verdict);
        };
        self.end_checking(department, lane, id)?;
        if report.status == Status::Failed {
            self.count_queued(lane, -1);
            return Ok(verdict);
        }
        self.next_part(department, lane, id, place, (part, resent))?;
        Ok(verdict)
    }

    /// Whether a part is known to have been taken, of a message of several (`parts`; more than one where that is not known).
    pub(super) fn part_is_proved(
        &mut self,
        department: DepartmentRow,
        id: MessageId,
        parts: u16,
        part: u16,
    ) -> Result<bool, StoreError> {
        if parts < 2 || !self.any_parts()? {
            return Ok(false);
        }
        let known = self.parts(department, id)?;
        let status = known.get(usize::from(part)).map(|part| part.status);
        Ok(matches!(status, Some(Status::Accepted | Status::Delivered | Status::Read)))
    }

    /// After a part that was taken, and that no longer stands in the queue: the next goes, or the message has left it.
    pub(super) fn next_part(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
        mut place: Place,
        (part, resent): (u16, bool),
    ) -> Result<(), StoreError> {
        let message = self
            .connection
            .prepare_cached("SELECT body FROM message WHERE department = ?1 AND id = ?2")?
            .query_row((department, id.0.as_bytes()), |row| columns::message(row, 0))?;
        if part + 1 >= message.parts || self.standing(department, id)?.status != Status::Pending {
            self.count_queued(lane, -1);
            return Ok(());
        }
        // The lane takes a position that it has passed for something it has seen: the next part gets a new one.
        place.position = self.next_position();
        let next = Queued { place, attempt: 0, resent, part: part + 1, message };
        self.insert_live(department, lane, &next)?;
        self.memory.arrived.push((lane, next));
        Ok(())
    }
}
