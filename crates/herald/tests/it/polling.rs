//! Events by polling: read, hidden, deleted by handle.

use crate::support::{World, event_message, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_fetched_and_deleted() {
    let world = World::new().await;
    let channel = world.channel("SMS", "972550000001").await;
    let id = world.sales.text(&channel, "972540000001", "Hello").await;
    world.sales.story_until(&id, "Delivered").await;

    let ask = world.sales.ask();
    let mut events = Vec::new();
    until("both events", || {
        let ask = ask.clone();
        async move { Some(fetch(&ask, "false").await).filter(|events| !events.is_empty()) }
    })
    .await
    .into_iter()
    .for_each(|event| events.push(event));
    let told: Vec<_> = events.iter().map(|event| event_message(event)["status"].clone()).collect();
    assert_eq!(told, ["Accepted", "Delivered"]);
    assert!(events.iter().all(|event| event_message(event)["providerMessageId"] == json!(id)));
    assert!(fetch(&ask, "false").await.is_empty(), "hidden from the next reader");

    let gone = ask.post("/api/v1.2/webhooks/deleteevents", &json!(events)).await.good();
    assert_eq!((&gone["deleted"], &gone["unknown"]), (&json!(2), &json!(0)));
    let again = ask.post("/api/v1.2/webhooks/deleteevents", &json!(events)).await.good();
    assert_eq!((&again["deleted"], &again["unknown"]), (&json!(0), &json!(2)), "counted, and no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_delete_events_are_taken_as_they_are_read() {
    let world = World::new().await;
    let channel = world.channel("AppleBusinessChat", "shop-1").await;
    let ask = world.sales.ask();
    let id = world.sales.text(&channel, "urn:mbid:AQAAYx", "Hello").await;
    world.sales.story_until(&id, "Accepted").await;
    assert_eq!(fetch(&ask, "true").await.len(), 1);
    assert!(fetch(&ask, "true").await.is_empty());
}

async fn fetch(ask: &crate::support::Ask, delete: &str) -> Vec<Value> {
    let events = ask.get(&format!("/api/v1.2/webhooks/getevents?deleteEvents={delete}")).await.good();
    events.as_array().unwrap().clone()
}
