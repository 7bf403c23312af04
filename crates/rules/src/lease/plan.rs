//! Sharing the groups out among the nodes.

use super::{Group, Kind, LeaseRow, NodeId, NodeRow};
use crate::time::Timestamp;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// What a node is to do about leases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be taken now: free, or run out. Another node may have been faster: the store decides.
    pub take: Vec<Group>,
    /// To be given up: nothing more is claimed, what is under way comes back and is written, then the lease is freed.
    pub release: Vec<Group>,
}

/// What `me` is to take and to give up, by the rows of one moment of the store's clock.
///
/// - Of each kind, any two working nodes have as many to within one.
/// - Nothing moves without need: who holds most keeps one more where it does not come out even, and what has run out (the store was
///   away) goes back to the node that held it.
/// - All nodes that see the same rows come to plans that fit: every free group is taken by exactly one, and as many are given up
///   as others lack. With rows of different moments two may want the same group, and the store gives it to one of them; or
///   nobody does until the next look.
/// - What is given up is chosen by its epoch, the latest first, which has had the least time to warm up. So a plan made while
///   giving up is still under way names the same groups, as long as nobody comes or goes.
/// - Who does not work gives up all; who is not among the living takes nothing.
///
/// A share is kept for each node that works, so a node that cannot take groups must not say that it works.
pub fn plan(me: NodeId, now: Timestamp, nodes: &[NodeRow], groups: &[Group], leases: &[LeaseRow]) -> Plan {
    let working: BTreeSet<NodeId> = nodes.iter().filter(|row| row.is_working(now)).map(|row| row.node).collect();
    let resting = nodes.iter().any(|row| row.node == me && !row.works);
    let wanted: BTreeSet<&Group> = groups.iter().collect();
    let rows: HashMap<&Group, &LeaseRow> = leases.iter().map(|row| (&row.group, row)).collect();
    let mut plan = Plan::default();
    for row in leases.iter().filter(|row| row.node == Some(me)) {
        if resting || !wanted.contains(&row.group) {
            plan.release.push(row.group.clone());
        }
    }
    if working.contains(&me) {
        let mut given = HashMap::new();
        for kind in Kind::ALL {
            let wanted = wanted.iter().copied().filter(|group| group.kind == kind);
            Sharing::new(now, &working, wanted, &rows).plan(me, &mut given, &mut plan);
        }
    }
    plan.release.sort();
    plan
}

/// The groups of one kind.
struct Sharing<'a> {
    count: usize,
    nodes: BTreeMap<NodeId, Node<'a>>,
    /// Free groups that nobody working has held before.
    free: Vec<&'a Group>,
}

/// What one node has of them.
#[derive(Default)]
struct Node<'a> {
    held: Vec<&'a LeaseRow>,
    /// Free, but it was the last to hold them.
    lost: Vec<&'a Group>,
}

impl<'a> Sharing<'a> {
    fn new(
        now: Timestamp,
        working: &BTreeSet<NodeId>,
        wanted: impl Iterator<Item = &'a Group>,
        rows: &HashMap<&Group, &'a LeaseRow>,
    ) -> Self {
        let nodes = working.iter().map(|node| (*node, Node::default())).collect();
        let mut sharing = Self { count: 0, nodes, free: Vec::new() };
        for group in wanted {
            sharing.count += 1;
            let row = rows.get(group).copied();
            let last = row.and_then(|row| row.node).and_then(|node| sharing.nodes.get_mut(&node));
            match (row.filter(|row| row.holder(now).is_some()), last) {
                (Some(row), Some(holder)) => holder.held.push(row),
                // A dead node's, until it runs out.
                (Some(_), None) => {}
                (None, Some(loser)) => loser.lost.push(group),
                (None, None) => sharing.free.push(group),
            }
        }
        sharing
    }

    /// Adds what `me` is to do. `given` counts the shares of each node over all kinds, so that whoever has one more of one kind
    /// is not the first to have one more of the next.
    fn plan(mut self, me: NodeId, given: &mut HashMap<NodeId, usize>, plan: &mut Plan) {
        let mut order: Vec<NodeId> = self.nodes.keys().copied().collect();
        order.sort_by_key(|id| {
            let node = &self.nodes[id];
            (Reverse(node.held.len()), Reverse(node.lost.len()), given.get(id).copied().unwrap_or(0), *id)
        });
        let (least, ones_more) = (self.count / order.len(), self.count % order.len());
        let mut lacking = Vec::new();
        for (index, id) in order.into_iter().enumerate() {
            let share = least + usize::from(index < ones_more);
            *given.entry(id).or_default() += share;
            let Some(node) = self.nodes.get_mut(&id) else { continue };
            let mut lacks = share.saturating_sub(node.held.len());
            let back = node.lost.drain(..lacks.min(node.lost.len()));
            lacks -= back.len();
            if id == me {
                plan.take.extend(back.cloned());
                node.held.sort_by_key(|row| (Reverse(row.epoch), &row.group));
                let surplus = node.held.len().saturating_sub(share);
                plan.release.extend(node.held[..surplus].iter().map(|row| row.group.clone()));
            }
            lacking.push((id, lacks));
        }
        // Shares come to as many as there are groups, so that nothing free is left over.
        self.free.extend(self.nodes.into_values().flat_map(|node| node.lost));
        self.free.sort();
        let mut free = self.free.into_iter();
        for (id, lacks) in lacking {
            let taken = free.by_ref().take(lacks);
            if id == me {
                plan.take.extend(taken.cloned());
                return;
            }
            taken.for_each(drop);
        }
    }
}
