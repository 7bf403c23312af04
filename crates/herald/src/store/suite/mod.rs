//! The store's promises, told as a suite that knows no engine: it runs on each.

mod accepting;
mod access;
mod administration;
mod batches;
mod contacts;
mod deliveries;
mod evidence;
mod fixture;
mod heads;
mod inbound;
mod inbox;
mod lanes;
mod limits;
mod log;
mod months;
mod owners;
mod parts;
mod polling;
mod receipts;
mod replays;
mod retention;
mod server_lost;
mod several_nodes;
mod stories;
mod subscriptions;
mod suppressions;
mod templates;
mod versions;

use super::*;
use fixture::*;
use herald_channels::contract::{Pricing, Receipt, Reference};
use herald_rules::{
    ids::{ChannelId, DepartmentId, MessageId},
    message::{Message, Priority},
    protocol::{Protocol, Provider},
    status::Status,
    time::Timestamp,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const NOW: Timestamp = Timestamp(1_795_348_800_000_000);
/// More than a month before [`LATER`], so that whole months are forgotten, too.
const OLD: Timestamp = Timestamp(1_700_000_000_000_000);
/// All that is as old as [`OLD`] may be forgotten by then.
const LATER: Timestamp = Timestamp(1_710_000_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
