//! Accepting alone: the lane is paused, so every message is made durable and stays in the queue.

use super::stage::Stage;
use crate::{figures::Samples, load::Until, provider::Packing, tenant::BACKLOG};

pub(super) async fn measure(stage: &Stage, samples: &mut Samples) -> anyhow::Result<()> {
    let fresh = stage.fresh(Packing::Many).await?;
    samples.add("start_s_empty", fresh.herald.ready_after.as_secs_f64());
    samples.add("rss_mib_empty", fresh.herald.memory()?.resident);
    fresh.tenant.pause(BACKLOG).await?;
    let (full, processor) = stage.accept(&fresh, BACKLOG).await?;
    samples.add("accepted_per_s", full.accepted_per_second);
    samples.add("accept_p50_ms_at_full_load", full.latency.p50);
    samples.add("accept_p99_ms_at_full_load", full.latency.p99);
    samples.add("accept_cpu_s_per_1000", processor);
    let half = Some(full.accepted_per_second / 2.0);
    let half = stage.load(&fresh, BACKLOG, Until::Elapsed(stage.sizes.accept), half).await?;
    samples.add("accept_p50_ms_at_half_load", half.latency.p50);
    samples.add("accept_p95_ms_at_half_load", half.latency.p95);
    samples.add("accept_p99_ms_at_half_load", half.latency.p99);
    samples.add("accept_p999_ms_at_half_load", half.latency.p999);
    fresh.herald.kill().await
}
