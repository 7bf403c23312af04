//! What can happen next.

use crate::{
    rules::{Policy, Rules, Waits},
    search::Model,
    store::{execute, hear},
    world::*,
};
use std::fmt;

/// N nodes, one lane, two messages.
pub struct Protocol<const N: usize>(pub Rules);

/// What the protocol promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The provider got a message a second time that is not marked, or a third time.
    Twice,
    /// The first try of the first message reached the provider after the second message.
    Order,
    /// A customer was called while another call to them could still arrive.
    AtOnce,
    /// A call was begun when another node had the lease. It happens, and is waited for.
    NotOurs,
}

/// One step: who does what, about which message.
#[derive(Clone, Copy)]
pub struct Step {
    node: Option<usize>,
    what: &'static str,
    message: Option<u8>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Some(node) => write!(f, "{}: ", ["A", "B", "C"].get(node).unwrap_or(&"?"))?,
            None => f.write_str("   ")?,
        }
        f.write_str(self.what)?;
        self.message.map_or(Ok(()), |message| write!(f, " (message {})", message + 1))
    }
}

impl<const N: usize> Model for Protocol<N> {
    type State = World<N>;
    type Step = Step;
    type Broken = Broken;

    fn start(&self) -> World<N> {
        World::START
    }

    fn canonical(&self, state: &World<N>) -> World<N> {
        state.forgetful(&self.0).sorted()
    }

    fn plain(&self, state: &World<N>) -> World<N> {
        state.forgetful(&self.0)
    }

    fn is_end(&self, state: &World<N>) -> bool {
        state.messages.iter().all(|message| message.place == Place::Done)
    }

    fn next(&self, state: &World<N>, each: &mut dyn FnMut(Step, Option<Broken>, World<N>)) {
        let mut after = *state;
        after.tick_nodes(&self.0);
        after.tick_store();
        if after != *state {
            each(Step { node: None, what: "a tick passes", message: None }, None, after);
        }
        if self.0.clock_jumps && !state.store.jumped {
            let mut after = *state;
            after.store.jumped = true;
            after.tick_store();
            each(Step { node: None, what: "the store's clock is set forward", message: None }, None, after);
        }
        for number in 0..N {
            let mut of = Of { rules: &self.0, before: state, number, each: &mut *each };
            of.store();
            of.provider();
            if !state.nodes[number].gone {
                of.lease();
                of.lane();
                of.door();
                of.death();
            }
        }
    }
}

/// The steps of one node, and of what it has sent.
struct Of<'a, const N: usize> {
    rules: &'a Rules,
    before: &'a World<N>,
    number: usize,
    each: &'a mut dyn FnMut(Step, Option<Broken>, World<N>),
}

impl<const N: usize> Of<'_, N> {
    fn node(&self) -> &Node {
        &self.before.nodes[self.number]
    }

    fn owner(&self) -> u8 {
        u8::try_from(self.number + 1).unwrap_or(0)
    }

    fn step(&mut self, what: &'static str, message: Option<u8>, change: impl FnOnce(&mut World<N>, &mut Node)) {
        self.breaking(what, message, |world, node| {
            change(world, node);
            None
        });
    }

    fn breaking(
        &mut self,
        what: &'static str,
        message: Option<u8>,
        change: impl FnOnce(&mut World<N>, &mut Node) -> Option<Broken>,
    ) {
        let mut after = *self.before;
        let mut node = after.nodes[self.number];
        let broken = change(&mut after, &mut node);
        after.nodes[self.number] = node;
        (self.each)(Step { node: Some(self.number), what, message }, broken, after);
    }

    /// Takes and renews the lease. The store executes at once what is sent: a node that is stopped before it sends comes to the
    /// same as a statement that is long on its way. The answer takes any time.
    fn lease(&mut self) {
        let (node, owner, length) = (*self.node(), self.owner(), self.rules.lease);
        let waits = self.rules.waits;
        match node.lease {
            None if node.epoch == 0 && !self.before.is_free() => {}
            None if node.epoch == 0 => self.step("takes the lease", None, |world, node| {
                let epoch = world.next_epoch();
                let ran_out = world.store.owner != 0 && waits == Waits::AfterRunningOut;
                (world.store.owner, world.store.epoch, world.store.left) = (owner, epoch, length);
                node.lease = Some(LeaseAnswer::Taken(epoch, ran_out));
            }),
            // Not straight after the last: the bound could not come out later.
            None if node.bound < length => {
                self.step("renews the lease", None, |world, node| {
                    let still = world.store.owner == owner && world.store.epoch == node.epoch;
                    if still {
                        world.store.left = length;
                    }
                    node.lease =
                        Some(if still { LeaseAnswer::Renewed(node.epoch) } else { LeaseAnswer::Lost(node.epoch) });
                });
            }
            None => {}
            Some(answer) => {
                let bound = if self.rules.bound_from_sending { length - node.age } else { length };
                self.step("hears of its lease", None, |_, node| {
                    (node.lease, node.age) = (None, 0);
                    match answer {
                        LeaseAnswer::Taken(epoch, ran_out) => {
                            node.lose();
                            (node.epoch, node.ran_out, node.bound) = (epoch, ran_out, bound);
                        }
                        LeaseAnswer::Renewed(epoch) if epoch == node.epoch => node.bound = node.bound.max(bound),
                        LeaseAnswer::Lost(epoch) if epoch == node.epoch => node.lose(),
                        LeaseAnswer::Renewed(_) | LeaseAnswer::Lost(_) => {}
                    }
                });
            }
        }
    }

    /// Asks the store about the lane.
    fn ask(&mut self, what: &'static str, message: Option<u8>, ask: LaneAsk) {
        let (rules, owner) = (*self.rules, self.owner());
        if rules.late_statements {
            self.step(what, message, |_, node| {
                node.lane = Some(ask);
                if ask.what == LaneWhat::Release {
                    node.lose();
                }
            });
        } else {
            self.step(what, message, |world, node| {
                let done = execute(&rules, world, node, owner, ask);
                hear(&world.messages, node, ask, done);
            });
        }
    }

    /// Fences and recovers the lane, and works it.
    fn lane(&mut self) {
        let node = *self.node();
        if node.lane.is_some() {
            return;
        }
        let of_now = |what| LaneAsk { epoch: node.epoch, what };
        if let Door::Heard(at, outcome) = node.door {
            let what = match outcome {
                Outcome::Accepted => "records: accepted",
                Outcome::Unknown => "records: unknown",
                Outcome::NotSent => "records: not sent",
            };
            let ask = LaneAsk { epoch: at.epoch, what: LaneWhat::Record(at.message, outcome) };
            self.ask(what, Some(at.message), ask);
        }
        if node.epoch != 0 && node.stage != Stage::Works && self.rules.unrecovered_given_up {
            self.ask("gives up the lease", None, of_now(LaneWhat::Release));
        }
        match node.stage {
            _ if node.epoch == 0 => return,
            Stage::Taken => return self.ask("fences the lane", None, of_now(LaneWhat::Fence)),
            Stage::Fencing => return self.ask("recovers the lane", None, of_now(LaneWhat::Recover)),
            Stage::Works => {}
        }
        for (index, view) in node.view.iter().enumerate() {
            let message = u8::try_from(index).unwrap_or(0);
            let waited = self.before.messages[index].place == Place::Checking(0);
            if *view == View::Checking && waited {
                let arrived = self.rules.policy == Policy::LookUp && self.before.messages[index].arrived > 0;
                self.ask("has waited: resolves", Some(message), of_now(LaneWhat::Resolve(message, arrived)));
            }
        }
        if node.door != Door::Nothing {
            return;
        }
        // One claim in flight for a customer. While a call of an earlier owner may be under way, nothing goes to them; later the second
        // message does not wait any longer for one of which it is unknown what became of it (it does for 30 s at the most).
        let held = self
            .before
            .messages
            .iter()
            .zip(node.view)
            .any(|(message, view)| view == View::Checking && matches!(message.place, Place::Checking(1..)));
        for (index, view) in node.view.iter().enumerate() {
            let first = index == 0 || !matches!(node.view[0], View::Live(_));
            if matches!(view, View::Live(_)) && first && !(held && self.rules.customers_held) {
                let message = u8::try_from(index).unwrap_or(0);
                self.ask("claims", Some(message), of_now(LaneWhat::Claim(message)));
            }
        }
        // Nothing is at the door: it could stop in order.
        self.ask("gives up the lease", None, of_now(LaneWhat::Release));
    }

    /// From the claim to the outcome.
    fn door(&mut self) {
        let node = *self.node();
        match node.door {
            Door::Nothing | Door::Heard(..) => {}
            Door::Claimed(at) => {
                let of_this_epoch = !self.rules.bound_of_epoch || at.epoch == node.epoch;
                if !self.rules.bound_looked_at || (node.bound > 0 && of_this_epoch) {
                    // One more: what is called within a tick may arrive until the end of the one in which its time falls.
                    let door = Door::Checked(at, self.rules.call + 1);
                    self.step("looks at its bound: may call", Some(at.message), |_, node| node.door = door);
                } else {
                    let door = Door::Heard(at, Outcome::NotSent);
                    self.step("looks at its bound: passed", Some(at.message), |_, node| node.door = door);
                }
            }
            Door::Checked(at, 0) => {
                self.step("is too late to call", Some(at.message), |_, node| {
                    node.door = Door::Heard(at, Outcome::NotSent);
                });
            }
            Door::Checked(at, left) => {
                let number = self.number;
                self.breaking("calls the provider", Some(at.message), |world, node| {
                    node.door = Door::Called(at, left);
                    let others = world.nodes.iter().enumerate().filter(|(other, _)| *other != number);
                    let mut doors = others.map(|(_, other)| other.door);
                    let at_once = doors.any(|door| matches!(door, Door::Called(_, left) if left > 0));
                    let not_ours = world.store.epoch != at.epoch;
                    at_once.then_some(Broken::AtOnce).or(not_ours.then_some(Broken::NotOurs))
                });
            }
            Door::Called(at, 0) => {
                self.step("hears nothing in time", Some(at.message), |_, node| {
                    node.door = Door::Heard(at, Outcome::Unknown);
                });
            }
            Door::Called(..) => {}
            Door::Arrived(at, left) => {
                self.step("hears: accepted", Some(at.message), |_, node| {
                    node.door = Door::Heard(at, Outcome::Accepted);
                });
                if left == 0 {
                    self.step("hears nothing in time", Some(at.message), |_, node| {
                        node.door = Door::Heard(at, Outcome::Unknown);
                    });
                }
            }
        }
    }

    /// It dies, and all that it knew with it; what it has sent is on its way.
    fn death(&mut self) {
        if self.rules.deaths && self.before.nodes.iter().all(|node| !node.gone) {
            self.step("dies", None, |_, node| {
                let Node { lane, door, .. } = *node;
                *node = Node { gone: true, lane, ..Node::NEW };
                node.door = if matches!(door, Door::Called(_, 1..)) { door } else { Door::Nothing };
            });
        }
    }

    /// A call reaches the provider.
    fn provider(&mut self) {
        let Door::Called(at, left @ 1..) = self.node().door else { return };
        self.breaking("  the provider gets it", Some(at.message), |world, node| {
            node.door = if node.gone { Door::Nothing } else { Door::Arrived(at, left) };
            let second = world.messages[1].arrived > 0;
            let message = &mut world.messages[usize::from(at.message)];
            message.arrived += 1;
            let most = if at.tries == Try::Marked { 2 } else { 1 };
            let twice = message.arrived > most;
            let order = at.message == 0 && at.tries == Try::First && second;
            twice.then_some(Broken::Twice).or(order.then_some(Broken::Order))
        });
    }

    /// The store executes what the node has sent.
    fn store(&mut self) {
        let (rules, owner) = (*self.rules, self.owner());
        if let Some(ask) = self.node().lane {
            self.step("  the store executes its statement", None, |world, node| {
                let done = execute(&rules, world, node, owner, ask);
                hear(&world.messages, node, ask, done);
            });
        }
    }
}
