//! A sender that its provider has stopped: told once, nothing lost, and over by itself.

use crate::support::{Receiver, World, until};
use herald_simulators::Code;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn revoked_credentials_are_told_once_and_new_ones_send_what_waited() {
    let world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    let (all, statuses) = (Receiver::start().await, Receiver::start().await);
    world.sales.subscribe(&all.url).await;
    let only = json!({"name": "Statuses", "url": statuses.url, "events": ["NON_TICKET_MESSAGE_STATUS"]});
    world.sales.ask().post("/api/v2/subscriptions", &only).await.good();
    // The queue of v1.2 begins with its first question.
    world.sales.ask().get("/api/v1.2/webhooks/getevents").await.good();

    let revoke = |share| {
        let change = |all: &mut herald_simulators::Behaviours| {
            all.WhatsApp.answers.permanent_share = share;
            all.WhatsApp.answers.permanent_code = Code::CredentialsRevoked;
        };
        world.simulator.change(change).unwrap();
    };
    revoke(1.0);
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(world.sales.text(&channel, &format!("9725400005{number:02}"), "Hello").await);
    }
    let stopped = until("the lane to stop", || async {
        let lane = world.lane(&channel).await;
        lane["now"]["stopped"].is_object().then_some(lane)
    })
    .await;
    let now = &stopped["now"];
    assert_eq!(
        (&now["waiting"]["code"], &now["stopped"]["reason"]),
        (&json!("stopped"), &json!("provider_auth_failed"))
    );
    assert_eq!(now["stopped"]["scope"], "account");
    assert_eq!(stopped["queued"], json!(20));
    let event = all.until_events(1).await.remove(0);
    let told = &event["changes"][0];
    assert_eq!((&event["key"], &told["_event"]), (&json!(world.sales.id), &json!("CHANNEL_ERROR")));
    let about = &told["channel"];
    assert_eq!(
        (&about["id"], &about["identifier"], &about["protocolType"], &about["state"]),
        (&json!(channel.id), &json!("972550000001"), &json!("WhatsApp"), &json!("stopped"))
    );
    assert_eq!(
        (&about["reason"]["code"], &about["reason"]["providerCode"]),
        (&json!("provider_auth_failed"), &json!("credentials_revoked"))
    );
    let story = world.sales.story(&ids[0]).await;
    assert_eq!((&story["status"], &story["waiting"]["code"]), (&json!("Pending"), &json!("stopped")));
    let body = json!({"text": "Hello", "protocolType": "WhatsApp", "from": "972550000001", "to": "972540000599"});
    let preview = world.sales.ask().post("/api/v2/messages/preview", &body).await.good();
    assert_eq!((&preview["waiting"]["code"], &preview["expectedAt"]), (&json!("stopped"), &json!(null)));
    let polled = world.sales.ask().get("/api/v1.2/webhooks/getevents").await.good();
    assert_eq!(polled.as_array().map(Vec::len), Some(1), "{polled}");
    assert_eq!(polled[0]["changes"][0]["_event"], "CHANNEL_ERROR");

    revoke(0.0);
    let credentials = json!({"credentials": {"key": "simulator-key", "callback_secret": "simulator-secret"}});
    world.sales.ask().patch(&format!("/api/v2/channels/{}", channel.id), &credentials).await.good();
    for id in &ids {
        world.sales.story_until(id, "Read").await;
        all.until_statuses(id, &["Accepted", "Delivered", "Read"]).await;
        statuses.until_statuses(id, &["Accepted", "Delivered", "Read"]).await;
    }
    assert!(world.lane(&channel).await["now"]["stopped"].is_null());
    assert_eq!(all.events().iter().filter(|event| event["changes"][0]["_event"] == "CHANNEL_ERROR").count(), 1);
    assert_eq!(statuses.events().len(), 60, "only what was chosen");
    assert_eq!(world.simulator.summary().duplicates, 0);
}
