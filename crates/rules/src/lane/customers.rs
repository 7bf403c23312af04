//! The customers of a lane's head: whose turn it is, who is at the provider's door, who is held back until when.

use super::{Place, machine::Hold};
use crate::{message::Priority, reason::Reason, time::Timestamp};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

/// After the end of a hold, what was put away for it is back within milliseconds, or when the store is. Were one of them
/// never to come, its customer is not to wait for ever.
const COME_BACK: Duration = Duration::from_secs(5);

/// Both classes, by [`Priority::class`].
pub(super) const CLASSES: [Priority; 2] = [Priority::Transactional, Priority::Bulk];

#[derive(Debug, Default)]
struct Customer {
    /// A message of theirs is at the provider's door.
    busy: bool,
    /// Held back until then.
    held: [Option<Hold>; 2],
    /// Messages that were put away, or are being put away, and have not come back. While there are any, nothing that came
    /// after them may go, also when the hold has ended.
    away: [u32; 2],
    /// Their positions in the head, rising. Nearly always one.
    positions: [Vec<i64>; 2],
}

#[derive(Debug, Default)]
pub(super) struct Customers {
    by_identifier: HashMap<String, Customer>,
    /// All holds by their ends.
    holds: BTreeSet<(Timestamp, String, u8)>,
}

/// Which message of a customer may go, of each class.
pub(super) type Turn = [Option<i64>; 2];

impl Customers {
    pub(super) fn add(&mut self, identifier: &str, place: Place) {
        let positions = &mut self.entry(identifier).positions[usize::from(place.priority.class())];
        let at = positions.partition_point(|position| *position < place.position);
        positions.insert(at, place.position);
    }

    pub(super) fn remove(&mut self, identifier: &str, place: Place) {
        if let Some(customer) = self.by_identifier.get_mut(identifier) {
            customer.positions[usize::from(place.priority.class())].retain(|position| *position != place.position);
        }
        self.forget_if_idle(identifier);
    }

    pub(super) fn set_busy(&mut self, identifier: &str, busy: bool) {
        self.entry(identifier).busy = busy;
        self.forget_if_idle(identifier);
    }

    /// The end of a hold on this class, if there is one.
    pub(super) fn held(&self, identifier: &str, priority: Priority) -> Option<Hold> {
        self.by_identifier.get(identifier)?.held[usize::from(priority.class())]
    }

    /// Holds a class back, and returns the positions that have to leave the head for it.
    pub(super) fn hold(
        &mut self,
        identifier: &str,
        priority: Priority,
        until: Timestamp,
        reason: Option<Reason>,
    ) -> Vec<i64> {
        let class = usize::from(priority.class());
        let customer = self.entry(identifier);
        let before = customer.held[class];
        // Of two, the longer one counts, and is the one that is named.
        let hold = before.filter(|before| before.until >= until).unwrap_or(Hold { until, reason });
        let until = hold.until;
        customer.held[class] = Some(hold);
        let leave = std::mem::take(&mut customer.positions[class]);
        if let Some(before) = before {
            self.holds.remove(&(before.until, identifier.to_owned(), priority.class()));
        }
        self.holds.insert((until, identifier.to_owned(), priority.class()));
        leave
    }

    /// Their messages of a class in the head.
    pub(super) fn waiting(&self, identifier: &str, priority: Priority) -> usize {
        self.by_identifier.get(identifier).map_or(0, |customer| customer.positions[usize::from(priority.class())].len())
    }

    /// A message of theirs is put away.
    pub(super) fn put_away(&mut self, identifier: &str, priority: Priority) {
        self.entry(identifier).away[usize::from(priority.class())] += 1;
    }

    /// And is back.
    pub(super) fn came_back(&mut self, identifier: &str, priority: Priority) {
        if let Some(customer) = self.by_identifier.get_mut(identifier) {
            let away = &mut customer.away[usize::from(priority.class())];
            *away = away.saturating_sub(1);
        }
    }

    /// Ends all holds up to a moment; returns whose.
    pub(super) fn release(&mut self, now: Timestamp) -> Vec<String> {
        let mut released = Vec::new();
        while self.holds.first().is_some_and(|(until, ..)| *until <= now)
            && let Some((until, identifier, number)) = self.holds.pop_first()
        {
            let class = usize::from(number);
            if let Some(customer) = self.by_identifier.get_mut(&identifier) {
                if customer.held[class].is_some_and(|hold| hold.until == until) {
                    customer.held[class] = None;
                    if customer.away[class] > 0 {
                        self.holds.insert((now + COME_BACK, identifier.clone(), number));
                    }
                } else if customer.held[class].is_none() {
                    customer.away[class] = 0;
                }
            }
            released.push(identifier);
        }
        released
    }

    /// Moves the ends of all holds for a reason to now.
    pub(super) fn end_holds(&mut self, reason: Reason, now: Timestamp) {
        let for_it: Vec<_> = self
            .holds
            .iter()
            .filter(|(until, identifier, class)| {
                let customer = self.by_identifier.get(identifier);
                let hold = customer.and_then(|customer| customer.held[usize::from(*class)]);
                *until > now && hold.is_some_and(|hold| hold.reason == Some(reason))
            })
            .cloned()
            .collect();
        for (until, identifier, class) in for_it {
            if let Some(customer) = self.by_identifier.get_mut(&identifier) {
                customer.held[usize::from(class)] = Some(Hold { until: now, reason: Some(reason) });
            }
            self.holds.remove(&(until, identifier.clone(), class));
            self.holds.insert((now, identifier, class));
        }
    }

    /// When the next hold ends.
    pub(super) fn next_release(&self) -> Option<Timestamp> {
        self.holds.first().map(|(until, ..)| *until)
    }

    /// Whose hold ends next, and why they are held.
    pub(super) fn next_hold(&self) -> Option<Hold> {
        let (until, identifier, number) = self.holds.first()?;
        let held = self.by_identifier.get(identifier).and_then(|customer| customer.held[usize::from(*number)]);
        Some(Hold { until: *until, reason: held.and_then(|hold| hold.reason) })
    }

    pub(super) fn held_count(&self) -> usize {
        self.holds.len()
    }

    /// Which of a customer's messages may go now.
    pub(super) fn turn(&self, identifier: &str) -> Turn {
        let Some(customer) = self.by_identifier.get(identifier).filter(|customer| !customer.busy) else {
            return [None, None];
        };
        [0, 1].map(|class| match customer.held[class] {
            Some(_) => None,
            None if customer.away[class] > 0 => None,
            None => customer.positions[class].first().copied(),
        })
    }

    /// The first position of each class, whether it may go or not.
    pub(super) fn first(&self, identifier: &str) -> Turn {
        self.by_identifier
            .get(identifier)
            .map_or([None, None], |customer| [0, 1].map(|class| customer.positions[class].first().copied()))
    }

    /// Drops customers of whom nothing is in memory, so that the table stays as small as the head.
    pub(super) fn forget_if_idle(&mut self, identifier: &str) {
        let idle = self.by_identifier.get(identifier).is_some_and(|customer| {
            !customer.busy
                && customer.held == [None, None]
                && customer.away == [0, 0]
                && customer.positions.iter().all(Vec::is_empty)
        });
        if idle {
            self.by_identifier.remove(identifier);
        }
    }

    fn entry(&mut self, identifier: &str) -> &mut Customer {
        self.by_identifier.entry(identifier.to_owned()).or_default()
    }
}
