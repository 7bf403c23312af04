//! What the simulator saw and did: the judge of tests.

use super::{
    error::GraphError,
    plan::Reply,
    record::{GraphCall, GraphReceipt, GraphRequest, GraphStatus, Sends},
};
use crate::{
    record::{CallOutcome, Mode, Summary},
    wire::ReceiptStatus,
};
use herald_rules::time::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many messages one generation holds in counting mode; two generations are kept.
const GENERATION: usize = 500_000;
/// How many other calls are kept.
const REQUESTS: usize = 10_000;

/// How often one message came, and was taken.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    attempts: u32,
    taken: u32,
}

/// One send call, before it is decided.
#[derive(Debug)]
pub(crate) struct Arriving<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) echo: Option<&'a str>,
    pub(crate) kind: &'a str,
    pub(crate) marketing_api: bool,
    pub(crate) body: &'a Value,
    /// Of customer, echo and content; None: every call is a message of its own.
    pub(crate) fingerprint: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    mode: Mode,
    generation: usize,
    young: HashMap<u64, Known>,
    old: HashMap<u64, Known>,
    pub(crate) calls: Vec<GraphCall>,
    pub(crate) receipts: Vec<GraphReceipt>,
    pub(crate) requests: VecDeque<GraphRequest>,
    pub(crate) counts: Summary,
    sent: [u64; 5],
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
            (self.calls, self.receipts, self.requests) = Default::default();
        }
    }

    /// Forgets everything but the mode, the seed and the numbering.
    pub(crate) fn clear(&mut self) {
        *self = Self { numbered: self.numbered, ..Self::new(self.mode, self.counts.seed) };
    }

    /// Notes a call, decides about it by its number and attempt, and returns the decision with that number.
    pub(crate) fn call<T>(
        &mut self,
        arriving: &Arriving<'_>,
        wamid: impl FnOnce(u64) -> String,
        decide: impl FnOnce(u64, u32) -> (Reply, T),
    ) -> (u64, Reply, T) {
        self.numbered += 1;
        let number = self.numbered;
        let known = arriving.fingerprint.map(|fingerprint| self.known_or_new(fingerprint));
        let attempt = known.map_or(1, |known| {
            known.attempts += 1;
            known.attempts
        });
        let (reply, decision) = decide(number, attempt);
        let outcome = CallOutcome::from(reply);
        let mut again = false;
        match arriving.fingerprint {
            Some(fingerprint) if outcome.taken() => {
                let known = self.known_or_new(fingerprint);
                known.taken += 1;
                again = known.taken == 2;
            }
            Some(_) => {}
            None => self.counts.distinct_references += 1,
        }
        self.counts.duplicates += u64::from(again);
        let wamid = outcome.taken().then(|| wamid(number));
        self.note(arriving, number, attempt, outcome, reply.error(), wamid);
        (number, reply, decision)
    }

    /// Notes a call that was refused for what it is.
    pub(crate) fn refused(&mut self, arriving: &Arriving<'_>, error: &GraphError) {
        self.numbered += 1;
        *self.counts.malformed.entry(error.code.to_string()).or_default() += 1;
        let details = error.details.as_ref().map(|details| details.clone().into_owned());
        self.note(arriving, self.numbered, 1, CallOutcome::Refused, Some(error.code), None);
        if let Some(call) = self.calls.last_mut().filter(|call| call.number == self.numbered) {
            call.details = details;
        }
    }

    fn note(
        &mut self,
        arriving: &Arriving<'_>,
        number: u64,
        attempt: u32,
        outcome: CallOutcome,
        code: Option<u32>,
        wamid: Option<String>,
    ) {
        let counts = &mut self.counts;
        counts.calls += 1;
        *counts.outcomes.entry(outcome).or_default() += 1;
        if outcome.taken() {
            counts.taken += 1;
            match counts.taken_by_protocol.get_mut(arriving.kind) {
                Some(count) => *count += 1,
                None => drop(counts.taken_by_protocol.insert(arriving.kind.to_owned(), 1)),
            }
        }
        if self.mode == Mode::Full {
            self.calls.push(GraphCall {
                number,
                at: Timestamp::now(),
                from: arriving.from.to_owned(),
                to: arriving.to.to_owned(),
                echo: arriving.echo.map(str::to_owned),
                kind: arriving.kind.to_owned(),
                marketing_api: arriving.marketing_api,
                attempt,
                outcome,
                code,
                details: None,
                wamid,
                body: arriving.body.clone(),
            });
        }
    }

    fn known_or_new(&mut self, key: u64) -> &mut Known {
        if !self.young.contains_key(&key) {
            let known = self.old.remove(&key).unwrap_or_else(|| {
                self.counts.distinct_references += 1;
                Known::default()
            });
            if self.mode == Mode::Counting && self.young.len() >= self.generation {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(key, known);
        }
        self.young.entry(key).or_default()
    }

    /// Notes any other call.
    pub(crate) fn request(&mut self, request: GraphRequest) {
        if self.mode == Mode::Full {
            if self.requests.len() >= REQUESTS {
                self.requests.pop_front();
            }
            self.requests.push_back(request);
        }
    }

    /// The receiver has taken a status.
    pub(crate) fn sent(&mut self, status: GraphStatus, receipt: impl FnOnce(u64) -> GraphReceipt) {
        self.sent[status as usize] += 1;
        if self.mode == Mode::Full {
            let number = self.receipts.len() as u64 + 1;
            self.receipts.push(receipt(number));
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        let [sent, delivered, read, played, failed] = self.sent;
        let counted = [
            (ReceiptStatus::Accepted, sent),
            (ReceiptStatus::Delivered, delivered),
            (ReceiptStatus::Read, read + played),
            (ReceiptStatus::Failed, failed),
        ];
        let receipts = counted.into_iter().filter(|(_, count)| *count > 0).collect();
        Summary { receipts, ..self.counts.clone() }
    }

    /// What was taken, by customer and echo. Only in full mode, and only what had an echo.
    pub(crate) fn sends(&self) -> Vec<Sends> {
        let mut all: BTreeMap<(&str, &str), (Vec<&GraphCall>, u32)> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.outcome.taken()) {
            let Some(echo) = call.echo.as_deref() else { continue };
            let (calls, duplicates) = all.entry((&call.to, echo)).or_default();
            *duplicates += u32::from(calls.iter().any(|earlier| earlier.body == call.body));
            calls.push(call);
        }
        let sends = all.into_iter().map(|((to, echo), (calls, duplicates))| Sends {
            to: to.to_owned(),
            echo: echo.to_owned(),
            calls: calls.iter().map(|call| call.number).collect(),
            duplicates,
        });
        sends.collect()
    }
}
