//! Which positions of each lane's queue this node knows of.

use super::{Engine, pipeline::Pipeline};
use crate::store::{LaneRow, StoreError};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The last position of each lane that this node gave out. What is above it and was not given out here was given out by
/// another node: then the lane is told to read its queue, because arrivals that are told one by one leave no gap.
#[derive(Default)]
pub(super) struct Positions(Mutex<HashMap<LaneRow, i64>>);

/// While it is held, nobody else tells of arrivals: they are told in the order of their positions.
pub(super) struct Telling<'a>(MutexGuard<'a, HashMap<LaneRow, i64>>);

impl Positions {
    /// To be held while the observer is told.
    pub(super) fn telling(&self) -> Telling<'_> {
        // Numbers only: whoever broke while it held them left them whole.
        Telling(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Telling<'_> {
    /// Notes the positions up to `last`, of which those above `before` are this node's. Tells whether nobody else's stand
    /// between them and those noted earlier.
    pub(super) fn follow(&mut self, lane: LaneRow, before: i64, last: i64) -> bool {
        // A lane that was made since the start begins with 0.
        let known = self.0.entry(lane).or_insert(0);
        let follows = *known == before;
        *known = last.max(*known);
        follows
    }
}

impl Telling<'_> {
    /// Notes how far a lane's positions reach. Tells whether there are some that were not noted yet.
    pub(super) fn seen(&mut self, lane: LaneRow, last: i64) -> bool {
        let known = self.0.entry(lane).or_insert(0);
        let is_news = *known < last;
        *known = last.max(*known);
        is_news
    }
}

impl Engine {
    /// What was given out before this start is on disk, where every lane begins to read.
    pub(super) async fn learn_positions(&self) -> Result<(), StoreError> {
        let mut pipeline = Pipeline::default();
        let lanes = pipeline.add("SELECT lane, position FROM lane_queue", vec![]);
        let mut answers = self.look(pipeline).await?;
        let mut telling = self.positions.telling();
        for row in answers.take(lanes) {
            telling.follow(super::columns::get(&row, 0)?, 0, super::columns::get(&row, 1)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_noticed_once() {
        let positions = Positions::default();
        let mut telling = positions.telling();
        assert!(telling.follow(1, 0, 5));
        assert!(telling.follow(1, 5, 6));
        assert!(!telling.follow(1, 8, 9), "7 and 8 are another's");
        assert!(telling.follow(1, 9, 12));
        assert!(!telling.follow(1, 6, 8), "told late: behind what was told already");
        assert!(telling.follow(1, 12, 13));
        assert!(telling.follow(2, 0, 1));
    }
}
