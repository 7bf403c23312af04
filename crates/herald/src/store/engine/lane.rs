//! What the owner of a lane asks and writes.

use super::operations;
use crate::store::*;
use herald_rules::{
    admission::Reach, ids::MessageId, lane::Pace, message::Priority, protocol::Protocol, reason::Reason,
    time::Timestamp,
};
use std::time::Duration;

operations! {
    /// Claims a batch: what is returned may be sent. Cancelled messages, and tried ones that a receipt has meanwhile
    /// proved accepted, are dropped from the queue instead.
    fn claim(claim: Claim) -> ClaimedNow;

    /// How a customer can be reached now, for a look before sending.
    ///
    /// # Errors
    /// When it cannot be read.
    fn reach(department: DepartmentRow, channel: ChannelRow, lane: LaneRow, customer: &str) -> Reach;

    /// The pace of a lane after its last claim, so that a restart makes no burst.
    fn pace(lane: LaneRow) -> Pace;

    /// What is known of a portfolio's budget.
    fn daily_budget(portfolio: String) -> DailyBudgetRow;

    /// Keeps the limit that the provider told; None: as many as one likes.
    fn set_daily_limit(portfolio: String, limit: Option<u32>) -> ();

    /// Forgets one step of customers counted before a moment; tells whether there may be more.
    fn prune_daily_customers(before: Timestamp) -> bool;

    /// The next messages of one class after a position, in order.
    fn head(department: DepartmentRow, lane: LaneRow, priority: Priority, after: i64, limit: u32) -> HeadPage;

    /// Messages that wait, by protocol. Adds up what the lanes keep; counts no rows.
    fn waiting_by_protocol() -> Vec<(Protocol, i64)>;

    /// Makes one step of what was put away for a reason due now; tells whether there may be more.
    fn hasten(owned: Owned, reason: Reason, now: Timestamp) -> bool;

    /// Moves what is due to the live queue, with the moment of the next. What was held is returned; what was scheduled
    /// arrives: the observer hears of it.
    fn due(owned: Owned, now: Timestamp, limit: u32) -> Due;

    /// Makes outcomes durable, with their status events, and closes the claims of which nothing is open any more.
    fn record(outcomes: Outcomes) -> ();

    /// Ends the checking of an unknown outcome. Returns the message where it goes again.
    fn resolve(owned: Owned, channel: ChannelRow, checking: Checking, resolution: Resolution, now: Timestamp) -> Option<Queued>;

    /// The messages of a lane whose outcome is being found out, and that no receipt has settled meanwhile.
    fn is_checking(department: DepartmentRow, lane: LaneRow, id: MessageId) -> bool;

    /// Messages whose outcome is being found out, those with the earliest deadline first.
    fn checking(department: DepartmentRow, lane: LaneRow, limit: u32) -> Vec<Checking>;

    /// When a node takes a lane: what is left claimed goes to `checking`, from `settled_at` on, when no call of an earlier owner
    /// can be under way any more; before that its outcome is not searched for. Returns all that is being checked, and the
    /// customers whose messages are held back.
    fn recover(owned: Owned, now: Timestamp, settled_at: Timestamp, reconcile_for: Duration) -> Recovered;

    /// To whom something went from a lane since a moment, oldest first: for limits that look back.
    ///
    /// It walks the log backwards, and a message counts at its first event there: late rather than early. One that went before
    /// and has a receipt since counts again, so that too much may be counted and never too little.
    fn recent_customers(department: DepartmentRow, lane: LaneRow, since: Timestamp) -> Vec<(String, Timestamp)>;

    /// How a lane stands.
    fn standing(lane: LaneRow) -> Standing;

    /// Changes how lanes stand. A stop is told as an event in the log of `lane`, unless that one stands still already.
    fn change_standing(department: DepartmentRow, lane: LaneRow, change: StandingChange) -> ();
}
