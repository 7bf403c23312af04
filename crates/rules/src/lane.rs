//! A lane as a pure machine: the ordered, paced stream of everything that goes out over one identifier.
//!
//! What it keeps, by construction:
//!
//! - Order: messages of one customer and priority go in order of their places, at most one message of a customer being
//!   at the provider's door at a time. A message that must wait (retry, unknown outcome) holds back that customer's later ones
//!   of the same priority, and nobody else's.
//! - Pace: never faster than the rate, slowed by the provider's throttling.
//! - Pairs: a customer who has had as many messages as the provider allows waits alone; bulk leaves them one for transactional.
//! - Share: transactional goes ahead of bulk, but a tenth of a busy lane stays with bulk.
//! - Memory: a head of bounded size; the rest stays on disk and is asked for when there is room.
//!
//! Time comes in with each call; what is to be done comes out of [`Lane::take`] as [`Effects`].

mod customers;
mod head;
mod machine;
mod pairs;
#[cfg(test)]
mod properties;

pub use machine::{Effects, Held, Hold, Lane, LoadWish, Pace, Released, Settings, Waiting};

use crate::message::{Message, Priority};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A place in a lane: positions of one class rise in the order in which messages may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Transactional or bulk.
    pub priority: Priority,
    /// The store's sequence number.
    pub position: i64,
}

/// A message that may go, as the lane holds it.
#[derive(Clone, Debug)]
pub struct Queued {
    /// Its place in the lane.
    pub place: Place,
    /// Tries before this one.
    pub attempt: u32,
    /// It goes again after an unknown outcome.
    pub resent: bool,
    /// Which of its parts goes next, from 0.
    pub part: u16,
    /// What to send.
    pub message: Arc<Message>,
}
