//! One form for all states that differ in nothing that matters, so that there are as few as can be: a fiftieth of them all.
//!
//! What is left out may make a state able to do more than those that it stands for, and never less: nothing broken is overlooked.

use crate::{rules::Rules, world::*};

impl<const N: usize> World<N> {
    /// The same form for all states that differ only in the names of nodes.
    pub fn sorted(mut self) -> Self {
        // Sorting so few by their whole content would cost more than it saves: the order is that of a hash.
        let key = |node: &Node| {
            use std::hash::{Hash, Hasher};
            let mut hash = crate::search::Quick::default();
            node.hash(&mut hash);
            hash.finish()
        };
        let mut order: [(u64, usize); N] = std::array::from_fn(|number| (key(&self.nodes[number]), number));
        order.sort_by_key(|(key, number)| (*key, usize::from(self.store.owner) != number + 1, *number));
        let before = self;
        for (place, (_, number)) in order.into_iter().enumerate() {
            self.nodes[place] = before.nodes[number];
            if usize::from(before.store.owner) == number + 1 {
                self.store.owner = u8::try_from(place + 1).unwrap_or(0);
            }
        }
        self
    }

    /// The same form for all states that differ only in what can make no difference any more, as far as the guards see to that,
    /// and in the numbers of epochs.
    pub fn forgetful(mut self, rules: &Rules) -> Self {
        if self.store.owner == 0 {
            self.store.left = 0;
        }
        if rules.rising_epochs && rules.fenced_records {
            self.forget_fenced(rules);
        }
        self.number_epochs();
        self
    }

    fn forget_fenced(&mut self, rules: &Rules) {
        let Store { lane_epoch, epoch, .. } = self.store;
        for message in self.messages.iter_mut().filter(|message| message.place == Place::Done) {
            (message.claimed, message.tries) = (false, Try::First);
        }
        let bound = rules.bound_looked_at && rules.bound_of_epoch;
        for node in &mut self.nodes {
            let is_refused = |ask: &LaneAsk| match ask.what {
                LaneWhat::Claim(_) => ask.epoch < lane_epoch && rules.fenced_claims,
                LaneWhat::Release => ask.epoch < epoch,
                LaneWhat::Fence | LaneWhat::Recover | LaneWhat::Record(..) | LaneWhat::Resolve(..) => {
                    ask.epoch < lane_epoch
                }
            };
            if let Some(refused) = node.lane.filter(is_refused) {
                node.lane = None;
                node.lose_of(refused.epoch);
            }
            // Whatever is heard of a try, it will not be written: it matters only while the provider may get it.
            let over = match node.door {
                Door::Claimed(at) if at.epoch == node.epoch => {
                    (bound && node.bound == 0 && !matches!(node.lease, Some(LeaseAnswer::Renewed(_)))).then_some(at)
                }
                Door::Claimed(at) => bound.then_some(at),
                Door::Checked(at, 0) | Door::Called(at, 0) | Door::Arrived(at, _) | Door::Heard(at, _) => Some(at),
                _ => None,
            };
            if let Some(at) = over.filter(|at| at.epoch < lane_epoch) {
                node.door = Door::Nothing;
                node.lose_of(at.epoch);
            }
            // Nothing that it asks for will be done, so that it may know as well.
            if node.epoch < lane_epoch && rules.fenced_claims && !matches!(node.door, Door::Claimed(_)) {
                node.lose();
            }
        }
        let over = self.messages.iter().all(|message| message.place == Place::Done);
        let heard = |door| matches!(door, Door::Nothing | Door::Arrived(..) | Door::Heard(..));
        if over && rules.fenced_claims && self.nodes.iter().all(|node| heard(node.door) && node.lane.is_none()) {
            // Nothing will be called any more.
            let messages = self.messages;
            *self = Self::START;
            self.messages = messages.map(|message| Message { arrived: 0, ..message });
            self.nodes = [Node { gone: true, ..Node::NEW }; N];
        }
    }

    /// Epochs as 1, 2, 3, in their order: 0 stays nobody's.
    fn number_epochs(&mut self) {
        let mut seen = 0_u32;
        self.epochs(&mut |epoch| seen |= 1 << *epoch);
        self.epochs(&mut |epoch| {
            let below = seen & ((1 << *epoch) - 1) & !1;
            if *epoch != 0 {
                *epoch = u8::try_from(below.count_ones() + 1).unwrap_or(0);
            }
        });
    }
}
