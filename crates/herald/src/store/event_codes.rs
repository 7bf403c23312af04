//! How subscriptions and deliveries are written as numbers, the same in every engine, and what is made of them without a table.

use super::{
    Delivery, DeliveryKind, DeliveryState, DepartmentRow, Failing, NewSubscription, SubscriptionKind,
    SubscriptionSettings, SubscriptionState,
};
use herald_rules::{
    ids::{DeliveryId, SubscriptionId},
    time::Timestamp,
};

impl SubscriptionKind {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Webhook => 0,
            Self::Polling => 1,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        [Self::Webhook, Self::Polling].into_iter().find(|kind| kind.code() == code)
    }
}

impl SubscriptionState {
    const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::PausedByFailure, Self::Deleted];

    pub(super) fn code(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Paused => 1,
            Self::PausedByFailure => 2,
            Self::Deleted => 3,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl DeliveryState {
    const ALL: [Self; 5] = [Self::Waiting, Self::Parked, Self::Taken, Self::Exhausted, Self::Split];

    pub(super) fn code(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Parked => 1,
            Self::Taken => 2,
            Self::Exhausted => 3,
            Self::Split => 4,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl DeliveryKind {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Events => 0,
            Self::Replay => 1,
            Self::Test => 2,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        [Self::Events, Self::Replay, Self::Test].into_iter().find(|kind| kind.code() == code)
    }
}

impl NewSubscription {
    /// The polling queue that v1.2's `getevents` reads.
    pub(super) fn standard(department: DepartmentRow, now: Timestamp) -> Self {
        Self {
            department,
            id: SubscriptionId::new(),
            kind: SubscriptionKind::Polling,
            name: "getevents".into(),
            url: None,
            settings: SubscriptionSettings::default(),
            sealed: None,
            created_at: now,
        }
    }
}

impl Failing {
    /// From its columns.
    pub(super) fn kept(since: Option<Timestamp>, failures: u32, retry_at: Option<Timestamp>) -> Option<Self> {
        since.map(|since| Self { since, failures, retry_at: retry_at.unwrap_or(since) })
    }
}

impl Delivery {
    /// A new delivery with the same events.
    pub(super) fn replay(&self, now: Timestamp) -> Self {
        Self {
            id: DeliveryId::new(),
            kind: DeliveryKind::Replay,
            state: DeliveryState::Waiting,
            attempts: 0,
            due: now,
            // It is tried for 3 days from now, however old its events are: somebody asked for it now.
            oldest: now,
            events: self.events.clone(),
            origin: Some(self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They stand in tables: none may change, or be used for something else.
    #[test]
    fn codes_stay_what_they_are() {
        assert_eq!([0, 1, 2].map(SubscriptionKind::from_code), {
            [Some(SubscriptionKind::Webhook), Some(SubscriptionKind::Polling), None]
        });
        assert_eq!([0, 1, 2].map(DeliveryKind::from_code), {
            [Some(DeliveryKind::Events), Some(DeliveryKind::Replay), Some(DeliveryKind::Test)]
        });
        assert_eq!(SubscriptionState::ALL.map(SubscriptionState::code), [0, 1, 2, 3]);
        assert_eq!(DeliveryState::ALL.map(DeliveryState::code), [0, 1, 2, 3, 4]);
        assert_eq!(DeliveryState::from_code(5), None);
        assert_eq!(SubscriptionState::from_code(4), None);
    }
}
