//! What a long queue costs: memory and start of nodes, and whether it drains. Filled once, by one node.

use super::{Sizes, cluster::Cluster, server::Database};
use crate::{figures::Samples, herald::Binary, load::Until, tools::Tools};
use anyhow::{Context, ensure};
use herald_rules::time::Timestamp;
use std::path::Path;

pub(super) async fn measure(
    binary: &Binary,
    database: &Database,
    tools: &Tools,
    data: &Path,
    (nodes, sizes): (&[usize], Sizes),
    samples: &mut Samples,
) -> anyhow::Result<()> {
    eprintln!("{} messages queued", sizes.backlog);
    let mut cluster = Cluster::start(binary, database, tools, data, 1).await?;
    cluster.pause().await?;
    fill(&cluster, sizes.backlog).await?;
    samples.add_with(1, "postgres_rss_mib_1m_queued", cluster.memory()?);
    for nodes in nodes.iter().copied() {
        cluster.check()?;
        cluster.stop().await?;
        cluster.add(nodes).await?;
        let ready = cluster.nodes.last().context("no node")?.ready_after;
        samples.add_with(nodes, "postgres_start_s_1m_queued", ready.as_secs_f64());
        cluster.is_shared_out().await?;
        // What the measurement before this one took out.
        fill(&cluster, sizes.backlog).await?;
        if nodes > 1 {
            samples.add_with(nodes, "postgres_rss_mib_1m_queued", cluster.memory()?);
        }
        tools.begin().await?;
        let began = Timestamp::now();
        cluster.resume().await?;
        let received = tools.until("Delivered", sizes.drain).await.with_context(|| cluster.last_words())?;
        samples.add_with(nodes, "postgres_rss_mib_1m_draining", cluster.memory()?);
        // More may have come than was waited for; the count and its time belong together.
        let (count, end) = (received.statuses.get("Delivered").copied(), received.last.get("Delivered").copied());
        let seconds = end.unwrap_or(began).since(began).as_secs_f64();
        samples.add_with(nodes, "postgres_drain_per_s_1m_queued", count.unwrap_or(0) as f64 / seconds);
        cluster.pause().await?;
    }
    cluster.end().await
}

/// Accepts messages into the paused lanes until so many wait.
async fn fill(cluster: &Cluster<'_>, wanted: u64) -> anyhow::Result<()> {
    let queued =
        || -> anyhow::Result<u64> { Ok(cluster.database.query(&cluster.name, "SELECT count(*) FROM live")?.parse()?) };
    let missing = wanted.saturating_sub(queued()?);
    cluster.load(Until::Messages(missing), None).await?;
    let now = queued()?;
    ensure!(now >= wanted, "{now} messages are queued, and not {wanted}");
    Ok(())
}
