//! Claiming, what became of it, and whatever else is written under a lane's lock: each operation says what its logic can ask
//! for, so that one flight loads it.

use super::{
    Engine, columns,
    lane::{add_checking, add_held, read_checking, read_held},
    owner::Owner,
    pipeline::{Pipeline, values},
    working_set::{Needs, WorkingSet},
};
use crate::store::{
    Cancelled, ChannelRow, Checking, Claim, ClaimedNow, DepartmentRow, LaneRow, Outcomes, Owned, Queued, Recorded,
    Recovered, Resolution, StandingChange, StoreError,
    logic::{self, Search},
};
use herald_rules::{ids::MessageId, time::Timestamp};
use std::time::Duration;

impl Engine {
    pub(in crate::store) async fn claim(&self, claim: Claim) -> Result<ClaimedNow, StoreError> {
        let Claim { department, lane, epoch, .. } = claim;
        let mut needs = Needs::default();
        for queued in &claim.entries {
            let (id, tried) = (queued.message.id.0, queued.attempt > 0);
            needs.cancelled.insert(id);
            needs.customer(lane, &queued.message.to, claim.windows);
            if tried || queued.part > 0 {
                needs.histories.insert(id);
            }
            if tried && queued.message.parts > 1 {
                needs.parts.insert(id);
            }
        }
        let mut set = WorkingSet::default();
        set.holds(claim.entries.iter().map(|queued| &queued.message));
        let owner = Owner::Lane(Owned { department, lane, epoch }, Vec::new());
        self.work(department, owner, needs, set, |rows| {
            rows.foresee_dropped(&claim)?;
            logic::claim(rows, &claim)
        })
        .await
    }

    pub(in crate::store) async fn record(&self, outcomes: Outcomes) -> Result<(), StoreError> {
        let Outcomes { department, channel, lane, epoch, .. } = outcomes;
        let mut needs = Needs { channel, ..Needs::default() };
        for ended in &outcomes.ended {
            needs.place(lane, ended.place);
            let several = ended.parts > 1;
            match &ended.outcome {
                Recorded::Accepted { reference } | Recorded::PartAccepted { reference, .. } => {
                    needs.histories.insert(ended.id.0);
                    let named = reference.as_ref().filter(|reference| reference.named_by_receipts);
                    needs.early.extend(named.map(|reference| reference.text.clone()));
                }
                Recorded::Rejected(_) | Recorded::Unknown { .. } => {
                    needs.histories.insert(ended.id.0);
                }
                Recorded::Again { .. } | Recorded::Held { .. } => continue,
            }
            if several {
                needs.parts.insert(ended.id.0);
            }
        }
        let others = outcomes.standings.iter().flat_map(lanes_of).copied().collect();
        let owner = Owner::Lane(Owned { department, lane, epoch }, others);
        self.work(department, owner, needs, WorkingSet::default(), |rows| {
            rows.foresee_early(&outcomes)?;
            logic::record(rows, &outcomes)
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
        let Owned { department, lane, .. } = owned;
        let id = checking.message.id.0;
        let mut needs = Needs { channel, ..Needs::default() };
        needs.checking.insert(id);
        needs.histories.insert(id);
        if checking.message.parts > 1 {
            needs.parts.insert(id);
        }
        if let Resolution::Found { reference: Some(reference), .. } = &resolution
            && reference.named_by_receipts
        {
            needs.early.insert(reference.text.clone());
        }
        let mut set = WorkingSet::default();
        set.holds([&checking.message].into_iter());
        self.work(department, Owner::Lane(owned, Vec::new()), needs, set, |rows| {
            logic::resolve(rows, (department, channel, lane), &checking, &resolution, now)
        })
        .await
    }

    pub(in crate::store) async fn recover(
        &self,
        owned: Owned,
        now: Timestamp,
        settled_at: Timestamp,
        reconcile_for: Duration,
    ) -> Result<Recovered, StoreError> {
        let Owned { department, lane, .. } = owned;
        let mut needs = Needs::default();
        needs.claims.insert(lane);
        let search = Search { now, settled_at, reconcile_for };
        self.work(department, Owner::Lane(owned, Vec::new()), needs, WorkingSet::default(), |rows| {
            rows.foresee_orphans(lane)?;
            logic::recover(rows, department, lane, search)
        })
        .await?;
        let mut pipeline = Pipeline::default();
        let checking = add_checking(&mut pipeline, department, lane, u32::MAX);
        let held = add_held(&mut pipeline, department, lane);
        let next_due =
            pipeline.add("SELECT min(due) FROM later WHERE department = $1 AND lane = $2", values![department, lane]);
        let mut answers = self.look(pipeline).await?;
        let next_due = answers.take(next_due).first().map(|row| columns::timestamp_or_none(row, 0)).transpose()?;
        Ok(Recovered {
            checking: answers.take(checking).iter().map(read_checking).collect::<Result<_, _>>()?,
            held: held
                .into_iter()
                .flat_map(|held| answers.take(held))
                .map(|row| read_held(&row))
                .collect::<Result<_, _>>()?,
            next_due: next_due.flatten(),
        })
    }

    pub(in crate::store) async fn cancel(
        &self,
        department: DepartmentRow,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Cancelled, StoreError> {
        let mut needs = Needs::default();
        needs.lanes.insert(id.0);
        needs.histories.insert(id.0);
        needs.parts.insert(id.0);
        needs.checking.insert(id.0);
        let owner = Owner::Message(department, id);
        let set = WorkingSet::default();
        self.work(department, owner, needs, set, |rows| logic::cancel(rows, department, id, now)).await
    }

    pub(in crate::store) async fn change_standing(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        change: StandingChange,
    ) -> Result<(), StoreError> {
        let owner = Owner::Lanes(lanes_of(&change).iter().copied().chain([lane]).collect());
        self.work(department, owner, Needs::default(), WorkingSet::default(), |rows| {
            logic::change_standing(rows, department, lane, &change)
        })
        .await
    }
}

/// The lanes whose standing changes.
pub(super) fn lanes_of(change: &StandingChange) -> &[LaneRow] {
    match change {
        StandingChange::Stopped { lanes, .. }
        | StandingChange::Lifted { lanes }
        | StandingChange::Restricted { lanes, .. } => lanes,
    }
}
