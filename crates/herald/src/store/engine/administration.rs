//! Departments, channels, lanes, and the store itself.

use super::operations;
use crate::node::directory::{DepartmentSettings, Snapshot};
use crate::store::*;
use herald_rules::time::Timestamp;

operations! {
    /// Makes a department with its first secret and user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its id is taken.
    fn add_department(new: NewDepartment) -> DepartmentRow;

    /// Changes a department; None stays.
    ///
    /// # Errors
    /// When it cannot be written.
    fn change_department(department: DepartmentRow, name: Option<String>, settings: Option<DepartmentSettings>) -> ();

    /// Makes a channel with its identifiers.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where one of the identifiers is taken.
    fn add_channel(new: NewChannel) -> ChannelRow;

    /// Changes a channel.
    ///
    /// # Errors
    /// When it cannot be written.
    fn change_channel(channel: ChannelRow, change: ChannelChange) -> ();

    /// Adds an identifier to a channel.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it is taken, in this department or another.
    fn add_identifier(place: ChannelPlace, identifier: NewIdentifier, now: Timestamp) -> LaneRow;

    /// Changes a lane.
    ///
    /// # Errors
    /// When it cannot be written.
    fn change_lane(lane: LaneRow, change: LaneChange) -> ();

    /// How many messages wait in each of a department's lanes.
    ///
    /// # Errors
    /// When it cannot be read.
    fn queue_lengths(department: DepartmentRow) -> Vec<(LaneRow, u64)>;

    /// All departments, channels and lanes.
    fn directory() -> Snapshot;

    /// Whether something can be written now.
    fn probe() -> ();
}
