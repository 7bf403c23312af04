//! Writing what became of claimed messages, and the end of the search for what nobody knows.

use super::Engine;
use crate::store::{
    ChannelRow, Checking, DepartmentRow, LaneRow, Outcomes, Owned, Queued, Resolution, StoreError, logic,
};
use herald_rules::{ids::MessageId, time::Timestamp};

impl Engine {
    pub(in crate::store) async fn record(&self, outcomes: Outcomes) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.owned(outcomes.lane, outcomes.epoch)?;
            logic::record(writing, &outcomes)
        })
        .await
    }

    pub(in crate::store) async fn resolve(
        &self,
        owned: Owned,
        channel: ChannelRow,
        checking: Checking,
        resolution: Resolution,
        now: Timestamp,
    ) -> Result<Option<Queued>, StoreError> {
        self.write(move |writing| {
            writing.owned(owned.lane, owned.epoch)?;
            logic::resolve(writing, (owned.department, channel, owned.lane), &checking, &resolution, now)
        })
        .await
    }

    pub(in crate::store) async fn is_checking(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        id: MessageId,
    ) -> Result<bool, StoreError> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT 1 FROM checking WHERE department = ?1 AND lane = ?2 AND id = ?3")?
                .exists((department, lane, id.0.as_bytes()))?)
        })
        .await
    }
}
