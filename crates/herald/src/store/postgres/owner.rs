//! The rows that make a lane's writers one: whoever writes its log, claims or queue holds its row of `lane_log`.

use super::{
    columns,
    pipeline::{Answers, Pipeline, values},
    transaction::Transaction,
};
use crate::store::{Epoch, LaneRow, StoreError};

/// A lock that is asked for with a flight.
pub(super) struct Lock(Vec<LaneRow>);

/// The place of a lock's answer among those of its flight.
pub(super) struct Asked(usize);

impl Lock {
    /// Of one lane.
    pub(super) fn of_lane(lane: LaneRow) -> Self {
        Self(vec![lane])
    }

    /// Has the rows locked by the statements that follow in this flight.
    pub(super) fn add_to(self, pipeline: &mut Pipeline<'_>) -> Asked {
        Asked(pipeline.add(
            "SELECT lane, epoch FROM lane_log WHERE lane = ANY ($1::bigint[]) ORDER BY lane FOR UPDATE",
            values![self.0],
        ))
    }
}

impl Asked {
    /// Gives the transaction back if it is the owner's; None: it was taken back, since another node owns the lane.
    pub(super) async fn check(
        self,
        transaction: Transaction,
        answers: &mut Answers,
        lane: LaneRow,
        epoch: Epoch,
    ) -> Result<Option<Transaction>, StoreError> {
        for row in answers.take(self.0) {
            if columns::get::<LaneRow>(&row, 0)? == lane && columns::get::<i64>(&row, 1)? == epoch.0 {
                return Ok(Some(transaction));
            }
        }
        transaction.roll_back().await?;
        Ok(None)
    }
}

/// The error of a late writer.
pub(super) fn fenced(lane: LaneRow) -> StoreError {
    tracing::warn!(lane, "store.fenced");
    StoreError::Fenced
}
