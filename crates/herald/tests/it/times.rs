//! Not before `sendAt`, not after `expiresAt`.

use crate::support::{Channel, World};
use herald_rules::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

async fn send(world: &World, channel: &Channel, more: Value) -> String {
    let mut body = json!({
        "text": "Hello", "protocolType": channel.protocol, "from": channel.identifier, "to": "972540000001",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.sales.send(&body).await.good()["providerMessageId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_message_waits_for_its_moment_also_over_a_restart() {
    let mut world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    let due = Timestamp::now() + Duration::from_secs(3);
    let scheduled = send(&world, &channel, json!({"sendAt": due.to_string()})).await;
    let at_once = send(&world, &channel, json!({})).await;
    world.sales.story_until(&at_once, "Read").await;
    world.herald.kill();
    world.herald.restart().await;
    world.sales.story_until(&scheduled, "Read").await;
    assert_eq!(world.called(), [at_once, scheduled]);
    let called_at = world.simulator.calls()[1].at;
    assert!(called_at >= due, "called at {called_at}, due at {due}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_expires_while_it_waits_is_never_sent() {
    let world = World::new().await;
    let channel = world.channel("SMS", "972550000001").await;
    world.pause(&channel, true).await;
    let expires = Timestamp::now() + Duration::from_secs(1);
    let id = send(&world, &channel, json!({"expiresAt": expires.to_string()})).await;
    let story = world.sales.story_until(&id, "Rejected").await;
    assert_eq!(story["reason"]["code"], "expired");
    world.pause(&channel, false).await;
    let next = send(&world, &channel, json!({})).await;
    world.sales.story_until(&next, "Delivered").await;
    assert_eq!(world.called(), [next]);
}
