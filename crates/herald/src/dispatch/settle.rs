//! What an outcome means: for the message, its customer's later ones, the lane's pace and the account's breaker.

use super::Account;
use crate::store::Recorded;
use herald_channels::contract::{Outcome, Reconcile, Throttled};
use herald_rules::{
    lane::{Queued, Released},
    pace::stop::{Stop, StopScope},
    reason::{Cause, Reason},
    retry,
    time::Timestamp,
};
use std::time::Duration;

/// An unknown outcome holds its customer's later messages back for at most this long.
pub(super) const UNKNOWN_HOLD: Duration = Duration::from_secs(30);
/// And for so long after the deadline: what is decided then takes a look-up and a write, and a message that goes again
/// should do so before those that were accepted after it.
pub(super) const DECIDING: Duration = Duration::from_secs(1);

/// What an outcome means.
#[derive(Debug, PartialEq)]
pub(super) struct Settled {
    /// What is written; None: nothing, it stands where it stood.
    pub(super) recorded: Option<Written>,
    /// What the account's breaker learns.
    pub(super) health: Health,
    /// Which limit is to slow down, and the provider's wish.
    pub(super) throttled: Option<(Throttled, Option<Duration>)>,
    /// The sender cannot send anything.
    pub(super) stopped: Option<Stop>,
    /// The sender can send: this message was taken, or refused for its own sake.
    pub(super) works: bool,
}

impl Settled {
    fn of(recorded: Option<Written>, health: Health) -> Self {
        Self { recorded, health, throttled: None, stopped: None, works: false }
    }
}

/// What is written, and how the message leaves the provider's door.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) recorded: Recorded,
    pub(super) released: Released,
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.released == other.released && format!("{:?}", self.recorded) == format!("{:?}", other.recorded)
    }
}

/// What a call says about the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It answered; even a refusal is a sign of life.
    Answered,
    /// It could not be reached, or said that it is down.
    Failed,
}

/// Judges one outcome. `random` is in 0..1.
pub(super) fn settle(account: &Account, queued: &Queued, outcome: Outcome, now: Timestamp, random: f64) -> Settled {
    let ended = |recorded| Some(Written { recorded, released: Released::Ended });
    match outcome {
        Outcome::Accepted { reference } => {
            let reference = account.provider_reference(reference);
            Settled { works: true, ..Settled::of(ended(Recorded::Accepted { reference }), Health::Answered) }
        }
        Outcome::Refused(cause) => {
            // Without a word of the provider's own the adapter refused it before any call: that says nothing of the sender.
            let works = cause.provider_code.is_some();
            Settled { works, ..Settled::of(ended(Recorded::Rejected(cause)), Health::Answered) }
        }
        Outcome::Retry { cause, after, throttled } => {
            let health = match cause.reason {
                Reason::ProviderUnavailable | Reason::ProviderTimeout => Health::Failed,
                _ => Health::Answered,
            };
            let first_tried = queued.message.send_at.unwrap_or(queued.message.accepted_at);
            let next = retry::next_send(cause.reason, queued.attempt + 1, first_tried, now, after, random);
            let recorded = match next {
                Some(due) => {
                    let released = Released::PutAway(due, cause.reason);
                    Some(Written { recorded: Recorded::Again { due, cause }, released })
                }
                // The last try's own words stay beside it.
                None => ended(Recorded::Rejected(Cause { reason: Reason::RetriesExhausted, ..cause })),
            };
            Settled { throttled: throttled.map(|limit| (limit, after)), ..Settled::of(recorded, health) }
        }
        Outcome::NotSent(_) => Settled::of(None, Health::Failed),
        Outcome::Stopped { cause, scope, after } => {
            let scope = match scope {
                Throttled::Account => StopScope::Account,
                Throttled::Identifier | Throttled::Pair => StopScope::Identifier,
            };
            let stop = Stop::new(cause, scope, now, after);
            Settled { stopped: Some(stop), ..Settled::of(None, Health::Answered) }
        }
        Outcome::Unknown(cause) => {
            let (deadline, hold) = match account.reconcile() {
                Reconcile::Never => (now, DECIDING),
                Reconcile::ByReceipt { deadline } | Reconcile::ByLookUp { deadline } => {
                    (now + deadline, (deadline + DECIDING).min(UNKNOWN_HOLD))
                }
            };
            let recorded = Recorded::Unknown { deadline, cause };
            let released = Released::HeldUntil(now + hold);
            Settled::of(Some(Written { recorded, released }), Health::Failed)
        }
    }
}
