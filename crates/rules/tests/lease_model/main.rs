//! The lease protocol, checked by trying all that can happen to two nodes (and three), one lane, and two messages of a customer.
//!
//! Any node may be stopped before any of its steps for any time, and goes on with what it remembers; answers take any time; time
//! passes in ticks, and leases, bounds, calls and waits end by it. `world` is what is modelled, `steps` what can happen, `store`
//! what statements do, `rules` the guards. `search` goes through every state that can be reached, so that "holds" here means:
//! in all of them.
//!
//! Each guard is taken out once to see that the search finds what it prevents. `cargo test -p herald-rules --test lease_model --
//! --nocapture` prints those stories. What all this says and does not say is in `docs/decisions/0004-leases.md`.

mod forget;
mod rules;
mod search;
mod steps;
mod store;
mod world;

use rules::{Policy, Rules, Waits};
use search::{Found, search};
use steps::{Broken, Protocol};

/// What is promised to those who send.
const PROMISES: [Broken; 3] = [Broken::Twice, Broken::Order, Broken::AtOnce];

/// Nothing of this happens in any state, and from each of them all messages can still come to an end.
fn never<const N: usize>(watched: &[Broken], rules: Rules) {
    match search(&Protocol::<N>(rules), watched) {
        Found::Nothing(space) => {
            println!("{rules:?}: {} states, {} steps", space.states, space.steps);
            assert_eq!(space.stuck, 0, "from so many states no end can be reached");
        }
        Found::Broken(steps, what) => {
            let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
            panic!("{what:?} with {rules:?}:\n{}", steps.join("\n"));
        }
    }
}

/// This does happen; the shortest story of it is printed.
fn happens(watched: Broken, rules: Rules) {
    let Found::Broken(steps, what) = search(&Protocol::<2>(rules), &[watched]) else {
        panic!("{watched:?} was not found with {rules:?}");
    };
    println!("{what:?} with {rules:?}:");
    steps.iter().for_each(|step| println!("  {step}"));
}

fn without_deaths(policy: Policy) -> Rules {
    Rules { deaths: false, ..Rules::all(policy) }
}

#[test]
fn holds_where_unknown_outcomes_are_given_up() {
    never::<2>(&PROMISES, Rules::all(Policy::Fail));
    never::<2>(&PROMISES, Rules { lease: 2, call: 2, ..Rules::all(Policy::Fail) });
}

#[test]
fn holds_where_unknown_outcomes_are_looked_up() {
    never::<2>(&PROMISES, Rules::all(Policy::LookUp));
}

#[test]
fn holds_where_unknown_outcomes_are_sent_again() {
    never::<2>(&PROMISES, without_deaths(Policy::Resend));
}

#[test]
fn holds_with_statements_that_come_late() {
    never::<2>(&PROMISES, Rules { late_statements: true, ..without_deaths(Policy::Fail) });
}

#[test]
fn holds_among_three_nodes() {
    never::<3>(&PROMISES, without_deaths(Policy::Fail));
}

/// All policies with all that can happen: 7.4 million states.
#[test]
#[ignore = "two minutes of processor time; for whoever changes the protocol"]
fn holds_in_larger_settings() {
    for policy in [Policy::Fail, Policy::LookUp, Policy::Resend] {
        let rules = Rules::all(policy);
        never::<2>(&PROMISES, Rules { lease: 2, call: 2, ..rules });
        never::<2>(&PROMISES, Rules { clock_jumps: true, margin: 1, ..rules });
        never::<2>(&PROMISES, Rules { late_statements: true, ..rules });
        never::<2>(&PROMISES, Rules { late_statements: true, waits: Waits::AfterRunningOut, ..rules });
        never::<3>(&PROMISES, rules);
    }
}

/// The fence of claims and the bound each keep a message from being sent twice under `fail`, so that both must fail for it: here
/// nobody looks at the bound, or a clock set forward makes it come too late.
#[test]
fn without_the_fence_of_claims_a_message_is_sent_twice() {
    let rules = without_deaths(Policy::Fail);
    happens(Broken::Twice, Rules { fenced_claims: false, bound_looked_at: false, ..rules });
    happens(Broken::Twice, Rules { fenced_claims: false, clock_jumps: true, ..rules });
    never::<2>(&[Broken::Twice], Rules { clock_jumps: true, ..rules });
    never::<2>(&PROMISES, Rules { fenced_claims: false, ..rules });
}

#[test]
fn without_a_look_at_the_bound_order_breaks_and_what_is_looked_up_goes_twice() {
    happens(Broken::Order, Rules { bound_looked_at: false, ..without_deaths(Policy::Fail) });
    happens(Broken::Twice, Rules { bound_looked_at: false, ..without_deaths(Policy::LookUp) });
    happens(Broken::Twice, Rules { bound_looked_at: false, ..without_deaths(Policy::Resend) });
}

#[test]
fn without_waiting_for_calls_under_way_order_breaks_and_what_is_sent_again_goes_twice() {
    happens(Broken::Order, Rules { waits: Waits::Never, ..without_deaths(Policy::Fail) });
    happens(Broken::Twice, Rules { waits: Waits::Never, ..without_deaths(Policy::LookUp) });
    happens(Broken::Twice, Rules { waits: Waits::Never, ..without_deaths(Policy::Resend) });
}

/// A lease that was given up need not be waited for, since nothing was under way. But who gives it up must have recovered the lane,
/// or the calls of the owner before are forgotten.
#[test]
fn what_was_given_up_needs_no_wait_if_it_had_been_recovered() {
    for policy in [Policy::Fail, Policy::LookUp] {
        let rules = Rules { waits: Waits::AfterRunningOut, ..without_deaths(policy) };
        never::<2>(&PROMISES, rules);
        happens(Broken::AtOnce, Rules { unrecovered_given_up: true, ..rules });
        happens(Broken::Order, Rules { unrecovered_given_up: true, ..rules });
    }
    let rules = Rules { waits: Waits::AfterRunningOut, unrecovered_given_up: true, ..without_deaths(Policy::LookUp) };
    happens(Broken::Twice, rules);
    never::<2>(&PROMISES, Rules { unrecovered_given_up: true, ..without_deaths(Policy::Fail) });
}

/// It is the customer who is held back, and not only what comes after the message in question.
#[test]
fn without_holding_the_customer_two_calls_are_under_way_at_once() {
    happens(Broken::AtOnce, Rules { customers_held: false, ..without_deaths(Policy::Fail) });
}

#[test]
fn a_bound_that_counts_from_the_answer_comes_too_late() {
    happens(Broken::Order, Rules { bound_from_sending: false, ..without_deaths(Policy::Fail) });
    happens(Broken::Twice, Rules { bound_from_sending: false, ..without_deaths(Policy::LookUp) });
}

/// A node that loses a group and takes it again has a new bound; what it claimed before must not go by that.
#[test]
fn a_bound_is_that_of_one_epoch() {
    happens(Broken::Order, Rules { bound_of_epoch: false, ..without_deaths(Policy::Fail) });
    happens(Broken::Twice, Rules { bound_of_epoch: false, ..without_deaths(Policy::LookUp) });
}

/// `UPDATE lane_log SET epoch = $1` without `WHERE epoch < $1` lets an owner of before fence the owner of today.
#[test]
fn an_epoch_only_rises() {
    happens(Broken::Order, Rules { rising_epochs: false, ..without_deaths(Policy::Fail) });
    happens(Broken::Twice, Rules { rising_epochs: false, ..without_deaths(Policy::LookUp) });
}

#[test]
fn without_the_fence_of_outcomes_two_calls_are_under_way_at_once() {
    happens(Broken::AtOnce, Rules { fenced_records: false, ..without_deaths(Policy::LookUp) });
}

/// A call may begin after another node has the lease, since look and call are two steps: that is what is waited for.
#[test]
fn a_call_may_begin_after_the_take_over() {
    happens(Broken::NotOurs, without_deaths(Policy::Fail));
}

/// What cannot be kept: a node stopped after its look at the bound, for longer than its lease and a call's time-out, calls when
/// another has long gone on. Under `fail` still nobody gets a message twice.
#[test]
fn a_stop_between_look_and_call_breaks_what_no_guard_can_keep() {
    happens(Broken::Order, Rules { short_gap: false, ..without_deaths(Policy::Fail) });
    happens(Broken::Twice, Rules { short_gap: false, ..without_deaths(Policy::LookUp) });
    never::<2>(&[Broken::Twice], Rules { short_gap: false, ..without_deaths(Policy::Fail) });
}

/// As when a standby whose clock is ahead becomes the primary.
#[test]
fn a_clock_set_forward_is_borne_by_as_much_more_waiting() {
    happens(Broken::Order, Rules { clock_jumps: true, ..without_deaths(Policy::Fail) });
    happens(Broken::Twice, Rules { clock_jumps: true, ..without_deaths(Policy::LookUp) });
    never::<2>(&PROMISES, Rules { clock_jumps: true, margin: 1, ..without_deaths(Policy::Fail) });
}
