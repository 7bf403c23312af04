//! Nodes, and who owns what.

use super::operations;
use crate::store::*;

operations! {
    /// Renews that a node lives, and those of its leases that nobody has taken meanwhile; tells how things stand.
    fn renew(renewal: Renewal) -> NodesNow;

    /// Takes a lease that is free or has run out; None: somebody else was faster.
    fn take_lease(node: NodeId, group: Group) -> Option<Taken>;

    /// Makes an epoch that of these lanes: whoever writes with an earlier one is fenced from then on. Waits for what an
    /// earlier owner is writing. Those of a later epoch already are left as they are; tells which are owned now.
    fn own_lanes(epoch: Epoch, lanes: Vec<LaneRow>) -> Vec<LaneRow>;

    /// The same for a subscription; tells whether it is owned now.
    fn own_subscription(epoch: Epoch, subscription: SubscriptionRow) -> bool;

    /// Frees a lease of this epoch. Nothing of the group may be under way any more.
    fn free_lease(group: Group, epoch: Epoch) -> ();

    /// The node has stopped: its row goes, and what it holds still is left to run out.
    fn leave(node: NodeId) -> ();

    /// How often each of what nodes keep in memory has changed; nothing where there is one node.
    fn versions() -> Vec<(Changed, i64)>;

    /// Tells the other nodes that something has changed which they may keep in memory.
    fn announce(changed: Changed) -> ();
}
