//! The newest ids of something, in bounded memory.

use std::collections::{HashSet, VecDeque};

/// How many are remembered.
const MOST: usize = 100_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Recent {
    /// Remembers an id.
    pub(crate) fn add(&mut self, id: &str) {
        if self.ids.insert(id.to_owned()) {
            self.order.push_back(id.to_owned());
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    /// Whether it is remembered.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}
