//! Making batches: which events go together, and which are held.

use super::Outbox;
use crate::store::{Delivery, DeliveryKind, DeliveryState, DeliveryStep, EventKey, LoggedEvent};
use herald_rules::{
    ids::{DeliveryId, MessageId},
    time::Timestamp,
};
use std::{collections::HashMap, time::Duration};

/// A batch that is being made.
struct Draft {
    id: DeliveryId,
    events: Vec<EventKey>,
    messages: Vec<MessageId>,
    body: Vec<u8>,
    oldest: Timestamp,
}

impl Draft {
    fn new() -> Self {
        let body = Vec::with_capacity(16 * 1024);
        Self { id: DeliveryId::new(), events: Vec::new(), messages: Vec::new(), body, oldest: Timestamp(i64::MAX) }
    }

    fn push(&mut self, event: &LoggedEvent) {
        self.body.push(if self.events.is_empty() { b'[' } else { b',' });
        self.body.extend_from_slice(&event.json);
        self.events.push(event.key);
        self.messages.push(event.id);
        self.oldest = self.oldest.min(event.at);
    }
}

impl Outbox {
    /// Freezes as many batches as may go now. They are in `step`, and start once that is durable.
    pub(in super::super) fn freeze(&mut self, now: Timestamp, step: &mut DeliveryStep) {
        let mut room = self.room_for_batches(now);
        if room == 0 || self.crowded() || self.batch_due().is_none_or(|due| now < due) {
            return;
        }
        let mut cursors = HashMap::new();
        while room > 0
            && let Some(draft) = self.draft(step, &mut cursors)
        {
            self.last_freeze = now;
            let mut body = draft.body;
            body.push(b']');
            let delivery = Delivery {
                id: draft.id,
                kind: DeliveryKind::Events,
                state: DeliveryState::Waiting,
                attempts: 0,
                due: now,
                oldest: draft.oldest,
                events: draft.events,
                origin: None,
            };
            step.frozen.push(delivery.clone());
            self.add(delivery, draft.messages, Some(body));
            room -= 1;
        }
        step.cursors.extend(cursors.into_iter().map(|(lane, sequence)| EventKey { lane, sequence }));
    }

    /// How many new batches may be started. Those that wait come first.
    fn room_for_batches(&self, now: Timestamp) -> usize {
        if let Some(failing) = self.failing {
            // The probe, where nothing else can be it.
            return usize::from(self.in_flight == 0 && now >= failing.retry_at && self.waiting.is_empty());
        }
        let due = self.waiting.iter().take_while(|(due, _)| *due <= now).count();
        self.slots().saturating_sub(self.in_flight + due)
    }

    /// When a batch should be made of what is here; `None` while nothing is. The first after a quiet time goes at once;
    /// then, while events keep coming, they are given time to become a batch.
    pub(super) fn batch_due(&self) -> Option<Timestamp> {
        let linger = self.bounds.linger;
        let full = self.pending.len() >= self.bounds.max_batch || self.pending_bytes >= self.bounds.max_bytes;
        if full || !self.returned.is_empty() {
            return Some(Timestamp(0));
        }
        if self.pending.is_empty() {
            return None;
        }
        // A tenth of the time without a new event: they no longer keep coming.
        let quiet = self.pending_last + linger.div_f64(10.0).max(Duration::from_millis(1));
        let long_enough = self.pending_since + linger;
        Some(quiet.min(long_enough).min(self.last_freeze + linger))
    }

    /// Fills one batch: first what was held, then the log in order.
    fn draft(&mut self, step: &mut DeliveryStep, cursors: &mut HashMap<i64, i64>) -> Option<Draft> {
        let mut draft = Draft::new();
        while draft.events.len() < self.bounds.max_batch
            && let Some(event) = self.returned.front()
        {
            if self.is_in_another(event.id, &draft) || !self.is_next_held(event) {
                // It stays held, and comes back when that delivery is through.
                self.returned.pop_front();
                continue;
            }
            if self.would_overflow(&draft, event) {
                return Some(draft);
            }
            draft.push(event);
            self.busy.insert(event.id, draft.id);
            step.released.push(event.key);
            let id = event.id;
            self.returned.pop_front();
            self.no_longer_held(id);
        }
        while draft.events.len() < self.bounds.max_batch
            && let Some(event) = self.pending.front()
        {
            let waits = self.is_in_another(event.id, &draft) || self.held.contains_key(&event.id);
            let unwanted = event.json.is_empty();
            if !waits && self.would_overflow(&draft, event) {
                return Some(draft);
            }
            let Some(event) = self.pending.pop_front() else { break };
            self.pending_bytes -= event.json.len();
            cursors.insert(event.key.lane, event.key.sequence);
            if unwanted {
                continue;
            }
            if waits {
                step.held.push((event.key, event.id));
                self.held.entry(event.id).or_default().push_back(event.key);
            } else {
                self.busy.insert(event.id, draft.id);
                draft.push(&event);
            }
        }
        (!draft.events.is_empty()).then_some(draft)
    }

    fn is_in_another(&self, message: MessageId, draft: &Draft) -> bool {
        self.busy.get(&message).is_some_and(|delivery| *delivery != draft.id)
    }

    fn is_next_held(&self, event: &LoggedEvent) -> bool {
        self.held.get(&event.id).and_then(|keys| keys.front()) == Some(&event.key)
    }

    fn would_overflow(&self, draft: &Draft, event: &LoggedEvent) -> bool {
        !draft.events.is_empty() && draft.body.len() + event.json.len() + 2 > self.bounds.max_bytes
    }

    fn no_longer_held(&mut self, message: MessageId) {
        if let Some(keys) = self.held.get_mut(&message) {
            keys.pop_front();
            if keys.is_empty() {
                self.held.remove(&message);
            }
        }
    }
}
