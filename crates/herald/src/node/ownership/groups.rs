//! Which groups there are: what shares a limit is worked in one place.

use crate::{
    dispatch::Accounts,
    node::directory::{Channel, Snapshot},
    store::{ChannelRow, LaneRow, SubscriptionRow},
};
use herald_rules::lease::{Group, Kind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// All groups of the instance, by the directory of this moment.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The channels of each group of lanes.
    lanes: BTreeMap<String, Vec<ChannelRow>>,
    of_channel: HashMap<ChannelRow, String>,
    subscriptions: BTreeSet<SubscriptionRow>,
}

impl Groups {
    pub(super) fn of(snapshot: &Snapshot, accounts: &Accounts, subscriptions: BTreeSet<SubscriptionRow>) -> Self {
        let mut groups = Self { subscriptions, ..Self::default() };
        for channel in snapshot.all_channels() {
            let key = key(channel, accounts);
            groups.lanes.entry(key.clone()).or_default().push(channel.row);
            groups.of_channel.insert(channel.row, key);
        }
        groups
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Group> {
        let lanes = self.lanes.keys().map(|key| Group { kind: Kind::Lanes, key: key.clone() });
        let subscriptions = self.subscriptions.iter().map(|row| subscription(*row));
        lanes.chain(subscriptions).chain([housekeeping()]).collect()
    }

    /// The group that a channel's lanes belong to.
    pub(super) fn of_channel(&self, channel: ChannelRow) -> Option<Group> {
        self.of_channel.get(&channel).map(|key| Group { kind: Kind::Lanes, key: key.clone() })
    }

    /// The channels of a group of lanes.
    pub(super) fn channels(&self, group: &Group) -> &[ChannelRow] {
        match group.kind {
            Kind::Lanes => self.lanes.get(&group.key).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    /// The lanes of a group.
    pub(super) fn lanes(&self, group: &Group, snapshot: &Snapshot) -> Vec<LaneRow> {
        let channels = self.channels(group);
        let mut lanes: Vec<_> =
            snapshot.all_lanes().filter(|lane| channels.contains(&lane.channel)).map(|lane| lane.row).collect();
        lanes.sort_unstable();
        lanes
    }
}

/// The group of a subscription.
pub(super) fn subscription(row: SubscriptionRow) -> Group {
    Group { kind: Kind::Subscription, key: row.to_string() }
}

/// The subscription of a group; None: it is a group of something else.
pub(super) fn subscription_of(group: &Group) -> Option<SubscriptionRow> {
    (group.kind == Kind::Subscription).then(|| group.key.parse().ok()).flatten()
}

/// What one node does for all.
pub(super) fn housekeeping() -> Group {
    Group { kind: Kind::Housekeeping, key: String::new() }
}

/// All lanes of a portfolio share its budget of customers a day; those of any other channel, its account.
fn key(channel: &Channel, accounts: &Accounts) -> String {
    match accounts.get(channel.row).and_then(|account| account.adapter.portfolio().map(str::to_owned)) {
        Some(portfolio) => format!("{}:{portfolio}", channel.provider.as_str()),
        None => format!("channel:{}", channel.row),
    }
}
