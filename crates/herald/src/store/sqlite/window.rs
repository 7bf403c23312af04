//! Windows: until when free text may be sent to a customer from an identifier of ours.
//!
//! There is a row at most for each contact and lane, so nothing clears them away: the next message writes over it.

use super::Writing;
use crate::store::{LaneRow, StoreError};
use herald_rules::{inbound::Inbound, time::Timestamp};
use std::time::Duration;

/// A message older than this opens nothing, whatever it says: no window is longer (free entry points: 72 h).
const LONGEST: Duration = Duration::from_secs(72 * 3600);

impl Writing<'_> {
    /// Opens the window that a customer's message opens, or extends it; never makes it shorter.
    pub(super) fn open_window(&self, lane: LaneRow, inbound: &Inbound, now: Timestamp) -> Result<(), StoreError> {
        let Some(opens) = inbound.opens_window else { return Ok(()) };
        // A provider's clock that is ahead of ours must not make the window longer.
        let from = inbound.at.min(now);
        let until = from + opens.min(LONGEST);
        if from < now - LONGEST || until <= now {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT INTO open_window (lane, customer, until) VALUES (?1, ?2, ?3)
                 ON CONFLICT (lane, customer) DO UPDATE SET until = excluded.until WHERE until < excluded.until",
            )?
            .execute((lane, &inbound.from, until.0))?;
        Ok(())
    }
}
