//! What there is in a database of a server.

use super::{NOW, connect};
use crate::store::{
    PostgresOptions,
    postgres::open,
    upkeep::{
        Content, DatabaseStatus, InboxStatus, LaneStatus, LeaseStatus, NodeStatus, TableStatus, Trouble,
        status::{moment, unsigned},
    },
};
use herald_rules::{
    ids::MessageId,
    lease::{Kind, LEASE},
    time::Timestamp,
};
use tokio_postgres::{Client, Config, Row, config::Host};
use uuid::Uuid;

/// What there is in the database.
///
/// # Errors
/// When it cannot be reached or read.
pub async fn status(options: &PostgresOptions) -> Result<DatabaseStatus, Trouble> {
    let (config, mut session) = connect(options).await?;
    let schema = open::schema(&mut session.client).await?;
    let client = &session.client;
    let about =
        client.query_one("SELECT current_setting('server_version'), pg_database_size(current_database())", &[]).await?;
    let content = match schema.missing.is_empty() {
        true => Some(content(client).await?),
        false => None,
    };
    let status = DatabaseStatus {
        engine: "postgres",
        engine_version: about.try_get(0)?,
        place: place(&config),
        program: env!("CARGO_PKG_VERSION"),
        schema,
        bytes: unsigned(about.try_get(1)?),
        log_bytes: None,
        content,
    };
    session.close().await;
    Ok(status)
}

/// Servers and database, as `host1,host2/name`.
fn place(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    });
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{}/{database}", hosts.collect::<Vec<_>>().join(","))
}

async fn content(client: &Client) -> Result<Content, Trouble> {
    let lanes = client
        .query(
            "SELECT lane.protocol || ':' || lane.identifier, department.name, arrived - departed, paused
             FROM lane JOIN department USING (department) JOIN lane_queue USING (lane) JOIN lane_log USING (lane)
             WHERE arrived > departed ORDER BY 3 DESC, 1",
            &[],
        )
        .await?;
    let lanes = lanes.iter().map(|row| {
        Ok(LaneStatus {
            lane: row.try_get(0)?,
            department: row.try_get(1)?,
            queued: unsigned(row.try_get(2)?),
            paused: row.try_get(3)?,
        })
    });
    let lanes = lanes.collect::<Result<Vec<_>, tokio_postgres::Error>>()?;
    // The first of each lane and class is its oldest.
    let oldest = client
        .query_one(
            "SELECT (SELECT first.id FROM lane CROSS JOIN (VALUES (0::smallint), (1::smallint)) AS c (class)
                 CROSS JOIN LATERAL (SELECT id FROM live WHERE live.department = lane.department AND live.lane = lane.lane
                     AND live.class = c.class ORDER BY position LIMIT 1) AS first ORDER BY 1 LIMIT 1)",
            &[],
        )
        .await?;
    let inbox = client
        .query_one(
            "SELECT count(*) FILTER (WHERE problem IS NULL), min(at) FILTER (WHERE problem IS NULL),
                 count(*) FILTER (WHERE problem IS NOT NULL) FROM inbox",
            &[],
        )
        .await?;
    Ok(Content {
        nodes: nodes(client).await?,
        leases: leases(client).await?,
        waiting: lanes.iter().map(|lane| lane.queued).sum(),
        lanes,
        oldest_waiting: oldest.try_get::<_, Option<Uuid>>(0)?.map(|id| moment(MessageId(id))),
        inbox: InboxStatus {
            waiting: unsigned(inbox.try_get(0)?),
            oldest: inbox.try_get::<_, Option<i64>>(1)?.map(Timestamp),
            unreadable: unsigned(inbox.try_get(2)?),
        },
        tables: tables(client).await?,
    })
}

async fn nodes(client: &Client) -> Result<Vec<NodeStatus>, Trouble> {
    let rows = client
        .query(
            &format!(
                "SELECT name, version, works, answers, until > {NOW}, started_at, until FROM node ORDER BY until DESC"
            ),
            &[],
        )
        .await?;
    let nodes = rows.iter().map(|row| {
        Ok(NodeStatus {
            name: row.try_get(0)?,
            version: row.try_get(1)?,
            role: match (row.try_get(2)?, row.try_get(3)?) {
                (true, false) => "worker",
                (false, true) => "api",
                _ => "all",
            },
            lives: row.try_get(4)?,
            started_at: Timestamp(row.try_get(5)?),
            renewed_at: Timestamp(row.try_get(6)?) - LEASE,
        })
    });
    Ok(nodes.collect::<Result<_, tokio_postgres::Error>>()?)
}

async fn leases(client: &Client) -> Result<Vec<LeaseStatus>, Trouble> {
    let rows = client
        .query(
            &format!(
                "SELECT kind, node.name, count(*) FROM lease
                 LEFT JOIN node ON node.node = lease.node AND lease.until > {NOW} GROUP BY 1, 2 ORDER BY 1, 2"
            ),
            &[],
        )
        .await?;
    let word = |code: i16| {
        let known = u8::try_from(code).ok().and_then(Kind::from_code);
        known.map_or_else(|| format!("kind {code} of a newer version"), |kind| kind.as_str().to_owned())
    };
    let leases = rows.iter().map(|row| {
        Ok(LeaseStatus { kind: word(row.try_get(0)?), node: row.try_get(1)?, leases: unsigned(row.try_get(2)?) })
    });
    Ok(leases.collect::<Result<_, tokio_postgres::Error>>()?)
}

async fn tables(client: &Client) -> Result<Vec<TableStatus>, Trouble> {
    let rows = client
        .query(
            "SELECT whole.relname::text, child.relname::text, pg_total_relation_size(coalesce(child.oid, whole.oid)),
                 coalesce(child.reltuples, whole.reltuples)::bigint
             FROM pg_class whole LEFT JOIN pg_inherits i ON i.inhparent = whole.oid LEFT JOIN pg_class child ON child.oid = i.inhrelid
             WHERE whole.relnamespace = current_schema()::regnamespace AND whole.relkind IN ('r', 'p')
             AND NOT whole.relispartition ORDER BY 1, 2",
            &[],
        )
        .await?;
    let mut tables: Vec<TableStatus> = Vec::new();
    for row in &rows {
        let (table, partition): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        let (bytes, rows) = size(row)?;
        if tables.last().is_none_or(|last| last.table != table) {
            tables.push(TableStatus { table, bytes: 0, rows: None, partitions: vec![] });
        }
        let Some(last) = tables.last_mut() else { continue };
        last.bytes += bytes;
        last.rows = match (last.rows, rows) {
            (Some(before), Some(more)) => Some(before + more),
            (before, more) => before.or(more),
        };
        if let Some(table) = partition {
            last.partitions.push(TableStatus { table, bytes, rows, partitions: vec![] });
        }
    }
    tables.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    Ok(tables)
}

/// Bytes, and rows where somebody has counted: -1 is "never".
fn size(row: &Row) -> Result<(u64, Option<u64>), tokio_postgres::Error> {
    Ok((unsigned(row.try_get(2)?), u64::try_from(row.try_get::<_, i64>(3)?).ok()))
}
