//! Who is who: departments, their channels and lanes, in memory, so that the way of a message asks no table for them.
//!
//! A snapshot is immutable and swapped whole; a reader holds the one it began with. After a change of these tables
//! call [`Directory::reload`].

use crate::store::{ChannelRow, DepartmentRow, LaneRow, Store, StoreError};
use arc_swap::{ArcSwap, Guard};
use herald_rules::{
    ids::{ChannelId, DepartmentId},
    protocol::{Protocol, Provider},
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// A team with its own key, channels and events.
#[derive(Clone, Debug)]
pub struct Department {
    /// Its row.
    pub row: DepartmentRow,
    /// Its id, which is also its API key.
    pub id: DepartmentId,
    /// For people.
    pub name: String,
    /// What it has set otherwise than the configuration.
    pub settings: DepartmentSettings,
}

/// What a department may set otherwise than the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DepartmentSettings {
    /// Messages a minute; absent: the configured limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_minute: Option<u32>,
    /// Messages at once above that pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

/// A protocol and a provider account of a department.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its row.
    pub row: ChannelRow,
    /// Whose.
    pub department: DepartmentRow,
    /// Its id.
    pub id: ChannelId,
    /// What customers' devices speak.
    pub protocol: Protocol,
    /// Who carries it.
    pub provider: Provider,
    /// For people.
    pub name: String,
    /// Off: nothing goes out.
    pub active: bool,
    /// Whether messages may be sent that open no ticket. Off until somebody switches it on.
    pub non_ticket: bool,
    /// Its settings.
    pub settings: ChannelSettings,
    /// Its credentials, sealed; opened only where the adapter is built.
    pub sealed_credentials: Option<Vec<u8>>,
}

/// The settings of a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChannelSettings {
    /// What happens to a message of which nobody can say whether the provider has it.
    pub on_unknown_outcome: OnUnknownOutcome,
    /// How long to go on finding out, in seconds; absent: what suits the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconcile_seconds: Option<u32>,
    /// Of templates that say the same in several languages, the one in this language is taken; as Meta writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "en_US")]
    pub language: Option<String>,
    /// The adapter's own settings.
    #[schema(value_type = Object)]
    pub provider: serde_json::Value,
}

/// What happens when an outcome stays unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknownOutcome {
    /// `Failed` (`outcome_unknown`).
    #[default]
    Fail,
    /// It goes once more, marked `possible_duplicate`.
    Resend,
}

/// An identifier of ours, and the stream of everything that goes out over it.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its row.
    pub row: LaneRow,
    /// Whose.
    pub department: DepartmentRow,
    /// Its channel.
    pub channel: ChannelRow,
    /// The channel's protocol.
    pub protocol: Protocol,
    /// The number, or the Apple id.
    pub identifier: String,
    /// For people.
    pub name: String,
    /// As "80/s,burst=10"; None: the configured default.
    pub rate: Option<String>,
    /// Somebody paused it.
    pub paused: bool,
}

/// All of them at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    departments: HashMap<DepartmentRow, Arc<Department>>,
    department_rows: HashMap<DepartmentId, DepartmentRow>,
    channels: HashMap<ChannelRow, Arc<Channel>>,
    channel_rows: HashMap<ChannelId, ChannelRow>,
    lanes: HashMap<LaneRow, Arc<Lane>>,
    lane_rows: HashMap<Protocol, HashMap<String, LaneRow>>,
}

impl Snapshot {
    /// Builds the look-up tables.
    pub fn new(departments: Vec<Department>, channels: Vec<Channel>, lanes: Vec<Lane>) -> Self {
        let mut snapshot = Self::default();
        for department in departments {
            snapshot.department_rows.insert(department.id, department.row);
            snapshot.departments.insert(department.row, Arc::new(department));
        }
        for channel in channels {
            snapshot.channel_rows.insert(channel.id, channel.row);
            snapshot.channels.insert(channel.row, Arc::new(channel));
        }
        for lane in lanes {
            snapshot.lane_rows.entry(lane.protocol).or_default().insert(lane.identifier.clone(), lane.row);
            snapshot.lanes.insert(lane.row, Arc::new(lane));
        }
        snapshot
    }

    /// A department by its row.
    pub fn department(&self, row: DepartmentRow) -> Option<&Arc<Department>> {
        self.departments.get(&row)
    }

    /// A department by its id.
    pub fn department_by_id(&self, id: DepartmentId) -> Option<&Arc<Department>> {
        self.departments.get(self.department_rows.get(&id)?)
    }

    /// All departments, in no order.
    pub fn departments(&self) -> impl Iterator<Item = &Arc<Department>> {
        self.departments.values()
    }

    /// A channel by its row.
    pub fn channel(&self, row: ChannelRow) -> Option<&Arc<Channel>> {
        self.channels.get(&row)
    }

    /// A channel of this department by its id.
    pub fn channel_by_id(&self, department: DepartmentRow, id: ChannelId) -> Option<&Arc<Channel>> {
        self.channels.get(self.channel_rows.get(&id)?).filter(|channel| channel.department == department)
    }

    /// A channel of any department, for callbacks, which carry their own proof.
    pub fn channel_of_callback(&self, id: ChannelId) -> Option<&Arc<Channel>> {
        self.channels.get(self.channel_rows.get(&id)?)
    }

    /// A department's channels, oldest first.
    pub fn channels(&self, department: DepartmentRow) -> Vec<Arc<Channel>> {
        let mut channels: Vec<_> = self.channels.values().filter(|c| c.department == department).cloned().collect();
        channels.sort_by_key(|channel| channel.row);
        channels
    }

    /// All channels, in no order.
    pub fn all_channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.channels.values()
    }

    /// A lane by its row.
    pub fn lane(&self, row: LaneRow) -> Option<&Arc<Lane>> {
        self.lanes.get(&row)
    }

    /// The lane of an identifier, whosever it is.
    pub fn lane_of(&self, protocol: Protocol, identifier: &str) -> Option<&Arc<Lane>> {
        self.lanes.get(self.lane_rows.get(&protocol)?.get(identifier)?)
    }

    /// All lanes, in no order.
    pub fn all_lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        self.lanes.values()
    }

    /// A department's lanes, oldest first.
    pub fn lanes(&self, department: DepartmentRow) -> Vec<Arc<Lane>> {
        let mut lanes: Vec<_> = self.lanes.values().filter(|lane| lane.department == department).cloned().collect();
        lanes.sort_by_key(|lane| lane.row);
        lanes
    }
}

/// The present snapshot.
#[derive(Clone, Default)]
pub struct Directory {
    current: Arc<ArcSwap<Snapshot>>,
}

impl Directory {
    /// The present snapshot, without a lock. Do not hold it across an await: clone the `Arc`s you need.
    pub fn get(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Reads the tables anew.
    ///
    /// # Errors
    /// When they cannot be read; the old snapshot stays.
    pub async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let snapshot = store.directory().await?;
        self.current.store(Arc::new(snapshot));
        Ok(())
    }
}
