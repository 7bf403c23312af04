//! What a subscriber was told, read as it comes.

use crate::support::{Receiver, event_message};
use axum::body::Bytes;
use std::collections::{HashMap, hash_map::Entry};

/// What one receiver has been told so far.
pub struct Told<'a> {
    receiver: &'a Receiver,
    read: usize,
    bodies: HashMap<String, Bytes>,
    statuses: HashMap<String, Vec<String>>,
    events: usize,
    pub deliveries: usize,
    pub posts: usize,
}

impl<'a> Told<'a> {
    pub fn new(receiver: &'a Receiver) -> Self {
        let (bodies, statuses) = Default::default();
        Self { receiver, read: 0, bodies, statuses, events: 0, deliveries: 0, posts: 0 }
    }

    /// Reads what has come since, each delivery once; says how many events there have been.
    pub fn read(&mut self) -> usize {
        let posts = self.receiver.received_from(self.read);
        self.read += posts.len();
        for post in posts.iter().filter(|post| post.answer.is_success()) {
            self.posts += 1;
            let id = post.headers["webhook-id"].to_str().unwrap().to_owned();
            match self.bodies.entry(id) {
                Entry::Occupied(before) => {
                    assert!(*before.get() == post.body, "the delivery {} came with another body", before.key());
                    continue;
                }
                Entry::Vacant(first) => drop(first.insert(post.body.clone())),
            }
            self.deliveries += 1;
            for event in post.events() {
                let message = event_message(&event);
                let text = |field: &str| message[field].as_str().unwrap_or_else(|| panic!("{event:#}")).to_owned();
                self.statuses.entry(text("providerMessageId")).or_default().push(text("status"));
                self.events += 1;
            }
        }
        self.events
    }

    /// The statuses of a message, in the order in which they were told.
    pub fn of(&self, id: &str) -> &[String] {
        self.statuses.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}
