//! Plans of several nodes against a small model of the store: whoever acts when, on however old a view, groups come to be
//! spread evenly, and stay.

use super::*;
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

const START: Timestamp = Timestamp(1_795_348_800_000_000);

fn node_id(number: usize) -> NodeId {
    NodeId(uuid::Uuid::from_u128(number as u128 + 1))
}

fn group(number: usize) -> Group {
    // Most are lanes; there is one group of housekeeping.
    let kind = match number {
        3 => Kind::Housekeeping,
        number if number % 3 == 1 => Kind::Subscription,
        _ => Kind::Lanes,
    };
    Group { kind, key: format!("{number:03}") }
}

/// What nodes see when they renew.
#[derive(Clone, Debug)]
struct View {
    now: Timestamp,
    nodes: Vec<NodeRow>,
    groups: Vec<Group>,
    leases: Vec<LeaseRow>,
}

impl View {
    fn plan(&self, me: NodeId) -> Plan {
        plan(me, self.now, &self.nodes, &self.groups, &self.leases)
    }

    fn working(&self) -> BTreeSet<NodeId> {
        self.nodes.iter().filter(|row| row.is_working(self.now)).map(|row| row.node).collect()
    }

    fn held(&self, node: NodeId, kind: Kind) -> usize {
        let held = self.leases.iter().filter(|row| row.holder(self.now) == Some(node) && row.group.kind == kind);
        held.filter(|row| self.groups.contains(&row.group)).count()
    }

    fn is_free(&self, group: &Group) -> bool {
        self.leases.iter().all(|row| row.group != *group || row.holder(self.now).is_none())
    }
}

/// The store, and what each node saw when it last looked.
struct World {
    store: View,
    views: BTreeMap<NodeId, View>,
    dead: BTreeSet<NodeId>,
    epoch: i64,
    moved: usize,
}

impl World {
    fn new() -> Self {
        let store = View { now: START, nodes: Vec::new(), groups: Vec::new(), leases: Vec::new() };
        Self { store, views: BTreeMap::new(), dead: BTreeSet::new(), epoch: 0, moved: 0 }
    }

    fn join(&mut self, node: NodeId) {
        self.views.remove(&node);
        self.dead.remove(&node);
        self.store.nodes.retain(|row| row.node != node);
        let until = self.store.now + LEASE;
        self.store.nodes.push(NodeRow {
            node,
            name: String::new(),
            version: String::new(),
            works: true,
            answers: true,
            until,
        });
    }

    /// As if it had died: its rows stay until they run out.
    fn leave(&mut self, node: NodeId) {
        self.views.remove(&node);
        self.dead.insert(node);
    }

    /// Renews whatever nobody has taken, and looks.
    fn renew(&mut self, me: NodeId) {
        let now = self.store.now;
        if self.dead.contains(&me) {
            return;
        }
        let Some(row) = self.store.nodes.iter_mut().find(|row| row.node == me) else { return };
        row.until = now + LEASE;
        for row in self.store.leases.iter_mut().filter(|row| row.node == Some(me)) {
            row.until = now + LEASE;
        }
        self.views.insert(me, self.store.clone());
    }

    /// Acts on what it saw when it last looked.
    fn act(&mut self, me: NodeId) {
        let Some(view) = self.views.remove(&me) else { return };
        let plan = view.plan(me);
        let until = self.store.now + LEASE;
        for group in &plan.take {
            if !self.store.is_free(group) {
                continue;
            }
            self.epoch += 1;
            self.store.leases.retain(|row| row.group != *group);
            let row = LeaseRow { group: group.clone(), node: Some(me), epoch: Epoch(self.epoch), until };
            self.store.leases.push(row);
            self.moved += 1;
        }
        for row in self.store.leases.iter_mut().filter(|row| row.node == Some(me) && plan.release.contains(&row.group))
        {
            row.node = None;
        }
    }

    /// So many rounds in which all living nodes renew and act, in an order that differs from round to round.
    fn rounds(&mut self, rounds: usize) {
        for round in 0..rounds {
            self.store.now = self.store.now + RENEW_EVERY;
            let mut nodes: Vec<NodeId> = self.store.nodes.iter().map(|row| row.node).collect();
            let first = round % nodes.len().max(1);
            nodes.rotate_left(first);
            for node in nodes {
                self.renew(node);
                self.act(node);
            }
        }
    }

    fn is_settled(&self) -> Result<(), TestCaseError> {
        let store = &self.store;
        let working = store.working();
        prop_assert!(working.is_disjoint(&self.dead));
        for group in &store.groups {
            let row = store.leases.iter().find(|row| row.group == *group);
            let holder = row.and_then(|row| row.holder(store.now));
            prop_assert!(holder.is_some_and(|node| working.contains(&node)), "{group} is worked by {holder:?}");
        }
        for kind in Kind::ALL {
            let counts: Vec<usize> = working.iter().map(|node| store.held(*node, kind)).collect();
            let (most, least) = (counts.iter().max(), counts.iter().min());
            prop_assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{kind}: {counts:?}");
        }
        for row in &store.leases {
            prop_assert!(row.holder(store.now).is_none() || store.groups.contains(&row.group), "{} is gone", row.group);
        }
        for node in &working {
            prop_assert_eq!(store.plan(*node), Plan::default());
        }
        Ok(())
    }
}

/// Four renewals until what the dead held runs out, one in which it is taken, and two in which surplus is given up and taken.
const ROUNDS: usize = 7;

#[derive(Clone, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Rests(usize, bool),
    Add(usize),
    Remove(usize),
    Renew(usize),
    Act(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..5usize).prop_map(Step::Join),
        1 => (0..5usize).prop_map(Step::Leave),
        1 => (0..5usize, any::<bool>()).prop_map(|(node, works)| Step::Rests(node, works)),
        3 => (0..40usize).prop_map(Step::Add),
        1 => (0..40usize).prop_map(Step::Remove),
        6 => (0..5usize).prop_map(Step::Renew),
        6 => (0..5usize).prop_map(Step::Act),
        4 => (0..1_500u64).prop_map(Step::Pass),
    ]
}

fn settled(nodes: usize, groups: usize) -> World {
    let mut world = World::new();
    world.store.groups = (0..groups).map(group).collect();
    (0..nodes).for_each(|node| world.join(node_id(node)));
    world.rounds(ROUNDS);
    world
}

/// Any rows at all, as no history may have made them.
fn any_view() -> impl Strategy<Value = View> {
    let nodes = vec((any::<bool>(), -1_000..3_000i64), 1..6);
    let leases = vec((0..40usize, proptest::option::of(0..6usize), -3_000..3_000i64), 0..40);
    (nodes, vec(0..40usize, 0..40), leases).prop_map(|(nodes, groups, leases)| {
        let at = |offset: i64| Timestamp(START.0 + offset * 1_000);
        let nodes = nodes.into_iter().enumerate().map(|(number, (works, until))| NodeRow {
            node: node_id(number),
            name: String::new(),
            version: String::new(),
            works,
            answers: true,
            until: at(until),
        });
        let leases: BTreeMap<usize, _> =
            leases.into_iter().map(|(number, node, until)| (number, (node, until))).collect();
        let leases = leases.into_iter().enumerate().map(|(epoch, (number, (node, until)))| LeaseRow {
            group: group(number),
            node: node.map(node_id),
            epoch: Epoch(epoch as i64),
            until: at(until),
        });
        View {
            now: START,
            nodes: nodes.collect(),
            groups: groups.into_iter().map(group).collect(),
            leases: leases.collect(),
        }
    })
}

#[test]
fn one_node_takes_all_and_two_share() {
    let mut world = settled(1, 12);
    assert_eq!(Kind::ALL.map(|kind| world.store.held(node_id(0), kind)), [7, 4, 1]);
    world.join(node_id(1));
    world.rounds(ROUNDS);
    assert_eq!(Kind::ALL.map(|kind| world.store.held(node_id(0), kind)), [4, 2, 1]);
    // Who has one lane less is the first to have one more of something else, among those who have none.
    let mut world = World::new();
    world.store.groups = vec![group(0), group(1), group(3)];
    (0..3).for_each(|node| world.join(node_id(node)));
    world.rounds(ROUNDS);
    let held = |node| Kind::ALL.iter().map(|kind| world.store.held(node_id(node), *kind)).sum::<usize>();
    assert_eq!([held(0), held(1), held(2)], [1, 1, 1]);
}

#[test]
fn a_node_that_rests_gives_up_all_at_once() {
    let mut world = settled(2, 12);
    world.store.nodes[0].works = false;
    world.rounds(2);
    assert_eq!(Kind::ALL.map(|kind| world.store.held(node_id(0), kind)), [0, 0, 0]);
    world.is_settled().unwrap();
}

#[test]
fn what_is_being_given_up_stays_the_same_however_long_it_takes() {
    let mut world = settled(2, 40);
    world.join(node_id(2));
    let first = world.store.plan(node_id(0)).release;
    assert!(!first.is_empty());
    for _ in 0..ROUNDS {
        world.store.now = world.store.now + RENEW_EVERY;
        world.renew(node_id(0));
        for node in [1, 2] {
            world.renew(node_id(node));
            world.act(node_id(node));
        }
        assert_eq!(world.store.plan(node_id(0)).release, first);
    }
    assert!(world.store.held(node_id(2), Kind::Lanes) > 0);
}

#[test]
fn a_store_that_was_away_moves_nothing() {
    let mut world = settled(0, 40);
    // The first comes last, so that it is not the one that has one more.
    for node in [1, 2, 0] {
        world.join(node_id(node));
        world.rounds(ROUNDS);
    }
    world.store.now = world.store.now + LEASE * 20;
    let before = world.store.leases.clone();
    // All are seen to have run out: each takes back its own, though the first could have had all.
    let now = world.store.now + LEASE;
    world.store.nodes.iter_mut().for_each(|row| row.until = now);
    for node in 0..3 {
        let mine: BTreeSet<&Group> =
            before.iter().filter(|row| row.node == Some(node_id(node))).map(|row| &row.group).collect();
        let plan = world.store.plan(node_id(node));
        assert_eq!(plan.take.iter().collect::<BTreeSet<_>>(), mine);
        assert_eq!(plan.release, []);
    }
}

proptest! {
    /// Whatever happened before, and on however old views: soon after the last who came or went, all is shared out evenly.
    #[test]
    fn comes_to_rest(steps in vec(step(), 0..200)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Join(node) => world.join(node_id(node)),
                Step::Leave(node) => world.leave(node_id(node)),
                Step::Rests(node, works) => {
                    let row = world.store.nodes.iter_mut().find(|row| row.node == node_id(node));
                    row.into_iter().for_each(|row| row.works = works);
                }
                Step::Add(number) if world.store.groups.contains(&group(number)) => {}
                Step::Add(number) => world.store.groups.push(group(number)),
                Step::Remove(number) => world.store.groups.retain(|other| *other != group(number)),
                Step::Renew(node) => world.renew(node_id(node)),
                Step::Act(node) => world.act(node_id(node)),
                Step::Pass(milliseconds) => world.store.now = world.store.now + Duration::from_millis(milliseconds),
            }
        }
        if !world.store.nodes.iter().any(|row| row.works && !world.dead.contains(&row.node)) {
            world.join(node_id(9));
        }
        world.rounds(ROUNDS);
        world.is_settled()?;
        let moved = world.moved;
        world.rounds(20);
        prop_assert_eq!(world.moved, moved, "nothing moves any more");
    }

    /// A node that comes gets its share and no group moves besides; one that goes leaves the others' groups where they are.
    #[test]
    fn only_what_must_moves(nodes in 1..6usize, groups in 0..60usize) {
        let mut world = settled(nodes, groups);
        world.is_settled()?;
        world.moved = 0;
        world.join(node_id(nodes));
        world.rounds(ROUNDS);
        world.is_settled()?;
        let share = |world: &World| Kind::ALL.map(|kind| world.store.held(node_id(nodes), kind)).iter().sum::<usize>();
        prop_assert_eq!(world.moved, share(&world));
        let gone = share(&world);
        world.moved = 0;
        world.leave(node_id(nodes));
        world.rounds(ROUNDS);
        world.is_settled()?;
        prop_assert_eq!(world.moved, gone);
    }

    /// From one view, whatever it shows, the plans of all nodes fit: nothing free is left or wanted by two, and no more is given up
    /// than must be.
    #[test]
    fn plans_of_one_view_fit(view in any_view()) {
        let working = view.working();
        let groups: BTreeSet<&Group> = view.groups.iter().collect();
        let plans: Vec<(NodeId, Plan)> = view.nodes.iter().map(|row| (row.node, view.plan(row.node))).collect();
        let taken: Vec<&Group> = plans.iter().flat_map(|(_, plan)| &plan.take).collect();
        let free: BTreeSet<&Group> = groups.iter().copied().filter(|group| view.is_free(group)).collect();
        prop_assert_eq!(taken.len(), taken.iter().collect::<BTreeSet<_>>().len(), "each by one");
        if !working.is_empty() {
            prop_assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), free, "all that is free");
        }
        for (node, plan) in &plans {
            prop_assert_eq!(&view.plan(*node), plan, "the same each time");
            let mine = |group: &Group| view.leases.iter().any(|row| row.group == *group && row.node == Some(*node));
            prop_assert!(plan.release.iter().all(mine));
            prop_assert!(plan.take.is_empty() || working.contains(node));
        }
        for kind in Kind::ALL.into_iter().filter(|_| !working.is_empty()) {
            let (count, nodes) = (groups.iter().filter(|group| group.kind == kind).count(), working.len());
            let (least, ones_more) = (count / nodes, count % nodes);
            let above = |most: usize| working.iter().map(|node| view.held(*node, kind).saturating_sub(most)).sum::<usize>();
            let must = above(least + 1).max(above(least).saturating_sub(ones_more));
            let released = plans.iter().filter(|(node, _)| working.contains(node)).flat_map(|(_, plan)| &plan.release);
            let released = released.filter(|group| group.kind == kind && groups.contains(group)).count();
            prop_assert_eq!(released, must, "{}", kind);
        }
    }
}
