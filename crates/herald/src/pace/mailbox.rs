//! How a lane is told of things: what arrives is bounded (the rest is on disk anyway), what controls it is not.

use super::LaneReport;
use crate::{dispatch::Account, store::Queued};
use herald_rules::{
    lane::Hold,
    message::Priority,
    pace::{pair::PairLimit, rate::Rate},
    reason::Reason,
    time::Timestamp,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

/// Arrivals that may wait for a lane's worker. What does not fit is read from disk when its turn comes.
const ARRIVALS: usize = 2_048;
/// No moment.
const NOTHING: i64 = i64::MAX;

/// What a lane hears of.
#[derive(Debug)]
pub enum Input {
    /// A message may go.
    Arrived(Queued),
    /// A message waits for a moment.
    Scheduled(Timestamp),
}

/// What a lane is worked by.
pub struct LaneSettings {
    /// Somebody paused it, or its channel is off.
    pub paused: bool,
    /// Its rate.
    pub rate: Rate,
    /// How often one customer may be written to.
    pub pair: Option<PairLimit>,
    /// Its channel's adapter and breaker.
    pub account: Arc<Account>,
}

/// What a lane is told to do.
pub enum Control {
    /// Settings of the lane or its channel have changed.
    Settings(LaneSettings),
    /// A stop of its account has ended: look again.
    Wake,
    /// The provider says how fast it may send, and nobody has set it.
    Rate(Rate),
    /// What was put away for this reason need not wait any longer.
    Hasten(Reason),
    /// Another lane of the account was asked to slow the whole account down.
    Throttled(Option<Duration>),
    /// Say how it is.
    Report(oneshot::Sender<LaneReport>),
    /// Say why messages of a class to a customer wait, where it is for that customer alone.
    Held(String, Priority, oneshot::Sender<Option<Hold>>),
}

/// The sending side of a lane's mailbox.
#[derive(Clone)]
pub struct Post {
    inputs: mpsc::Sender<Input>,
    control: mpsc::UnboundedSender<Control>,
    overflowed: Arc<AtomicBool>,
    /// The earliest moment that somebody waits for and that did not fit, in microseconds.
    missed: Arc<AtomicI64>,
}

/// The receiving side.
pub struct Mailbox {
    /// What arrived.
    pub inputs: mpsc::Receiver<Input>,
    /// What it is told.
    pub control: mpsc::UnboundedReceiver<Control>,
    overflowed: Arc<AtomicBool>,
    missed: Arc<AtomicI64>,
}

impl Mailbox {
    /// A new pair.
    pub fn new() -> (Post, Self) {
        let (inputs, received) = mpsc::channel(ARRIVALS);
        let (control, controlled) = mpsc::unbounded_channel();
        let overflowed = Arc::new(AtomicBool::new(false));
        let missed = Arc::new(AtomicI64::new(NOTHING));
        let post = Post { inputs, control, overflowed: overflowed.clone(), missed: missed.clone() };
        (post, Self { inputs: received, control: controlled, overflowed, missed })
    }

    /// Whether something did not fit since the last time this was asked.
    pub fn take_overflow(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed) && self.overflowed.swap(false, Ordering::AcqRel)
    }

    /// The earliest moment that did not fit since the last time this was asked.
    pub fn take_missed(&self) -> Option<Timestamp> {
        let missed = match self.missed.load(Ordering::Relaxed) {
            NOTHING => NOTHING,
            _ => self.missed.swap(NOTHING, Ordering::AcqRel),
        };
        (missed != NOTHING).then_some(Timestamp(missed))
    }
}

impl Post {
    /// Tells of an arrival. Never blocks: called on the store's writer thread.
    pub fn input(&self, input: Input) {
        match self.inputs.try_send(input) {
            Ok(()) => {}
            // A message that waits for its moment is not in the queue that is read.
            Err(TrySendError::Full(Input::Scheduled(due)) | TrySendError::Closed(Input::Scheduled(due))) => {
                self.missed.fetch_min(due.0, Ordering::AcqRel);
            }
            Err(_) => self.overflowed.store(true, Ordering::Release),
        }
    }

    /// Something is to be read from disk.
    pub fn more(&self) {
        self.overflowed.store(true, Ordering::Release);
        // The worker looks at the mark each time it wakes.
        self.control(Control::Wake);
    }

    /// Tells the lane to do something. A lane that has ended does not hear it.
    pub fn control(&self, control: Control) {
        drop(self.control.send(control));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_moment_that_does_not_fit_is_kept() {
        let (post, mut mailbox) = Mailbox::new();
        for at in 0..ARRIVALS {
            post.input(Input::Scheduled(Timestamp(i64::try_from(at).unwrap())));
        }
        assert_eq!(mailbox.take_missed(), None);
        for at in [7, 5, 6] {
            post.input(Input::Scheduled(Timestamp(at)));
        }
        assert!(!mailbox.take_overflow(), "the queue has all that arrived");
        assert_eq!((mailbox.take_missed(), mailbox.take_missed()), (Some(Timestamp(5)), None));
        assert!(mailbox.inputs.try_recv().is_ok());
        post.input(Input::Scheduled(Timestamp(4)));
        assert_eq!(mailbox.take_missed(), None);
    }
}
