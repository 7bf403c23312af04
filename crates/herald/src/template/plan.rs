//! When each channel's templates are compared with Meta's: a pure machine, told of wishes, ends and time.

use crate::store::ChannelRow;
use herald_rules::{
    reason::Reason,
    retry::{self, UNREACHABLE},
    time::Timestamp,
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// A wish waits so long for others: Meta tells of many templates at once.
const SETTLE: Duration = Duration::from_secs(2);
/// Between two comparisons that callbacks ask for. Meta allows 5,000 calls an hour, and an account of 6,000 templates
/// takes 60 for each.
const SPACING: Duration = Duration::from_secs(60);

/// When which channel is due. `S` is what a channel's account is made of: a new one is tried at once.
#[derive(Debug)]
pub(super) struct Plan<S> {
    every: Duration,
    channels: HashMap<ChannelRow, Entry<S>>,
}

#[derive(Debug)]
struct Entry<S> {
    source: S,
    due: Timestamp,
    ended: Option<Timestamp>,
    failed: u32,
    running: bool,
    /// Asked for while it was running.
    asked: bool,
}

impl<S: PartialEq> Plan<S> {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, channels: HashMap::new() }
    }

    /// These channels there are now.
    pub(super) fn update(&mut self, channels: impl IntoIterator<Item = (ChannelRow, S)>, now: Timestamp) {
        let mut present = HashSet::new();
        for (channel, source) in channels {
            present.insert(channel);
            match self.channels.get_mut(&channel) {
                Some(entry) if entry.source == source => {}
                Some(entry) => {
                    (entry.source, entry.due, entry.failed, entry.asked) = (source, now, 0, entry.running);
                }
                None => {
                    let entry = Entry { source, due: now, ended: None, failed: 0, running: false, asked: false };
                    self.channels.insert(channel, entry);
                }
            }
        }
        self.channels.retain(|channel, _| present.contains(channel));
    }

    /// Somebody wants this channel compared soon.
    pub(super) fn ask(&mut self, channel: ChannelRow, now: Timestamp) {
        let Some(entry) = self.channels.get_mut(&channel) else { return };
        if entry.running {
            entry.asked = true;
            return;
        }
        let spaced = entry.ended.map_or(now, |ended| ended + SPACING);
        entry.due = entry.due.min((now + SETTLE).max(spaced));
    }

    /// Those to be begun now.
    pub(super) fn begin(&mut self, now: Timestamp) -> Vec<ChannelRow> {
        let mut begun = Vec::new();
        for (channel, entry) in &mut self.channels {
            if !entry.running && entry.due <= now {
                entry.running = true;
                begun.push(*channel);
            }
        }
        begun
    }

    /// One has ended; `failed` says why, where it did not succeed. `random` is in 0..1.
    pub(super) fn end(&mut self, channel: ChannelRow, failed: Option<Reason>, now: Timestamp, random: f64) {
        let Some(entry) = self.channels.get_mut(&channel) else { return };
        entry.running = false;
        entry.ended = Some(now);
        // By up to a tenth, so that channels that began together do not stay together.
        let every = self.every.mul_f64(0.95 + 0.1 * random.clamp(0.0, 1.0));
        let wait = match failed {
            None => {
                entry.failed = 0;
                every
            }
            Some(reason) => {
                entry.failed = entry.failed.saturating_add(1);
                match reason {
                    // Meta counts calls by the hour.
                    Reason::ProviderThrottled => every,
                    other => retry::schedule(other).unwrap_or(UNREACHABLE).step(entry.failed).min(every),
                }
            }
        };
        let asked = std::mem::take(&mut entry.asked) && failed.is_none();
        entry.due = now + if asked { SPACING.min(wait) } else { wait };
    }

    /// When the next one is due; None: nothing is to be waited for but ends and wishes.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.channels.values().filter(|entry| !entry.running).map(|entry| entry.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);
    const EVERY: Duration = Duration::from_secs(900);
    const MIDDLE: f64 = 0.5;

    fn at(seconds: u64) -> Timestamp {
        T0 + Duration::from_secs(seconds)
    }

    fn plan() -> Plan<&'static str> {
        let mut plan = Plan::new(EVERY);
        plan.update([(1, "token")], T0);
        plan
    }

    #[test]
    fn at_start_then_every_so_often() {
        let mut plan = plan();
        assert_eq!(plan.begin(T0), [1]);
        assert_eq!((plan.begin(T0), plan.next()), (vec![], None));
        plan.end(1, None, at(3), MIDDLE);
        assert_eq!(plan.next(), Some(at(903)));
        assert!(plan.begin(at(902)).is_empty());
        assert_eq!(plan.begin(at(903)), [1]);
    }

    #[test]
    fn wishes_become_one_and_keep_their_distance() {
        let mut plan = plan();
        plan.begin(T0);
        // Of a wish while it is running nobody knows whether it was heard.
        plan.ask(1, at(1));
        plan.end(1, None, at(3), MIDDLE);
        assert_eq!(plan.next(), Some(at(63)));
        for second in 63..70 {
            plan.ask(1, at(second));
        }
        assert_eq!(plan.begin(at(70)), [1]);
        plan.end(1, None, at(71), MIDDLE);
        plan.ask(1, at(200));
        plan.ask(1, at(201));
        assert_eq!(plan.next(), Some(at(202)), "the first wish waits two seconds for others");
        plan.ask(9, at(201));
    }

    #[test]
    fn failures_wait_longer_and_longer_until_the_account_is_mended() {
        let mut plan = plan();
        let mut now = T0;
        let mut waits = Vec::new();
        for _ in 0..7 {
            assert_eq!(plan.begin(now), [1]);
            plan.end(1, Some(Reason::ProviderUnavailable), now, MIDDLE);
            waits.push(plan.next().unwrap().since(now).as_secs());
            now = plan.next().unwrap();
        }
        assert_eq!(waits, [1, 5, 15, 60, 300, 900, 900]);
        plan.update([(1, "new token")], now);
        assert_eq!(plan.begin(now), [1]);
        plan.end(1, Some(Reason::ProviderThrottled), now, MIDDLE);
        assert_eq!(plan.next().unwrap().since(now), EVERY);
        // What is replaced while it is tried is tried once more.
        plan.begin(now + EVERY);
        plan.update([(1, "third token")], now + EVERY);
        plan.end(1, None, now + EVERY, MIDDLE);
        assert_eq!(plan.next().unwrap().since(now + EVERY), SPACING);
        plan.update([], now);
        assert_eq!(plan.next(), None);
    }
}
