//! A message can be called back until it is claimed.

use crate::support::World;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn wins_while_the_message_waits_and_not_after() {
    let mut world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    world.pause(&channel, true).await;
    let first = world.sales.text(&channel, "972540000001", "Come today").await;
    let second = world.sales.text(&channel, "972540000001", "Come tomorrow").await;
    let ask = world.sales.ask();
    let cancelled = ask.post(&format!("/api/v2/messages/{first}/cancel"), &json!({})).await.good();
    assert_eq!((&cancelled["status"], &cancelled["reason"]["code"]), (&json!("Rejected"), &json!("cancelled")));
    let again = ask.post(&format!("/api/v2/messages/{first}/cancel"), &json!({})).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "too_late_to_cancel"));

    world.herald.kill();
    world.herald.restart().await;
    world.pause(&channel, false).await;
    world.sales.story_until(&second, "Read").await;
    assert_eq!(world.called(), std::slice::from_ref(&second), "the cancelled one is not sent after a crash either");

    let late = ask.post(&format!("/api/v2/messages/{second}/cancel"), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.code()), (409, "too_late_to_cancel"));
    let nobody = ask.post("/api/v2/messages/00000000-0000-7000-8000-000000000000/cancel", &json!({})).await;
    assert_eq!((nobody.status.as_u16(), nobody.code()), (404, "message_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn is_too_late_while_the_provider_has_not_answered() {
    let world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    world.simulator.change(|all| all.WhatsApp.answers.latency_ms = 1_000).unwrap();
    let id = world.sales.text(&channel, "972540000001", "Hello").await;
    world.simulator.until(|summary| summary.calls == 1).await;
    let late = world.sales.ask().post(&format!("/api/v2/messages/{id}/cancel"), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.code()), (409, "too_late_to_cancel"));
    world.sales.story_until(&id, "Read").await;
}
