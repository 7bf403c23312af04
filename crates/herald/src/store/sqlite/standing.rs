//! How lanes stand with their providers.

use super::{Engine, rows::standing};
use crate::store::{DepartmentRow, LaneRow, Standing, StandingChange, StoreError, logic};

impl Engine {
    pub(in crate::store) async fn standing(&self, lane: LaneRow) -> Result<Standing, StoreError> {
        self.read(move |connection| standing(connection, lane)).await
    }

    pub(in crate::store) async fn change_standing(
        &self,
        department: DepartmentRow,
        lane: LaneRow,
        change: StandingChange,
    ) -> Result<(), StoreError> {
        self.write(move |writing| logic::change_standing(writing, department, lane, &change)).await
    }
}
