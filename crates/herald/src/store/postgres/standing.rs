//! How lanes stand with their providers.

use super::{Engine, columns};
use crate::store::{LaneRow, Standing, StoreError};

impl Engine {
    pub(in crate::store) async fn standing(&self, lane: LaneRow) -> Result<Standing, StoreError> {
        let Some(row) = self.row("SELECT standing FROM lane_log WHERE lane = $1", &[&lane]).await? else {
            return Ok(Standing::default());
        };
        // What another version wrote and this one cannot read is found out anew by the next message.
        Ok(serde_json::from_str(columns::get(&row, 0)?).unwrap_or_default())
    }
}
