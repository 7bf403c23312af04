//! Templates: rows that change seldom, with a history of each.

use super::{Engine, change::changing, columns};
use crate::store::{
    ChannelRow, STEPS_KEPT, StoreError, TemplateFilter, TemplatePlace, TemplateRow, TemplateStep, TemplateSync,
    TemplateWrite,
};
use std::collections::HashSet;
use tokio_postgres::Row;

/// A statement that answers the columns which [`template`] reads.
macro_rules! select_templates {
    ($after:literal) => {
        concat!("SELECT name, language, graph_id, status, category, quality, body, changed_at FROM template ", $after)
    };
}

impl Engine {
    pub(in crate::store) async fn templates(
        &self,
        place: TemplatePlace,
        filter: TemplateFilter,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        let (name, language) = filter.after.unwrap_or_default();
        let rows = self
            .rows(
                // The name that is looked for is a word of ours or of a person, never a pattern.
                select_templates!(
                    "WHERE department = $1 AND channel = $2 AND (name, language) > ($3, $4)
                     AND CASE WHEN $5::text IS NULL THEN status <> 'DELETED' ELSE status = $5 END
                     AND ($6::text IS NULL OR category = $6) AND ($7::text IS NULL OR strpos(name, $7) > 0)
                     ORDER BY name, language LIMIT $8"
                ),
                &[
                    &place.department,
                    &place.channel,
                    &name,
                    &language,
                    &filter.status,
                    &filter.category,
                    &filter.name_holds,
                    &filter.limit.map(i64::from),
                ],
            )
            .await?;
        rows.iter().map(template).collect()
    }

    pub(in crate::store) async fn all_templates(&self, place: TemplatePlace) -> Result<Vec<TemplateRow>, StoreError> {
        let rows = self
            .rows(
                select_templates!("WHERE department = $1 AND channel = $2 ORDER BY name, language"),
                &[&place.department, &place.channel],
            )
            .await?;
        rows.iter().map(template).collect()
    }

    pub(in crate::store) async fn templates_named(
        &self,
        place: TemplatePlace,
        name: String,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        let rows = self
            .rows(
                select_templates!("WHERE department = $1 AND channel = $2 AND name = $3 ORDER BY language"),
                &[&place.department, &place.channel, &name],
            )
            .await?;
        rows.iter().map(template).collect()
    }

    pub(in crate::store) async fn template(
        &self,
        place: TemplatePlace,
        name: String,
        language: String,
    ) -> Result<Option<(TemplateRow, Vec<TemplateStep>)>, StoreError> {
        let mut flight = super::flight::Flight::default();
        let key: [super::flight::Parameter<'_>; 4] = [&place.department, &place.channel, &name, &language];
        let row = flight
            .add(select_templates!("WHERE department = $1 AND channel = $2 AND name = $3 AND language = $4"), &key);
        let steps = flight.add(
            "SELECT at, kind, before, after, reason FROM template_change
             WHERE department = $1 AND channel = $2 AND name = $3 AND language = $4 ORDER BY number",
            &key,
        );
        let read = flight.read(self).await?;
        let Some(row) = read[row].first() else { return Ok(None) };
        Ok(Some((template(row)?, read[steps].iter().map(step).collect::<Result<_, _>>()?)))
    }

    pub(in crate::store) async fn write_templates(
        &self,
        place: TemplatePlace,
        writes: Vec<TemplateWrite>,
    ) -> Result<Vec<bool>, StoreError> {
        let of =
            |text: fn(&TemplateRow) -> &str| -> Vec<&str> { writes.iter().map(|write| text(&write.row)).collect() };
        let maybe_of = |text: fn(&TemplateRow) -> Option<&str>| -> Vec<Option<&str>> {
            writes.iter().map(|write| text(&write.row)).collect()
        };
        let bodies: Vec<String> = writes.iter().map(|write| write.row.body.to_string()).collect();
        let changed_at: Vec<i64> = writes.iter().map(|write| write.row.changed_at.0).collect();
        let seen: Vec<Option<i64>> = writes.iter().map(|write| write.seen.map(|at| at.0)).collect();
        let steps: Vec<(i64, &TemplateStep)> =
            (1..).zip(&writes).flat_map(|(number, write)| write.steps.iter().map(move |step| (number, step))).collect();
        let step_of: Vec<i64> = steps.iter().map(|(number, _)| *number).collect();
        let step_at: Vec<i64> = steps.iter().map(|(_, step)| step.at.0).collect();
        let step_kinds: Vec<&str> = steps.iter().map(|(_, step)| step.kind.as_str()).collect();
        let before: Vec<Option<&str>> = steps.iter().map(|(_, step)| step.before.as_deref()).collect();
        let after: Vec<Option<&str>> = steps.iter().map(|(_, step)| step.after.as_deref()).collect();
        let reasons: Vec<Option<&str>> = steps.iter().map(|(_, step)| step.reason.as_deref()).collect();
        let rows = self
            .write(
                WRITE,
                &[
                    &place.department,
                    &place.channel,
                    &of(|row| &row.name),
                    &of(|row| &row.language),
                    &maybe_of(|row| row.graph_id.as_deref()),
                    &of(|row| &row.status),
                    &of(|row| &row.category),
                    &maybe_of(|row| row.quality.as_deref()),
                    &bodies,
                    &changed_at,
                    &seen,
                    &step_of,
                    &step_at,
                    &step_kinds,
                    &before,
                    &after,
                    &reasons,
                ],
            )
            .await?;
        let written: HashSet<i64> = rows.iter().map(|row| columns::get(row, 0)).collect::<Result<_, _>>()?;
        if !steps.is_empty() {
            self.execute(
                "DELETE FROM template_change c USING unnest($3::text[], $4::text[]) AS k (name, language)
                 WHERE c.department = $1 AND c.channel = $2 AND c.name = k.name AND c.language = k.language
                 AND c.number <= (SELECT max(number) FROM template_change l
                     WHERE l.department = $1 AND l.channel = $2 AND l.name = k.name AND l.language = k.language) - $5::bigint",
                &[&place.department, &place.channel, &of(|row| &row.name), &of(|row| &row.language), &STEPS_KEPT],
            )
            .await?;
        }
        Ok((1..).zip(&writes).map(|(number, _)| written.contains(&number)).collect())
    }

    pub(in crate::store) async fn forget_template(
        &self,
        place: TemplatePlace,
        row: TemplateRow,
    ) -> Result<bool, StoreError> {
        let gone = self
            .write(
                changing!(
                    Templates,
                    ", gone AS (
                         DELETE FROM template WHERE department = $1 AND channel = $2 AND name = $3 AND language = $4
                         AND changed_at = $5 RETURNING 1),
                     steps AS (
                         DELETE FROM template_change WHERE department = $1 AND channel = $2 AND name = $3
                         AND language = $4 AND EXISTS (SELECT 1 FROM gone))
                     SELECT 1 FROM gone"
                ),
                &[&place.department, &place.channel, &row.name, &row.language, &row.changed_at.0],
            )
            .await?;
        Ok(!gone.is_empty())
    }

    pub(in crate::store) async fn note_template_sync(
        &self,
        channel: ChannelRow,
        sync: TemplateSync,
    ) -> Result<(), StoreError> {
        let error = sync.error.as_ref().map(serde_json::to_string).transpose()?;
        self.execute(
            "INSERT INTO template_sync AS known (channel, at, succeeded_at, error) VALUES ($1, $2, $3, $4)
             ON CONFLICT (channel) DO UPDATE SET at = excluded.at, error = excluded.error,
             succeeded_at = coalesce(excluded.succeeded_at, known.succeeded_at)",
            &[&channel, &sync.at.0, &sync.succeeded_at.map(|at| at.0), &error],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn template_sync(
        &self,
        channel: ChannelRow,
    ) -> Result<Option<TemplateSync>, StoreError> {
        let found =
            self.row("SELECT at, succeeded_at, error FROM template_sync WHERE channel = $1", &[&channel]).await?;
        found
            .map(|row| {
                Ok(TemplateSync {
                    at: columns::timestamp(&row, 0)?,
                    succeeded_at: columns::timestamp_or_none(&row, 1)?,
                    // A reason of a newer version after a downgrade: the rest is still worth showing.
                    error: columns::get::<Option<&str>>(&row, 2)?.and_then(|json| serde_json::from_str(json).ok()),
                })
            })
            .transpose()
    }
}

/// Writes templates that nobody changed since they were read, and the steps of those that were written; answers their numbers.
const WRITE: &str = changing!(
    Templates,
    ", given AS (
         SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
             $10::bigint[], $11::bigint[]) WITH ORDINALITY AS g
             (name, language, graph_id, status, category, quality, body, changed_at, seen, number)),
     updated AS (
         UPDATE template t SET graph_id = g.graph_id, status = g.status, category = g.category, quality = g.quality,
             body = g.body, changed_at = g.changed_at
         FROM given g WHERE t.department = $1 AND t.channel = $2 AND t.name = g.name AND t.language = g.language
         AND t.changed_at = g.seen RETURNING g.number),
     inserted AS (
         INSERT INTO template (department, channel, name, language, graph_id, status, category, quality, body, changed_at)
         SELECT $1::bigint, $2::bigint, name, language, graph_id, status, category, quality, body, changed_at FROM given
         ON CONFLICT DO NOTHING RETURNING name, language),
     written AS (
         SELECT number FROM updated UNION SELECT g.number FROM inserted JOIN given g USING (name, language)),
     steps AS (
         INSERT INTO template_change (department, channel, name, language, number, at, kind, before, after, reason)
         SELECT $1::bigint, $2::bigint, g.name, g.language,
             (coalesce((SELECT max(c.number) FROM template_change c WHERE c.department = $1 AND c.channel = $2
                 AND c.name = g.name AND c.language = g.language), 0)
             + row_number() OVER (PARTITION BY s.template ORDER BY s.number))::integer,
             s.at, s.kind, s.before, s.after, s.reason
         FROM unnest($12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::text[], $17::text[])
             WITH ORDINALITY AS s (template, at, kind, before, after, reason, number)
         JOIN written w ON w.number = s.template JOIN given g ON g.number = s.template)
     SELECT number FROM written"
);

fn template(row: &Row) -> Result<TemplateRow, StoreError> {
    Ok(TemplateRow {
        name: columns::get(row, 0)?,
        language: columns::get(row, 1)?,
        graph_id: columns::get(row, 2)?,
        status: columns::get(row, 3)?,
        category: columns::get(row, 4)?,
        quality: columns::get(row, 5)?,
        body: columns::json(row, 6)?,
        changed_at: columns::timestamp(row, 7)?,
    })
}

fn step(row: &Row) -> Result<TemplateStep, StoreError> {
    Ok(TemplateStep {
        at: columns::timestamp(row, 0)?,
        kind: columns::word(row, 1)?,
        before: columns::get(row, 2)?,
        after: columns::get(row, 3)?,
        reason: columns::get(row, 4)?,
    })
}
