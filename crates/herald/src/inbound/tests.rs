//! The worker: one channel's trouble is its own.

use super::run;
use crate::{
    api::testing::{Instance, Member},
    node::directory::Channel,
    store::{Evidence, InboxDepth},
};
use herald_rules::{ids::ChannelId, protocol::Protocol::SMS, time::Timestamp};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// What a simulated provider's adapter can be made of; nobody listens there.
fn usable() -> Value {
    json!({
        "settings": {"provider": {"base_url": "http://127.0.0.1:9", "callback_url": "http://127.0.0.1:9/"}},
        "credentials": {"key": "key", "callback_secret": "secret"},
    })
}

impl Instance {
    fn channel_of(&self, id: ChannelId) -> Arc<Channel> {
        self.app.directory.get().channel_of_callback(id).unwrap().clone()
    }

    async fn make_usable(&self, member: &Member, id: ChannelId) {
        let path = format!("/api/v2/channels/{id}");
        let answer = self.ask("PATCH", &path, &member.token, &[], usable().to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn keep(&self, id: ChannelId, body: &'static str) {
        let channel = self.channel_of(id);
        self.app.store.keep_callback(channel.department, channel.row, body.into(), Timestamp::now()).await.unwrap();
        self.app.inbox.wake();
    }

    async fn keep_evidence(&self, id: ChannelId) {
        let channel = self.channel_of(id);
        let evidence = Evidence {
            department: channel.department,
            channel: channel.row,
            lane: 0,
            learnt: vec![],
            standings: vec![],
            daily_customers: None,
        };
        self.app.store.keep_evidence(vec![evidence], Timestamp::now()).await.unwrap();
    }

    async fn until_inbox(&self, waiting: u64, unreadable: u64) {
        let looking = async {
            loop {
                let depth = self.app.store.inbox_depth().await.unwrap();
                if (depth.waiting, depth.unreadable) == (waiting, unreadable) {
                    return depth;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let found: Result<InboxDepth, _> = tokio::time::timeout(Duration::from_secs(30), looking).await;
        found.expect("the inbox as it should be");
    }
}

#[tokio::test]
async fn a_channel_that_cannot_be_worked_waits_alone_and_goes_on_when_it_can() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let broken = instance.channel(&member, SMS, "972550000001", true).await;
    let sound = instance.channel(&member, SMS, "972550000002", true).await;
    instance.make_usable(&member, sound).await;
    // Left by a crash: nobody wakes the worker for it.
    instance.keep(broken, "[]").await;
    instance.keep(sound, "[]").await;
    // What a node of ours learnt needs no adapter to be read.
    instance.keep_evidence(broken).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(run(instance.app.clone(), stop.clone()));
    instance.until_inbox(1, 0).await;
    for _ in 0..200 {
        instance.keep(sound, "[{}]").await;
    }
    instance.until_inbox(1, 0).await;
    instance.keep(sound, "no JSON").await;
    instance.keep(sound, "[]").await;
    instance.until_inbox(1, 1).await;
    let metrics = instance.app.metrics.render();
    for line in ["herald_callbacks_unreadable_total 1", "herald_notices_total{kind=\"ignored\"} 200"] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }

    instance.make_usable(&member, broken).await;
    instance.until_inbox(0, 1).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), worker).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_works_off_what_is_there() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let channel = instance.channel(&member, SMS, "972550000001", true).await;
    instance.make_usable(&member, channel).await;
    for _ in 0..200 {
        instance.keep(channel, "[]").await;
    }
    let stop = CancellationToken::new();
    stop.cancel();
    run(instance.app.clone(), stop).await;
    assert_eq!(instance.app.store.inbox_depth().await.unwrap(), InboxDepth::default());
}
