//! A channel tells whether its provider would take messages.

use crate::support::{OURS, WhatsAppWorld};
use herald_simulators::whatsapp_cloud::TokenState;
use serde_json::{Value, json};

async fn check(world: &WhatsAppWorld) -> Value {
    let path = format!("/api/v2/channels/{}/check", world.channel.id);
    world.sales.ask().post(&path, &json!({})).await.good()
}

/// What was looked at, and whether it was as it must be.
fn lines(found: &Value) -> Vec<(String, bool)> {
    let lines = found["checks"].as_array().unwrap().iter();
    lines.map(|line| (line["what"].as_str().unwrap().to_owned(), line["ok"] == true)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_meta_says_of_a_channel_is_shown_and_nothing_is_sent() {
    let world = WhatsAppWorld::new(vec![]).await;
    let number = format!("number {OURS}");
    let found = check(&world).await;
    let callback = format!("{}/callbacks/{}", world.herald.base, world.channel.id);
    assert_eq!(found["callbackUrl"], callback);
    let looked_at = ["token and account", &number, "templates", "webhook subscription"];
    let expected: Vec<_> = looked_at.iter().map(|what| ((*what).to_owned(), true)).collect();
    assert_eq!((lines(&found), &found["ok"]), (expected, &json!(true)), "{found}");

    world.graph.set_token(None, None, TokenState::Revoked).unwrap();
    let found = check(&world).await;
    assert!(found["ok"] == false && lines(&found).iter().all(|(_, ok)| !ok), "{found}");
    assert!(found["checks"][0]["said"].as_str().unwrap().contains("190"), "{found}");

    // A number that was added here and is not named in the settings cannot send.
    world.graph.set_token(None, None, TokenState::Valid).unwrap();
    let path = format!("/api/v2/channels/{}/identifiers", world.channel.id);
    world.sales.ask().post(&path, &json!({"identifier": "15550100201"})).await.good();
    let found = check(&world).await;
    assert_eq!(lines(&found).last(), Some(&("number 15550100201".to_owned(), false)), "{found}");
    assert!(world.graph.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulator_that_is_gone_or_does_not_know_the_key_is_told() {
    let world = crate::support::World::new().await;
    let check = async |channel: &str| {
        let path = format!("/api/v2/channels/{channel}/check");
        world.sales.ask().post(&path, &json!({})).await.good()
    };
    let channel = &world.channel("WhatsApp", "972550000001").await.id;
    assert_eq!(check(channel).await["ok"], true);
    let path = format!("/api/v2/channels/{channel}");
    let other = json!({"credentials": {"key": "another", "callback_secret": "x"}});
    world.sales.ask().patch(&path, &other).await.good();
    assert!(check(channel).await["checks"][0]["said"].as_str().unwrap().contains("key"));
    let nowhere = json!({"settings": {"provider": {"base_url": "http://127.0.0.1:1"}}});
    world.sales.ask().patch(&path, &nowhere).await.good();
    assert_eq!(check(channel).await["ok"], false);
}
