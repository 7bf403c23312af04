//! The guards of the protocol, each of which can be taken out to see what it is good for.

/// What happens to a message of unknown outcome when it has waited long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It is given up as failed.
    Fail,
    /// It goes once more, marked `possible_duplicate`.
    Resend,
    /// The provider is asked, and it goes again if it never arrived.
    LookUp,
}

/// Whether what was claimed before a take-over is left alone for a call's time-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Always.
    Always,
    /// Only where the lease had run out: who gives it up has nothing under way.
    AfterRunningOut,
    /// Never.
    Never,
}

/// Which guards are there.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub policy: Policy,
    /// A lease, in ticks.
    pub lease: u8,
    /// A call's time-out, in ticks.
    pub call: u8,
    /// A claim is written only with the lane's epoch.
    pub fenced_claims: bool,
    /// An outcome is written only with the lane's epoch.
    pub fenced_records: bool,
    /// The epoch of a lane is only ever raised, whatever statement comes late.
    pub rising_epochs: bool,
    /// The bound is looked at before the call.
    pub bound_looked_at: bool,
    /// A bound is that of one epoch: who has lost a group and taken it again does not call by it what was claimed before.
    pub bound_of_epoch: bool,
    /// The bound counts from when the renewal was sent, and not from its answer.
    pub bound_from_sending: bool,
    /// Whether a new owner waits for calls under way.
    pub waits: Waits,
    /// A node may give up a lease before it has recovered the lane.
    pub unrecovered_given_up: bool,
    /// As long as that, nothing else goes to the customer either, be it before or after it in the lane.
    pub customers_held: bool,
    /// From the look at the bound until the call is over it takes no longer than a call's time-out. This is no guard
    /// but an assumption: false lets a node stop between look and call for any time.
    pub short_gap: bool,
    /// The store's clock may be set forward by a tick, once.
    pub clock_jumps: bool,
    /// So many ticks are waited for beyond the time-out.
    pub margin: u8,
    /// A statement may be on its way to the store for any time, while the node that sent it goes on.
    pub late_statements: bool,
    /// One node may die for ever.
    pub deaths: bool,
}

impl Rules {
    /// As the protocol is.
    pub fn all(policy: Policy) -> Self {
        Self {
            policy,
            lease: 1,
            call: 1,
            fenced_claims: true,
            fenced_records: true,
            rising_epochs: true,
            bound_looked_at: true,
            bound_of_epoch: true,
            bound_from_sending: true,
            waits: Waits::Always,
            unrecovered_given_up: false,
            customers_held: true,
            short_gap: true,
            clock_jumps: false,
            margin: 0,
            late_statements: false,
            deaths: true,
        }
    }
}
