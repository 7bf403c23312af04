//! What a long queue costs: memory, start, throughput. Empty and full are measured side by side in one process.

use super::{
    end_to_end::end_to_end,
    stage::{Fresh, Stage},
};
use crate::{
    figures::Samples,
    herald::Herald,
    load::Until,
    provider::Packing,
    tenant::{BACKLOG, SMS},
};
use anyhow::ensure;
use herald_rules::time::Timestamp;
use std::time::Duration;

pub(super) async fn measure(stage: &Stage, samples: &mut Samples) -> anyhow::Result<()> {
    let sizes = stage.sizes;
    let mut fresh = stage.fresh(Packing::Many).await?;

    // With an empty queue.
    let course_empty = end_to_end(stage, &fresh, SMS, sizes.end_to_end).await?;
    fresh.tenant.pause(BACKLOG).await?;
    stage.load(&fresh, BACKLOG, Until::Messages(sizes.drain), None).await?;
    let drain_empty = drain(stage, &fresh).await?;
    fresh.tenant.pause(BACKLOG).await?;
    let (first, processor_empty) = stage.accept(&fresh, BACKLOG).await?;

    // The queue grows.
    let rest = sizes.backlog.saturating_sub(first.accepted);
    let filled = stage.load(&fresh, BACKLOG, Until::Messages(rest), None).await?;
    let queued = fresh.tenant.queued(BACKLOG).await?;
    ensure!(queued >= sizes.backlog, "{queued} messages are queued, {} were accepted", sizes.backlog);
    let memory = fresh.herald.memory()?;
    samples.add("rss_mib_1m_queued", memory.resident);
    samples.add("rss_mib_1m_queued_peak", memory.peak);
    let seconds = first.seconds + filled.seconds;
    samples.add("accepted_per_s_filling_to_1m", (first.accepted + filled.accepted) as f64 / seconds);

    // With a full queue.
    let course_full = end_to_end(stage, &fresh, SMS, sizes.end_to_end).await?;
    let (last, processor_full) = stage.accept(&fresh, BACKLOG).await?;

    // Starts. The same port again: the provider knows the address of callbacks.
    let public = fresh.herald.public;
    fresh.herald.stop().await?;
    fresh.herald = stage.binary.start(fresh.folder.path(), Some(public)).await?;
    samples.add("start_s_1m_queued", first_accepted(stage, &fresh).await?.as_secs_f64());
    samples.add("start_s_1m_queued_ready", fresh.herald.ready_after.as_secs_f64());
    samples.add("rss_mib_1m_queued_restarted", fresh.herald.memory()?.resident);
    fresh.herald.kill().await?;
    fresh.herald = stage.binary.start(fresh.folder.path(), Some(public)).await?;
    samples.add("start_s_1m_queued_after_kill", first_accepted(stage, &fresh).await?.as_secs_f64());
    let drain_full = drain(stage, &fresh).await?;
    fresh.herald.kill().await?;

    let ratios = [
        ("throughput_ratio_1m_queued_accept", last.accepted_per_second / first.accepted_per_second),
        ("throughput_ratio_1m_queued_end_to_end", course_full.per_second / course_empty.per_second),
        ("throughput_ratio_1m_queued_drain", drain_full / drain_empty),
    ];
    for (name, ratio) in ratios {
        samples.add(name, ratio);
    }
    samples.add("cpu_ratio_1m_queued_accept", processor_full / processor_empty);
    samples.add("cpu_ratio_1m_queued_end_to_end", course_full.processor[0] / course_empty.processor[0]);
    samples.add("throughput_ratio_1m_queued", ratios.iter().fold(f64::INFINITY, |low, (_, ratio)| low.min(*ratio)));
    Ok(())
}

/// Resumes the lane; how many messages a second come to their last status, until enough have.
async fn drain(stage: &Stage, fresh: &Fresh) -> anyhow::Result<f64> {
    stage.tools.begin().await?;
    let began = Timestamp::now();
    fresh.tenant.resume(BACKLOG).await?;
    let received = stage.tools.until(BACKLOG.last_status(), stage.sizes.drain).await?;
    let status = BACKLOG.last_status();
    // More may have come than was waited for; the count and its time belong together.
    let (count, end) = (received.statuses.get(status).copied(), received.last.get(status).copied());
    Ok(count.unwrap_or(0) as f64 / end.unwrap_or(began).since(began).as_secs_f64())
}

/// From the process's start to its first accepted message.
async fn first_accepted(stage: &Stage, fresh: &Fresh) -> anyhow::Result<Duration> {
    let Herald { began, .. } = fresh.herald;
    stage.load(fresh, BACKLOG, Until::Messages(1), None).await?;
    Ok(began.elapsed())
}
