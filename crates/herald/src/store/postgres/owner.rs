//! The rows that make a lane's writers one: whoever writes its log, claims or queue holds its row of `lane_log`.

use super::{
    columns,
    pipeline::{Pipeline, values},
};
use crate::store::{ChannelRow, DepartmentRow, Epoch, LaneRow, Owned, StoreError};
use herald_rules::ids::MessageId;
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// On whose behalf lanes are written.
pub(super) enum Owner {
    /// Their owner's. The first lane's epoch is compared; the others are of the same account.
    Lane(Owned, Vec<LaneRow>),
    /// That of whoever owns the lanes of a channel; None: nobody's who could be fenced.
    ///
    /// All of them are locked, also those that the operation is not about: what a reference means, which is learnt under the
    /// lock of one lane, is asked for under those of all.
    /// Others may be of the same account.
    Channel(DepartmentRow, ChannelRow, Option<Epoch>, Vec<LaneRow>),
    /// Anybody's, in the lane of a message.
    Message(DepartmentRow, MessageId),
    /// Anybody's.
    Lanes(Vec<LaneRow>),
}

/// A lane's row of `lane_log`, and its channel.
pub(super) struct Locked {
    pub(super) epoch: Epoch,
    pub(super) sequence: i64,
    pub(super) standing: String,
    pub(super) channel: ChannelRow,
}

/// The statement that locks the lanes of a condition, in the order of their numbers.
macro_rules! lock {
    ($condition:literal) => {
        concat!(
            "SELECT g.lane, g.epoch, g.sequence, g.standing, l.channel FROM lane_log g JOIN lane l ON l.lane = g.lane WHERE ",
            $condition,
            " ORDER BY g.lane FOR UPDATE OF g"
        )
    };
}

impl Owner {
    /// The epoch of whoever claims.
    pub(super) fn epoch(&self) -> Epoch {
        match self {
            Self::Lane(owned, _) => owned.epoch,
            _ => Epoch::default(),
        }
    }

    /// Has the rows locked before the statements that follow in this flight; tells where the answer stands.
    pub(super) fn add_to(&self, pipeline: &mut Pipeline<'_>) -> usize {
        match self {
            Self::Lane(owned, others) => {
                let lanes: Vec<LaneRow> = others.iter().copied().chain([owned.lane]).collect();
                pipeline.add(lock!("g.lane = ANY ($1::bigint[])"), values![lanes])
            }
            Self::Lanes(lanes) => pipeline.add(lock!("g.lane = ANY ($1::bigint[])"), values![lanes.clone()]),
            Self::Channel(department, channel, _, others) if others.is_empty() => {
                pipeline.add(lock!("l.department = $1 AND l.channel = $2"), values![*department, *channel])
            }
            Self::Channel(department, channel, _, others) => pipeline.add(
                lock!("(l.department = $1 AND l.channel = $2 OR g.lane = ANY ($3::bigint[]))"),
                values![*department, *channel, others.clone()],
            ),
            Self::Message(department, id) => pipeline.add(
                lock!("g.lane IN (SELECT lane FROM message WHERE department = $1 AND id = $2)"),
                values![*department, id.0],
            ),
        }
    }

    /// What was locked.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another node owns it.
    pub(super) fn check(&self, rows: Vec<Row>) -> Result<BTreeMap<LaneRow, Locked>, StoreError> {
        let mut locked = BTreeMap::new();
        for row in rows {
            let lane: LaneRow = columns::get(&row, 0)?;
            let row = Locked {
                epoch: Epoch(columns::get(&row, 1)?),
                sequence: columns::get(&row, 2)?,
                standing: columns::get(&row, 3)?,
                channel: columns::get(&row, 4)?,
            };
            locked.insert(lane, row);
        }
        match self {
            Self::Lane(owned, _) if locked.get(&owned.lane).is_none_or(|row| row.epoch != owned.epoch) => {
                Err(fenced(owned.lane))
            }
            // One that has never been owned with the others is nobody else's.
            Self::Channel(_, channel, Some(epoch), _) => {
                match locked.iter().find(|(_, row)| row.channel == *channel && row.epoch > *epoch) {
                    Some((lane, _)) => Err(fenced(*lane)),
                    None => Ok(locked),
                }
            }
            _ => Ok(locked),
        }
    }
}

/// The error of a late writer.
pub(super) fn fenced(lane: LaneRow) -> StoreError {
    tracing::warn!(lane, "store.fenced");
    StoreError::Fenced
}
