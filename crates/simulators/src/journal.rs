//! What the simulator saw and did: the judge of crash tests.

use crate::{
    code::Code,
    plan::Reply,
    record::{Call, CallOutcome, Mode, SentReceipt, Summary},
    wire::ReceiptStatus,
};
use herald_rules::{protocol::Protocol, time::Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

/// How many references one generation holds in counting mode; two generations are kept.
const GENERATION: usize = 500_000;

/// What is known about one client reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) protocol: Protocol,
    pub(crate) attempts: u32,
    pub(crate) taken: u32,
    /// Of the newest taken message.
    pub(crate) serial: u64,
    pub(crate) status: ReceiptStatus,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    mode: Mode,
    generation: usize,
    young: HashMap<u128, Known>,
    old: HashMap<u128, Known>,
    pub(crate) calls: Vec<Call>,
    pub(crate) receipts: Vec<SentReceipt>,
    pub(crate) counts: Summary,
    sent: [u64; 4],
    numbered: u64,
}

impl Journal {
    pub(crate) fn new(mode: Mode, seed: u64) -> Self {
        Self { mode, generation: GENERATION, counts: Summary { seed, ..Summary::default() }, ..Self::default() }
    }

    /// Changes how much is kept from now on; counting mode forgets the calls and receipts kept so far.
    pub(crate) fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        if mode == Mode::Counting {
            self.calls = Vec::new();
            self.receipts = Vec::new();
        }
    }

    /// Forgets everything but the mode, the seed and the numbering.
    pub(crate) fn clear(&mut self) {
        *self = Self { numbered: self.numbered, ..Self::new(self.mode, self.counts.seed) };
    }

    /// Notes a call, decides about it by its number and attempt, and returns the decision with that number.
    pub(crate) fn call<T>(
        &mut self,
        protocol: Protocol,
        reference: Uuid,
        ends: (&str, &str),
        decide: impl FnOnce(u64, u32) -> (Reply, T),
    ) -> (u64, Reply, T) {
        self.numbered += 1;
        let number = self.numbered;
        let mode = self.mode;
        let known = self.known_or_new(protocol, reference.as_u128());
        known.attempts += 1;
        let attempt = known.attempts;
        let (reply, decision) = decide(number, attempt);
        let again = reply.takes() && {
            known.taken += 1;
            known.serial = number;
            known.status = ReceiptStatus::Accepted;
            known.taken == 2
        };
        let outcome = CallOutcome::from(reply);
        let counts = &mut self.counts;
        counts.calls += 1;
        counts.duplicates += u64::from(again);
        *counts.outcomes.entry(outcome).or_default() += 1;
        if outcome.taken() {
            counts.taken += 1;
            match counts.taken_by_protocol.get_mut(protocol.as_str()) {
                Some(count) => *count += 1,
                None => drop(counts.taken_by_protocol.insert(protocol.to_string(), 1)),
            }
        }
        if mode == Mode::Full {
            let code = match reply {
                Reply::Error(code) | Reply::Throttle(code, _) => Some(code),
                _ => None,
            };
            let (from, to) = (ends.0.to_owned(), ends.1.to_owned());
            let at = Timestamp::now();
            self.calls.push(Call {
                number,
                at,
                protocol,
                from,
                to,
                client_reference: reference,
                attempt,
                outcome,
                code,
            });
        }
        (number, reply, decision)
    }

    fn known_or_new(&mut self, protocol: Protocol, key: u128) -> &mut Known {
        if !self.young.contains_key(&key) {
            let known = self.old.remove(&key).unwrap_or_else(|| {
                self.counts.distinct_references += 1;
                Known { protocol, attempts: 0, taken: 0, serial: 0, status: ReceiptStatus::Accepted }
            });
            if self.mode == Mode::Counting && self.young.len() >= self.generation {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(key, known);
        }
        self.young.entry(key).or_insert(Known {
            protocol,
            attempts: 0,
            taken: 0,
            serial: 0,
            status: ReceiptStatus::Accepted,
        })
    }

    /// Counts a call that is not of the wire's form.
    pub(crate) fn malformed(&mut self, code: Code) {
        *self.counts.malformed.entry(code.as_str().to_owned()).or_default() += 1;
    }

    /// What is known about a reference.
    pub(crate) fn find(&self, reference: Uuid) -> Option<Known> {
        let key = reference.as_u128();
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }

    /// The references that were taken more than once.
    pub(crate) fn duplicates(&self) -> Vec<Uuid> {
        let all = self.young.iter().chain(&self.old);
        let mut list: Vec<Uuid> =
            all.filter(|(_, known)| known.taken > 1).map(|(key, _)| Uuid::from_u128(*key)).collect();
        list.sort_unstable();
        list
    }

    /// A status has come to pass, whether or not its receipt arrives.
    pub(crate) fn happened(&mut self, reference: Uuid, serial: u64, status: ReceiptStatus) {
        let key = reference.as_u128();
        let known = self.young.get_mut(&key).or_else(|| self.old.get_mut(&key));
        if let Some(known) = known.filter(|known| known.serial == serial) {
            known.status = known.status.max(status);
        }
    }

    /// The receiver has taken a receipt.
    pub(crate) fn sent(&mut self, protocol: Protocol, reference: Uuid, status: ReceiptStatus, tries: u32) {
        self.sent[status as usize] += 1;
        if self.mode == Mode::Full {
            let (number, at) = (self.receipts.len() as u64 + 1, Timestamp::now());
            self.receipts.push(SentReceipt { number, at, protocol, client_reference: reference, status, tries });
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        let counted = ReceiptStatus::ALL.into_iter().map(|status| (status, self.sent[status as usize]));
        Summary { receipts: counted.filter(|(_, count)| *count > 0).collect(), ..self.counts.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(journal: &mut Journal, reference: u128, reply: Reply) -> u32 {
        journal.call(Protocol::SMS, Uuid::from_u128(reference), ("1", "2"), |_, attempt| (reply, attempt)).2
    }

    #[test]
    fn duplicates_are_references_taken_twice() {
        let mut journal = Journal::default();
        assert_eq!(call(&mut journal, 1, Reply::DropBefore), 1);
        assert_eq!(call(&mut journal, 1, Reply::DropAfter), 2);
        assert_eq!(journal.summary().duplicates, 0);
        assert_eq!(call(&mut journal, 1, Reply::Accept), 3);
        assert_eq!(call(&mut journal, 1, Reply::Accept), 4);
        assert_eq!(call(&mut journal, 2, Reply::Accept), 1);
        let summary = journal.summary();
        assert_eq!((summary.calls, summary.distinct_references, summary.taken, summary.duplicates), (5, 2, 4, 1));
        assert_eq!(journal.duplicates(), [Uuid::from_u128(1)]);
        assert_eq!(journal.calls.len(), 5);
    }

    #[test]
    fn counting_keeps_memory_bounded() {
        let mut journal = Journal { generation: 100, ..Journal::new(Mode::Counting, 0) };
        let total = 210;
        for reference in 0..total {
            call(&mut journal, reference, Reply::Accept);
        }
        assert!(journal.young.len() + journal.old.len() <= 200);
        assert_eq!(call(&mut journal, total - 1, Reply::Accept), 2);
        assert_eq!(journal.summary().duplicates, 1);
        assert!(journal.calls.is_empty());
    }
}
