//! How lanes stand with their providers, and the event that tells of a stop.

use super::{NewEvent, Rows};
use crate::store::{DepartmentRow, EventKind, LaneRow, Standing, StandingChange, StopWords, StoreError};
use herald_rules::{ids::MessageId, pace::stop::Stop};

/// Changes how lanes stand. A stop is told in the log of `lane`, unless that one stands still already.
pub(in crate::store) fn change_standing(
    rows: &mut impl Rows,
    department: DepartmentRow,
    lane: LaneRow,
    change: &StandingChange,
) -> Result<(), StoreError> {
    match change {
        StandingChange::Stopped { lanes, stop } => {
            if rows.standing_of(lane)?.stop.is_none() {
                tell_stop(rows, department, lane, stop)?;
            }
            for lane in lanes.iter().chain([&lane]) {
                stand(rows, *lane, |standing| {
                    standing.stop.get_or_insert_with(|| stop.clone());
                })?;
            }
        }
        StandingChange::Lifted { lanes } => {
            for lane in lanes {
                stand(rows, *lane, |standing| standing.stop = None)?;
            }
        }
        StandingChange::Restricted { lanes, until } => {
            for lane in lanes {
                stand(rows, *lane, |standing| standing.restricted_until = *until)?;
            }
        }
    }
    Ok(())
}

fn stand(rows: &mut impl Rows, lane: LaneRow, change: impl FnOnce(&mut Standing)) -> Result<(), StoreError> {
    let mut standing = rows.standing_of(lane)?;
    change(&mut standing);
    rows.set_standing(lane, &standing)
}

/// An event about a channel stands in a lane's log like those of messages, so that the same cursors bring it. Its id is its
/// own, as it is about no message.
fn tell_stop(rows: &mut impl Rows, department: DepartmentRow, lane: LaneRow, stop: &Stop) -> Result<(), StoreError> {
    let words = StopWords {
        scope: stop.scope,
        code: stop.cause.provider_code.clone(),
        text: stop.cause.provider_text.clone(),
        detail: stop.cause.detail.clone(),
    };
    rows.insert_event(NewEvent {
        department,
        lane,
        id: MessageId::new(),
        kind: EventKind::ChannelError,
        at: stop.since,
        reason: Some(stop.cause.reason.number()),
        resent: false,
        words: Some(serde_json::to_string(&words)?),
    })?;
    Ok(())
}
