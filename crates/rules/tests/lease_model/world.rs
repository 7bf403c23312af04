//! What is modelled: the store's rows, what each node remembers, and what has reached the provider.
//!
//! Times are counted in ticks that are left, so that there are finitely many states however long all goes on. Epochs are numbers
//! whose order alone matters.

use crate::rules::Rules;

/// The messages: both to one customer, in one class. The first goes before the second.
pub const MESSAGES: usize = 2;

/// One moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World<const N: usize> {
    pub store: Store,
    pub messages: [Message; MESSAGES],
    pub nodes: [Node; N],
}

/// The rows of the group's lease and of the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// 0: nobody; otherwise the node's number and one.
    pub owner: u8,
    /// `lease.epoch`.
    pub epoch: u8,
    /// Until the lease ends.
    pub left: u8,
    /// `lane_log.epoch`: who may write the lane.
    pub lane_epoch: u8,
    /// Its clock has been set forward.
    pub jumped: bool,
}

/// A message in the store, and at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub place: Place,
    /// There is a claim that names it.
    pub claimed: bool,
    pub tries: Try,
    /// How often the provider has got it.
    pub arrived: u8,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In `live`.
    Live,
    /// In `checking`: neither looked up nor sent again for so long.
    Checking(u8),
    /// It has ended.
    Done,
}

/// Which try of a message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Try {
    /// No try has been claimed whose outcome is unknown.
    First,
    /// Again, since a look-up has shown that the provider has not got it.
    Again,
    /// Again, on the chance: marked `possible_duplicate`.
    Marked,
}

/// What a node remembers, however long it was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Dead for ever. What it had sent may still arrive.
    pub gone: bool,
    /// What it believes to hold; 0: nothing.
    pub epoch: u8,
    /// The owner before had not given it up.
    pub ran_out: bool,
    /// Until it may call no more.
    pub bound: u8,
    pub stage: Stage,
    /// The messages as it read them when it took the lane, and what it did since.
    pub view: [View; MESSAGES],
    pub door: Door,
    /// A statement about the lane on its way to the store. One at a time, as with a lane's worker for one customer.
    pub lane: Option<LaneAsk>,
    /// What the store has answered about the lease, on its way back.
    pub lease: Option<LeaseAnswer>,
    /// How long ago that was asked.
    pub age: u8,
}

/// How far it is with a lane that it has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It holds the lease; the lane still bears another's epoch.
    Taken,
    /// The lane bears its epoch; the claims of the owner before are to be put into `checking`.
    Fencing,
    /// It works the lane.
    Works,
}

/// A message as a node remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    Live(Try),
    Checking,
    Done,
}

/// The message of this customer that is at the provider's door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    Nothing,
    /// Claimed by the owner of this epoch; the provider may be called after a look at the bound.
    Claimed(At),
    /// The bound was looked at, and had not passed. In so many ticks the call must be over.
    Checked(At, u8),
    /// Called: it may arrive for so many ticks yet.
    Called(At, u8),
    /// The provider has it; the answer can be heard, unless the time-out is heard first.
    Arrived(At, u8),
    /// What is known of it, and to be written.
    Heard(At, Outcome),
}

/// Which message is at the door, by whose claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct At {
    pub message: u8,
    pub tries: Try,
    pub epoch: u8,
}

/// What is known of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Accepted,
    Unknown,
    /// Not called, since the bound had passed.
    NotSent,
}

/// A statement about the lane, in the name of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneAsk {
    pub epoch: u8,
    pub what: LaneWhat,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LaneWhat {
    /// The lane is to bear this epoch.
    Fence,
    /// The claims of the owner before go to `checking`, and the lane is read.
    Recover,
    Claim(u8),
    Record(u8, Outcome),
    /// What was found out about a message in `checking`: the provider has it.
    Resolve(u8, bool),
    /// The lease is given up.
    Release,
}

/// What the store has answered about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseAnswer {
    /// It is the node's, under this epoch; and whether it had run out.
    Taken(u8, bool),
    /// It was still the node's under this epoch, and was prolonged.
    Renewed(u8),
    /// It is no longer the node's under this epoch.
    Lost(u8),
}

impl Message {
    /// What a node that reads it remembers of it.
    pub fn seen(&self) -> View {
        match self.place {
            Place::Live => View::Live(self.tries),
            Place::Checking(_) => View::Checking,
            Place::Done => View::Done,
        }
    }
}

impl Node {
    pub const NEW: Self = Self {
        gone: false,
        epoch: 0,
        ran_out: false,
        bound: 0,
        stage: Stage::Taken,
        view: [View::Live(Try::First); MESSAGES],
        door: Door::Nothing,
        lane: None,
        lease: None,
        age: 0,
    };

    /// It has learnt that another owns the lane. What is at its door goes on.
    pub fn lose(&mut self) {
        (self.epoch, self.ran_out, self.bound) = (0, false, 0);
        (self.stage, self.view) = (Self::NEW.stage, Self::NEW.view);
    }

    /// The same, if it has not taken the lane again since.
    pub fn lose_of(&mut self, epoch: u8) {
        if self.epoch == epoch {
            self.lose();
        }
    }

    /// All epochs that it remembers, or that a statement of its bears.
    fn epochs(&mut self, each: &mut dyn FnMut(&mut u8)) {
        each(&mut self.epoch);
        match &mut self.door {
            Door::Nothing => {}
            Door::Claimed(at)
            | Door::Checked(at, _)
            | Door::Called(at, _)
            | Door::Arrived(at, _)
            | Door::Heard(at, _) => each(&mut at.epoch),
        }
        if let Some(ask) = &mut self.lane {
            each(&mut ask.epoch);
        }
        match &mut self.lease {
            None => {}
            Some(LeaseAnswer::Taken(epoch, _) | LeaseAnswer::Renewed(epoch) | LeaseAnswer::Lost(epoch)) => each(epoch),
        }
    }
}

impl<const N: usize> World<N> {
    pub const START: Self = Self {
        store: Store { owner: 0, epoch: 0, left: 0, lane_epoch: 0, jumped: false },
        messages: [Message { place: Place::Live, claimed: false, tries: Try::First, arrived: 0 }; MESSAGES],
        nodes: [Node::NEW; N],
    };

    /// Whether anybody may take the lease.
    pub fn is_free(&self) -> bool {
        self.store.owner == 0 || self.store.left == 0
    }

    /// Everything that shrinks with time, but the store's clock.
    pub fn tick_nodes(&mut self, rules: &Rules) {
        for node in &mut self.nodes {
            node.bound = node.bound.saturating_sub(1);
            if node.lease.is_some() {
                node.age = (node.age + 1).min(rules.lease);
            }
            match &mut node.door {
                Door::Checked(_, left) if rules.short_gap => *left = left.saturating_sub(1),
                Door::Called(_, left) | Door::Arrived(_, left) => *left = left.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// What shrinks by the store's clock.
    pub fn tick_store(&mut self) {
        self.store.left = self.store.left.saturating_sub(1);
        for message in &mut self.messages {
            if let Place::Checking(wait) = &mut message.place {
                *wait = wait.saturating_sub(1);
            }
        }
    }

    /// All epochs that there are.
    pub fn epochs(&mut self, each: &mut dyn FnMut(&mut u8)) {
        each(&mut self.store.epoch);
        each(&mut self.store.lane_epoch);
        for node in &mut self.nodes {
            node.epochs(each);
        }
    }

    /// The next number of the sequence of epochs.
    pub fn next_epoch(&mut self) -> u8 {
        let mut highest = 0;
        self.epochs(&mut |epoch| highest = highest.max(*epoch));
        highest + 1
    }
}
