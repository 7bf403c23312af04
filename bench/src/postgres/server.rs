//! The throw-away PostgreSQL, set as one would run it: every commit waits for the disk.

use crate::process::processor_time_of_family;
use anyhow::{Context, ensure};
use herald_postgres_server::{Options, Server};
use std::{
    fmt,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// What a server for this is usually given; the rest is PostgreSQL's default.
const SETTINGS: &[(&str, &str)] = &[
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
    ("wal_compression", "on"),
    ("wal_buffers", "16MB"),
    ("checkpoint_timeout", "15min"),
    ("random_page_cost", "1.1"),
    ("max_connections", "200"),
];

/// Where the time goes: the statement of each kind that took the most, and what a call took.
const STATEMENTS: &str = "
    SELECT lpad(round(total_exec_time + total_plan_time)::text, 8) || ' ms ' || lpad(calls::text, 8) || ' calls '
        || lpad(round((total_exec_time + total_plan_time)::numeric / calls, 3)::text, 9) || ' ms '
        || lpad(round(rows::numeric / calls, 1)::text, 7) || ' rows ' || lpad((wal_bytes / calls)::text, 7) || ' wal '
        || left(regexp_replace(query, '\\s+', ' ', 'g'), 150)
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname LIKE 'bench%'
    ORDER BY total_exec_time + total_plan_time DESC LIMIT 45";

/// The server; each measurement has a database of its own.
pub(super) struct Database {
    server: Server,
    next: AtomicUsize,
    statements: bool,
}

impl Database {
    pub(super) fn start(data: &Path, settings: &[String], statements: bool) -> anyhow::Result<Self> {
        let mut options = Options { folder: Some(data.to_owned()), ..Options::durable() };
        for (name, value) in SETTINGS {
            options = options.with(name, value);
        }
        if statements {
            options = options.with("shared_preload_libraries", "pg_stat_statements").with("track_io_timing", "on");
            options = options.with("pg_stat_statements.track_planning", "on");
        }
        for setting in settings {
            let (name, value) = setting.split_once('=').context("--server-set takes name=value")?;
            options = options.with(name, value);
        }
        let server = Server::start(options)?;
        if statements {
            server.query("postgres", "CREATE EXTENSION pg_stat_statements")?;
        }
        Ok(Self { server, next: AtomicUsize::new(0), statements })
    }

    /// An empty database: its name and its URL. Those before it are dropped.
    pub(super) fn fresh(&self) -> anyhow::Result<(String, String)> {
        let next = self.next.fetch_add(1, Relaxed);
        if let Some(before) = next.checked_sub(1) {
            self.server.drop_database(&name(before))?;
        }
        let url = self.server.database(&name(next))?;
        self.server.query("postgres", "CHECKPOINT")?;
        Ok((name(next), url))
    }

    pub(super) fn query(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        self.server.query(database, sql)
    }

    /// Of all its processes.
    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        processor_time_of_family(self.server.pid().context("PostgreSQL has ended")?)
    }

    /// Fails where the server had to refuse something: deadlocks, time-outs, broken statements.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let log = self.server.log();
        let wrong: Vec<&str> = log
            .lines()
            .filter(|line| ["ERROR:", "FATAL:", "PANIC:"].iter().any(|level| line.contains(level)))
            // A node that was killed was told so.
            .filter(|line| !line.contains("terminating connection"))
            .collect();
        ensure!(wrong.is_empty(), "PostgreSQL's log has errors:\n{}", wrong.join("\n"));
        Ok(())
    }

    pub(super) fn forget_statements(&self) -> anyhow::Result<()> {
        if self.statements {
            self.server.query("postgres", "SELECT pg_stat_statements_reset()")?;
        }
        Ok(())
    }

    pub(super) fn print_statements(&self) -> anyhow::Result<()> {
        if self.statements {
            eprintln!("{}", self.server.query("postgres", STATEMENTS)?);
        }
        Ok(())
    }
}

fn name(number: usize) -> String {
    format!("bench_{number}")
}

impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PostgreSQL {}, fsync and synchronous_commit on", self.server.version())?;
        SETTINGS.iter().try_for_each(|(name, value)| write!(formatter, ", {name} {value}"))
    }
}
