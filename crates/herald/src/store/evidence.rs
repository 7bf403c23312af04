//! The words for what a node learnt of its calls and could not write: another owns the lane by now, or the store was away.
//!
//! It waits in the inbox, as callbacks do, for the owner of the lane to apply it. Evidence is about one claim of a message.
//! It may come twice, and long after everything was found out in another way: then it changes nothing.

use super::{
    ChannelRow, DailyCustomers, DepartmentRow, Ended, LaneRow, Outcomes, Place, ProviderReference, Queued, Recorded,
    StandingChange,
};
use herald_rules::{ids::MessageId, reason::Cause, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What a lane's former owner learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Whose.
    pub department: DepartmentRow,
    /// The lane's channel.
    pub channel: ChannelRow,
    /// Which lane.
    pub lane: LaneRow,
    /// What became of claimed messages, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learnt: Vec<Learnt>,
    /// What has changed in how lanes stand with their provider, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standings: Vec<StandingChange>,
    /// Customers that count for the budget of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_customers: Option<DailyCustomers>,
}

/// What became of a message that was claimed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    /// The message.
    pub id: MessageId,
    /// Its place when it was claimed.
    pub place: Place,
    /// Which try of it the claim was, from 1.
    pub claimed_as: u32,
    /// It went again after an unknown outcome.
    pub resent: bool,
    /// Which part it was, from 0.
    pub part: u16,
    /// Of how many.
    pub parts: u16,
    /// When the outcome was known.
    pub at: Timestamp,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The provider has it.
    Accepted {
        /// The provider's id for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<ProviderReference>,
    },
    /// It ends here.
    Rejected(Cause),
    /// The provider does not have it for sure: it may go again.
    NotTaken(Option<Cause>),
}

impl Evidence {
    /// What outcomes say of messages that were claimed. Of claims that are closed without an outcome (nothing was sent) they
    /// know no message: see [`Learnt::not_sent`].
    pub fn of(outcomes: &Outcomes) -> Self {
        let Outcomes { department, channel, lane, ended, standings, daily_customers, .. } = outcomes;
        Self {
            department: *department,
            channel: *channel,
            lane: *lane,
            learnt: ended.iter().filter_map(Learnt::of).collect(),
            standings: standings.clone(),
            daily_customers: daily_customers.clone(),
        }
    }

    /// It says nothing.
    pub fn is_empty(&self) -> bool {
        self.learnt.is_empty() && self.standings.is_empty() && self.daily_customers.is_none()
    }
}

impl Learnt {
    /// A claimed message of which nothing was sent.
    pub fn not_sent(queued: &Queued, at: Timestamp) -> Self {
        Self {
            id: queued.message.id,
            place: queued.place,
            claimed_as: queued.attempt + 1,
            resent: queued.resent,
            part: queued.part,
            parts: queued.message.parts,
            at,
            fate: Fate::NotTaken(None),
        }
    }

    /// None: it was not claimed, or nobody knows still.
    fn of(ended: &Ended) -> Option<Self> {
        let fate = match &ended.outcome {
            Recorded::Accepted { reference } | Recorded::PartAccepted { reference, .. } => {
                Fate::Accepted { reference: reference.clone() }
            }
            Recorded::Rejected(cause) => Fate::Rejected(cause.clone()),
            Recorded::Again { cause, .. } => Fate::NotTaken(Some(cause.clone())),
            Recorded::Held { cause, .. } => Fate::NotTaken(cause.clone()),
            Recorded::Unknown { .. } => return None,
        };
        let Ended { id, place, claimed_as, resent, part, parts, at, .. } = ended;
        Some(Self {
            id: *id,
            place: *place,
            claimed_as: (*claimed_as)?,
            resent: *resent,
            part: *part,
            parts: *parts,
            at: *at,
            fate,
        })
    }
}
