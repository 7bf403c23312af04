//! Who must not be written to.

use super::{Engine, columns};
use crate::store::{
    ALL_CHANNELS, ChannelRow, DepartmentRow, StoreError, Suppression, SuppressionKind, SuppressionPlace, logic::Rows,
};
use herald_rules::time::Timestamp;

impl Engine {
    pub(in crate::store) async fn suppress(
        &self,
        department: DepartmentRow,
        suppression: Suppression,
    ) -> Result<(), StoreError> {
        self.write(move |writing| writing.suppress(department, &suppression)).await
    }

    pub(in crate::store) async fn unsuppress(
        &self,
        department: DepartmentRow,
        customer: &str,
        channel: Option<ChannelRow>,
        kind: SuppressionKind,
    ) -> Result<bool, StoreError> {
        let customer = customer.to_owned();
        self.write(move |writing| writing.unsuppress(department, &customer, channel, kind)).await
    }

    pub(in crate::store) async fn suppressions(
        &self,
        department: DepartmentRow,
        customer: Option<String>,
        after: Option<SuppressionPlace>,
        limit: u32,
    ) -> Result<Vec<Suppression>, StoreError> {
        self.read(move |connection| {
            let SuppressionPlace { customer: last, channel, kind } = after.unwrap_or_default();
            let mut query = connection.prepare_cached(
                "SELECT customer, channel, kind, source, at FROM suppression
                 WHERE department = ?1 AND (?2 IS NULL OR customer = ?2) AND (customer, channel, kind) > (?3, ?4, ?5)
                 ORDER BY customer, channel, kind LIMIT ?6",
            )?;
            let rows = query.query_map((department, &customer, last, channel, kind, limit), |row| {
                let channel: ChannelRow = row.get(1)?;
                Ok(Suppression {
                    customer: row.get(0)?,
                    channel: (channel != ALL_CHANNELS).then_some(channel),
                    kind: columns::word(row, 2)?,
                    source: row.get(3)?,
                    at: Timestamp(row.get(4)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
