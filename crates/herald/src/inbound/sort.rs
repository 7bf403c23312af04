//! From what the adapter reads in callbacks to the work for the store.

use crate::{
    node::directory::{Channel, Snapshot},
    store::{CallbackWork, InboxKind, InboxPage, MarketingWish, NewInbound, WaitingCallback},
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

/// Reads a page of callbacks. Without an adapter only what our own nodes wrote is read.
pub(super) fn sort(page: &InboxPage, adapter: Option<&Adapter>, channel: &Channel, snapshot: &Snapshot) -> Sorted {
    let InboxPage { department, channel: row, callbacks } = page;
    let work = CallbackWork { department: *department, channel: *row, now: Timestamp::now(), ..Default::default() };
    let mut sorted = Sorted { work, ..Sorted::default() };
    for WaitingCallback { number, kind, at, body } in callbacks {
        let adapter = match (kind, adapter) {
            (InboxKind::Evidence, _) => {
                match serde_json::from_slice(body) {
                    Ok(evidence) => sorted.work.evidence.push((*number, evidence)),
                    Err(_) => sorted.work.unreadable.push((*number, "evidence of another version".to_owned())),
                }
                continue;
            }
            (InboxKind::Callback, Some(adapter)) => adapter,
            (InboxKind::Callback, None) => continue,
        };
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

/// Meta tells whole seconds, before which the call itself may have been answered. Where we heard of it within that second, our own
/// clock says the rest.
fn within_its_second(told: Timestamp, heard: Timestamp) -> Timestamp {
    let whole = told.0 % 1_000_000 == 0;
    if whole && (told.0..told.0 + 1_000_000).contains(&heard.0) { heard } else { told }
}

impl Sorted {
    fn add(&mut self, notice: Notice, at: Timestamp, channel: &Channel, snapshot: &Snapshot) {
        match notice {
            Notice::Receipt(mut receipt) => {
                receipt.at = receipt.at.map(|told| within_its_second(told, at));
                self.work.receipts.push(receipt);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_told_apart_by_our_clock_where_it_can_know() {
        let second = 1_000_000;
        for (told, heard, expected) in [
            (5 * second, 5 * second + 17, 5 * second + 17),
            (5 * second, 6 * second - 1, 6 * second - 1),
            (5 * second, 6 * second, 5 * second),
            (5 * second, 5 * second - 1, 5 * second),
            (5 * second + 3, 5 * second + 17, 5 * second + 3),
        ] {
            assert_eq!(within_its_second(Timestamp(told), Timestamp(heard)), Timestamp(expected), "{told} {heard}");
        }
    }
}
