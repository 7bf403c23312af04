//! From the first request until the receiver has every message's last status.

use super::stage::{Fresh, Stage};
use crate::{
    figures::Samples,
    load::{Report, Until},
    process::own_processor_time,
    provider::Packing,
    receiver::Summary,
    tenant::{Lane, SMS, WHATSAPP},
};
use anyhow::{Context, ensure};
use std::time::Duration;

/// What came of one course.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) per_second: f64,
    pub(crate) load: Report,
    pub(crate) received: Summary,
    pub(crate) receipts_per_post: f64,
    /// Processor time for 1,000 messages: of Herald, the load, the provider, the receiver.
    pub(crate) processor: [f64; 4],
}

/// Sends so many messages and waits for the last status of each. Fails where anything is missing, doubled or out of
/// order: a figure without that would be worth nothing.
pub(crate) async fn end_to_end(stage: &Stage, fresh: &Fresh, lane: Lane, messages: u64) -> anyhow::Result<Course> {
    let tools = &stage.tools;
    tools.begin().await?;
    let (provider, _) = tools.provider(fresh.packing);
    let times = || -> anyhow::Result<[Duration; 4]> {
        let herald = fresh.herald.processor_time()?;
        Ok([herald, own_processor_time()?, provider.processor_time()?, tools.receiver.processor_time()?])
    };
    let before = times()?;
    let load = stage.load(fresh, lane, Until::Messages(messages), None).await?;
    let last = lane.last_status();
    let received = tools.until(last, messages).await.with_context(|| fresh.herald.last_words())?;
    let mut processor = [0.0; 4];
    for ((of, after), before) in processor.iter_mut().zip(times()?).zip(before) {
        *of = (after - before).as_secs_f64() * 1000.0 / messages as f64;
    }
    let provided = tools.provided(fresh.packing).await?;
    ensure!(received.messages == messages, "{} messages came, {messages} were sent", received.messages);
    let doubled = (received.repeated, received.backwards, provided.duplicates);
    ensure!(doubled == (0, 0, 0), "events repeated, events backwards, messages sent twice: {doubled:?}");
    let end = received.last.get(last).context("nothing came to the last status")?;
    let receipts: u64 = provided.receipts.values().sum();
    Ok(Course {
        per_second: messages as f64 / end.since(load.began).as_secs_f64(),
        receipts_per_post: receipts as f64 / provided.callback_posts.max(1) as f64,
        processor,
        load,
        received,
    })
}

pub(super) async fn measure(stage: &Stage, samples: &mut Samples) -> anyhow::Result<()> {
    let messages = stage.sizes.end_to_end;
    let fresh = stage.fresh(Packing::Many).await?;
    let course = end_to_end(stage, &fresh, SMS, messages).await?;
    samples.add("end_to_end_per_s", course.per_second);
    samples.add("end_to_end_receipts_per_post", course.receipts_per_post);
    samples.add("end_to_end_events_per_post", course.received.events as f64 / course.received.posts as f64);
    samples.add("end_to_end_accepted_per_s", course.load.accepted_per_second);
    samples.add("end_to_end_accept_p99_ms", course.load.latency.p99);
    samples.add("end_to_end_webhook_lag_p50_ms", course.received.lag.p50);
    samples.add("end_to_end_webhook_lag_p99_ms", course.received.lag.p99);
    let [herald, load, provider, receiver] = course.processor;
    samples.add("cpu_s_per_1000", herald);
    samples.add("cpu_s_per_1000_of_the_load", load);
    samples.add("cpu_s_per_1000_of_the_provider", provider);
    samples.add("cpu_s_per_1000_of_the_receiver", receiver);
    fresh.herald.kill().await?;

    let fresh = stage.fresh(Packing::One).await?;
    let course = end_to_end(stage, &fresh, SMS, messages).await?;
    samples.add("end_to_end_per_s_profile_b", course.per_second);
    samples.add("cpu_s_per_1000_profile_b", course.processor[0]);
    fresh.herald.kill().await?;

    let fresh = stage.fresh(Packing::Many).await?;
    let course = end_to_end(stage, &fresh, WHATSAPP, messages).await?;
    samples.add("end_to_end_per_s_whatsapp", course.per_second);
    samples.add("cpu_s_per_1000_whatsapp", course.processor[0]);
    fresh.herald.kill().await
}
