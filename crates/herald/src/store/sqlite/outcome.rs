//! Writing what became of claimed messages, and closing their claims.

use super::{Engine, Writing, columns, recover::Tried};
use crate::store::{
    Change, ChannelRow, Checking, DepartmentRow, Ended, EventKind, LaneRow, Outcomes, Owned, Queued, Recorded,
    Resolution, StoreError, provider_words,
};
use herald_rules::{
    ids::MessageId,
    reason::{Cause, Reason},
    status::{Standing, Status, Verdict, judge},
    time::Timestamp,
};
use rusqlite::OptionalExtension;

/// A change of status as it is to be written.
pub(super) struct Report<'a> {
    pub(super) status: Status,
    pub(super) at: Timestamp,
    pub(super) cause: Option<&'a Cause>,
    /// The provider's id for it, with `Accepted`.
    pub(super) reference: Option<&'a str>,
    pub(super) resent: bool,
}

/// What the events say of a message.
pub(super) struct History {
    pub(super) standing: Standing,
    /// A bit for each status it has had.
    pub(super) seen: u8,
    /// It went again after an unknown outcome.
    pub(super) resent: bool,
    /// Its lane; None where there is no event yet.
    pub(super) lane: Option<LaneRow>,
}

impl Engine {
    pub(in crate::store) async fn record(&self, outcomes: Outcomes) -> Result<(), StoreError> {
        self.write(move |writing| writing.record(&outcomes)).await
    }

    pub(in crate::store) async fn resolve(
        &self,
        owned: Owned,
        channel: ChannelRow,
        checking: Checking,
        resolution: Resolution,
        now: Timestamp,
    ) -> Result<Option<Queued>, StoreError> {
        self.write(move |writing| writing.resolve(owned.department, channel, owned.lane, &checking, &resolution, now))
            .await
    }

    pub(in crate::store) async fn is_checking(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
    ) -> Result<bool, StoreError> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT 1 FROM checking WHERE department = ?1 AND lane = ?2 AND id = ?3")?
                .exists((department, lane, id.0.as_bytes()))?)
        })
        .await
    }
}

impl Writing<'_> {
    fn record(&mut self, outcomes: &Outcomes) -> Result<(), StoreError> {
        let Outcomes { department, channel, lane, epoch: _, ended, closed, standings, daily_customers } = outcomes;
        for message in ended {
            self.record_one(*department, *channel, *lane, message)?;
        }
        for number in closed {
            self.connection
                .prepare_cached("DELETE FROM claim WHERE department = ?1 AND lane = ?2 AND number = ?3")?
                .execute((department, lane, number))?;
        }
        for change in standings {
            self.change_standing(*department, *lane, change)?;
        }
        if let Some(customers) = daily_customers {
            self.count_customers(customers)?;
        }
        Ok(())
    }

    fn record_one(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        lane: LaneRow,
        ended: &Ended,
    ) -> Result<(), StoreError> {
        let Ended { id, place, attempt, resent, part, parts, at, outcome } = ended;
        let which = (*part, *parts);
        // No row: it left the queue in another way (a receipt settled it), and must not be counted or put back twice.
        let was_live = self.delete_live(department, lane, *place)?;
        match outcome {
            Recorded::Accepted { reference } => {
                let text = reference.as_ref().map(|reference| reference.text.as_str());
                let report =
                    Report { status: Status::Accepted, at: *at, cause: None, reference: text, resent: *resent };
                self.report_which(department, lane, *id, which, &report)?;
                if let Some(reference) = reference.as_ref().filter(|reference| reference.named_by_receipts) {
                    self.learn_reference(department, channel, &reference.text, *id, *part)?;
                }
            }
            Recorded::PartAccepted { reference, next } => {
                let text = reference.as_ref().map(|reference| reference.text.as_str());
                let report =
                    Report { status: Status::Accepted, at: *at, cause: None, reference: text, resent: *resent };
                self.report_which(department, lane, *id, which, &report)?;
                if let Some(reference) = reference.as_ref().filter(|reference| reference.named_by_receipts) {
                    self.learn_reference(department, channel, &reference.text, *id, *part)?;
                }
                if was_live {
                    return self.insert_live(department, lane, next);
                }
            }
            Recorded::Rejected(cause) => {
                let report =
                    Report { status: Status::Rejected, at: *at, cause: Some(cause), reference: None, resent: *resent };
                self.report_which(department, lane, *id, which, &report)?;
            }
            Recorded::Again { due, cause } => {
                self.note(department, *id, *at, "try", None, Some(cause))?;
                if was_live {
                    return self.put_away(department, lane, ended, *due, Some(cause.reason));
                }
            }
            Recorded::Held { due, reason, cause } => {
                if let Some(cause) = cause {
                    self.note(department, *id, *at, "waits", None, Some(cause))?;
                }
                if was_live {
                    return self.put_away(department, lane, ended, *due, *reason);
                }
            }
            Recorded::Unknown { deadline, cause } => {
                self.note(department, *id, *at, "checking", None, Some(cause))?;
                // A receipt may have been quicker than the broken connection.
                if was_live && self.part_is_proved(department, *id, *parts, *part)? {
                    return self.next_part(department, lane, *id, *place, (*part, *resent));
                }
                if was_live && self.standing(department, *id)?.status == Status::Pending {
                    let tried = Tried { id: *id, place: *place, attempt: *attempt, resent: *resent, part: *part };
                    return self.insert_checking(department, lane, &tried, *at, *deadline);
                }
            }
        }
        if was_live {
            self.count_queued(lane, -1);
        }
        Ok(())
    }

    fn put_away(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        ended: &Ended,
        due: Timestamp,
        reason: Option<Reason>,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO later (department, lane, due, position, class, id, attempt, resent, part, reason, held)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
            )?
            .execute((
                department,
                lane,
                due.0,
                ended.place.position,
                ended.place.priority.class(),
                ended.id.0.as_bytes(),
                ended.attempt,
                ended.resent,
                ended.part,
                reason.map(Reason::number),
            ))?;
        Ok(())
    }

    fn resolve(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        lane: LaneRow,
        checking: &Checking,
        resolution: &Resolution,
        now: Timestamp,
    ) -> Result<Option<Queued>, StoreError> {
        let id = checking.message.id;
        let which = (checking.part, checking.message.parts);
        if !self.end_checking(department, lane, id)? {
            return Ok(None);
        }
        match resolution {
            Resolution::Found { reference, status } => {
                let named = reference.as_ref().filter(|reference| reference.named_by_receipts);
                let failed = *status == Status::Failed;
                // A look-up tells the status alone. A receipt that waits for the reference says why; without one, the
                // reason is at least that there is none.
                if let Some(reference) = named.filter(|_| failed) {
                    self.learn_reference(department, channel, &reference.text, id, checking.part)?;
                }
                let unspecified = failed.then(|| Cause::from(Reason::Unspecified));
                let report = Report {
                    status: *status,
                    at: now,
                    cause: unspecified.as_ref(),
                    reference: reference.as_ref().filter(|_| !failed).map(|reference| reference.text.as_str()),
                    resent: checking.resent,
                };
                self.report_which(department, lane, id, which, &report)?;
                if let Some(reference) = named.filter(|_| !failed) {
                    self.learn_reference(department, channel, &reference.text, id, checking.part)?;
                }
                if !failed && which.0 + 1 < which.1 {
                    let next = Queued {
                        place: checking.place,
                        attempt: 0,
                        resent: checking.resent,
                        part: which.0 + 1,
                        message: checking.message.clone(),
                    };
                    self.insert_live(department, lane, &next)?;
                    return Ok(Some(next));
                }
                self.count_queued(lane, -1);
            }
            // A receipt proved the part meanwhile.
            Resolution::GivenUp(_) | Resolution::SendAgain { .. }
                if self.part_is_proved(department, id, which.1, which.0)? =>
            {
                self.next_part(department, lane, id, checking.place, (which.0, checking.resent))?;
            }
            Resolution::GivenUp(reason) => {
                let cause = Cause::from(*reason);
                let report = Report {
                    status: Status::Failed,
                    at: now,
                    cause: Some(&cause),
                    reference: None,
                    resent: checking.resent,
                };
                self.report_which(department, lane, id, which, &report)?;
                self.count_queued(lane, -1);
            }
            Resolution::SendAgain { possible_duplicate } => {
                let resent = checking.resent || *possible_duplicate;
                let cause = Cause::from(Reason::PossibleDuplicate);
                self.note(department, id, now, "resent", None, possible_duplicate.then_some(&cause))?;
                let queued = Queued {
                    place: checking.place,
                    attempt: checking.attempt,
                    resent,
                    part: checking.part,
                    message: checking.message.clone(),
                };
                self.insert_live(department, lane, &queued)?;
                return Ok(Some(queued));
            }
        }
        Ok(None)
    }

    /// Takes a message out of `checking`; tells whether it was there.
    pub(super) fn end_checking(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .connection
            .prepare_cached("DELETE FROM checking WHERE department = ?1 AND lane = ?2 AND id = ?3")?
            .execute((department, lane, id.0.as_bytes()))?;
        if deleted > 0 {
            self.memory.checking = None;
        }
        Ok(deleted > 0)
    }

    /// Where a message stands.
    pub(super) fn standing(&self, department: DepartmentRow, id: MessageId) -> Result<Standing, StoreError> {
        Ok(self.history(department, id)?.standing)
    }

    /// What the events say of a message.
    pub(super) fn history(&self, department: DepartmentRow, id: MessageId) -> Result<History, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT i.status, e.reason, e.resent, i.lane, i.sequence FROM event i
             JOIN event e ON e.department = i.department AND e.lane = i.lane AND e.sequence = i.sequence
             WHERE i.department = ?1 AND i.id = ?2",
        )?;
        let mut rows = query.query((department, id.0.as_bytes()))?;
        let mut history = History { standing: Standing::PENDING, seen: 0, resent: false, lane: None };
        let mut last = 0;
        while let Some(row) = rows.next()? {
            let status = columns::status(row, 0)?;
            history.seen |= 1 << status.code();
            history.resent |= row.get::<_, bool>(2)?;
            let sequence = row.get::<_, i64>(4)?;
            if sequence > last {
                last = sequence;
                history.lane = row.get(3)?;
                let reason = row.get::<_, Option<u16>>(1)?.and_then(Reason::from_number);
                history.standing = Standing { status, reason };
            }
        }
        if history.standing.reason == Some(Reason::OutcomeUnknown) {
            let said = self
                .connection
                .prepare_cached("SELECT reason FROM note WHERE department = ?1 AND id = ?2 AND status = ?3 LIMIT 1")?
                .query_row((department, id.0.as_bytes(), Status::Failed.code()), |row| row.get::<_, Option<u16>>(0))
                .optional()?;
            if let Some(said) = said {
                history.standing.reason = said.and_then(Reason::from_number);
            }
        }
        Ok(history)
    }

    /// Judges a report and writes what it means: an event, a note, or nothing.
    pub(super) fn report(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
        report: &Report<'_>,
    ) -> Result<Verdict, StoreError> {
        let history = self.history(department, id)?;
        self.report_after(department, lane, id, &history, report)
    }

    /// [`Writing::report`], of one part where there are several: (which, of how many).
    fn report_which(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
        (part, parts): (u16, u16),
        report: &Report<'_>,
    ) -> Result<Verdict, StoreError> {
        match parts {
            0 | 1 => self.report(department, lane, id, report),
            _ => self.report_part(department, lane, id, part, report),
        }
    }

    /// [`Writing::report`] for callers that have read the history.
    pub(super) fn report_after(
        &mut self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
        history: &History,
        report: &Report<'_>,
    ) -> Result<Verdict, StoreError> {
        let verdict = judge(history.standing, report.status, history.seen & (1 << report.status.code()) != 0);
        match verdict {
            Verdict::Change => {
                let sequence = self.next_sequence(department, lane)?;
                let (reason, words) = match report.reference {
                    Some(reference) => (None, Some(provider_words::reference_words(reference)?)),
                    None => provider_words::split_cause(report.cause)?,
                };
                self.connection
                    .prepare_cached(
                        "INSERT INTO event (department, lane, sequence, id, status, at, reason, resent, provider)
                         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    )?
                    .execute((
                        department,
                        lane,
                        sequence,
                        id.0.as_bytes(),
                        report.status.code(),
                        report.at.0,
                        reason,
                        report.resent || history.resent,
                        words,
                    ))?;
                self.memory.changes.push(Change {
                    department,
                    lane,
                    sequence,
                    id,
                    kind: EventKind::Status(report.status),
                });
            }
            Verdict::Fills => self.note(department, id, report.at, "fill", Some(report.status), report.cause)?,
            Verdict::Late => self.note(department, id, report.at, "late", Some(report.status), report.cause)?,
            // The provider itself says that it failed: from now on nothing corrects that any more.
            Verdict::Known
                if report.status == Status::Failed && history.standing.reason == Some(Reason::OutcomeUnknown) =>
            {
                self.note(department, id, report.at, "late", Some(report.status), report.cause)?;
            }
            Verdict::Known => {}
        }
        Ok(verdict)
    }

    /// Adds to a message's story what is no change of its status.
    pub(super) fn note(
        &self,
        department: DepartmentRow,
        id: MessageId,
        at: Timestamp,
        kind: &str,
        status: Option<Status>,
        cause: Option<&Cause>,
    ) -> Result<(), StoreError> {
        let (reason, words) = provider_words::split_cause(cause)?;
        self.connection
            .prepare_cached(
                "INSERT INTO note (department, id, number, at, kind, status, reason, provider)
                 SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5, ?6, ?7 FROM note
                 WHERE department = ?1 AND id = ?2
                 -- A provider that repeats itself for days must not fill the disk.
                 HAVING coalesce(max(number), 0) < 100",
            )?
            .execute((department, id.0.as_bytes(), at.0, kind, status.map(Status::code), reason, words))?;
        Ok(())
    }
}
