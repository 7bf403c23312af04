//! From what the adapter reads in callbacks to the work for the store.

use crate::{
    node::directory::{Channel, Snapshot},
    store::{CallbackWork, InboxPage, MarketingWish, NewInbound, WaitingCallback},
};
use herald_channels::{
    contract::{AccountNotice, Notice, TemplateNotice},
    registry::Adapter,
};
use herald_rules::{ids::MessageId, time::Timestamp};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What a page of callbacks tells.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// For the store.
    pub(super) work: CallbackWork,
    /// For the templates.
    pub(super) templates: Vec<TemplateNotice>,
    /// For the account's limits.
    pub(super) accounts: Vec<AccountNotice>,
    /// What nobody acts on, by the provider's word for it.
    pub(super) ignored: HashMap<String, u64>,
}

/// The word for a message to an identifier that the channel does not have.
const UNKNOWN_IDENTIFIER: &str = "inbound.unknown_identifier";

/// Reads a page of callbacks.
pub(super) fn sort(page: &InboxPage, adapter: &Adapter, channel: &Channel, snapshot: &Snapshot) -> Sorted {
    let InboxPage { department, channel: row, callbacks } = page;
    let work = CallbackWork { department: *department, channel: *row, now: Timestamp::now(), ..Default::default() };
    let mut sorted = Sorted { work, ..Sorted::default() };
    for WaitingCallback { number, at, body } in callbacks {
        // An adapter never panics. If one did, its channel would be read again and again, and every other wait for it.
        match catch_unwind(AssertUnwindSafe(|| adapter.read(body))) {
            Ok(Ok(notices)) => {
                sorted.work.done.push(*number);
                for notice in notices {
                    sorted.add(notice, *at, channel, snapshot);
                }
            }
            Ok(Err(error)) => sorted.work.unreadable.push((*number, error.to_string())),
            Err(_) => sorted.work.unreadable.push((*number, "a fault of Herald's while it was read".to_owned())),
        }
    }
    sorted
}

impl Sorted {
    fn add(&mut self, notice: Notice, at: Timestamp, channel: &Channel, snapshot: &Snapshot) {
        match notice {
            Notice::Receipt(receipt) => self.work.receipts.push(receipt),
            Notice::Inbound(inbound) => {
                let lane = snapshot.lane_of(inbound.protocol, &inbound.to).filter(|lane| lane.channel == channel.row);
                let Some(lane) = lane else { return self.ignore(UNKNOWN_IDENTIFIER.to_owned()) };
                let number = u16::try_from(self.work.inbound.len()).unwrap_or(u16::MAX);
                let id = MessageId::received_at(at, number);
                self.work.inbound.push(NewInbound { id, lane: lane.row, received_at: at, inbound: *inbound });
            }
            Notice::Marketing { customer, wanted, at, .. } => {
                self.work.marketing.push(MarketingWish { customer, wanted, at });
            }
            Notice::Template(notice) => self.templates.push(notice),
            Notice::Account(notice) => self.accounts.push(notice),
            Notice::Ignored(field) => self.ignore(field),
        }
    }

    fn ignore(&mut self, field: String) {
        *self.ignored.entry(field).or_insert(0) += 1;
    }
}
