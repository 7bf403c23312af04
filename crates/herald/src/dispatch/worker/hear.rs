//! What a worker makes of what it hears: from the store, the provider, and its mailbox.

use super::{Answer, AtTheDoor, STORE_PAUSE, Worker, earlier, ended};
use crate::{
    dispatch::{
        gate::{self, Gate},
        prepare::Tried,
        settle::{DECIDING, Health, Settled, UNKNOWN_HOLD, Written, settle},
    },
    observe::metrics::OutcomeKind,
    pace::{Control, Input, LaneReport, LaneSettings},
    store::{ClaimedNow, Due, Ended, HeldBefore, Learnt, Queued, Recorded, Recovered, StandingChange, StoreError},
};
use herald_channels::contract::{Outcome, Throttled};
use herald_rules::{
    ids::MessageId,
    lane::Released,
    pace::stop::{Stop, StopScope},
    reason::Reason,
    time::Timestamp,
};
use std::time::Duration;

/// Half of the customers that a lane holds back at most: the other half is for those whose messages are tried again.
const HELD_FOR_PLACES: usize = 5_000;
/// A retry later than this does not come of a provider that is busy for a moment.
const LONG_WAIT: Duration = Duration::from_secs(120);

impl Worker {
    /// The store has refused something, or has not said whether it is done.
    pub(super) fn store_away(&mut self, error: &StoreError) {
        tracing::warn!(lane = self.context.lane, %error, "lane.store_away");
        match error {
            StoreError::Fenced => self.context.tenure.end(),
            StoreError::Uncertain(_) => self.begins_anew = true,
            _ => {}
        }
        self.store_away_until = Some(Timestamp::now() + STORE_PAUSE);
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Recovered(Ok(recovered)) => self.recovered(recovered),
            Answer::Recovered(Err(error)) => {
                self.store_away(&error);
                if !self.context.is_over() && !self.begins_anew {
                    self.recover(STORE_PAUSE);
                }
            }
            Answer::Loaded(priority, Ok(page)) => self.machine.loaded(priority, page.messages, page.complete),
            Answer::Loaded(priority, Err(error)) => {
                self.machine.load_failed(priority);
                self.store_away(&error);
            }
            Answer::Claimed(entries, number, at, Ok(claimed)) => self.claimed(entries, number, at, &claimed),
            Answer::Claimed(entries, number, at, Err(error)) => {
                self.claiming = false;
                if matches!(error, StoreError::Uncertain(_)) {
                    // Nothing of it was called, whether it is in the table or not.
                    self.closed.push(number);
                    let now = Timestamp::now();
                    self.unsent.extend(entries.iter().map(|queued| Learnt::not_sent(queued, now)));
                }
                for queued in entries {
                    self.machine.not_sent(queued, at);
                }
                self.store_away(&error);
            }
            Answer::Recorded(outcomes, _, Ok(())) => {
                (self.recording, self.spooled) = (false, false);
                for ended in &outcomes.ended {
                    self.watch(ended);
                }
            }
            Answer::Recorded(_, _, Err(error @ StoreError::Fenced)) => {
                // The lane's owner has been told.
                self.recording = false;
                self.store_away(&error);
            }
            Answer::Recorded(mut outcomes, mut unsent, Err(error)) => {
                // Kept, in order, until the store is back.
                (self.recording, self.spooled) = (false, true);
                unsent.append(&mut self.unsent);
                self.unsent = unsent;
                outcomes.ended.append(&mut self.ended);
                outcomes.closed.append(&mut self.closed);
                outcomes.standings.append(&mut self.standings);
                (self.ended, self.closed, self.standings) = (outcomes.ended, outcomes.closed, outcomes.standings);
                if let Some((counted, budget)) = outcomes.daily_customers.zip(self.account.daily_budget()) {
                    budget.not_written(counted);
                }
                self.store_away(&error);
            }
            Answer::Due(asked, Ok(due)) => self.due(asked, due),
            Answer::Due(asked, Err(error)) => {
                self.moving = false;
                self.next_due = earlier(self.next_due, Some(asked));
                self.store_away(&error);
            }
            Answer::Hastened(reason, Ok(more)) => {
                self.next_due = Some(Timestamp::now());
                if more {
                    self.hasten(reason);
                }
            }
            // They go when their old moment comes.
            Answer::Hastened(_, Err(error)) => self.store_away(&error),
            Answer::Checked(Ok(round)) => {
                self.checking = false;
                self.next_check = earlier(self.next_check, round.next);
                // Back at their places; if their customers are still held back they go when the hold ends.
                self.machine.sent_again(round.again);
            }
            Answer::Checked(Err(error)) => {
                self.checking = false;
                self.next_check = Some(Timestamp::now());
                self.store_away(&error);
            }
        }
    }

    pub(super) fn recovered(&mut self, recovered: Recovered) {
        let now = Timestamp::now();
        for HeldBefore { customer, priority, until, reason } in recovered.held {
            self.machine.put_away_before(&customer, priority, until, reason);
        }
        for checking in &recovered.checking {
            self.machine.sent_before(&checking.message.to, checking.since);
            if let Some(budget) = self.account.daily_budget() {
                budget.count(&checking.message.to, checking.since);
            }
            // `since` lies ahead where a call of the lane's earlier owner may be under way until then.
            let until = (now + UNKNOWN_HOLD).max(checking.since).min(checking.deadline.max(now) + DECIDING);
            let reason = Some(Reason::OutcomeBeingChecked);
            self.machine.hold(&checking.message.to, checking.place.priority, until, reason);
        }
        if !recovered.checking.is_empty() {
            self.next_check = Some(now);
        }
        self.next_due = earlier(self.next_due, recovered.next_due);
        self.ready = true;
        self.context.settled();
    }

    /// After a write: what has to be looked at later because of it.
    pub(super) fn watch(&mut self, ended: &Ended) {
        match &ended.outcome {
            Recorded::Again { due, .. } | Recorded::Held { due, .. } => {
                self.next_due = earlier(self.next_due, Some(*due));
            }
            Recorded::Unknown { .. } => self.next_check = Some(Timestamp::now()),
            // Its customer was held back until the part was on disk: otherwise a crash would send the next one twice.
            Recorded::PartAccepted { next, .. } => {
                self.machine.released(ended.id, Released::Ended);
                self.machine.sent_again(vec![Queued::clone(next)]);
            }
            Recorded::Accepted { .. } | Recorded::Rejected(_) => {}
        }
    }

    pub(super) fn claimed(&mut self, entries: Vec<Queued>, number: i64, at: Timestamp, claimed: &ClaimedNow) {
        self.claiming = false;
        let now = Timestamp::now();
        let mut open = 0;
        for queued in entries {
            let id = queued.message.id;
            if claimed.dropped.contains(&id) {
                self.machine.released(id, Released::Ended);
                self.account.stops.not_tried(self.context.lane, at);
                continue;
            }
            let reach = claimed.reach.get(&id).copied().unwrap_or_default();
            let first = gate::writes_first(&self.account, &reach, now);
            match gate::judge(&self.account, &queued, &reach, now) {
                Gate::Go(message) => self.call(&queued, message, None, first),
                Gate::GoAsTemplate => self.call(&queued, queued.message.clone(), Some(reach), first),
                Gate::Refused(cause) => {
                    self.machine.released(id, Released::Ended);
                    self.machine.give_back(&queued.message.to, at);
                    self.account.stops.not_tried(self.context.lane, at);
                    self.ended.push(ended(&queued, now, Recorded::Rejected(cause)));
                    continue;
                }
            }
            open += 1;
            self.door.insert(id, AtTheDoor { queued, claim: number, taken_at: at });
        }
        self.context.metrics.claimed.of(self.context.protocol).inc_by(open as u64);
        if open > 0 {
            self.claims.insert(number, open);
        } else {
            self.closed.push(number);
        }
    }

    pub(super) fn tried(&mut self, id: MessageId, tried: Tried, took: Duration) {
        let Some(AtTheDoor { queued, claim, taken_at }) = self.door.remove(&id) else { return };
        if let Some(open) = self.claims.get_mut(&claim) {
            *open -= 1;
            if *open == 0 {
                self.claims.remove(&claim);
                self.closed.push(claim);
            }
        }
        let now = Timestamp::now();
        let uncalled = match tried {
            Tried::Called(outcome) => return self.outcome(queued, taken_at, outcome, took),
            Tried::TooLate => {
                self.account.stops.not_tried(self.context.lane, taken_at);
                self.unsent.push(Learnt::not_sent(&queued, now));
                return self.machine.not_sent(queued, taken_at);
            }
            Tried::Refused(cause) => Written { recorded: Recorded::Rejected(cause), released: Released::Ended },
            Tried::Waits(until, cause) => {
                let reason = cause.reason;
                // Its end is told when it comes, and not when a place comes free.
                let due = queued.message.expires_at.map_or(until, |expires| expires.min(until));
                let recorded = Recorded::Held { due, reason: Some(reason), cause: Some(cause) };
                // A million may wait for places, and whoever waits for one is in the same line as their own later messages:
                // customers are held back for it only while there are few of them.
                let few = self.machine.held_customers() < HELD_FOR_PLACES;
                let released = if few { Released::PutAway(due, reason) } else { Released::Ended };
                Written { recorded, released }
            }
        };
        self.machine.released(id, uncalled.released);
        self.account.stops.not_tried(self.context.lane, taken_at);
        self.machine.give_back(&queued.message.to, taken_at);
        self.ended.push(ended(&queued, now, uncalled.recorded));
    }

    fn outcome(&mut self, queued: Queued, taken_at: Timestamp, outcome: Outcome, took: Duration) {
        let id = queued.message.id;
        let metrics = &self.context.metrics;
        metrics.outcomes.of(self.context.protocol, kind(&outcome)).inc();
        metrics.provider_call_seconds.of(self.context.protocol).observe(took.as_secs_f64());
        let now = Timestamp::now();
        let uncalled = matches!(&outcome, Outcome::Refused(cause) if cause.provider_code.is_none());
        let Settled { recorded, health, throttled, stopped, works } =
            settle(&self.account, &queued, outcome, now, random());
        match health {
            Health::Answered => self.account.answered(now),
            Health::Failed => self.account.failed(now),
        }
        if let Some(stop) = stopped {
            self.stopped(stop, taken_at);
        }
        if works {
            self.works(taken_at);
        }
        if uncalled {
            self.account.stops.not_tried(self.context.lane, taken_at);
        }
        match throttled {
            Some((Throttled::Identifier, wish)) => self.machine.throttled(now, wish),
            Some((Throttled::Account, wish)) => self.context.lanes.throttle(&self.account.lanes, wish),
            Some((Throttled::Pair, _)) => self.machine.pair_throttled(&queued.message.to, now),
            None => {}
        }
        match recorded {
            Some(Written { recorded: Recorded::Accepted { reference }, .. })
                if queued.part + 1 < queued.message.parts =>
            {
                let next = Queued { part: queued.part + 1, attempt: 0, ..queued.clone() };
                let recorded = Recorded::PartAccepted { reference, next: Box::new(next) };
                self.ended.push(ended(&queued, now, recorded));
            }
            Some(Written { recorded, released }) => {
                // What holds one message for an hour (a paused template) may hold a whole campaign: customers are held back
                // for it only while there are few of them, so that the lane goes on.
                let released = match released {
                    Released::PutAway(until, _)
                        if until > now + LONG_WAIT && self.machine.held_customers() >= HELD_FOR_PLACES =>
                    {
                        Released::Ended
                    }
                    other => other,
                };
                self.machine.released(id, released);
                let mut ended = ended(&queued, now, recorded);
                ended.attempt += 1;
                self.ended.push(ended);
            }
            None => {
                self.unsent.push(Learnt::not_sent(&queued, now));
                self.machine.not_sent(queued, taken_at);
            }
        }
    }

    /// The provider said that nothing can be sent. Told once, however many calls were under way.
    fn stopped(&mut self, stop: Stop, taken_at: Timestamp) {
        let account = &self.account;
        // What was called with other credentials says nothing about these.
        if taken_at < account.built_at || !account.stops.refused(self.context.lane, &stop) {
            return;
        }
        tracing::error!(lane = self.context.lane, reason = %stop.cause.reason, scope = ?stop.scope, "lane.stopped");
        let lanes = match stop.scope {
            StopScope::Account => account.lanes.clone(),
            StopScope::Identifier => vec![self.context.lane],
        };
        self.standings.push(StandingChange::Stopped { lanes, stop });
    }

    /// A message went through: whatever stopped the sender is over.
    fn works(&mut self, taken_at: Timestamp) {
        let lanes = self.account.stops.worked(self.context.lane, taken_at, &self.account.lanes);
        if lanes.is_empty() {
            return;
        }
        tracing::info!(lane = self.context.lane, "lane.goes_on");
        self.context.lanes.wake(&lanes);
        self.standings.push(StandingChange::Lifted { lanes });
    }

    pub(super) fn due(&mut self, asked: Timestamp, due: Due) {
        self.returned.extend(due.returned);
        if due.complete {
            self.moving = false;
            self.next_due = earlier(self.next_due, due.next);
            self.machine.returned(std::mem::take(&mut self.returned), asked);
        } else {
            self.move_due(asked);
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        match input {
            Input::Arrived(queued) => self.machine.arrived(queued),
            Input::Scheduled(due) => self.next_due = earlier(self.next_due, Some(due)),
        }
    }

    pub(super) fn control(&mut self, control: Control) {
        match control {
            Control::Settings(LaneSettings { paused, rate, pair, account }) => {
                self.machine.set_paused(paused);
                self.machine.set_rate(rate);
                self.machine.set_pair(pair);
                self.account = account;
            }
            // The loop looks at everything anew after each thing it hears.
            Control::Wake => {}
            Control::Rate(rate) => self.machine.set_rate(rate),
            Control::Hasten(reason) => {
                self.machine.end_holds(reason, Timestamp::now());
                self.hasten(reason);
            }
            Control::Throttled(wish) => self.machine.throttled(Timestamp::now(), wish),
            // Whoever asked may have gone.
            Control::Held(customer, priority, answer) => {
                let _ = answer.send(self.machine.held(&customer, priority));
            }
            Control::Report(answer) => {
                let stop = self.account.stops.of(self.context.lane);
                let _ = answer.send(LaneReport::of(&self.machine, self.breaker_until, stop, Timestamp::now()));
            }
        }
    }
}

fn kind(outcome: &Outcome) -> OutcomeKind {
    match outcome {
        Outcome::Accepted { .. } => OutcomeKind::Accepted,
        Outcome::Refused(_) => OutcomeKind::Refused,
        Outcome::Retry { .. } => OutcomeKind::Retry,
        Outcome::NotSent(_) | Outcome::Stopped { .. } => OutcomeKind::NotSent,
        Outcome::Unknown(_) => OutcomeKind::Unknown,
    }
}

/// In 0..1, for jitter.
fn random() -> f64 {
    // Without randomness from the system, all retries wait half their jitter: that only bunches them.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
