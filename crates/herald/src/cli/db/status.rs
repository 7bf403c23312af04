//! `herald db status`.

use super::{Failure, Output, Place, size};
use crate::{
    cli::{output, show},
    node::lock_folder,
    store::{
        Options,
        upkeep::{self, Content, DatabaseStatus},
    },
};
use clap::Args;
use serde::Serialize;

/// Show engine, versions, nodes and leases, queues, inbox and sizes
#[derive(Debug, Args)]
pub(super) struct Status {
    /// With the size of each table of SQLite, for which the whole file is read (PostgreSQL always tells)
    #[arg(long)]
    tables: bool,
}

/// The answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(flatten)]
    database: DatabaseStatus,
    /// Whether a node has the data folder of this machine.
    node_here: bool,
}

impl Status {
    pub(super) async fn run(self, place: &Place, output: &Output) -> Result<(), Failure> {
        let database = upkeep::status(&place.options, self.tables).await?;
        let folder = &place.config.data.folder;
        // The lock is given back at once.
        let node_here = folder.is_dir() && lock_folder(folder).is_err();
        let sqlite = matches!(place.options, Options::Sqlite(_));
        output.answer(&Answer { database, node_here }, |answer| told(answer, sqlite))?;
        Ok(())
    }
}

fn told(answer: &Answer, sqlite: bool) -> String {
    let status = &answer.database;
    let schema = match (status.schema.missing.len(), status.schema.newer.len()) {
        (0, 0) => format!("{}, as this program's", status.schema.database),
        (0, _) => format!("{}, of the next version (this program: {})", status.schema.database, status.schema.program),
        (missing, _) => format!("{}, {missing} missing: `herald db migrate`", status.schema.database),
    };
    let content = status.content.as_ref();
    let mut blocks = vec![show::fields([
        ("database", format!("{} {}, {}", status.engine, status.engine_version, status.place)),
        ("program", status.program.to_owned()),
        ("tables", schema),
        ("size", size(status.bytes)),
        ("log", status.log_bytes.map(size).unwrap_or_default()),
        ("node", if sqlite { if answer.node_here { "runs" } else { "none" }.to_owned() } else { String::new() }),
        ("waiting", content.map_or(String::new(), |content| content.waiting.to_string())),
        ("oldest", content.and_then(|content| content.oldest_waiting).map_or(String::new(), |at| at.to_string())),
        ("inbox", content.map_or(String::new(), inbox)),
    ])];
    if let Some(content) = content {
        blocks.extend(tables(content));
    }
    blocks.join("\n\n")
}

fn inbox(content: &Content) -> String {
    let inbox = &content.inbox;
    let oldest = inbox.oldest.map_or(String::new(), |at| format!(" since {at}"));
    format!("{}{oldest}, {} unreadable", inbox.waiting, inbox.unreadable)
}

fn tables(content: &Content) -> Vec<String> {
    let mut blocks = Vec::new();
    if !content.nodes.is_empty() {
        let rows = content.nodes.iter().map(|node| {
            let lives = if node.lives { "lives" } else { "gone" };
            [
                node.name.clone(),
                lives.into(),
                node.role.into(),
                node.version.clone(),
                node.started_at.to_string(),
                node.renewed_at.to_string(),
            ]
        });
        blocks.push(output::table(["node", "state", "role", "version", "since", "renewed"], rows));
    }
    if !content.leases.is_empty() {
        let rows = content.leases.iter().map(|lease| {
            [lease.kind.clone(), lease.node.clone().unwrap_or_else(|| "nobody".into()), lease.leases.to_string()]
        });
        blocks.push(output::table(["leases", "node", "number"], rows));
    }
    if !content.lanes.is_empty() {
        let rows = content.lanes.iter().map(|lane| {
            let paused = if lane.paused { "paused" } else { "" };
            [lane.lane.clone(), lane.department.clone(), lane.queued.to_string(), paused.to_owned()]
        });
        blocks.push(output::table(["lane", "department", "waiting", ""], rows));
    }
    if !content.tables.is_empty() {
        let rows = content.tables.iter().flat_map(|table| {
            let parts = table.partitions.iter().map(|part| (format!("  {}", part.table), part));
            std::iter::once((table.table.clone(), table)).chain(parts)
        });
        let rows = rows
            .map(|(name, table)| [name, size(table.bytes), table.rows.map_or(String::new(), |rows| rows.to_string())]);
        blocks.push(output::table(["table", "size", "rows, about"], rows));
    }
    blocks
}
