//! What the store does with a statement about the lane, and what the node makes of the answer.

use crate::{
    rules::{Policy, Rules, Waits},
    world::*,
};

/// One transaction on the lane's rows; false: fenced, and nothing is written.
pub fn execute<const N: usize>(rules: &Rules, world: &mut World<N>, node: &mut Node, owner: u8, ask: LaneAsk) -> bool {
    let World { store, messages, .. } = world;
    let of_the_day = store.lane_epoch == ask.epoch;
    match ask.what {
        LaneWhat::Fence => {
            let rises = store.lane_epoch < ask.epoch;
            if rises || !rules.rising_epochs {
                store.lane_epoch = ask.epoch;
            }
            rises || !rules.rising_epochs
        }
        LaneWhat::Recover if of_the_day => {
            let wait = match rules.waits {
                Waits::Always => rules.call + rules.margin,
                Waits::AfterRunningOut if node.ran_out => rules.call + rules.margin,
                Waits::AfterRunningOut | Waits::Never => 0,
            };
            for (message, view) in messages.iter_mut().zip(&mut node.view) {
                if message.claimed && message.place == Place::Live {
                    message.place = Place::Checking(wait);
                }
                message.claimed = false;
                *view = message.seen();
            }
            true
        }
        LaneWhat::Claim(number) if of_the_day || !rules.fenced_claims => {
            messages[usize::from(number)].claimed = true;
            true
        }
        LaneWhat::Record(number, outcome) if of_the_day || !rules.fenced_records => {
            let message = &mut messages[usize::from(number)];
            message.claimed = false;
            match outcome {
                Outcome::Accepted => message.place = Place::Done,
                Outcome::Unknown => message.place = Place::Checking(0),
                Outcome::NotSent => {}
            }
            true
        }
        LaneWhat::Resolve(number, arrived) if of_the_day => {
            let message = &mut messages[usize::from(number)];
            if message.place == Place::Checking(0) {
                (message.place, message.tries) = match rules.policy {
                    Policy::LookUp if !arrived => (Place::Live, Try::Again),
                    Policy::Resend if message.tries != Try::Marked => (Place::Live, Try::Marked),
                    _ => (Place::Done, message.tries),
                };
            }
            true
        }
        LaneWhat::Release => {
            if store.owner == owner && store.epoch == ask.epoch {
                store.owner = 0;
            }
            true
        }
        LaneWhat::Recover | LaneWhat::Claim(_) | LaneWhat::Record(..) | LaneWhat::Resolve(..) => false,
    }
}

/// A node hears what the store has done.
pub fn hear(messages: &[Message; MESSAGES], node: &mut Node, ask: LaneAsk, done: bool) {
    node.lane = None;
    if node.gone {
        node.lose();
        return;
    }
    let tries = |node: &Node, message: u8| match node.view[usize::from(message)] {
        View::Live(tries) => tries,
        View::Checking | View::Done => Try::First,
    };
    match ask.what {
        LaneWhat::Record(..) => node.door = Door::Nothing,
        LaneWhat::Claim(message) if done => {
            node.door = Door::Claimed(At { message, tries: tries(node, message), epoch: ask.epoch });
        }
        _ => {}
    }
    match ask.what {
        _ if ask.epoch != node.epoch => {}
        LaneWhat::Release => node.lose(),
        _ if !done => node.lose(),
        LaneWhat::Fence => node.stage = Stage::Fencing,
        LaneWhat::Recover => node.stage = Stage::Works,
        LaneWhat::Claim(_) | LaneWhat::Record(_, Outcome::NotSent) => {}
        LaneWhat::Record(message, Outcome::Accepted) => node.view[usize::from(message)] = View::Done,
        LaneWhat::Record(message, Outcome::Unknown) => node.view[usize::from(message)] = View::Checking,
        LaneWhat::Resolve(message, _) => node.view[usize::from(message)] = messages[usize::from(message)].seen(),
    }
}
