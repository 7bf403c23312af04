//! The words for departments, channels and identifiers as they are made and changed.

use super::{ChannelRow, DepartmentRow, NewSecret, UserRow};
use crate::node::directory::{ChannelSettings, DepartmentSettings};
use herald_rules::{
    ids::{ChannelId, DepartmentId},
    protocol::{Protocol, Provider},
    time::Timestamp,
};

/// A department to be made, with its first secret and, if given, its first user.
#[derive(Clone, Debug)]
pub struct NewDepartment {
    /// Its id and API key.
    pub id: DepartmentId,
    /// For people.
    pub name: String,
    /// What it sets otherwise than the configuration.
    pub settings: DepartmentSettings,
    /// Its first secret.
    pub secret: NewSecret,
    /// Its first user.
    pub user: Option<UserRow>,
    /// When.
    pub created_at: Timestamp,
}

/// A channel to be made, with its identifiers.
#[derive(Clone, Debug)]
pub struct NewChannel {
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
    /// Whether anything goes out.
    pub active: bool,
    /// Whether messages may be sent that open no ticket.
    pub non_ticket: bool,
    /// Its settings.
    pub settings: ChannelSettings,
    /// Its credentials, sealed.
    pub sealed_credentials: Option<Vec<u8>>,
    /// Its numbers or ids.
    pub identifiers: Vec<NewIdentifier>,
    /// When.
    pub created_at: Timestamp,
}

/// An identifier to be added to a channel.
#[derive(Clone, Debug)]
pub struct NewIdentifier {
    /// Normalised.
    pub identifier: String,
    /// For people.
    pub name: String,
    /// None: the configured default.
    pub rate: Option<String>,
}

/// What of a channel changes; None stays.
#[derive(Clone, Debug, Default)]
pub struct ChannelChange {
    /// For people.
    pub name: Option<String>,
    /// Whether anything goes out.
    pub active: Option<bool>,
    /// Whether messages may be sent that open no ticket.
    pub non_ticket: Option<bool>,
    /// Its settings.
    pub settings: Option<ChannelSettings>,
    /// Its credentials, sealed.
    pub sealed_credentials: Option<Vec<u8>>,
}

/// What of a lane changes; None stays.
#[derive(Clone, Debug, Default)]
pub struct LaneChange {
    /// For people.
    pub name: Option<String>,
    /// Some(None): back to the configured default.
    pub rate: Option<Option<String>>,
    /// Whether somebody paused it.
    pub paused: Option<bool>,
}

/// Where identifiers are added.
#[derive(Clone, Copy, Debug)]
pub struct ChannelPlace {
    /// Whose.
    pub department: DepartmentRow,
    /// Of which channel.
    pub channel: ChannelRow,
    /// The channel's protocol.
    pub protocol: Protocol,
}
