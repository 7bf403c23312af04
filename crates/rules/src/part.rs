//! Messages of several parts: what their parts together mean.
//!
//! `Accepted`, `Delivered` and `Read` when all parts are; a failed part makes the message `Failed` (`part_failed`, n of m).
//! Where nothing has left us yet, a refused part is the message's own refusal.

use crate::{
    reason::{Cause, Reason},
    status::Status,
};

/// What is known of one part.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its own status.
    pub status: Status,
    /// Why, where it ended badly.
    pub cause: Option<Cause>,
}

/// What the parts, in order, say of their message; None: nothing yet.
pub fn aggregate(parts: &[Part]) -> Option<(Status, Option<Cause>)> {
    let bad = parts.iter().position(|part| matches!(part.status, Status::Rejected | Status::Failed));
    if let Some(at) = bad {
        let left_us = |part: &Part| matches!(part.status, Status::Accepted | Status::Delivered | Status::Read);
        let cause = parts[at].cause.clone();
        if parts[at].status == Status::Rejected && !parts.iter().any(left_us) {
            return Some((Status::Rejected, cause));
        }
        let why = cause.as_ref().map_or("", |cause| cause.reason.code());
        let detail = format!("Part {} of {} failed: {why}.", at + 1, parts.len());
        let failed = cause.unwrap_or_else(|| Reason::Unspecified.into());
        return Some((Status::Failed, Some(Cause { reason: Reason::PartFailed, detail: Some(detail), ..failed })));
    }
    let lowest = parts.iter().map(|part| part.status).min_by_key(|status| status.code())?;
    (lowest != Status::Pending).then_some((lowest, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::{Accepted, Delivered, Failed, Pending, Read, Rejected};

    fn of(statuses: &[Status]) -> Option<(Status, Option<Reason>)> {
        let cause = |status| matches!(status, Rejected | Failed).then(|| Reason::FileRefused.into());
        let parts: Vec<_> = statuses.iter().map(|status| Part { status: *status, cause: cause(*status) }).collect();
        aggregate(&parts).map(|(status, cause)| (status, cause.map(|cause| cause.reason)))
    }

    #[test]
    fn a_message_is_as_far_as_its_last_part() {
        assert_eq!(of(&[Accepted, Pending]), None);
        assert_eq!(of(&[Read, Accepted, Delivered]), Some((Accepted, None)));
        assert_eq!(of(&[Read, Read]), Some((Read, None)));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_part_that_fails_is_named() {
        assert_eq!(of(&[Rejected, Pending]), Some((Rejected, Some(Reason::FileRefused))));
        assert_eq!(of(&[Accepted, Rejected, Pending]), Some((Failed, Some(Reason::PartFailed))));
        assert_eq!(of(&[Failed, Pending]), Some((Failed, Some(Reason::PartFailed))));
        let parts =
            [Part { status: Delivered, cause: None }, Part { status: Failed, cause: Some(Reason::FileRefused.into()) }];
        let (_, cause) = aggregate(&parts).unwrap();
        assert_eq!(cause.unwrap().detail.unwrap(), "Part 2 of 2 failed: file_refused.");
    }
}
