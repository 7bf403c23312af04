//! Who must not be written to.

use super::{Engine, columns};
use crate::store::{
    ALL_CHANNELS, ChannelRow, DepartmentRow, StoreError, Suppression, SuppressionKind, SuppressionPlace,
};

impl Engine {
    pub(in crate::store) async fn suppress(
        &self,
        department: DepartmentRow,
        suppression: Suppression,
    ) -> Result<(), StoreError> {
        let Suppression { customer, channel, kind, source, at } = &suppression;
        self.execute(
            "INSERT INTO suppression (department, customer, channel, kind, source, at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT DO NOTHING",
            &[&department, customer, &channel.unwrap_or(ALL_CHANNELS), &kind.as_str(), source, &at.0],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn unsuppress(
        &self,
        department: DepartmentRow,
        customer: &str,
        channel: Option<ChannelRow>,
        kind: SuppressionKind,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .execute(
                "DELETE FROM suppression WHERE department = $1 AND customer = $2 AND channel = $3 AND kind = $4",
                &[&department, &customer, &channel.unwrap_or(ALL_CHANNELS), &kind.as_str()],
            )
            .await?;
        Ok(deleted > 0)
    }

    pub(in crate::store) async fn suppressions(
        &self,
        department: DepartmentRow,
        customer: Option<String>,
        after: Option<SuppressionPlace>,
        limit: u32,
    ) -> Result<Vec<Suppression>, StoreError> {
        let SuppressionPlace { customer: last, channel, kind } = after.unwrap_or_default();
        let rows = self
            .rows(
                "SELECT customer, channel, kind, source, at FROM suppression
                 WHERE department = $1 AND ($2::text IS NULL OR customer = $2)
                 AND (customer, channel, kind) > ($3, $4, $5) ORDER BY customer, channel, kind LIMIT $6",
                &[&department, &customer, &last, &channel, &kind, &i64::from(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let channel: ChannelRow = columns::get(row, 1)?;
                Ok(Suppression {
                    customer: columns::get(row, 0)?,
                    channel: (channel != ALL_CHANNELS).then_some(channel),
                    kind: columns::word(row, 2)?,
                    source: columns::get(row, 3)?,
                    at: columns::timestamp(row, 4)?,
                })
            })
            .collect()
    }
}
