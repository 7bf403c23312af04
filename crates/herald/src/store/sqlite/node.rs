//! Who owns what, where there is one node: in memory, but for the epochs.

use super::Engine;
use crate::store::{
    Changed, Epoch, Group, LaneRow, LeaseRow, NodeId, NodeRow, NodesNow, Renewal, StoreError, SubscriptionRow, Taken,
};
use herald_rules::{lease::LEASE, time::Timestamp};
use rusqlite::Connection;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The leases of this process. The lock on the data folder proves that there is no other.
pub(super) struct Leases {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    epoch: Epoch,
    node: Option<NodeRow>,
    held: HashMap<Group, LeaseRow>,
}

impl Leases {
    /// None is held; epochs go on from the last.
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let epoch = connection.query_row(
            "SELECT max(coalesce((SELECT max(epoch) FROM lane), 0), coalesce((SELECT max(epoch) FROM subscription), 0))",
            [],
            |row| row.get(0).map(Epoch),
        )?;
        Ok(Self { state: Mutex::new(State { epoch, ..State::default() }) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain values: a panic elsewhere leaves them whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    pub(in crate::store) async fn renew(&self, renewal: Renewal) -> Result<NodesNow, StoreError> {
        let now = Timestamp::now();
        let until = now + LEASE;
        let mut state = self.leases.lock();
        let Renewal { node, name, version, works, answers, held } = renewal;
        state.node = Some(NodeRow { node, name, version, works, answers, until });
        for (group, epoch) in held {
            let row = state.held.get_mut(&group).filter(|row| row.node == Some(node) && row.epoch == epoch);
            if let Some(row) = row {
                row.until = until;
            }
        }
        let (nodes, leases) = (state.node.iter().cloned().collect(), state.held.values().cloned().collect());
        Ok(NodesNow { now, nodes, leases })
    }

    pub(in crate::store) async fn take_lease(&self, node: NodeId, group: Group) -> Result<Option<Taken>, StoreError> {
        let now = Timestamp::now();
        let mut state = self.leases.lock();
        let before = state.held.get(&group);
        if before.is_some_and(|row| row.holder(now).is_some()) {
            return Ok(None);
        }
        let ran_out = before.is_some_and(|row| row.node.is_some());
        state.epoch.0 += 1;
        let epoch = state.epoch;
        state.held.insert(group.clone(), LeaseRow { group, node: Some(node), epoch, until: now + LEASE });
        Ok(Some(Taken { epoch, ran_out }))
    }

    pub(in crate::store) async fn own_lanes(
        &self,
        epoch: Epoch,
        lanes: Vec<LaneRow>,
    ) -> Result<Vec<LaneRow>, StoreError> {
        self.write(move |writing| {
            let mut owned = Vec::with_capacity(lanes.len());
            for lane in lanes {
                let changed = writing
                    .connection
                    .prepare_cached("UPDATE lane SET epoch = ?2 WHERE lane = ?1 AND epoch <= ?2")?
                    .execute((lane, epoch.0))?;
                if changed > 0 {
                    owned.push(lane);
                }
            }
            writing.forget_epochs();
            Ok(owned)
        })
        .await
    }

    pub(in crate::store) async fn own_subscription(
        &self,
        epoch: Epoch,
        subscription: SubscriptionRow,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let changed = writing
                .connection
                .prepare_cached("UPDATE subscription SET epoch = ?2 WHERE subscription = ?1 AND epoch <= ?2")?
                .execute((subscription, epoch.0))?;
            Ok(changed > 0)
        })
        .await
    }

    pub(in crate::store) async fn free_lease(&self, group: Group, epoch: Epoch) -> Result<(), StoreError> {
        let mut state = self.leases.lock();
        if let Some(row) = state.held.get_mut(&group).filter(|row| row.epoch == epoch) {
            row.node = None;
        }
        Ok(())
    }

    pub(in crate::store) async fn leave(&self, node: NodeId) -> Result<(), StoreError> {
        let mut state = self.leases.lock();
        if state.node.as_ref().is_some_and(|row| row.node == node) {
            state.node = None;
        }
        Ok(())
    }

    pub(in crate::store) async fn versions(&self) -> Result<Vec<(Changed, i64)>, StoreError> {
        Ok(Vec::new())
    }

    /// There is nobody to be told.
    pub(in crate::store) async fn announce(&self, _: Changed) -> Result<(), StoreError> {
        Ok(())
    }
}
