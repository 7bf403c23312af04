//! The state that all connections share.

use super::{
    account::GraphAccount,
    behaviour::GraphBehaviour,
    business::{Business, Number, Refused},
    courier::{Courier, News, Taken, Waiting},
    customers::Portfolio,
    error::GraphError,
    journal::Journal,
    media::Media,
    plan::Plan,
    recent::Recent,
    simulator::GraphOptions,
};
use crate::{limit::Buckets, record::Summary};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use herald_rules::time::Timestamp;
use serde_json::Value;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

/// The most news that wait; about 200 bytes each. More are given up and counted.
const MOST_WAITING: usize = 1_000_000;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(super) seed: u64,
    /// In every message's id, so that those of two starts never meet.
    run: i64,
    pub(crate) address: SocketAddr,
    businesses: RwLock<Vec<Arc<Business>>>,
    behaviour: RwLock<Arc<GraphBehaviour>>,
    journal: Mutex<Journal>,
    pub(super) throughput: Mutex<Buckets>,
    pub(super) pairs: Mutex<Buckets>,
    pub(super) portfolios: Mutex<HashMap<String, Portfolio>>,
    media: Mutex<Media>,
    /// Ids of what customers sent, to be marked as read.
    inbound: Mutex<Recent>,
    waiting: AtomicUsize,
    serial: AtomicU64,
    /// How far the simulator's clock is ahead, in microseconds.
    ahead: AtomicI64,
    pub(crate) callback_connections: usize,
    pub(crate) stopped: CancellationToken,
}

impl Engine {
    pub(crate) fn new(options: &GraphOptions, address: SocketAddr) -> Self {
        let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
        Self {
            seed,
            run: Timestamp::now().0,
            address,
            businesses: RwLock::default(),
            behaviour: RwLock::new(Arc::new(options.behaviour.clone())),
            journal: Mutex::new(Journal::new(options.journal, seed)),
            throughput: Mutex::default(),
            pairs: Mutex::default(),
            portfolios: Mutex::default(),
            media: Mutex::default(),
            inbound: Mutex::default(),
            waiting: AtomicUsize::new(0),
            serial: AtomicU64::new(0),
            ahead: AtomicI64::new(0),
            callback_connections: options.callback_connections.max(1),
            stopped: CancellationToken::new(),
        }
    }

    /// Adds an account, with its webhooks where it names an address.
    pub(crate) fn add_account(self: &Arc<Self>, account: &GraphAccount) -> Result<Arc<Business>, String> {
        let business = Arc::new(Business::new(account));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(&business.waba_id)
            || business.numbers.iter().any(|number| !digits(&number.id) || !digits(&number.digits))
        {
            return Err("ids and numbers are decimal digits".to_owned());
        }
        if let Some(url) = &account.callback_url {
            business.set_courier(Some(Courier::start(self, &business, url)?));
        }
        let mut all = self.businesses.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.waba_id != business.waba_id);
        all.push(Arc::clone(&business));
        Ok(business)
    }

    /// The account whose own id, or a number's, this is.
    pub(crate) fn business(&self, wanted: impl Fn(&Business) -> bool) -> Option<Arc<Business>> {
        let all = self.businesses.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|business| wanted(business)).cloned()
    }

    /// All accounts.
    pub(crate) fn businesses(&self) -> Vec<Arc<Business>> {
        self.businesses.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number with this id, and its account.
    pub(crate) fn number(&self, id: &str) -> Option<(Arc<Business>, Arc<Number>)> {
        let all = self.businesses.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find_map(|business| {
            let number = business.numbers.iter().find(|number| number.id == id)?;
            Some((Arc::clone(business), Arc::clone(number)))
        })
    }

    /// Whether a token acts for an account; a token of nobody's is 190.
    pub(crate) fn admit(
        &self,
        business: Option<&Business>,
        token: Option<&str>,
        proof: Option<&str>,
    ) -> Result<(), GraphError> {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Err(GraphError::plain(190, "An access token is required to request this resource."));
        };
        match business.map(|business| business.admits(token, proof)) {
            Some(Ok(())) => return Ok(()),
            Some(Err(Refused::Error(error))) => return Err(error),
            Some(Err(Refused::OtherToken)) | None => {}
        }
        let mut result = Err(GraphError::plain(190, "Invalid OAuth access token - Cannot parse access token"));
        for other in self.businesses() {
            match other.admits(token, proof) {
                // For what does not exist every token is as good as another.
                Ok(()) if business.is_none() => return Ok(()),
                Ok(()) => {
                    return Err(GraphError::plain(10, "(#10) Application does not have permission for this action"));
                }
                Err(Refused::Error(error)) => result = Err(error),
                Err(Refused::OtherToken) => {}
            }
        }
        result
    }

    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp(now.0.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// The same for the buckets of the limits.
    pub(super) fn instant(&self) -> std::time::Instant {
        let ahead = u64::try_from(self.ahead.load(Ordering::Relaxed)).unwrap_or_default();
        std::time::Instant::now() + Duration::from_micros(ahead)
    }

    /// Sets the clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        self.ahead.fetch_add(i64::try_from(by.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn behaviour(&self) -> Arc<GraphBehaviour> {
        Arc::clone(&self.behaviour.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the behaviour by what `change` makes of it, unless it or the check of the result objects.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&GraphBehaviour) -> Result<GraphBehaviour, String>,
    ) -> Result<Arc<GraphBehaviour>, String> {
        let mut present = self.behaviour.write().unwrap_or_else(PoisonError::into_inner);
        let next = change(&present)?;
        next.check()?;
        *present = Arc::new(next);
        Ok(Arc::clone(&present))
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn media(&self) -> MutexGuard<'_, Media> {
        self.media.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inbound(&self) -> MutexGuard<'_, Recent> {
        self.inbound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn summary(&self) -> Summary {
        let waiting = self.waiting.load(Ordering::Relaxed);
        Summary { receipts_waiting: waiting as u64, ..self.journal().summary() }
    }

    pub(crate) fn no_longer_waiting(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    /// A number that was never given before.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A message's id, in the form that Meta gives it: the customer and a number, in bytes.
    pub(crate) fn wamid(&self, customer: &str, serial: u64, inbound: bool) -> String {
        let length = u8::try_from(customer.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![0x1c, 0x18, length];
        bytes.extend(customer.bytes());
        bytes.extend([0x15, 0x02, 0x00, if inbound { 0x12 } else { 0x11 }, 0x18, 0x18]);
        bytes.extend(format!("{:012X}{serial:012X}", self.run & 0xffff_ffff_ffff).bytes());
        bytes.push(0);
        format!("wamid.{}", STANDARD.encode(bytes))
    }

    /// Room for so many more news; counted as given up where there is none.
    fn room(&self, count: usize) -> bool {
        if self.waiting.fetch_add(count, Ordering::Relaxed) <= MOST_WAITING {
            return true;
        }
        self.no_longer_waiting(count);
        self.journal().counts.receipts_given_up += count as u64;
        false
    }

    pub(super) fn schedule(
        &self,
        business: &Business,
        message: Arc<Taken>,
        plan: &Plan,
    ) -> Option<oneshot::Receiver<()>> {
        let courier = self.courier(business)?;
        if !self.room(plan.statuses.len()) {
            return None;
        }
        let (now, at) = (Instant::now(), self.now());
        let (mut taken, status_first) = if plan.status_first {
            let (taken, first) = oneshot::channel();
            (Some(taken), Some(first))
        } else {
            (None, None)
        };
        for planned in &plan.statuses {
            let news = News::Status {
                message: Arc::clone(&message),
                status: planned.status,
                at: at + planned.after,
                code: planned.code,
            };
            courier.push(&message.wamid, now + planned.after, Waiting { news, taken: taken.take() });
        }
        status_first
    }

    fn courier(&self, business: &Business) -> Option<Arc<Courier>> {
        business.courier().filter(|_| business.subscribed.load(Ordering::Relaxed))
    }

    /// Sends a webhook of any kind at once; false: nobody listens.
    pub(crate) fn tell(&self, business: &Business, field: &str, value: Value, with_time: bool) -> bool {
        let Some(courier) = self.courier(business) else { return false };
        if !self.room(1) {
            return false;
        }
        let time = with_time.then(|| self.now().0 / 1_000_000);
        let news = News::Change { field: field.to_owned(), value, time };
        courier.push(field, Instant::now(), Waiting { news, taken: None });
        true
    }
}
