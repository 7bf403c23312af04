//! What a provider says of an account of ours, told by a callback or when it is asked: limits, restrictions, blocks.

use super::{Control, Lanes};
use crate::{
    dispatch::Account,
    node::directory::{Channel, Lane, Snapshot},
    store::{LaneRow, StandingChange, Store, StoreError, UNTIL_LIFTED},
};
use herald_channels::contract::{AccountChange, AccountNotice};
use herald_rules::{
    pace::{
        rate::Rate,
        stop::{Stop, StopScope},
    },
    reason::{Cause, Reason},
    time::Timestamp,
};
use std::sync::Arc;

impl Lanes {
    /// Acts on what a provider says of a channel's account.
    ///
    /// # Errors
    /// When what must survive a restart could not be written; it holds until then.
    pub async fn noticed(
        &self,
        store: &Store,
        snapshot: &Snapshot,
        channel: &Channel,
        notice: &AccountNotice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(account) = self.accounts().get(channel.row) else { return Ok(()) };
        let of_channel = |lane: &&Arc<Lane>| lane.channel == channel.row;
        let named = |lane: &&Arc<Lane>| notice.identifier.as_ref().is_none_or(|ours| *ours == lane.identifier);
        let lanes: Vec<_> = snapshot.all_lanes().filter(of_channel).filter(named).cloned().collect();
        let Some(first) = lanes.first().map(|lane| lane.row) else { return Ok(()) };
        match notice.change {
            AccountChange::Throughput(a_second) => {
                let Ok(rate) = Rate::per_second(a_second.into()) else { return Ok(()) };
                lanes.iter().for_each(|lane| self.reported_rate(lane, rate));
                Ok(())
            }
            AccountChange::DailyCustomers(limit) => self.daily_limit(store, &account, limit).await,
            AccountChange::Restricted(until) => {
                account.stops.restrict(until);
                // Without an end it holds, over restarts too, until Meta says that it is lifted.
                let until = Some(until.unwrap_or(UNTIL_LIFTED));
                let change = StandingChange::Restricted { lanes: account.lanes.clone(), until };
                store.change_standing(channel.department, first, change).await
            }
            AccountChange::Disabled => {
                let cause = Cause { provider_text: Some(notice.text.clone()), ..Reason::AccountRestricted.into() };
                let stop = Stop::new(cause, StopScope::Account, now, None);
                if !account.stops.refused(first, &stop) {
                    return Ok(());
                }
                let change = StandingChange::Stopped { lanes: account.lanes.clone(), stop };
                store.change_standing(channel.department, first, change).await
            }
            AccountChange::Reinstated => self.reinstated(store, channel, first, &account).await,
            AccountChange::Other => Ok(()),
        }
    }

    async fn daily_limit(&self, store: &Store, account: &Account, limit: Option<u32>) -> Result<(), StoreError> {
        let Some(budget) = account.daily_budget() else { return Ok(()) };
        // What was counted before the start comes first: it counts under the new limit too.
        budget.read(store).await?;
        let before = budget.limit();
        if !budget.set_limit(limit) {
            return Ok(());
        }
        tracing::info!(portfolio = budget.portfolio(), before, limit, "daily_limit.changed");
        store.set_daily_limit(budget.portfolio().to_owned(), limit).await?;
        if before.is_some_and(|before| limit.is_none_or(|limit| limit > before)) {
            self.hasten(&self.accounts().lanes_of_portfolio(budget.portfolio()), Reason::DailyLimit);
        }
        Ok(())
    }

    async fn reinstated(
        &self,
        store: &Store,
        channel: &Channel,
        first: LaneRow,
        account: &Account,
    ) -> Result<(), StoreError> {
        if account.stops.lift_restriction() {
            let change = StandingChange::Restricted { lanes: account.lanes.clone(), until: None };
            store.change_standing(channel.department, first, change).await?;
            self.hasten(&account.lanes, Reason::AccountRestricted);
        }
        let lanes = account.stops.lift_all(&account.lanes);
        if !lanes.is_empty() {
            let change = StandingChange::Lifted { lanes: lanes.clone() };
            store.change_standing(channel.department, first, change).await?;
            self.wake(&lanes);
        }
        Ok(())
    }

    fn hasten(&self, lanes: &[LaneRow], reason: Reason) {
        for lane in lanes {
            self.tell(*lane, Control::Hasten(reason));
        }
    }
}
