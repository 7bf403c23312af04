//! Who must not be written to.

use super::{Engine, Writing, columns};
use crate::store::{ChannelRow, DepartmentRow, StoreError, Suppression, SuppressionKind, SuppressionPlace};
use herald_rules::time::Timestamp;
use rusqlite::OptionalExtension;

/// The channel of a suppression that holds for all of the department.
const ALL_CHANNELS: ChannelRow = 0;

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

impl Writing<'_> {
    /// See [`Store::suppress`].
    pub(super) fn suppress(&mut self, department: DepartmentRow, suppression: &Suppression) -> Result<(), StoreError> {
        let Suppression { customer, channel, kind, source, at } = suppression;
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO suppression (department, customer, channel, kind, source, at)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute((department, customer, channel.unwrap_or(ALL_CHANNELS), kind.as_str(), source, at.0))?;
        self.memory.suppressions = None;
        Ok(())
    }

    /// See [`Store::unsuppress`].
    pub(super) fn unsuppress(
        &self,
        department: DepartmentRow,
        customer: &str,
        channel: Option<ChannelRow>,
        kind: SuppressionKind,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .connection
            .prepare_cached(
                "DELETE FROM suppression WHERE department = ?1 AND customer = ?2 AND channel = ?3 AND kind = ?4",
            )?
            .execute((department, customer, channel.unwrap_or(ALL_CHANNELS), kind.as_str()))?;
        Ok(deleted > 0)
    }

    /// What a customer told the provider about marketing. Notices come in any order: an older one than the last says
    /// nothing any more.
    pub(super) fn marketing_wish(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        customer: &str,
        wanted: bool,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let key = (department, customer, channel);
        let last = self
            .connection
            .prepare_cached("SELECT at FROM marketing_wish WHERE department = ?1 AND customer = ?2 AND channel = ?3")?
            .query_row(key, |row| row.get(0).map(Timestamp))
            .optional()?;
        if last.is_some_and(|last| last > at) {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO marketing_wish (department, customer, channel, wanted, at)
                 VALUES (?, ?, ?, ?, ?)",
            )?
            .execute((department, customer, channel, wanted, at.0))?;
        let kind = SuppressionKind::Marketing;
        if wanted {
            self.unsuppress(department, customer, Some(channel), kind)?;
            return Ok(());
        }
        let source = "provider".to_owned();
        self.suppress(
            department,
            &Suppression { customer: customer.to_owned(), channel: Some(channel), kind, source, at },
        )
    }
}
