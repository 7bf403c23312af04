//! The head of one class: what of the queue is in memory, and what is known of the rest.

use super::Queued;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(super) struct Head {
    /// In memory, by position.
    pub(super) waiting: BTreeMap<i64, Queued>,
    /// Those that may go: the first of a customer who is neither at the provider's door nor held back.
    pub(super) ready: BTreeSet<i64>,
    /// Everything up to here has been in memory.
    pub(super) loaded_to: i64,
    /// There is more on disk, beyond `loaded_to`.
    pub(super) more_on_disk: bool,
    /// A page has been asked for.
    pub(super) loading: bool,
    /// Something came while a page was being read, and may not be on it.
    pub(super) missed: bool,
    /// What came back to its old place while a page was being read: the page may reach beyond it and not hold it.
    came_back: Vec<Queued>,
}

impl Head {
    /// Nothing is known yet: the first page must be read.
    pub(super) fn unknown() -> Self {
        Self {
            waiting: BTreeMap::new(),
            ready: BTreeSet::new(),
            loaded_to: 0,
            more_on_disk: true,
            loading: false,
            missed: false,
            came_back: Vec::new(),
        }
    }

    /// Whether a message that has just been accepted is to be kept in memory. If not, it stays on disk and comes with
    /// a page.
    pub(super) fn admits(&mut self, position: i64, room: usize) -> bool {
        if self.more_on_disk {
            self.missed |= self.loading;
            return false;
        }
        if position <= self.loaded_to {
            // It was on the page already.
            return false;
        }
        if self.waiting.len() >= room {
            self.more_on_disk = true;
            return false;
        }
        self.loaded_to = position;
        true
    }

    /// Takes back a message that returns to its old place; returns it if it is to be kept now, and not if a page brings it.
    pub(super) fn readmits(&mut self, queued: Queued) -> Option<Queued> {
        if queued.place.position > self.loaded_to {
            if self.more_on_disk {
                if self.loading {
                    self.missed = true;
                    self.came_back.push(queued);
                }
                return None;
            }
            self.loaded_to = queued.place.position;
        }
        Some(queued)
    }

    /// A page could not be read. What came back meanwhile is on disk, and comes with the next.
    pub(super) fn not_read(&mut self) {
        self.loading = false;
        self.came_back.clear();
    }

    /// Takes note of a page that was read; returns what of it is new.
    pub(super) fn page(&mut self, messages: Vec<Queued>, complete: bool) -> Vec<Queued> {
        let known = self.loaded_to;
        self.loading = false;
        self.more_on_disk = !complete || self.missed;
        self.missed = false;
        let mut fresh: Vec<_> = messages.into_iter().filter(|queued| queued.place.position > known).collect();
        if let Some(last) = fresh.last() {
            self.loaded_to = last.place.position;
        }
        let on_page: BTreeSet<_> = fresh.iter().map(|queued| queued.place.position).collect();
        for queued in self.came_back.drain(..) {
            let position = queued.place.position;
            if position <= self.loaded_to && !on_page.contains(&position) {
                fresh.push(queued);
            }
        }
        fresh
    }
}
