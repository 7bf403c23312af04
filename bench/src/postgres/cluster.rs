//! Several nodes on one database, and departments whose lanes they share out.

use super::{CONNECTIONS, OPEN_CONNECTIONS, server::Database};
use crate::{
    herald::{Binary, Herald},
    load::{Plan, Report, Until},
    tenant::{Lane, Tenant},
    tools::Tools,
};
use anyhow::{bail, ensure};
use herald_rules::protocol::Protocol;
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::sleep;

/// One lane a department: as many as one, two and three nodes share evenly.
pub(super) const LANES: [Lane; 6] = [
    lane("4930200001"),
    lane("4930200002"),
    lane("4930200003"),
    lane("4930200004"),
    lane("4930200005"),
    lane("4930200006"),
];

const fn lane(identifier: &'static str) -> Lane {
    Lane { protocol: Protocol::SMS, identifier }
}

/// What all nodes have in common, beside the database. The key of a database that is thrown away.
const MASTER_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
/// Leases move within 5 s; a busy machine needs longer for everything.
const SHARED_OUT_WITHIN: Duration = Duration::from_secs(60);
/// From the last status at the receiver until nothing is left to be done.
const DRAINED_WITHIN: Duration = Duration::from_secs(30);

/// The nodes; their data goes with them.
pub(super) struct Cluster<'a> {
    pub(super) nodes: Vec<Herald>,
    pub(super) tenants: Vec<Tenant>,
    pub(super) tools: &'a Tools,
    pub(super) name: String,
    pub(super) database: &'a Database,
    binary: &'a Binary,
    url: String,
    folder: TempDir,
    publics: Vec<SocketAddr>,
    /// The next message's number: no recipient comes twice.
    next: AtomicU64,
}

impl<'a> Cluster<'a> {
    /// So many nodes on an empty database, with everything shared out among them.
    pub(super) async fn start(
        binary: &'a Binary,
        database: &'a Database,
        tools: &'a Tools,
        data: &Path,
        nodes: usize,
    ) -> anyhow::Result<Self> {
        let (name, url) = database.fresh()?;
        let folder = tempfile::Builder::new().prefix("herald-bench-").tempdir_in(data)?;
        let (tenants, next, publics) = (Vec::new(), AtomicU64::new(0), Vec::new());
        let mut cluster =
            Self { nodes: Vec::new(), tenants, tools, name, database, binary, url, folder, publics, next };
        cluster.add(nodes).await?;
        for lane in LANES {
            cluster.tenants.push(Tenant::with_lane(&cluster.nodes[0], tools, lane).await?);
        }
        cluster.is_shared_out().await?;
        Ok(cluster)
    }

    /// Starts so many nodes, where none runs; those that ran before come back under their addresses. Each has its callbacks sent to the next: what a load balancer would spread
    /// comes to a node that does not work the lane whenever there is another one.
    pub(super) async fn add(&mut self, nodes: usize) -> anyhow::Result<()> {
        // A node is told of the next one's port before that one has it.
        while self.publics.len() < nodes {
            self.publics.push(free_port()?);
        }
        for (number, public) in self.publics.iter().take(nodes).enumerate() {
            let callbacks = self.publics[(number + 1) % nodes];
            let mut binary = self.binary.clone();
            for (key, value) in [
                ("store.url", self.url.as_str()),
                ("node.name", &format!("node-{number}")),
                ("listen.public_url", &format!("http://{callbacks}")),
                ("data.master_key", MASTER_KEY),
            ] {
                binary.settings.push(format!("{key}={value}"));
            }
            let folder = self.folder.path().join(format!("node-{number}"));
            self.nodes.push(binary.start(&folder, Some(*public)).await?);
        }
        Ok(())
    }

    /// Stops all nodes in order.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        for node in self.nodes.drain(..) {
            node.stop().await?;
        }
        Ok(())
    }

    /// Ends it; fails where a node has complained in its log.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        self.check()?;
        self.stop().await
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        for node in &self.nodes {
            let complaints = node.complaints();
            ensure!(
                complaints.is_empty(),
                "a node has logged {}: {:#?}",
                complaints.len(),
                &complaints[..complaints.len().min(20)]
            );
        }
        Ok(())
    }

    /// Waits until each node has its share of lanes and of subscriptions.
    pub(super) async fn is_shared_out(&self) -> anyhow::Result<()> {
        let shares = "SELECT string_agg(kind || ':' || shares, ' ' ORDER BY kind) FROM (SELECT kind, string_agg(n::text, ',') AS shares
            FROM (SELECT kind, count(*) AS n FROM lease WHERE kind IN (0, 1) AND node IS NOT NULL GROUP BY kind, node) c GROUP BY kind) k";
        let each = vec![(LANES.len() / self.nodes.len()).to_string(); self.nodes.len()].join(",");
        let wanted = format!("0:{each} 1:{each}");
        let began = Instant::now();
        loop {
            let now = self.database.query(&self.name, shares)?;
            if now == wanted {
                // What was taken last may still be reading its queue.
                sleep(Duration::from_millis(300)).await;
                return Ok(());
            }
            if began.elapsed() > SHARED_OUT_WITHIN {
                bail!("lanes and subscriptions are not shared out: {now} instead of {wanted}");
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) async fn pause(&self) -> anyhow::Result<()> {
        for (tenant, lane) in self.tenants.iter().zip(LANES) {
            tenant.pause(lane).await?;
        }
        // Other nodes hear of it.
        sleep(Duration::from_millis(1_500)).await;
        Ok(())
    }

    pub(super) async fn resume(&self) -> anyhow::Result<()> {
        for (tenant, lane) in self.tenants.iter().zip(LANES) {
            tenant.resume(lane).await?;
        }
        Ok(())
    }

    /// Sends over all nodes; fails where anything is refused, as then the figures mean something else.
    pub(super) async fn load(&self, until: Until, rate: Option<f64>) -> anyhow::Result<Report> {
        let connections = if rate.is_some() { OPEN_CONNECTIONS } else { CONNECTIONS };
        let senders = self.tenants.iter().zip(LANES).map(|(tenant, lane)| tenant.sender(lane)).collect();
        let targets = self.nodes.iter().map(|node| node.public).collect();
        let plan = Plan { targets, senders, connections, until, rate, first: self.next.load(Relaxed) };
        let report = plan.drive().await?;
        ensure!(report.refused.is_empty(), "refused: {:?}\n{}", report.refused, self.last_words());
        self.next.fetch_add(report.accepted, Relaxed);
        Ok(report)
    }

    /// Waits until no queue, claim or callback is left.
    pub(super) async fn drained(&self) -> anyhow::Result<()> {
        let left = "SELECT (SELECT count(*) FROM live) || ' in queues, ' || (SELECT count(*) FROM later) || ' later, '
            || (SELECT count(*) FROM claim) || ' claims, ' || (SELECT count(*) FROM checking) || ' checked, '
            || (SELECT count(*) FROM inbox) || ' callbacks'";
        let began = Instant::now();
        loop {
            let now = self.database.query(&self.name, left)?;
            if now == "0 in queues, 0 later, 0 claims, 0 checked, 0 callbacks" {
                return Ok(());
            }
            ensure!(began.elapsed() < DRAINED_WITHIN, "not everything is done: {now}\n{}", self.last_words());
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Processor time of all nodes.
    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        self.nodes.iter().map(Herald::processor_time).sum()
    }

    /// A counter, summed over all nodes.
    pub(super) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut sum = 0.0;
        for node in &self.nodes {
            sum += node.metric(name).await?;
        }
        Ok(sum)
    }

    /// Resident memory of the largest node, in MiB.
    pub(super) fn memory(&self) -> anyhow::Result<f64> {
        self.nodes.iter().try_fold(0.0, |most: f64, node| Ok(most.max(node.memory()?.resident)))
    }

    pub(super) fn last_words(&self) -> String {
        self.nodes.iter().map(Herald::last_words).collect::<Vec<_>>().join("\n")
    }
}

fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
