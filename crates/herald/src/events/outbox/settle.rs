//! What a result means: for the delivery, for what waits behind it, and for the endpoint.

use super::{Open, Outbox, REFUSALS};
use crate::{
    events::attempt::{Outcome, Tried},
    observe::metrics::DeliveryResult,
    store::{Delivery, DeliveryKind, DeliveryState, DeliveryStep, EventKey, Failing, Moved},
};
use herald_rules::{
    ids::{DeliveryId, MessageId},
    time::Timestamp,
};
use std::time::Duration;

/// The wait after so many failures, given what the endpoint asked for.
pub(in super::super) type Wait<'a> = &'a dyn Fn(u32, Option<Duration>) -> Duration;

impl Outbox {
    /// Takes a result. Says what it came to, and how old the oldest event of what was taken is.
    pub(in super::super) fn settle(
        &mut self,
        tried: Tried,
        now: Timestamp,
        wait: Wait<'_>,
        step: &mut DeliveryStep,
    ) -> Option<(DeliveryResult, Duration)> {
        let problem = tried.problem();
        let Tried { attempt, outcome } = tried;
        let id = attempt.delivery;
        let mut open = self.open.remove(&id)?;
        self.in_flight -= 1;
        let was_parked = open.delivery.state == DeliveryState::Parked;
        self.parked_in_flight -= usize::from(was_parked);
        self.replays -= usize::from(!was_parked && open.delivery.kind == DeliveryKind::Replay);
        let was_probe = self.probe.take_if(|probe| *probe == id).is_some();
        open.in_flight = false;
        open.delivery.attempts += 1;
        let age = now.since(open.delivery.oldest);
        if outcome != Outcome::Gone {
            step.attempts.push(attempt);
        }
        let result = match outcome {
            Outcome::Taken => {
                self.recovered(was_probe, now, step);
                self.end(open, DeliveryState::Taken, now, step);
                DeliveryResult::Delivered
            }
            Outcome::Gone => {
                self.end(open, DeliveryState::Exhausted, now, step);
                DeliveryResult::Exhausted
            }
            Outcome::Down { wish } => {
                let due = now + wait(open.delivery.attempts, wish);
                self.fails(was_probe, problem, now, wait, wish, step);
                let state = open.delivery.state;
                self.again(open, state, due, now, step)
            }
            Outcome::Refused => self.refused(open, was_probe, problem, now, wait, step),
        };
        Some((result, age))
    }

    fn refused(
        &mut self,
        open: Open,
        was_probe: bool,
        problem: Option<String>,
        now: Timestamp,
        wait: Wait<'_>,
        step: &mut DeliveryStep,
    ) -> DeliveryResult {
        let was_parked = open.delivery.state == DeliveryState::Parked;
        // A parked event is refused again and again: that says nothing new about the endpoint.
        self.refusals += u32::from(!was_parked);
        if self.failing.is_some() || self.refusals >= REFUSALS {
            self.fails(was_probe, problem, now, wait, None, step);
        }
        if open.delivery.events.len() > 1 {
            self.divide(open, now, step);
            return DeliveryResult::Halved;
        }
        let due = now + wait(open.delivery.attempts, None);
        self.again(open, DeliveryState::Parked, due, now, step)
    }

    /// It waits for its next try, or its time is over.
    fn again(
        &mut self,
        mut open: Open,
        state: DeliveryState,
        due: Timestamp,
        now: Timestamp,
        step: &mut DeliveryStep,
    ) -> DeliveryResult {
        let last = open.delivery.oldest + self.bounds.max_age;
        if now >= last {
            self.end(open, DeliveryState::Exhausted, now, step);
            return DeliveryResult::Exhausted;
        }
        open.delivery.state = state;
        // The last try is made at the limit itself rather than given up early.
        open.delivery.due = due.min(last);
        let Delivery { id, attempts, due, .. } = open.delivery;
        step.moved.push(Moved { id, state, attempts, due });
        self.add(open.delivery, open.messages, None);
        if state == DeliveryState::Parked { DeliveryResult::Parked } else { DeliveryResult::Retry }
    }

    fn end(&mut self, open: Open, state: DeliveryState, now: Timestamp, step: &mut DeliveryStep) {
        let Delivery { id, attempts, .. } = open.delivery;
        step.moved.push(Moved { id, state, attempts, due: now });
        self.let_go(id, &open.messages);
    }

    /// What waited for these messages may go.
    fn let_go(&mut self, id: DeliveryId, messages: &[MessageId]) {
        for message in messages {
            if self.busy.get(message) == Some(&id) {
                self.busy.remove(message);
                if self.held.contains_key(message) {
                    self.free.push_back(*message);
                }
            }
        }
    }

    /// Two halves in its place, the events of each message together and in order. Of a batch with one message only the
    /// first event goes, and the others wait for it.
    fn divide(&mut self, open: Open, now: Timestamp, step: &mut DeliveryStep) {
        let Open { delivery, messages, .. } = open;
        step.moved.push(Moved { id: delivery.id, state: DeliveryState::Split, attempts: delivery.attempts, due: now });
        let pairs: Vec<(EventKey, Option<MessageId>)> =
            delivery.events.iter().enumerate().map(|(at, key)| (*key, messages.get(at).copied())).collect();
        let (first, second) = halves(&pairs);
        if second.is_empty() {
            let (head, rest) = first.split_at(1.min(first.len()));
            self.part(&delivery, head, now, step);
            for (key, message) in rest.iter().rev() {
                let Some(message) = message else { continue };
                // Before what is held already, since they are older.
                self.held.entry(*message).or_default().push_front(*key);
                step.held.push((*key, *message));
            }
            return;
        }
        self.part(&delivery, &first, now, step);
        self.part(&delivery, &second, now, step);
    }

    fn part(
        &mut self,
        of: &Delivery,
        pairs: &[(EventKey, Option<MessageId>)],
        now: Timestamp,
        step: &mut DeliveryStep,
    ) {
        let part = Delivery {
            id: DeliveryId::new(),
            kind: of.kind,
            state: DeliveryState::Waiting,
            attempts: 0,
            due: now,
            oldest: of.oldest,
            events: pairs.iter().map(|(key, _)| *key).collect(),
            origin: Some(of.id),
        };
        step.frozen.push(part.clone());
        self.add(part, pairs.iter().filter_map(|(_, message)| *message).collect(), None);
    }

    /// The endpoint took nothing. Only the probe counts while it is failing: what was under way before says the same
    /// thing several times.
    fn fails(
        &mut self,
        was_probe: bool,
        problem: Option<String>,
        now: Timestamp,
        wait: Wait<'_>,
        wish: Option<Duration>,
        step: &mut DeliveryStep,
    ) {
        let failing = match self.failing {
            None => Failing { since: now, failures: 1, retry_at: now + wait(1, wish) },
            Some(failing) if was_probe => {
                let failures = failing.failures.saturating_add(1);
                Failing { since: failing.since, failures, retry_at: now + wait(failures, wish) }
            }
            Some(_) => return,
        };
        step.pause |= now.since(failing.since) >= self.bounds.disable_after;
        step.failing = Some((Some(failing), problem));
        self.failing = Some(failing);
    }

    fn recovered(&mut self, was_probe: bool, now: Timestamp, step: &mut DeliveryStep) {
        self.refusals = 0;
        if self.failing.take().is_none() {
            return;
        }
        step.failing = Some((None, None));
        if was_probe {
            // What waited for the endpoint need not wait for its own time any more. A result of before says less.
            let waiting = std::mem::take(&mut self.waiting);
            for (due, id) in waiting {
                let due = due.min(now);
                if let Some(open) = self.open.get_mut(&id) {
                    open.delivery.due = due;
                }
                self.waiting.insert((due, id));
            }
        }
    }
}

type Pairs = Vec<(EventKey, Option<MessageId>)>;

/// Cuts after the message with which the first half is full. Events without a known message stand alone.
fn halves(pairs: &[(EventKey, Option<MessageId>)]) -> (Pairs, Pairs) {
    let mut order: Vec<Option<MessageId>> = Vec::new();
    let (mut in_first, mut seen) = (std::collections::HashSet::new(), std::collections::HashSet::new());
    if pairs.iter().any(|(_, message)| message.is_none()) {
        let (first, second) = pairs.split_at(pairs.len().div_ceil(2));
        return (first.to_vec(), second.to_vec());
    }
    for (_, message) in pairs {
        if seen.insert(*message) {
            order.push(*message);
        }
    }
    let mut count = 0;
    let last = order.len().saturating_sub(1).max(1);
    for message in order.iter().take(last) {
        if count * 2 >= pairs.len() {
            break;
        }
        count += pairs.iter().filter(|(_, of)| of == message).count();
        in_first.insert(*message);
    }
    pairs.iter().partition(|(_, message)| in_first.contains(message))
}
