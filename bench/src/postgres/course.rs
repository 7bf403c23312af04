//! What is measured with a number of nodes: from end to end, then accepting alone.

use super::{Sizes, cluster::Cluster, server::Database};
use crate::{figures::Samples, load::Until, provider::Packing};
use anyhow::{Context, ensure};
use std::time::Duration;

/// Processor time for 1,000 messages from end to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    herald: f64,
    server: f64,
}

impl Used {
    /// What more nodes cost beyond one, measured just before.
    pub(super) fn compare(self, nodes: usize, alone: Self, samples: &mut Samples) {
        samples.add_with(nodes, "postgres_cpu_ratio", (self.herald + self.server) / (alone.herald + alone.server));
        samples.add_with(nodes, "postgres_cpu_ratio_of_herald", self.herald / alone.herald);
        samples.add_with(nodes, "postgres_cpu_ratio_of_the_server", self.server / alone.server);
    }
}

pub(super) async fn measure(
    cluster: &Cluster<'_>,
    database: &Database,
    sizes: Sizes,
    samples: &mut Samples,
) -> anyhow::Result<Used> {
    let nodes = cluster.nodes.len();
    samples.add_with(nodes, "postgres_rss_mib_empty", cluster.memory()?);
    // Connections are opened, statements prepared.
    end_to_end(cluster, sizes.warm_up, None).await?;
    database.forget_statements()?;
    let used = end_to_end(cluster, sizes.messages, Some(samples)).await?;
    database.print_statements()?;
    accept(cluster, sizes.accept, samples).await?;
    Ok(used)
}

/// Sends so many messages and waits for the last status of each. Fails where anything is missing, doubled or out of order.
async fn end_to_end(cluster: &Cluster<'_>, messages: u64, samples: Option<&mut Samples>) -> anyhow::Result<Used> {
    const STATUS: &str = "Delivered";
    let (tools, nodes) = (cluster.tools, cluster.nodes.len());
    tools.begin().await?;
    let asked = [
        cluster.metric("herald_store_statements_total").await?,
        cluster.metric("herald_store_round_trips_total").await?,
    ];
    let times =
        || -> anyhow::Result<[Duration; 2]> { Ok([cluster.processor_time()?, cluster.database.processor_time()?]) };
    let before = times()?;
    let load = cluster.load(Until::Messages(messages), None).await?;
    let received = tools.until(STATUS, messages).await.with_context(|| cluster.last_words())?;
    let [herald, server] = times()?;
    let per_1000 = |time: Duration| time.as_secs_f64() * 1000.0 / messages as f64;
    let used = Used { herald: per_1000(herald - before[0]), server: per_1000(server - before[1]) };
    let statements = cluster.metric("herald_store_statements_total").await? - asked[0];
    let round_trips = cluster.metric("herald_store_round_trips_total").await? - asked[1];

    cluster.drained().await?;
    let provided = tools.provided(Packing::Many).await?;
    ensure!(received.messages == messages, "{} messages came, {messages} were sent", received.messages);
    let doubled = (received.repeated, received.backwards, provided.duplicates);
    ensure!(doubled == (0, 0, 0), "events repeated, events backwards, messages sent twice: {doubled:?}");
    let Some(samples) = samples else { return Ok(used) };
    let end = received.last.get(STATUS).context("nothing came to the last status")?;
    let figures = [
        ("postgres_end_to_end_per_s", messages as f64 / end.since(load.began).as_secs_f64()),
        ("postgres_end_to_end_accept_p99_ms", load.latency.p99),
        ("postgres_end_to_end_webhook_lag_p50_ms", received.lag.p50),
        ("postgres_end_to_end_webhook_lag_p99_ms", received.lag.p99),
        ("postgres_cpu_s_per_1000", used.herald),
        ("postgres_cpu_s_per_1000_of_the_server", used.server),
        ("postgres_statements_per_message", statements / messages as f64),
        ("postgres_round_trips_per_message", round_trips / messages as f64),
    ];
    for (name, value) in figures {
        samples.add_with(nodes, name, value);
    }
    Ok(used)
}

/// Accepts into paused lanes.
async fn accept(cluster: &Cluster<'_>, time: Duration, samples: &mut Samples) -> anyhow::Result<()> {
    let nodes = cluster.nodes.len();
    cluster.pause().await?;
    let full = cluster.load(Until::Elapsed(time), None).await?;
    samples.add_with(nodes, "postgres_accepted_per_s", full.accepted_per_second);
    samples.add_with(nodes, "postgres_accept_p99_ms_at_full_load", full.latency.p99);
    let half = cluster.load(Until::Elapsed(time), Some(full.accepted_per_second / 2.0)).await?;
    samples.add_with(nodes, "postgres_accept_p50_ms_at_half_load", half.latency.p50);
    samples.add_with(nodes, "postgres_accept_p99_ms_at_half_load", half.latency.p99);
    Ok(())
}
