//! Lanes are paused and resumed, channels switched off and on, and transactional messages go ahead of bulk.

use crate::support::{Channel, World, until};
use serde_json::{Value, json};

impl World {
    /// Pauses or resumes a channel's lane.
    pub async fn pause(&self, channel: &Channel, pause: bool) -> Value {
        let verb = if pause { "pause" } else { "resume" };
        let address = format!("/api/v2/lanes/{}:{}/{verb}", channel.protocol, channel.identifier);
        let lane = self.sales.ask().post(&address, &json!({})).await.good();
        assert_eq!(lane["paused"], json!(pause));
        lane
    }

    /// A channel's lane as it is now.
    pub async fn lane(&self, channel: &Channel) -> Value {
        self.sales.ask().get(&format!("/api/v2/lanes/{}:{}", channel.protocol, channel.identifier)).await.good()
    }

    async fn send_as(&self, channel: &Channel, to: &str, priority: &str) -> String {
        let body = json!({
            "protocolType": channel.protocol, "from": channel.identifier, "to": to, "text": "Hello", "priority": priority,
        });
        self.sales.send(&body).await.good()["providerMessageId"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_lane_keeps_its_queue_and_goes_on() {
    let mut world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    let other = world.channel("SMS", "972550000001").await;
    world.pause(&channel, true).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(world.sales.text(&channel, "972540000001", &format!("Message {number}")).await);
    }
    let id = world.sales.text(&other, "972540000001", "Hello").await;
    world.sales.story_until(&id, "Delivered").await;
    let lane = world.lane(&channel).await;
    assert_eq!((&lane["queued"], &lane["now"]["waiting"]["code"]), (&json!(5), &json!("paused")));
    world.herald.kill();
    world.herald.restart().await;
    assert_eq!(world.lane(&channel).await["paused"], json!(true), "also after a crash");
    assert_eq!(world.called(), [id], "nothing left the paused lane");

    world.pause(&channel, false).await;
    for id in &ids {
        world.sales.story_until(id, "Read").await;
    }
    assert_eq!(world.called()[1..], ids, "in order");
    assert_eq!(world.lane(&channel).await["queued"], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_off_keeps_its_queue_and_goes_on() {
    let world = World::new().await;
    // Slow, so that something is queued still when it is switched off.
    let slow = json!({"nonTicketMessages": true, "identifiers": [{"identifier": "972550000001", "rate": "5/s"}]});
    let channel = world.channel_with("SMS", "972550000001", slow).await;
    world.pause(&channel, true).await;
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(world.sales.text(&channel, &format!("9725400005{number:02}"), "Hello").await);
    }
    world.pause(&channel, false).await;
    world.simulator.until(|summary| summary.calls >= 2).await;
    let address = format!("/api/v2/channels/{}", channel.id);
    world.sales.ask().patch(&address, &json!({"active": false})).await.good();
    // What was claimed before comes back; then nothing moves.
    until("the lane to be still", || async {
        let lane = world.lane(&channel).await;
        (lane["now"]["inFlight"] == json!(0) && lane["now"]["waiting"]["code"] == "paused").then_some(())
    })
    .await;
    let called = world.called().len();
    assert!(called < 12, "all of them left before the channel was off");
    let waiting = world.lane(&channel).await["queued"].as_u64().unwrap();
    assert_eq!(called as u64 + waiting, 12);
    world.sales.ask().patch(&address, &json!({"active": true})).await.good();
    for id in &ids {
        world.sales.story_until(id, "Delivered").await;
    }
    assert_eq!(world.called(), ids, "each once, in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn transactional_overtakes_bulk_and_leaves_it_a_tenth() {
    let world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    world.pause(&channel, true).await;
    let mut bulk = Vec::new();
    for number in 0..10 {
        bulk.push(world.send_as(&channel, &format!("9725400005{number:02}"), "bulk").await);
    }
    let mut urgent = Vec::new();
    for number in 0..20 {
        urgent.push(world.send_as(&channel, &format!("9725400006{number:02}"), "transactional").await);
    }
    world.pause(&channel, false).await;
    for id in bulk.iter().chain(&urgent) {
        world.sales.story_until(id, "Read").await;
    }
    // Calls of one claim run side by side, so the order of arrival is not exact: a few places either way.
    let called = world.called();
    let place = |id: &String| called.iter().position(|known| known == id).unwrap();
    let before_last_urgent = bulk.iter().filter(|id| urgent.iter().any(|later| place(later) > place(id))).count();
    assert!(before_last_urgent <= 6, "{before_last_urgent} of 10 bulk messages went before the last transactional one");
    let first_bulk = bulk.iter().map(place).min().unwrap();
    assert!(first_bulk < 20, "bulk was left out until the end: {first_bulk}");
}
