//! A sender that cannot send until somebody acts, and how it finds out by itself that it can again.

use crate::{reason::Cause, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One message is tried so often. Every try with refused credentials may lock an account, so they are few; and a token that was
/// renewed at the provider is noticed within a coffee break.
pub const TRY_EVERY: Duration = Duration::from_secs(15 * 60);

/// What cannot send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopScope {
    /// One identifier.
    Identifier,
    /// The whole account: all identifiers of the channel.
    Account,
}

/// A stop, from its first refusal to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// When it was noticed.
    pub since: Timestamp,
    /// Why.
    pub cause: Cause,
    /// What of the account it holds.
    pub scope: StopScope,
    /// When one message is tried.
    pub next_try: Timestamp,
}

impl Stop {
    /// A stop that begins now. `after` is the provider's word for how long it lasts, where it says so.
    pub fn new(cause: Cause, scope: StopScope, now: Timestamp, after: Option<Duration>) -> Self {
        Self { since: now, cause, scope, next_try: now + after.unwrap_or(TRY_EVERY) }
    }

    /// Whether a message may be tried now; else when.
    pub fn may_try(&self, now: Timestamp) -> Result<(), Timestamp> {
        if self.next_try <= now { Ok(()) } else { Err(self.next_try) }
    }

    /// One is being tried: the next one not before a while.
    pub fn trying(&mut self, now: Timestamp) {
        self.next_try = now + TRY_EVERY;
    }

    /// The try was refused like the others: the stop goes on.
    pub fn goes_on(&mut self, now: Timestamp, after: Option<Duration>) {
        self.next_try = self.next_try.max(now + after.unwrap_or(TRY_EVERY));
    }

    /// Whether what was tried then can tell something about the stop: calls made before it cannot.
    pub fn is_older_than(&self, tried_at: Timestamp) -> bool {
        self.since < tried_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    const T0: Timestamp = Timestamp(1_795_348_800_000_000);

    fn minutes(count: u64) -> Timestamp {
        T0 + Duration::from_secs(60 * count)
    }

    #[test]
    fn one_is_tried_each_quarter_of_an_hour() {
        let mut stop = Stop::new(Reason::ProviderAuthFailed.into(), StopScope::Account, T0, None);
        assert_eq!(stop.may_try(minutes(14)), Err(minutes(15)));
        assert_eq!(stop.may_try(minutes(15)), Ok(()));
        stop.trying(minutes(15));
        assert_eq!(stop.may_try(minutes(15)), Err(minutes(30)));
        stop.goes_on(minutes(16), None);
        assert_eq!(stop.may_try(minutes(30)), Err(minutes(31)));
        assert!(stop.is_older_than(minutes(15)) && !stop.is_older_than(T0));
    }

    #[test]
    fn the_providers_word_for_how_long_is_kept() {
        let day = Duration::from_secs(24 * 3600);
        let stop = Stop::new(Reason::AccountRestricted.into(), StopScope::Account, T0, Some(day));
        assert_eq!(stop.may_try(T0 + Duration::from_secs(24 * 3600 - 1)), Err(T0 + day));
        assert_eq!(stop.may_try(T0 + day), Ok(()));
        let json = serde_json::to_string(&stop).unwrap();
        assert_eq!(serde_json::from_str::<Stop>(&json).unwrap(), stop);
    }
}
