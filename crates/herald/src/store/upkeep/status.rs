//! The words for what there is in a database.

use super::Schema;
use herald_rules::{ids::MessageId, time::Timestamp};
use serde::Serialize;

/// A database, as an operator wants to see it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStatus {
    /// sqlite or postgres.
    pub engine: &'static str,
    /// The engine's version.
    pub engine_version: String,
    /// The file, or servers and database; never a password.
    pub place: String,
    /// The version of this program.
    pub program: &'static str,
    /// Its tables.
    pub schema: Schema,
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes of SQLite's write-ahead log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u64>,
    /// What is in it; None as long as migrations are missing.
    #[serde(flatten)]
    pub content: Option<Content>,
}

/// What is in a database.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The nodes that share it, the latest renewal first. SQLite keeps none: there the lock on the folder says whether one runs.
    pub nodes: Vec<NodeStatus>,
    /// How many leases each node holds.
    pub leases: Vec<LeaseStatus>,
    /// The lanes with a queue, the longest first.
    pub lanes: Vec<LaneStatus>,
    /// Messages that wait.
    pub waiting: u64,
    /// Since when the oldest message waits that may go now.
    pub oldest_waiting: Option<Timestamp>,
    /// Callbacks.
    pub inbox: InboxStatus,
    /// The tables, the largest first.
    pub tables: Vec<TableStatus>,
}

/// A node.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// As people call it.
    pub name: String,
    /// Of its program.
    pub version: String,
    /// all, api or worker.
    pub role: &'static str,
    /// Whether it has renewed in time.
    pub lives: bool,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last renewed.
    pub renewed_at: Timestamp,
}

/// The leases of a kind that a node holds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseStatus {
    /// lanes, subscription, housekeeping.
    pub kind: String,
    /// Whose; None: nobody's, until a node takes them.
    pub node: Option<String>,
    /// How many.
    pub leases: u64,
}

/// A lane with a queue.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneStatus {
    /// Such as WhatsApp:972550000001.
    pub lane: String,
    /// The department's name.
    pub department: String,
    /// Messages that wait, those of later moments among them.
    pub queued: u64,
    /// Held back by somebody.
    pub paused: bool,
}

/// The inbox.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InboxStatus {
    /// Callbacks that wait.
    pub waiting: u64,
    /// Since when the oldest does.
    pub oldest: Option<Timestamp>,
    /// Those that nobody could read.
    pub unreadable: u64,
}

/// A table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableStatus {
    /// Its name.
    pub table: String,
    /// With indexes and all partitions.
    pub bytes: u64,
    /// As PostgreSQL estimates them; None where nobody has counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// By month, where it is divided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<TableStatus>,
}

/// The moment in an id: its first 48 bits are milliseconds.
pub(super) fn moment(id: MessageId) -> Timestamp {
    let millis = id.0.as_u128() >> 80;
    Timestamp(i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000))
}

/// A file's size; 0 where there is none.
pub(super) fn file_size(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// A number of the database that is never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_moment() {
        let at = Timestamp(1_795_348_800_000_000);
        assert_eq!(moment(MessageId::first_at(at)), at);
    }
}
