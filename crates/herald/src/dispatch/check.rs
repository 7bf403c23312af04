//! Finding out unknown outcomes: by a look-up or a receipt, until the deadline; then the channel's policy decides.

use super::Account;
use crate::{
    node::{crash, directory::OnUnknownOutcome},
    store::{ChannelRow, Checking, Owned, Resolution, Store, StoreError},
};
use herald_channels::contract::{LookUp, Reconcile};
use herald_rules::{lane::Queued, reason::Reason, time::Timestamp};
use std::{sync::Arc, time::Duration};

/// Messages looked at in one round.
const ROUND: u32 = 64;
/// Between two rounds of look-ups: they cost the provider as much as a send does.
const LOOK_UP_EVERY: Duration = Duration::from_secs(2);
/// A call whose connection broke, or whose process was ended, may be on its way to the provider still. That the provider
/// does not have it is believed after this time.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// What a round came to.
pub(super) struct Round {
    /// Messages that go again.
    pub(super) again: Vec<Queued>,
    /// When the next round is to be; None: nothing is being checked any more.
    pub(super) next: Option<Timestamp>,
}

/// Whose messages are looked at.
#[derive(Clone, Copy)]
pub(super) struct Whose {
    pub(super) owned: Owned,
    pub(super) channel: ChannelRow,
}

/// Looks at the oldest messages of which the outcome is unknown.
pub(super) async fn round(
    store: Store,
    account: Arc<Account>,
    whose: Whose,
    now: Timestamp,
) -> Result<Round, StoreError> {
    let open = store.checking(whose.owned.department, whose.owned.lane, ROUND).await?;
    let full = open.len() == ROUND as usize;
    let mut again = Vec::new();
    let mut next: Option<Timestamp> = None;
    for checking in open {
        match resolution(&account, &checking, now).await {
            Some(resolution) => {
                let Whose { owned, channel } = whose;
                let resolved = store.resolve(owned, channel, checking, resolution, now);
                match crash::around("resolve", resolved).await {
                    Ok(resolved) => again.extend(resolved),
                    // What is in the queue again must not be forgotten for it.
                    Err(error) if !again.is_empty() => {
                        tracing::warn!(lane = owned.lane, %error, "lane.check_postponed");
                        return Ok(Round { again, next: Some(now + LOOK_UP_EVERY) });
                    }
                    Err(error) => return Err(error),
                }
            }
            None => {
                let look_again = match account.reconcile() {
                    Reconcile::ByLookUp { .. } => (now + LOOK_UP_EVERY).min(checking.deadline),
                    _ => checking.deadline,
                };
                next = Some(next.map_or(look_again, |next| next.min(look_again)));
            }
        }
    }
    if full {
        next = Some(next.map_or(now + LOOK_UP_EVERY, |next| next.min(now + LOOK_UP_EVERY)));
    }
    Ok(Round { again, next })
}

/// What is known of one message now; None: not yet.
async fn resolution(account: &Account, checking: &Checking, now: Timestamp) -> Option<Resolution> {
    if let Reconcile::ByLookUp { .. } = account.reconcile() {
        match crash::around("look_up", account.adapter.look_up(checking.message.id)).await {
            LookUp::Found { reference, status } => {
                let reference = account.provider_reference(reference);
                return Some(Resolution::Found { reference, status });
            }
            LookUp::NeverArrived if checking.since + ON_ITS_WAY <= now || checking.deadline <= now => {
                return Some(Resolution::SendAgain { possible_duplicate: false });
            }
            LookUp::NeverArrived | LookUp::Unavailable => {}
        }
    }
    (checking.deadline <= now).then_some(match account.on_unknown_outcome {
        // Once only: a message that stays unknown twice is not sent a third time.
        OnUnknownOutcome::Resend if !checking.resent => Resolution::SendAgain { possible_duplicate: true },
        _ => Resolution::GivenUp(Reason::OutcomeUnknown),
    })
}
