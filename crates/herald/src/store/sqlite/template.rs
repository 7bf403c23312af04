//! Templates: rows that change seldom, with a history of each.

use super::Engine;
use crate::store::{
    ChannelRow, STEPS_KEPT, StoreError, TemplateFilter, TemplatePlace, TemplateRow, TemplateStep, TemplateStepKind,
    TemplateSync, TemplateWrite,
};
use herald_rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

const COLUMNS: &str = "name, language, graph_id, status, category, quality, body, changed_at";

impl Engine {
    pub(in crate::store) async fn templates(
        &self,
        place: TemplatePlace,
        filter: TemplateFilter,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        self.read(move |connection| {
            // The name that is looked for is a word of ours or of a person, never a pattern.
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM template WHERE department = :department AND channel = :channel
                 AND (name, language) > (:name, :language)
                 AND CASE WHEN :status IS NULL THEN status <> 'DELETED' ELSE status = :status END
                 AND (:category IS NULL OR category = :category) AND (:holds IS NULL OR instr(name, :holds) > 0)
                 ORDER BY name, language LIMIT :limit"
            ))?;
            let (name, language) = filter.after.unwrap_or_default();
            let rows = query.query_map(
                named_params! {
                    ":department": place.department, ":channel": place.channel, ":name": name, ":language": language,
                    ":status": filter.status, ":category": filter.category, ":holds": filter.name_holds,
                    ":limit": filter.limit.map_or(-1, i64::from),
                },
                template,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn all_templates(&self, place: TemplatePlace) -> Result<Vec<TemplateRow>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM template WHERE department = ?1 AND channel = ?2 ORDER BY name, language"
            ))?;
            let rows = query.query_map((place.department, place.channel), template)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn templates_named(
        &self,
        place: TemplatePlace,
        name: String,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM template WHERE department = ?1 AND channel = ?2 AND name = ?3 ORDER BY language"
            ))?;
            let rows = query.query_map((place.department, place.channel, name), template)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn template(
        &self,
        place: TemplatePlace,
        name: String,
        language: String,
    ) -> Result<Option<(TemplateRow, Vec<TemplateStep>)>, StoreError> {
        self.read(move |connection| {
            let key = (place.department, place.channel, &name, &language);
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM template WHERE department = ?1 AND channel = ?2 AND name = ?3 AND language = ?4"
            ))?;
            let Some(row) = query.query_row(key, template).optional()? else { return Ok(None) };
            let mut query = connection.prepare_cached(
                "SELECT at, kind, before, after, reason FROM template_change
                 WHERE department = ?1 AND channel = ?2 AND name = ?3 AND language = ?4 ORDER BY number",
            )?;
            let steps = query.query_map(key, step)?.collect::<Result<_, _>>()?;
            Ok(Some((row, steps)))
        })
        .await
    }

    pub(in crate::store) async fn write_templates(
        &self,
        place: TemplatePlace,
        writes: Vec<TemplateWrite>,
    ) -> Result<Vec<bool>, StoreError> {
        self.write(move |writing| writes.iter().map(|write| write_one(writing.connection, place, write)).collect())
            .await
    }

    pub(in crate::store) async fn forget_template(
        &self,
        place: TemplatePlace,
        row: TemplateRow,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let key = (place.department, place.channel, &row.name, &row.language);
            let gone = writing
                .connection
                .prepare_cached(
                    "DELETE FROM template WHERE department = ?1 AND channel = ?2 AND name = ?3 AND language = ?4
                     AND changed_at = ?5",
                )?
                .execute((key.0, key.1, key.2, key.3, row.changed_at.0))?;
            if gone > 0 {
                writing
                    .connection
                    .prepare_cached(
                        "DELETE FROM template_change
                         WHERE department = ?1 AND channel = ?2 AND name = ?3 AND language = ?4",
                    )?
                    .execute(key)?;
            }
            Ok(gone > 0)
        })
        .await
    }

    pub(in crate::store) async fn note_template_sync(
        &self,
        channel: ChannelRow,
        sync: TemplateSync,
    ) -> Result<(), StoreError> {
        let error = sync.error.as_ref().map(serde_json::to_string).transpose()?;
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO template_sync (channel, at, succeeded_at, error) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (channel) DO UPDATE SET at = excluded.at, error = excluded.error,
                     succeeded_at = coalesce(excluded.succeeded_at, succeeded_at)",
                )?
                .execute((channel, sync.at.0, sync.succeeded_at.map(|at| at.0), error))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn template_sync(
        &self,
        channel: ChannelRow,
    ) -> Result<Option<TemplateSync>, StoreError> {
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT at, succeeded_at, error FROM template_sync WHERE channel = ?1")?;
            let found = query.query_row([channel], |row| {
                Ok(TemplateSync {
                    at: Timestamp(row.get(0)?),
                    succeeded_at: row.get::<_, Option<i64>>(1)?.map(Timestamp),
                    // A reason of a newer version after a downgrade: the rest is still worth showing.
                    error: row.get_ref(2)?.as_str_or_null()?.and_then(|json| serde_json::from_str(json).ok()),
                })
            });
            Ok(found.optional()?)
        })
        .await
    }
}

fn write_one(connection: &Connection, place: TemplatePlace, write: &TemplateWrite) -> Result<bool, StoreError> {
    let row = &write.row;
    let values = named_params! {
        ":department": place.department, ":channel": place.channel, ":name": row.name, ":language": row.language,
        ":graph_id": row.graph_id, ":status": row.status, ":category": row.category, ":quality": row.quality,
        ":body": row.body.to_string(), ":changed_at": row.changed_at.0, ":seen": write.seen.map(|at| at.0),
    };
    let written = connection
        .prepare_cached(
            "INSERT INTO template (department, channel, name, language, graph_id, status, category, quality, body,
             changed_at) VALUES (:department, :channel, :name, :language, :graph_id, :status, :category, :quality,
             :body, :changed_at)
             ON CONFLICT (department, channel, name, language) DO UPDATE SET graph_id = excluded.graph_id,
             status = excluded.status, category = excluded.category, quality = excluded.quality, body = excluded.body,
             changed_at = excluded.changed_at WHERE changed_at = :seen",
        )?
        .execute(values)?;
    if written == 0 {
        return Ok(false);
    }
    let key = (place.department, place.channel, &row.name, &row.language);
    for step in &write.steps {
        connection
            .prepare_cached(
                "INSERT INTO template_change (department, channel, name, language, number, at, kind, before, after,
                 reason) SELECT ?1, ?2, ?3, ?4, coalesce(max(number), 0) + 1, ?5, ?6, ?7, ?8, ?9 FROM template_change
                 WHERE department = ?1 AND channel = ?2 AND name = ?3 AND language = ?4",
            )?
            .execute((
                key.0,
                key.1,
                key.2,
                key.3,
                step.at.0,
                step.kind.as_str(),
                &step.before,
                &step.after,
                &step.reason,
            ))?;
    }
    connection
        .prepare_cached(
            "DELETE FROM template_change WHERE department = ?1 AND channel = ?2 AND name = ?3 AND language = ?4
             AND number <= (SELECT max(number) FROM template_change
                 WHERE department = ?1 AND channel = ?2 AND name = ?3 AND language = ?4) - ?5",
        )?
        .execute((key.0, key.1, key.2, key.3, STEPS_KEPT))?;
    Ok(true)
}

fn template(row: &Row<'_>) -> rusqlite::Result<TemplateRow> {
    Ok(TemplateRow {
        name: row.get(0)?,
        language: row.get(1)?,
        graph_id: row.get(2)?,
        status: row.get(3)?,
        category: row.get(4)?,
        quality: row.get(5)?,
        body: serde_json::from_slice(row.get_ref(6)?.as_bytes()?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, Box::new(error))
        })?,
        changed_at: Timestamp(row.get(7)?),
    })
}

fn step(row: &Row<'_>) -> rusqlite::Result<TemplateStep> {
    let kind = row.get_ref(1)?.as_str()?;
    let unknown = || rusqlite::Error::InvalidColumnType(1, kind.to_owned(), rusqlite::types::Type::Text);
    Ok(TemplateStep {
        at: Timestamp(row.get(0)?),
        kind: kind.parse::<TemplateStepKind>().map_err(|()| unknown())?,
        before: row.get(2)?,
        after: row.get(3)?,
        reason: row.get(4)?,
    })
}
