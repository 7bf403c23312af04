//! Claiming: durable before a provider is called.

use super::{Engine, rows::reach_of};
use crate::store::{ChannelRow, Claim, ClaimedNow, DepartmentRow, LaneRow, StoreError, logic};
use herald_rules::{admission::Reach, lane::Pace};

impl Engine {
    pub(in crate::store) async fn claim(&self, claim: Claim) -> Result<ClaimedNow, StoreError> {
        self.write(move |writing| {
            writing.owned(claim.lane, claim.epoch)?;
            logic::claim(writing, &claim)
        })
        .await
    }

    pub(in crate::store) async fn reach(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        lane: LaneRow,
        customer: &str,
    ) -> Result<Reach, StoreError> {
        let customer = customer.to_owned();
        self.read(move |connection| reach_of(connection, (department, channel, lane), &customer, (true, true))).await
    }

    pub(in crate::store) async fn pace(&self, lane: LaneRow) -> Result<Pace, StoreError> {
        self.read(move |connection| {
            let json = connection
                .prepare_cached("SELECT pace FROM lane WHERE lane = ?1")?
                .query_row([lane], |row| row.get::<_, String>(0))?;
            Ok(serde_json::from_str(&json)?)
        })
        .await
    }
}
