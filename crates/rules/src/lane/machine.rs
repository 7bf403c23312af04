//! The machine: what comes in, what is to be done.

use super::{
    Place, Queued,
    customers::{CLASSES, Customers},
    head::Head,
    pairs::Pairs,
};
use crate::{
    ids::MessageId,
    message::Priority,
    pace::{adaptive::Adaptive, gcra::Gcra, pair::PairLimit, rate::Rate},
    reason::Reason,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

/// Customers that may be held back at once. Beyond it something is wrong with the provider, and the lane waits
/// rather than let memory grow.
const HELD_CUSTOMERS: usize = 10_000;

/// What a lane may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How fast.
    pub rate: Rate,
    /// How often one customer may be written to.
    pub pair: Option<PairLimit>,
    /// Messages of each class in memory.
    pub head: usize,
    /// Messages at the provider's door.
    pub in_flight: usize,
    /// Messages of one claim.
    pub claim: usize,
    /// Of so many messages one is bulk, however much transactional waits.
    pub bulk_share: u32,
}

impl Settings {
    /// No pair limit, a tenth for bulk, 128 a claim.
    pub fn new(rate: Rate, head: usize, in_flight: usize) -> Self {
        Self { rate, pair: None, head: head.max(1), in_flight: in_flight.max(1), claim: 128, bulk_share: 10 }
    }
}

/// What a claim stores, so that a restart makes no burst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// What has been taken.
    pub taken: Gcra,
    /// What the provider's throttling left of the rate.
    pub adaptive: Adaptive,
}

/// A page to be read from disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadWish {
    /// Of which class.
    pub priority: Priority,
    /// After this position.
    pub after: i64,
    /// How many.
    pub limit: usize,
}

/// What is to be done now.
#[derive(Debug, Default)]
pub struct Effects {
    /// To be claimed, then sent.
    pub claim: Vec<Queued>,
    /// To be rejected as expired.
    pub expired: Vec<Queued>,
    /// To be put away until a moment.
    pub held: Vec<Held>,
    /// To be read.
    pub load: Vec<LoadWish>,
    /// When to ask again if nothing else happens.
    pub wake_at: Option<Timestamp>,
}

/// A message that is to be put away.
#[derive(Clone, Debug)]
pub struct Held {
    /// Which.
    pub queued: Queued,
    /// Until when.
    pub due: Timestamp,
    /// Why.
    pub reason: Option<Reason>,
}

/// A customer's class is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Until when.
    pub until: Timestamp,
    /// Why; None: another version of Herald did it, and did not say.
    pub reason: Option<Reason>,
}

/// How a message left the provider's door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It has ended for the lane: accepted or refused.
    Ended,
    /// It is put away until this moment and then [returned](Lane::returned), and its customer's later messages of the class
    /// wait for it.
    PutAway(Timestamp, Reason),
    /// Its outcome is being found out; its customer's later messages of the class wait until this moment.
    HeldUntil(Timestamp),
}

/// Why a lane does not send more than it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Nothing waits.
    Idle,
    /// It is sending as fast as it is asked to.
    Sending,
    /// Somebody paused it.
    Paused,
    /// The rate allows the next at this moment.
    Rate(Timestamp),
    /// The provider asked us to wait until this moment.
    Throttled(Timestamp),
    /// As many messages as allowed are at the provider's door.
    InFlight,
    /// Everything in the head belongs to customers who are at the door or held back, the first of them until this moment.
    Customers(Option<Hold>),
}

struct AtTheDoor {
    customer: String,
    place: Place,
}

/// One lane.
pub struct Lane {
    settings: Settings,
    pace: Pace,
    paused: bool,
    heads: [Head; 2],
    customers: Customers,
    pairs: Pairs,
    at_the_door: HashMap<MessageId, AtTheDoor>,
    /// Messages that expire, in order: (when, class, position).
    expiring: BTreeSet<(Timestamp, u8, i64)>,
    held: Vec<Held>,
    /// Transactional messages since the last bulk one.
    since_bulk: u32,
}

impl Lane {
    /// A lane after a start: nothing in memory yet, its pace as it was stored.
    pub fn new(settings: Settings, pace: Pace, paused: bool) -> Self {
        Self {
            settings,
            pace,
            paused,
            heads: [Head::unknown(), Head::unknown()],
            customers: Customers::default(),
            pairs: Pairs::new(settings.pair),
            at_the_door: HashMap::new(),
            expiring: BTreeSet::new(),
            held: Vec::new(),
            since_bulk: 0,
        }
    }

    /// A message has just been accepted, or a scheduled one has come due, at the end of its class.
    pub fn arrived(&mut self, queued: Queued) {
        let head = &mut self.heads[class(queued.place)];
        if head.admits(queued.place.position, self.settings.head) {
            self.insert(queued);
        }
    }

    /// Something arrived that could not be handed over: the rest is on disk.
    pub fn overflowed(&mut self) {
        for head in &mut self.heads {
            head.missed |= head.loading;
            head.more_on_disk = true;
        }
    }

    /// A page that [`Effects::load`] asked for.
    pub fn loaded(&mut self, priority: Priority, messages: Vec<Queued>, complete: bool) {
        for queued in self.heads[usize::from(priority.class())].page(messages, complete) {
            self.insert(queued);
        }
    }

    /// A page could not be read; it will be asked for again.
    pub fn load_failed(&mut self, priority: Priority) {
        self.heads[usize::from(priority.class())].not_read();
    }

    /// All messages that were put away until `due` come back to their places, and the holds up to then end.
    pub fn returned(&mut self, messages: Vec<Queued>, due: Timestamp) {
        for customer in self.customers.release(due) {
            self.refresh(&customer);
            self.customers.forget_if_idle(&customer);
        }
        for queued in messages {
            let customer = queued.message.to.clone();
            self.customers.came_back(&customer, queued.place.priority);
            self.readmit(queued);
            self.refresh(&customer);
            self.customers.forget_if_idle(&customer);
        }
    }

    /// Messages whose outcome was being found out go again, at their old places.
    pub fn sent_again(&mut self, messages: Vec<Queued>) {
        for queued in messages {
            self.readmit(queued);
        }
    }

    fn readmit(&mut self, queued: Queued) {
        if let Some(queued) = self.heads[class(queued.place)].readmits(queued) {
            self.insert(queued);
        }
    }

    /// After a start: a message of this customer was put away until a moment.
    pub fn put_away_before(&mut self, customer: &str, priority: Priority, until: Timestamp, reason: Option<Reason>) {
        self.customers.put_away(customer, priority);
        self.hold(customer, priority, until, reason);
    }

    /// After a start: a message went to this customer at a moment, oldest first, and counts for the pair limit.
    pub fn sent_before(&mut self, customer: &str, at: Timestamp) {
        self.pairs.take(customer, at);
    }

    /// Holds a customer's class back until a moment.
    pub fn hold(&mut self, customer: &str, priority: Priority, until: Timestamp, reason: Option<Reason>) {
        let leave = self.customers.hold(customer, priority, until, reason);
        let Hold { until, reason } = self.customers.held(customer, priority).unwrap_or(Hold { until, reason });
        for position in leave {
            let head = &mut self.heads[usize::from(priority.class())];
            head.ready.remove(&position);
            if let Some(queued) = head.waiting.remove(&position) {
                self.forget_expiry(&queued);
                self.customers.put_away(customer, priority);
                self.held.push(Held { queued, due: until, reason });
            }
        }
    }

    /// A message has left the provider's door.
    pub fn released(&mut self, id: MessageId, how: Released) {
        let Some(AtTheDoor { customer, place }) = self.at_the_door.remove(&id) else { return };
        self.customers.set_busy(&customer, false);
        match how {
            Released::Ended => {}
            Released::PutAway(until, reason) => self.put_away_before(&customer, place.priority, until, Some(reason)),
            Released::HeldUntil(until) => {
                self.hold(&customer, place.priority, until, Some(Reason::OutcomeBeingChecked));
            }
        }
        self.refresh(&customer);
    }

    /// A claimed message was certainly not sent: it stands where it stood, and what it took of the rate comes back.
    pub fn not_sent(&mut self, queued: Queued, taken_at: Timestamp) {
        let Some(door) = self.at_the_door.remove(&queued.message.id) else { return };
        self.give_back(&door.customer, taken_at);
        self.customers.set_busy(&door.customer, false);
        self.insert(queued);
    }

    /// A message that was taken has ended without a call to the provider: what it took of the limits comes back.
    pub fn give_back(&mut self, customer: &str, taken_at: Timestamp) {
        self.pace.taken.give_back(&self.settings.rate, 1, taken_at);
        self.pairs.give_back(customer, taken_at);
    }

    /// The provider asked this identifier to slow down.
    pub fn throttled(&mut self, now: Timestamp, retry_after: Option<Duration>) {
        self.pace.adaptive.throttled(now, retry_after);
    }

    /// The provider said that this customer has had as many messages from this identifier as it allows.
    pub fn pair_throttled(&mut self, customer: &str, now: Timestamp) {
        self.pairs.empty(customer, now);
    }

    /// Pauses or resumes.
    pub fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Whether somebody paused it.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The rate without the provider's throttling.
    pub fn rate(&self) -> Rate {
        self.settings.rate
    }

    /// Changes the rate from now on.
    pub fn set_rate(&mut self, rate: Rate) {
        self.settings.rate = rate;
    }

    /// How often one customer may be written to.
    pub fn pair(&self) -> Option<PairLimit> {
        self.pairs.limit()
    }

    /// Changes the pair limit from now on.
    pub fn set_pair(&mut self, pair: Option<PairLimit>) {
        self.settings.pair = pair;
        self.pairs.set(pair);
    }

    /// Why a customer's messages of a class wait, where it is for that customer alone.
    pub fn held(&self, customer: &str, priority: Priority) -> Option<Hold> {
        self.customers.held(customer, priority)
    }

    /// What a claim stores.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// The rate that holds now.
    pub fn effective_rate(&self, now: Timestamp) -> Rate {
        self.pace.adaptive.effective(&self.settings.rate, now)
    }

    /// Messages at the provider's door.
    pub fn in_flight(&self) -> usize {
        self.at_the_door.len()
    }

    /// Messages in memory.
    pub fn in_memory(&self) -> usize {
        self.heads.iter().map(|head| head.waiting.len()).sum()
    }

    /// Customers' classes that are held back.
    pub fn held_customers(&self) -> usize {
        self.customers.held_count()
    }

    /// What was waited for has come early: all holds for this reason end now.
    pub fn end_holds(&mut self, reason: Reason, now: Timestamp) {
        self.customers.end_holds(reason, now);
    }

    /// When the next hold ends: then what was put away is to come back, see [`Lane::returned`].
    pub fn next_release(&self) -> Option<Timestamp> {
        self.customers.next_release()
    }

    /// What is to be done now, claiming `most` messages at most. What it returns to be claimed counts as being at the
    /// provider's door.
    pub fn take(&mut self, now: Timestamp, most: usize) -> Effects {
        let expired = self.take_expired(now);
        let claim = self.take_claim(now, most);
        Effects {
            wake_at: self.wake_at(now),
            load: self.load_wishes(),
            held: std::mem::take(&mut self.held),
            claim,
            expired,
        }
    }

    /// Why it does not send more.
    pub fn waiting(&self, now: Timestamp) -> Waiting {
        let anything = self.heads.iter().any(|head| !head.waiting.is_empty() || head.more_on_disk);
        let ready = self.heads.iter().any(|head| !head.ready.is_empty());
        if self.paused {
            Waiting::Paused
        } else if let Some(until) = self.pace.adaptive.held_until(now) {
            Waiting::Throttled(until)
        } else if !anything && self.at_the_door.is_empty() {
            self.customers.next_hold().map_or(Waiting::Idle, |hold| Waiting::Customers(Some(hold)))
        } else if self.at_the_door.len() >= self.settings.in_flight {
            Waiting::InFlight
        } else if ready {
            match self.pace.taken.ready_at(&self.effective_rate(now), now, 1) {
                at if at > now => Waiting::Rate(at),
                _ => Waiting::Sending,
            }
        } else if self.in_memory() > 0 {
            Waiting::Customers(self.customers.next_hold())
        } else {
            Waiting::Sending
        }
    }

    fn take_claim(&mut self, now: Timestamp, most: usize) -> Vec<Queued> {
        let slots = self.settings.in_flight.saturating_sub(self.at_the_door.len()).min(self.settings.claim).min(most);
        if slots == 0 || !self.may_send(now) {
            return Vec::new();
        }
        let rate = self.effective_rate(now);
        let most = u32::try_from(slots).unwrap_or(u32::MAX);
        let allowed = self.pace.taken.available(&rate, now, most);
        let mut claim = Vec::new();
        while claim.len() < allowed as usize
            && let Some(queued) = self.next(now)
        {
            self.pairs.take(&queued.message.to, now);
            self.customers.set_busy(&queued.message.to, true);
            self.customers.remove(&queued.message.to, queued.place);
            self.refresh(&queued.message.to);
            let door = AtTheDoor { customer: queued.message.to.clone(), place: queued.place };
            self.at_the_door.insert(queued.message.id, door);
            claim.push(queued);
        }
        if !claim.is_empty() {
            self.pace.taken.take(&rate, now, u32::try_from(claim.len()).unwrap_or(u32::MAX));
        }
        claim
    }

    fn may_send(&self, now: Timestamp) -> bool {
        !self.paused
            && self.customers.held_count() < HELD_CUSTOMERS
            && self.heads.iter().any(|head| !head.ready.is_empty())
            && self.pace.adaptive.held_until(now).is_none()
    }

    /// The next message that may go: transactional first, but each tenth place belongs to bulk.
    fn next(&mut self, now: Timestamp) -> Option<Queued> {
        let (class, position) = loop {
            let [transactional, bulk] = &self.heads;
            let bulk_turn = self.since_bulk + 1 >= self.settings.bulk_share;
            let (class, position) = match (transactional.ready.first(), bulk.ready.first()) {
                (Some(_), Some(position)) if bulk_turn => (1, *position),
                (Some(position), _) => (0, *position),
                (None, Some(position)) => (1, *position),
                (None, None) => return None,
            };
            match self.pair_limit_until(class, position, now) {
                // Each turn of the loop takes what is held out of `ready`, so it ends.
                Some((customer, until)) => {
                    self.hold(&customer, CLASSES[class], until, Some(Reason::PairLimit));
                }
                None => break (class, position),
            }
        };
        let head = &mut self.heads[class];
        head.ready.remove(&position);
        let queued = head.waiting.remove(&position)?;
        self.since_bulk = if class == 1 { 0 } else { self.since_bulk.saturating_add(1) };
        self.forget_expiry(&queued);
        Some(queued)
    }

    /// Until when the customer of a message has to wait for the pair limit; None: it may go.
    ///
    /// Who has many messages waiting is held until several may go: all of them are put away and come back each time, and one at
    /// a time a thousand messages would be moved half a million times. Their last one goes no later for it.
    fn pair_limit_until(&self, class: usize, position: i64, now: Timestamp) -> Option<(String, Timestamp)> {
        let limit = self.pairs.limit()?;
        let customer = self.heads[class].waiting.get(&position)?.message.to.as_str();
        if self.pairs.ready_at(customer, CLASSES[class], now) <= now {
            return None;
        }
        let waiting = self.customers.waiting(customer, CLASSES[class]);
        let several = u32::try_from(waiting / 8).unwrap_or(u32::MAX).min(limit.burst / 2).max(1);
        Some((customer.to_owned(), self.pairs.several_at(customer, CLASSES[class], now, several)))
    }

    fn take_expired(&mut self, now: Timestamp) -> Vec<Queued> {
        let mut expired = Vec::new();
        while self.expiring.first().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, class, position)) = self.expiring.pop_first()
        {
            let head = &mut self.heads[usize::from(class)];
            head.ready.remove(&position);
            if let Some(queued) = head.waiting.remove(&position) {
                self.customers.remove(&queued.message.to, queued.place);
                self.refresh(&queued.message.to);
                expired.push(queued);
            }
        }
        expired
    }

    fn load_wishes(&mut self) -> Vec<LoadWish> {
        let mut wishes = Vec::new();
        for (priority, head) in CLASSES.into_iter().zip(&mut self.heads) {
            if head.more_on_disk && !head.loading && head.waiting.len() <= self.settings.head / 2 {
                head.loading = true;
                let limit = self.settings.head - head.waiting.len();
                wishes.push(LoadWish { priority, after: head.loaded_to, limit });
            }
        }
        wishes
    }

    fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let ready = self.heads.iter().any(|head| !head.ready.is_empty());
        let room = self.at_the_door.len() < self.settings.in_flight;
        let pace = (ready && room && !self.paused).then(|| {
            let rate = self.effective_rate(now);
            let held = self.pace.adaptive.held_until(now).unwrap_or(now);
            self.pace.taken.ready_at(&rate, now, 1).max(held)
        });
        let expiry = self.expiring.first().map(|(at, ..)| *at);
        [pace, expiry, self.customers.next_release()].into_iter().flatten().min()
    }

    /// Puts a message in the head, or away if its customer is held back.
    fn insert(&mut self, queued: Queued) {
        let place = queued.place;
        if let Some(Hold { until, reason }) = self.customers.held(&queued.message.to, place.priority) {
            self.customers.put_away(&queued.message.to, place.priority);
            self.held.push(Held { queued, due: until, reason });
            return;
        }
        // Who was first until now may stand behind the newcomer.
        if let Some(first) = self.customers.first(&queued.message.to)[class(place)] {
            self.heads[class(place)].ready.remove(&first);
        }
        self.customers.add(&queued.message.to, place);
        if let Some(at) = queued.message.expires_at {
            self.expiring.insert((at, place.priority.class(), place.position));
        }
        let customer = queued.message.to.clone();
        self.heads[class(place)].waiting.insert(place.position, queued);
        self.refresh(&customer);
    }

    /// Brings `ready` in line with whose turn it is.
    fn refresh(&mut self, customer: &str) {
        let (turn, first) = (self.customers.turn(customer), self.customers.first(customer));
        for (head, (turn, first)) in self.heads.iter_mut().zip(turn.into_iter().zip(first)) {
            match (turn, first) {
                (Some(position), _) => drop(head.ready.insert(position)),
                (None, Some(position)) => drop(head.ready.remove(&position)),
                (None, None) => {}
            }
        }
    }

    fn forget_expiry(&mut self, queued: &Queued) {
        if let Some(at) = queued.message.expires_at {
            self.expiring.remove(&(at, queued.place.priority.class(), queued.place.position));
        }
    }
}

fn class(place: Place) -> usize {
    usize::from(place.priority.class())
}
