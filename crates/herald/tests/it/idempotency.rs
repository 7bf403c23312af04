//! A client that repeats itself sends one message.

use crate::support::World;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_and_body_is_the_same_message() {
    let mut world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    let body = |text: &str| json!({"text": text, "protocolType": "WhatsApp", "from": channel.identifier, "to": "972540000001"});
    let ask = world.sales.ask().with_header("idempotency-key", "order-4711");
    let first = ask.post("/api/v1.2/protocols/send", &body("Hello")).await.good();
    let second = ask.post("/api/v1.2/protocols/send", &body("Hello")).await.good();
    assert_eq!(first, second);

    let conflict = ask.post("/api/v1.2/protocols/send", &body("Good-bye")).await;
    assert_eq!((conflict.status.as_u16(), conflict.code()), (409, "idempotency_key_used"));

    world.sales.story_until(first["providerMessageId"].as_str().unwrap(), "Read").await;
    world.herald.kill();
    world.herald.restart().await;
    let third = ask.post("/api/v1.2/protocols/send", &body("Hello")).await.good();
    assert_eq!(first, third, "also after a crash");
    assert_eq!(world.called().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_leaves_no_key_behind() {
    let world = World::new().await;
    let channel = world.sales.channel(&world.simulator, "SMS", "972550000001", false).await;
    let body = json!({"text": "Hello", "protocolType": "SMS", "from": channel.identifier, "to": "972540000001"});
    let ask = world.sales.ask().with_header("idempotency-key", "once");
    assert_eq!(ask.post("/api/v1.2/protocols/send", &body).await.code(), "non_ticket_not_enabled");
    let address = format!("/api/v2/channels/{}", channel.id);
    world.sales.ask().patch(&address, &json!({"nonTicketMessages": true})).await.good();
    ask.post("/api/v1.2/protocols/send", &body).await.good();
}
