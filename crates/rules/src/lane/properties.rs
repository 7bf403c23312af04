//! A lane against a small model of the store: whatever happens in whatever order, the promises hold.

use super::*;
use crate::{
    ids::MessageId,
    message::Priority,
    pace::{pair::PairLimit, rate::Rate},
    protocol::Protocol,
    reason::Reason,
    time::Timestamp,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

const START: Timestamp = Timestamp(1_795_348_800_000_000);

/// What the store would hold, and what the provider has seen.
struct World {
    settings: Settings,
    lane: Lane,
    now: Timestamp,
    live: [BTreeMap<i64, Queued>; 2],
    later: Vec<(Timestamp, Queued)>,
    at_door: Vec<Queued>,
    calls: Vec<(Timestamp, Queued)>,
    position: i64,
    put_away: usize,
    /// Pages as they were read, not handed over yet while `slow`.
    pages: Vec<(Priority, Vec<Queued>, bool)>,
    /// What is to be put away, not written yet while `slow`.
    unwritten: Vec<Held>,
    slow: bool,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            lane: Lane::new(settings, machine::Pace::default(), false),
            now: START,
            live: [BTreeMap::new(), BTreeMap::new()],
            later: Vec::new(),
            at_door: Vec::new(),
            calls: Vec::new(),
            position: 0,
            put_away: 0,
            pages: Vec::new(),
            unwritten: Vec::new(),
            slow: false,
        }
    }

    fn accept(&mut self, customer: u8, priority: Priority) {
        self.position += 1;
        let message = Message {
            id: MessageId(uuid::Uuid::from_u128(self.position as u128)),
            protocol: Protocol::SMS,
            from: "1".into(),
            to: format!("customer-{customer}"),
            text: String::new(),
            files: vec![],
            parts: 1,
            template: None,
            refused: None,
            metadata: None,
            priority,
            accepted_at: self.now,
            send_at: None,
            expires_at: None,
        };
        let place = Place { priority, position: self.position };
        let queued = Queued { place, attempt: 0, resent: false, part: 0, message: Arc::new(message) };
        self.live[usize::from(priority.class())].insert(place.position, queued.clone());
        self.lane.arrived(queued);
        self.step();
    }

    /// Does what the lane wants, as the shell would.
    fn step(&mut self) {
        loop {
            let effects = self.lane.take(self.now, usize::MAX);
            self.put_away += effects.held.len();
            self.unwritten.extend(effects.held);
            if !self.slow {
                self.write();
            }
            for queued in effects.claim {
                let door = self.at_door.iter().any(|other| other.message.to == queued.message.to);
                assert!(!door, "two messages of one customer at the door");
                self.calls.push((self.now, queued.clone()));
                self.at_door.push(queued);
            }
            for wish in effects.load {
                let class = usize::from(wish.priority.class());
                let page: Vec<_> =
                    self.live[class].range(wish.after + 1..).take(wish.limit).map(|(_, q)| q.clone()).collect();
                let complete = page.len() < wish.limit;
                self.pages.push((wish.priority, page, complete));
            }
            if self.slow || self.pages.is_empty() {
                break;
            }
            for (priority, page, complete) in self.pages.drain(..) {
                self.lane.loaded(priority, page, complete);
            }
        }
        let now = self.now;
        let (mut due, rest): (Vec<_>, Vec<_>) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = rest;
        if !due.is_empty() {
            due.sort_by_key(|(at, queued)| (*at, queued.place.position));
            let returned: Vec<_> = due.into_iter().map(|(_, queued)| queued).collect();
            for queued in &returned {
                self.live[usize::from(queued.place.priority.class())].insert(queued.place.position, queued.clone());
            }
            self.lane.returned(returned, now);
            self.step();
        } else {
            self.lane.returned(vec![], now);
        }
    }

    /// Writes what is to be put away.
    fn write(&mut self) {
        for Held { queued, due, .. } in self.unwritten.drain(..) {
            self.live[usize::from(queued.place.priority.class())].remove(&queued.place.position);
            self.later.push((due, queued));
        }
    }

    fn outcome(&mut self, pick: usize, kind: u8) {
        if self.at_door.is_empty() {
            return;
        }
        let queued = self.at_door.swap_remove(pick % self.at_door.len());
        let class = usize::from(queued.place.priority.class());
        match kind {
            0..=5 => {
                self.live[class].remove(&queued.place.position);
                self.lane.released(queued.message.id, Released::Ended);
            }
            6 => {
                let due = self.now + Duration::from_millis(700);
                self.live[class].remove(&queued.place.position);
                let again = Queued { attempt: queued.attempt + 1, ..queued.clone() };
                self.later.push((due, again));
                self.put_away += 1;
                self.lane.released(queued.message.id, Released::PutAway(due, Reason::ProviderError));
            }
            _ => {
                self.calls.retain(|(_, call)| call.message.id != queued.message.id || call.attempt != queued.attempt);
                self.lane.not_sent(queued, self.now);
            }
        }
        self.step();
    }

    /// A crash and a start: what was at the door is found out, and comes back to its place after a while.
    fn restart(&mut self) {
        self.lane = Lane::new(self.settings, self.lane.pace(), false);
        for (at, queued) in &self.calls {
            self.lane.sent_before(&queued.message.to, *at);
        }
        self.pages.clear();
        self.unwritten.clear();
        for queued in self.at_door.drain(..) {
            self.live[usize::from(queued.place.priority.class())].remove(&queued.place.position);
            self.later.push((self.now + Duration::from_millis(300), Queued { attempt: queued.attempt + 1, ..queued }));
        }
        self.put_away = self.later.len();
        for (due, queued) in &self.later {
            self.lane.put_away_before(&queued.message.to, queued.place.priority, *due, None);
        }
        self.step();
    }

    fn finish(&mut self) {
        self.slow = false;
        for _ in 0..100_000 {
            let left = self.live.iter().map(BTreeMap::len).sum::<usize>() + self.later.len() + self.at_door.len();
            if left == 0 {
                return;
            }
            self.now = self.now + Duration::from_millis(100);
            self.step();
            while !self.at_door.is_empty() {
                self.outcome(0, 0);
            }
        }
        panic!("the lane never came to an end: {:?}", self.lane.waiting(self.now));
    }
}

#[derive(Clone, Debug)]
enum Action {
    Accept(u8, bool),
    Outcome(usize, u8),
    Pass(u16),
    Overflow,
    Slow(bool),
    Restart,
    PairThrottled(u8),
}

fn pair_limits() -> impl Strategy<Value = Option<PairLimit>> {
    let limit =
        (1u64..400, 1u32..5).prop_map(|(millis, burst)| PairLimit { every: Duration::from_millis(millis), burst });
    proptest::option::of(limit)
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        4 => (0u8..3, any::<bool>()).prop_map(|(customer, bulk)| Action::Accept(customer, bulk)),
        3 => (any::<usize>(), 0u8..8).prop_map(|(pick, kind)| Action::Outcome(pick, kind)),
        1 => (1u16..900).prop_map(Action::Pass),
        1 => Just(Action::Overflow),
        1 => any::<bool>().prop_map(Action::Slow),
        1 => Just(Action::Restart),
        1 => (0u8..3).prop_map(Action::PairThrottled),
    ];
    proptest::collection::vec(action, 1..150)
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_out_of_order(actions in actions(), head in 1usize..6, in_flight in 1usize..5, pair in pair_limits()) {
        let settings = Settings { pair, ..Settings::new("50/s,burst=3".parse().unwrap(), head, in_flight) };
        let mut world = World::new(settings);
        for action in actions {
            match action {
                Action::Accept(customer, bulk) => {
                    world.accept(customer, if bulk { Priority::Bulk } else { Priority::Transactional })
                }
                Action::Outcome(pick, kind) => world.outcome(pick, kind),
                Action::Pass(milliseconds) => {
                    world.now = world.now + Duration::from_millis(milliseconds.into());
                    world.step();
                }
                Action::Overflow => { world.lane.overflowed(); world.step(); }
                Action::Restart => world.restart(),
                Action::Slow(slow) => { world.slow = slow; world.step(); }
                Action::PairThrottled(customer) => world.lane.pair_throttled(&format!("customer-{customer}"), world.now),
            }
            // Above the head there is only what came back from the door or from being put away.
            prop_assert!(world.lane.in_memory() <= 2 * head + in_flight + world.put_away, "memory {}", world.lane.in_memory());
        }
        world.finish();
        let sent: HashSet<_> = world.calls.iter().map(|(_, queued)| queued.message.id).collect();
        prop_assert_eq!(sent.len() as i64, world.position, "every message was called");
        // One call for each try.
        let tries: HashSet<_> = world.calls.iter().map(|(_, queued)| (queued.message.id, queued.attempt)).collect();
        prop_assert_eq!(tries.len(), world.calls.len());
        // First tries of one customer and class rise.
        let mut last: HashMap<(String, Priority), i64> = HashMap::new();
        for (_, queued) in &world.calls {
            let before = last.insert((queued.message.to.clone(), queued.place.priority), queued.place.position);
            prop_assert!(before.is_none_or(|before| before <= queued.place.position), "{before:?} {:?}", queued.place);
        }
        // The pace: in any second no more than the rate and its burst.
        for (index, (from, _)) in world.calls.iter().enumerate() {
            let within = world.calls[index..].iter().filter(|(at, _)| *at < *from + Duration::from_secs(1)).count();
            prop_assert!(within <= 50 + 3, "{within} in a second");
        }
        if let Some(limit) = pair {
            keeps_pair_limit(&world.calls, limit);
        }
    }
}

/// To no customer more than the burst and one for each step of any span of time.
fn keeps_pair_limit(calls: &[(Timestamp, Queued)], limit: PairLimit) {
    let mut by_customer: HashMap<&str, Vec<Timestamp>> = HashMap::new();
    for (at, queued) in calls {
        by_customer.entry(&queued.message.to).or_default().push(*at);
    }
    for moments in by_customer.values() {
        for (first, from) in moments.iter().enumerate() {
            for (last, to) in moments.iter().enumerate().skip(first) {
                let most = u128::from(limit.burst) + to.since(*from).as_micros() / limit.every.as_micros();
                assert!((last - first + 1) as u128 <= most, "{} in {:?}", last - first + 1, to.since(*from));
            }
        }
    }
}

/// WhatsApp's own: one each 6 s, and 45 at once.
const META: PairLimit = PairLimit { every: Duration::from_secs(6), burst: 45 };

#[test]
fn who_has_had_enough_waits_alone_and_in_order() {
    let mut world = World::new(Settings { pair: Some(META), ..Settings::new(Rate::UNLIMITED, 500, 1_000) });
    for _ in 0..300 {
        world.accept(0, Priority::Transactional);
        world.outcome(0, 0);
    }
    assert_eq!(world.calls.len(), 45);
    assert_eq!(
        world.lane.waiting(world.now),
        Waiting::Customers(world.lane.held("customer-0", Priority::Transactional))
    );
    let hold = world.lane.held("customer-0", Priority::Transactional).unwrap();
    assert_eq!((hold.until, hold.reason), (START + Duration::from_secs(6), Some(Reason::PairLimit)));
    for customer in 1..100 {
        world.accept(customer, Priority::Transactional);
        world.outcome(0, 0);
    }
    assert_eq!(world.calls.len(), 45 + 99, "nobody else waits");
    assert_eq!(world.now, START);
    world.finish();
    let mine: Vec<_> = world.calls.iter().filter(|(_, queued)| queued.message.to == "customer-0").cloned().collect();
    assert!(mine.is_sorted_by_key(|(_, queued)| queued.place.position));
    assert_eq!(mine.len(), 300);
    keeps_pair_limit(&mine, META);
    // 255 of them after the burst, one each 6 s, and the world looks each 100 ms.
    let took = mine.last().unwrap().0.since(START).as_secs();
    assert!((255 * 6..=255 * 6 + 2).contains(&took), "{took}");
    // Who waits in numbers is not moved for each single message.
    assert!(world.put_away < 8_000, "{}", world.put_away);
}

#[test]
fn bulk_leaves_one_for_transactional() {
    let mut world = World::new(Settings { pair: Some(META), ..Settings::new(Rate::UNLIMITED, 500, 1_000) });
    for _ in 0..60 {
        world.accept(0, Priority::Bulk);
        world.outcome(0, 0);
    }
    assert_eq!(world.calls.len(), 44);
    world.accept(0, Priority::Transactional);
    assert_eq!(world.calls.len(), 45);
}

#[test]
fn a_provider_that_says_enough_is_believed() {
    let mut world = World::new(Settings { pair: Some(META), ..Settings::new(Rate::UNLIMITED, 500, 1_000) });
    world.lane.pair_throttled("customer-0", world.now);
    world.accept(0, Priority::Transactional);
    assert_eq!(world.calls.len(), 0);
    world.finish();
    assert_eq!(world.calls[0].0.since(START).as_secs(), 6);
}

#[test]
fn what_was_waited_for_may_come_early() {
    let mut world = World::new(Settings::new(Rate::UNLIMITED, 10, 10));
    let day = START + Duration::from_secs(24 * 3600);
    for (customer, reason) in [(0, Reason::DailyLimit), (1, Reason::ProviderError)] {
        world.accept(customer, Priority::Transactional);
        let queued = world.at_door.pop().unwrap();
        world.lane.released(queued.message.id, Released::PutAway(day, reason));
        world.accept(customer, Priority::Transactional);
    }
    assert_eq!((world.lane.held_customers(), world.calls.len()), (2, 2));
    world.lane.end_holds(Reason::DailyLimit, START);
    assert_eq!(world.lane.next_release(), Some(START));
    assert_eq!(world.lane.held("customer-1", Priority::Transactional).unwrap().until, day);
}

#[test]
fn buckets_are_dropped_when_they_are_full_again() {
    let mut pairs = pairs::Pairs::new(Some(META));
    for customer in 0..100_000_u64 {
        // 80 a second: 480 buckets are not full at any time.
        pairs.take(&customer.to_string(), START + Duration::from_micros(customer * 12_500));
        assert!(pairs.len() <= 1_024, "{}", pairs.len());
    }
}

#[test]
fn bulk_keeps_a_tenth_of_a_busy_lane() {
    let mut world = World::new(Settings::new(Rate::UNLIMITED, 500, 1));
    for customer in 0..200 {
        world.accept(customer, Priority::Transactional);
        world.accept(customer, Priority::Bulk);
    }
    while world.calls.len() < 100 {
        world.outcome(0, 0);
    }
    let bulk = world.calls[..100].iter().filter(|(_, queued)| queued.place.priority == Priority::Bulk).count();
    assert!((9..=11).contains(&bulk), "{bulk}");
}

/// What is put away for a hold is written some time later. It must not be overtaken in between.
#[test]
fn who_is_being_put_away_is_waited_for() {
    let mut world = World::new(Settings::new(Rate::UNLIMITED, 10, 10));
    world.accept(1, Priority::Transactional);
    world.outcome(0, 6);
    world.slow = true;
    world.accept(1, Priority::Transactional);
    assert_eq!(world.unwritten.len(), 1);
    // The hold ends before it is written.
    world.now = world.now + Duration::from_secs(1);
    world.step();
    world.accept(1, Priority::Transactional);
    world.outcome(0, 0);
    assert_eq!(world.calls.len(), 1, "the third went before the second");
    world.slow = false;
    world.finish();
    let order: Vec<_> = world.calls.iter().map(|(_, queued)| queued.place.position).collect();
    assert_eq!(order, [1, 1, 2, 3]);
}

#[test]
fn expired_messages_leave_even_a_paused_lane() {
    let mut lane = Lane::new(Settings::new(Rate::UNLIMITED, 10, 10), machine::Pace::default(), true);
    let _ = lane.take(START, usize::MAX);
    lane.loaded(Priority::Transactional, vec![], true);
    let mut world = World::new(Settings::new(Rate::UNLIMITED, 10, 10));
    world.accept(1, Priority::Transactional);
    let mut queued = world.calls.remove(0).1;
    let expires_at = START + Duration::from_secs(5);
    queued.message = Arc::new(Message { expires_at: Some(expires_at), ..Message::clone(&queued.message) });
    lane.arrived(queued);
    assert_eq!(lane.take(START, usize::MAX).wake_at, Some(expires_at));
    let effects = lane.take(expires_at, usize::MAX);
    assert_eq!((effects.expired.len(), effects.claim.len()), (1, 0));
    assert_eq!(lane.waiting(expires_at), Waiting::Paused);
}
