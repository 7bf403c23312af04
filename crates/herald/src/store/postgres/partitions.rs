//! The tables that are divided by month: made ahead, and dropped as a whole when their time is over.
//!
//! A month without a partition costs nothing but its speed of forgetting: its rows lie in the rest (`message_rest`).

use super::{
    Engine,
    columns::{self, as_limit},
    flight::Flight,
    month::Month,
};
use crate::store::{DepartmentRow, StoreError, logic::Entry};
use herald_rules::{ids::MessageId, time::Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// The tables by month of `id`, as a pattern for their names.
pub(in crate::store) const TABLES: [&str; 5] = ["message", "event", "note", "part", "reference"];
/// Months made ahead, with the present one: a cluster may stand still for weeks.
const MONTHS: usize = 3;
/// Held while partitions are made or dropped, so that of several nodes one does it: "HPRT".
const PARTITIONING: i64 = 0x4850_5254;
/// What changes a divided table waits so long for those who use it, since all others wait behind it meanwhile.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '100ms'";
/// How often it tries at once; the next round of housekeeping tries again.
const TRIES: usize = 5;
/// Between two tries.
const BREATH: Duration = Duration::from_millis(100);
/// Rows of the rest forgotten in a step.
const STEP: i64 = 500;
/// More messages than these that wait since before a moment keep all that is older.
const WAITING: usize = 10_000;
/// Where messages keep a month that should go, it is looked at again only after this: all that waits is read for it.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// When it was last seen that old months must stay.
#[derive(Default)]
pub(super) struct Kept(Mutex<Option<Instant>>);

impl Kept {
    fn lately(&self) -> bool {
        let kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.is_some_and(|at| at.elapsed() < LOOK_AGAIN)
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Messages that have not ended, of those that should be forgotten.
enum Waiting {
    These(BTreeSet<Uuid>),
    TooMany,
}

/// The statement that makes a table's partition of a month, unless it is there.
pub(in crate::store) fn making(table: &str, month: Month, low: Uuid, high: Uuid) -> String {
    let name = month.partition_of(table);
    format!(
        "DO $$ BEGIN
             PERFORM pg_advisory_xact_lock({PARTITIONING});
             -- Another node was faster, or rows of the month lie in the rest: they are forgotten there.
             IF to_regclass('{name}') IS NULL
                 AND NOT EXISTS (SELECT 1 FROM {table}_rest WHERE id >= '{low}' AND id < '{high}') THEN
                 -- CREATE TABLE ... PARTITION OF would stop everybody who uses the table.
                 CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
                 ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}');
             END IF;
         END $$"
    )
}

impl Engine {
    pub(in crate::store) async fn keep_house(&self, now: Timestamp) -> Result<(), StoreError> {
        self.ensure_partitions(now).await
    }

    /// Makes the partitions of the month and of those that follow, as far as they are missing.
    pub(super) async fn ensure_partitions(&self, now: Timestamp) -> Result<(), StoreError> {
        let months = std::iter::successors(Month::of(now), |month| Some(month.next())).take(MONTHS);
        let there = self.partitions().await?;
        for month in months {
            let (Some(low), Some(high)) = (month.first_id(), month.next().first_id()) else { continue };
            for table in TABLES {
                if !there.contains_key(&month.partition_of(table)) {
                    self.make(table, month, low, high).await?;
                }
            }
        }
        Ok(())
    }

    /// The partitions of months, with their tables.
    async fn partitions(&self) -> Result<BTreeMap<String, Month>, StoreError> {
        let rows = self
            .rows(
                "SELECT child.relname::text FROM pg_inherits i
                 JOIN pg_class child ON child.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
                 WHERE parent.relnamespace = current_schema()::regnamespace AND parent.relkind = 'p'
                 AND parent.relname = ANY ($1) AND child.relkind = 'r'",
                &[&TABLES.as_slice()],
            )
            .await?;
        let mut partitions = BTreeMap::new();
        for row in &rows {
            let name: String = columns::get(row, 0)?;
            if let Some((_, month)) = Month::of_partition(&name) {
                partitions.insert(name, month);
            }
        }
        Ok(partitions)
    }

    async fn make(&self, table: &str, month: Month, low: Uuid, high: Uuid) -> Result<(), StoreError> {
        self.change_tables(&making(table, month, low, high)).await
    }

    /// Runs a statement that changes divided tables, with patience but without being in anybody's way.
    async fn change_tables(&self, sql: &str) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            let transaction = self.transaction().await?;
            let client = transaction.client()?;
            client.batch_execute(&format!("BEGIN; {LOCK_TIMEOUT}")).await?;
            let Err(error) = client.batch_execute(sql).await else { return transaction.commit().await };
            tries += 1;
            if error.code() != Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE) || tries >= TRIES {
                return Err(error.into());
            }
            transaction.roll_back().await?;
            tokio::time::sleep(BREATH).await;
        }
    }

    pub(in crate::store) async fn prune_messages(
        &self,
        department: DepartmentRow,
        before: Timestamp,
        _after: Option<MessageId>,
    ) -> Result<Option<MessageId>, StoreError> {
        let first_kept = MessageId::first_at(before);
        let mut old: BTreeMap<Month, Vec<String>> = BTreeMap::new();
        for (name, month) in self.partitions().await? {
            if month.next().first_id().is_some_and(|high| high <= first_kept.0) {
                old.entry(month).or_default().push(name);
            }
        }
        let look = !old.is_empty() && !self.kept.lately();
        let rest = self.anything_in_the_rest(department, first_kept.0).await?;
        if !look && !rest {
            return Ok(None);
        }
        let waiting = self.waiting(first_kept.0).await?;
        if look {
            self.drop_months(old, &waiting).await?;
        }
        match &waiting {
            Waiting::These(waiting) if rest => self.forget_rest(department, first_kept, waiting).await,
            _ => Ok(None),
        }
    }

    /// Drops what is old and of which nothing waits. Whatever stops it, the next round goes on with what is left.
    async fn drop_months(&self, old: BTreeMap<Month, Vec<String>>, waiting: &Waiting) -> Result<(), StoreError> {
        for (month, names) in old {
            let messages = match waiting {
                Waiting::TooMany => None,
                Waiting::These(ids) => {
                    let (Some(low), Some(high)) = (month.first_id(), month.next().first_id()) else { continue };
                    Some(ids.range(low..high).count())
                }
            };
            if messages == Some(0) {
                for name in names {
                    self.change_tables(&format!("DROP TABLE IF EXISTS {name}")).await?;
                    tracing::info!(partition = name, "retention.partition_dropped");
                }
            } else {
                self.kept.note();
                tracing::warn!(%month, messages, "retention.month_kept_for_messages_that_wait");
            }
        }
        Ok(())
    }

    /// Messages with an id below this that wait, are at the provider's door or are being checked.
    async fn waiting(&self, below: Uuid) -> Result<Waiting, StoreError> {
        let mut flight = Flight::default();
        let limit = as_limit(WAITING + 1);
        // One statement, and so one moment: what moves from one of these tables to another is seen in one of them.
        let rows = flight.add(
            "(SELECT id, NULL::bytea FROM checking WHERE id < $1) UNION ALL (SELECT id, NULL FROM later WHERE id < $1)
             UNION ALL (SELECT NULL, entries FROM claim) UNION ALL (SELECT id, NULL FROM live WHERE id < $1) LIMIT $2",
            &[&below, &limit],
        );
        let transaction = self.transaction().await?;
        let client = transaction.client()?;
        // A queue of millions is read as a whole.
        client.batch_execute("BEGIN READ ONLY; SET LOCAL statement_timeout = '60s'").await?;
        let found = flight.send(client).await?;
        transaction.commit().await?;
        let mut waiting = BTreeSet::new();
        for row in &found[rows] {
            match columns::get::<Option<Uuid>>(row, 0)? {
                Some(id) => {
                    waiting.insert(id);
                }
                None => {
                    let entries = Entry::read_all(columns::get(row, 1)?)?;
                    waiting.extend(entries.into_iter().map(|entry| entry.id.0).filter(|id| *id < below));
                }
            }
        }
        Ok(if found[rows].len() > WAITING { Waiting::TooMany } else { Waiting::These(waiting) })
    }

    async fn anything_in_the_rest(&self, department: DepartmentRow, below: Uuid) -> Result<bool, StoreError> {
        let found = self
            .row(
                "SELECT EXISTS (SELECT 1 FROM message_rest WHERE department = $1 AND id < $2)
                 OR EXISTS (SELECT 1 FROM event_rest WHERE department = $1 AND id < $2)
                 OR EXISTS (SELECT 1 FROM note_rest WHERE department = $1 AND id < $2)
                 OR EXISTS (SELECT 1 FROM part_rest WHERE department = $1 AND id < $2)
                 OR EXISTS (SELECT 1 FROM channel c JOIN reference_rest r USING (channel)
                     WHERE c.department = $1 AND r.id < $2)",
                &[&department, &below],
            )
            .await?;
        found.map_or(Ok(false), |row| columns::get(&row, 0))
    }

    /// One step of what no partition took.
    async fn forget_rest(
        &self,
        department: DepartmentRow,
        below: MessageId,
        waiting: &BTreeSet<Uuid>,
    ) -> Result<Option<MessageId>, StoreError> {
        macro_rules! forget {
            ($table:literal) => {
                concat!(
                    "WITH gone AS (DELETE FROM ",
                    $table,
                    " WHERE ctid IN (SELECT ctid FROM ",
                    $table,
                    " WHERE department = $1 AND id < $2 AND id <> ALL ($3) LIMIT $4) RETURNING 1)
                     SELECT count(*) FROM gone"
                )
            };
        }
        let waiting: Vec<Uuid> = waiting.iter().copied().collect();
        let mut flight = Flight::default();
        for sql in [forget!("event_rest"), forget!("note_rest"), forget!("part_rest"), forget!("message_rest")] {
            flight.add(sql, &[&department, &below.0, &waiting, &STEP]);
        }
        flight.add(
            "WITH gone AS (DELETE FROM reference_rest WHERE ctid IN (
                 SELECT r.ctid FROM channel c JOIN reference_rest r USING (channel)
                 WHERE c.department = $1 AND r.id < $2 AND r.id <> ALL ($3) LIMIT $4) RETURNING 1)
             SELECT count(*) FROM gone",
            &[&department, &below.0, &waiting, &STEP],
        );
        let client = self.client().await?;
        let mut more = false;
        for rows in flight.send(&client).await? {
            let gone = rows.first().map_or(Ok(0), |row| columns::get::<i64>(row, 0))?;
            more |= gone >= STEP;
        }
        // Where to go on is told by what is still there.
        Ok(more.then_some(below))
    }
}
