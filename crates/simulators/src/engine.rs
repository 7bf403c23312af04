//! The state that all connections share, and what happens to one call.

use crate::{
    behaviour::{RateLimit, Scope},
    behaviours::Behaviours,
    callbacks::Targets,
    code::Code,
    journal::Journal,
    limit::Buckets,
    magic::Magic,
    plan::{self, Plan, Reply},
    record::{Mode, Summary},
    shard::Waiting,
    simulator::{Account, Options},
    wire::{self, ReceiptStatus},
};
use herald_rules::{protocol::Protocol, time::Timestamp};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The most receipts that wait; about 130 bytes each. More are given up and counted.
const MOST_WAITING: usize = 2_000_000;

#[derive(Debug)]
pub(crate) struct Engine {
    seed: u64,
    /// In every reference, so that those of two starts never meet.
    run: i64,
    accounts: RwLock<HashMap<Arc<str>, Arc<str>>>,
    behaviours: RwLock<Arc<Behaviours>>,
    journal: Mutex<Journal>,
    buckets: Mutex<Buckets>,
    targets: Targets,
    waiting: AtomicUsize,
    pub(crate) callback_connections: usize,
    pub(crate) stopped: CancellationToken,
}

/// What a call gets, and what to wait for before.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) reply: Reply,
    pub(crate) reference: String,
    pub(crate) latency: Duration,
    /// Done when the first receipt has been taken by the receiver.
    pub(crate) receipt_first: Option<oneshot::Receiver<()>>,
}

/// A newest message, for look-ups.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) reference: String,
    pub(crate) status: ReceiptStatus,
}

impl Engine {
    pub(crate) fn new(options: &Options) -> Self {
        let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
        let engine = Self {
            seed,
            run: Timestamp::now().0,
            accounts: RwLock::default(),
            behaviours: RwLock::new(Arc::new(options.behaviours.clone())),
            journal: Mutex::new(Journal::new(options.journal, seed)),
            buckets: Mutex::default(),
            targets: Targets::default(),
            waiting: AtomicUsize::new(0),
            callback_connections: options.callback_connections.max(1),
            stopped: CancellationToken::new(),
        };
        for account in &options.accounts {
            engine.add_account(account);
        }
        engine
    }

    pub(crate) fn add_account(&self, account: &Account) {
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        accounts.insert(account.key.as_str().into(), account.callback_secret.as_str().into());
    }

    /// The key and secret of an `Authorization` header. Not in constant time: these keys guard nothing, and the
    /// simulator listens on loopback only.
    pub(crate) fn account(&self, authorization: Option<&http::HeaderValue>) -> Result<(Arc<str>, Arc<str>), Code> {
        let key = authorization.and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let found = key.and_then(|key| accounts.get_key_value(key));
        found.map(|(key, secret)| (Arc::clone(key), Arc::clone(secret))).ok_or(Code::Unauthorized)
    }

    pub(crate) fn behaviours(&self) -> Arc<Behaviours> {
        Arc::clone(&self.behaviours.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the behaviours by what `change` makes of them, unless it or the check of the result objects.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&Behaviours) -> Result<Behaviours, String>,
    ) -> Result<Arc<Behaviours>, String> {
        let mut present = self.behaviours.write().unwrap_or_else(PoisonError::into_inner);
        let next = change(&present)?;
        next.check()?;
        *present = Arc::new(next);
        Ok(Arc::clone(&present))
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.journal().set_mode(mode);
    }

    pub(crate) fn summary(&self) -> Summary {
        let waiting = self.waiting.load(Ordering::Relaxed);
        Summary { receipts_waiting: waiting as u64, ..self.journal().summary() }
    }

    pub(crate) fn no_longer_waiting(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    /// The provider's own id of a message.
    pub(crate) fn reference(&self, protocol: Protocol, serial: u64) -> String {
        let prefix = match protocol {
            Protocol::WhatsApp => "wa",
            Protocol::SMS => "sms",
            Protocol::AppleBusinessChat => "apple",
        };
        format!("{prefix}-{:x}-{serial}", self.run)
    }

    pub(crate) fn look_up(&self, protocol: Protocol, reference: Uuid) -> Option<Found> {
        let known = self.journal().find(reference).filter(|known| known.taken > 0 && known.protocol == protocol)?;
        Some(Found { reference: self.reference(protocol, known.serial), status: known.status })
    }

    /// Decides about a well-formed call, notes it, and schedules its receipts: from here on the provider has the
    /// message or does not, whatever becomes of the connection.
    pub(crate) fn send(
        self: &Arc<Self>,
        protocol: Protocol,
        (key, secret): (&Arc<str>, &str),
        send: &wire::Send<'_>,
    ) -> Result<Decision, Code> {
        let target = self.targets.find(self, &send.callback_url, (key, secret), protocol)?;
        let behaviours = self.behaviours();
        let behaviour = behaviours.of(protocol);
        let magic = Magic::of(&send.to);
        let (serial, reply, plan) =
            self.journal().call(protocol, send.client_reference, (&send.from, &send.to), |number, attempt| {
                // The golden ratio spreads neighbouring numbers over all seeds.
                let seed = self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let mut random = fastrand::Rng::with_seed(seed);
                let throttled = || {
                    let limit = behaviour.answers.rate_limit.as_ref()?;
                    self.throttled(limit, protocol, key, send).map(|wait| (limit.scope, wait))
                };
                let plan = plan::decide(behaviour, protocol, magic, attempt, &mut random, throttled);
                (plan.reply, plan)
            });
        let receipt_first = self.schedule(&target, &plan, serial, send.client_reference);
        Ok(Decision { reply, reference: self.reference(protocol, serial), latency: plan.latency, receipt_first })
    }

    fn throttled(&self, limit: &RateLimit, protocol: Protocol, key: &str, send: &wire::Send<'_>) -> Option<Duration> {
        let key = match limit.scope {
            Scope::Account => format!("{protocol} {key}"),
            Scope::Sender => format!("{protocol} {}", send.from),
            Scope::Recipient => format!("{protocol} {} {}", send.from, send.to),
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.take(key, limit, std::time::Instant::now()).err()
    }

    fn schedule(
        &self,
        target: &crate::callbacks::Target,
        plan: &Plan,
        serial: u64,
        client_reference: Uuid,
    ) -> Option<oneshot::Receiver<()>> {
        let count = plan.receipts.len();
        if count == 0 {
            return None;
        }
        if self.waiting.fetch_add(count, Ordering::Relaxed) > MOST_WAITING {
            self.no_longer_waiting(count);
            self.journal().counts.receipts_given_up += count as u64;
            return None;
        }
        let (now, at) = (Instant::now(), Timestamp::now());
        let (taken, receipt_first) = if plan.receipt_first {
            let (taken, first) = oneshot::channel();
            (Some(taken), Some(first))
        } else {
            (None, None)
        };
        let mut taken = taken;
        for planned in &plan.receipts {
            let waiting = Waiting {
                serial,
                client_reference,
                status: planned.status,
                code: planned.code,
                at: at + planned.after,
                taken: taken.take(),
            };
            target.push(now + planned.after, waiting);
        }
        receipt_first
    }
}
