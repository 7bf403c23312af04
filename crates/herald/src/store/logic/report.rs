//! A report about a message: judged, and written as what it means.

use super::{NewEvent, NewNote, Rows, part};
use crate::store::{Change, DepartmentRow, EventKind, LaneRow, StoreError, logic::History, provider_words};
use herald_rules::{
    ids::MessageId,
    reason::{Cause, Reason},
    status::{Status, Verdict, judge},
    time::Timestamp,
};

/// Which message it is about.
#[derive(Clone, Copy)]
pub(super) struct About {
    pub(super) department: DepartmentRow,
    pub(super) lane: LaneRow,
    pub(super) id: MessageId,
}

/// A change of status as it is to be written.
pub(super) struct Report<'a> {
    pub(super) status: Status,
    pub(super) at: Timestamp,
    pub(super) cause: Option<&'a Cause>,
    /// The provider's id for it, with `Accepted`.
    pub(super) reference: Option<&'a str>,
    pub(super) resent: bool,
}

/// What a report came to.
#[derive(Clone, Copy)]
pub(super) struct Judged {
    /// What it meant; for a part, where the message has several.
    pub(super) verdict: Verdict,
    /// The event of the message that it made.
    pub(super) change: Option<Change>,
}

impl Judged {
    /// Something moved.
    pub(super) fn changes(self) -> bool {
        self.verdict == Verdict::Change
    }
}

/// Judges a report and writes what it means: an event, a note, or nothing.
pub(super) fn report(rows: &mut impl Rows, about: About, report: &Report<'_>) -> Result<Judged, StoreError> {
    let history = rows.history(about.department, about.id)?;
    report_after(rows, about, &history, report)
}

/// [`report`], of one part where there are several: (which, of how many).
pub(super) fn report_which(
    rows: &mut impl Rows,
    about: About,
    (part, parts): (u16, u16),
    what: &Report<'_>,
) -> Result<Judged, StoreError> {
    match parts {
        0 | 1 => report(rows, about, what),
        _ => part::report_part(rows, about, part, what),
    }
}

/// [`report`] for callers that have read the history.
pub(super) fn report_after(
    rows: &mut impl Rows,
    about: About,
    history: &History,
    report: &Report<'_>,
) -> Result<Judged, StoreError> {
    let About { department, lane, id } = about;
    let verdict = judge(history.standing, report.status, history.seen & (1 << report.status.code()) != 0);
    let mut change = None;
    match verdict {
        Verdict::Change => {
            let (reason, words) = match report.reference {
                Some(reference) => (None, Some(provider_words::reference_words(reference)?)),
                None => provider_words::split_cause(report.cause)?,
            };
            change = Some(rows.insert_event(NewEvent {
                department,
                lane,
                id,
                kind: EventKind::Status(report.status),
                at: report.at,
                reason,
                resent: report.resent || history.resent,
                words,
            })?);
        }
        Verdict::Fills => note_report(rows, about, "fill", report)?,
        Verdict::Late => note_report(rows, about, "late", report)?,
        // The provider itself says that it failed: from now on nothing corrects that any more.
        Verdict::Known
            if report.status == Status::Failed && history.standing.reason == Some(Reason::OutcomeUnknown) =>
        {
            note_report(rows, about, "late", report)?;
        }
        Verdict::Known => {}
    }
    Ok(Judged { verdict, change })
}

fn note_report(rows: &mut impl Rows, about: About, kind: &str, report: &Report<'_>) -> Result<(), StoreError> {
    let note = NewNote { at: report.at, kind, status: Some(report.status), cause: report.cause };
    rows.add_note(about.department, about.id, &note)
}

/// Adds to a message's story what says nothing of its status.
pub(super) fn note(
    rows: &mut impl Rows,
    about: About,
    at: Timestamp,
    kind: &str,
    cause: Option<&Cause>,
) -> Result<(), StoreError> {
    rows.add_note(about.department, about.id, &NewNote { at, kind, status: None, cause })
}
