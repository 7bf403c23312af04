//! Handing events to pollers: each with a handle by which it is deleted.

use super::{envelope, manager::Events};
use crate::{
    node::crash,
    store::{EventKey, Poll, StoreError, Subscription, SubscriptionRow},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use herald_rules::ids::DepartmentId;

/// The most events in one answer.
const MOST: usize = 100;

/// By what a polled event is deleted. It names the event; that the event is the caller's is checked when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// The queue.
    pub subscription: SubscriptionRow,
    /// The event.
    pub key: EventKey,
    /// Which time it was handed out; an older handle deletes as well.
    pub taken: u32,
}

impl Handle {
    /// As `queueReceiptHandle`.
    pub fn text(&self) -> String {
        let mut bytes = Vec::with_capacity(28);
        bytes.extend_from_slice(&self.subscription.to_le_bytes());
        bytes.extend_from_slice(&self.key.lane.to_le_bytes());
        bytes.extend_from_slice(&self.key.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.taken.to_le_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a `queueReceiptHandle`; `None` for what is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 28] = URL_SAFE_NO_PAD.decode(text.trim()).ok()?.try_into().ok()?;
        let number = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(i64::from_le_bytes);
        Some(Self {
            subscription: number(0)?,
            key: EventKey { lane: number(8)?, sequence: number(16)? },
            taken: u32::from_le_bytes(bytes.get(24..)?.try_into().ok()?),
        })
    }

    /// As `queueMessageId`: the same each time the event is handed out.
    fn message_id(&self) -> String {
        format!("{}-{}", self.key.lane, self.key.sequence)
    }
}

impl Events {
    /// The next events of a polling queue as JSON objects, at most 100. With `delete` they are taken as they are read
    /// (at most once); else they are hidden for a while, until they are deleted by handle.
    ///
    /// # Errors
    /// When the store is not available; nothing was taken then.
    pub async fn poll(
        &self,
        department: DepartmentId,
        subscription: Subscription,
        delete: bool,
    ) -> Result<Vec<String>, StoreError> {
        let shared = self.shared();
        let settings = &shared.settings;
        let poll = Poll {
            now: settings.now(),
            limit: MOST,
            hidden_for: settings.visibility,
            keep: settings.polling_keep,
            delete,
        };
        let (row, owner) = (subscription.row, subscription.department);
        let polled = crash::around("poll", shared.store.poll(subscription, poll)).await?;
        let keys = polled.iter().map(|event| event.key).collect();
        let render = envelope::renderer(department, shared.directory.clone());
        let events = shared.store.log_of(owner, keys, render).await?;
        let mut taken = polled.into_iter();
        Ok(events
            .iter()
            .filter_map(|event| {
                let polled = taken.find(|polled| polled.key == event.key)?;
                let handle = Handle { subscription: row, key: event.key, taken: polled.taken };
                Some(envelope::with_handle(&event.json, &handle.text(), &handle.message_id()))
            })
            .collect())
    }

    /// Deletes polled events of a department's queues; returns how many there were. What is not there, or somebody
    /// else's, is left alone.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn delete_polled(
        &self,
        department: crate::store::DepartmentRow,
        handles: Vec<Handle>,
    ) -> Result<u64, StoreError> {
        let store = &self.shared().store;
        let mut gone = 0;
        for subscription in store.subscriptions(Some(department)).await? {
            let of_it = |handle: &&Handle| handle.subscription == subscription.row;
            let keys: Vec<_> = handles.iter().filter(of_it).map(|handle| handle.key).collect();
            if !keys.is_empty() {
                gone += crash::around("poll_delete", store.delete_polled(subscription.row, keys)).await?;
            }
        }
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_come_back() {
        let handle = Handle { subscription: 3, key: EventKey { lane: 7, sequence: 1_000_000 }, taken: 2 };
        assert_eq!(Handle::parse(&handle.text()), Some(handle));
        for bad in ["", "x", "AAAA", &format!("{}AA", handle.text()), "ünicode"] {
            assert_eq!(Handle::parse(bad), None, "{bad}");
        }
    }
}
