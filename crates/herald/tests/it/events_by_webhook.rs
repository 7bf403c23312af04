//! What the guide shows: one POST, `Pending`, and the statuses that follow as signed webhooks.

use crate::support::{Receiver, World, event_message};
use herald_rules::{
    signature::{EndpointSecret, TOLERANCE, verify_standard, verify_v1_2},
    time::Timestamp,
};
use serde_json::json;

const OURS: &str = "972550000001";
const CUSTOMER: &str = "972540000001";

#[tokio::test(flavor = "multi_thread")]
async fn a_send_is_pending_and_its_statuses_come_as_events() {
    let world = World::new().await;
    world.channel("WhatsApp", OURS).await;
    let receiver = Receiver::start().await;
    world.sales.subscribe(&receiver.url).await;

    let body = json!({
        "text": "Your order is ready.", "protocolType": "whatsapp", "from": format!("+{OURS}"),
        "to": "+972 54-000-0001", "metadata": {"order": 4711}, "html": null, "unknown": [1],
    });
    let message = world.sales.send(&body).await.good();
    assert_eq!(message["status"], "Pending");
    assert_eq!(message["protocolType"], "WhatsApp");
    assert_eq!((&message["from"], &message["to"]), (&json!(OURS), &json!(CUSTOMER)));
    assert_eq!(message["departmentId"], json!(world.sales.id));
    assert_eq!(message["warnings"], json!([]));
    let id = message["providerMessageId"].as_str().unwrap();

    receiver.until_statuses(id, &["Accepted", "Delivered", "Read"]).await;
    for event in receiver.events() {
        assert_eq!(event["key"], json!(world.sales.id));
        assert_eq!(event["changes"][0]["_event"], "NON_TICKET_MESSAGE_STATUS");
        let told = event_message(&event);
        for field in ["text", "protocolType", "from", "to", "dateTime", "departmentId", "serviceProvider"] {
            assert_eq!(told[field], message[field], "{field}");
        }
        assert_eq!(told["metadata"], json!({"order": 4711}));
    }
    let story = world.sales.story(id).await;
    let steps: Vec<_> = story["history"].as_array().unwrap().iter().map(|step| step["status"].clone()).collect();
    assert_eq!(steps, ["Pending", "Accepted", "Delivered", "Read"]);
    assert_eq!(world.called(), [id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_protocol_and_each_end() {
    let world = World::new().await;
    let whatsapp = world.channel("WhatsApp", OURS).await;
    let sms = world.channel("SMS", OURS).await;
    let apple = world.channel("AppleBusinessChat", "shop-1").await;
    let receiver = Receiver::start().await;
    world.sales.subscribe(&receiver.url).await;
    let told = async |channel, to: &str, statuses: &[&str]| {
        let id = world.sales.text(channel, to, "Hello").await;
        receiver.until_statuses(&id, statuses).await;
        world.sales.story(&id).await
    };
    tokio::join!(
        told(&sms, CUSTOMER, &["Accepted", "Delivered"]),
        told(&apple, "urn:mbid:AQAAYx", &["Accepted"]),
        async {
            let story = told(&whatsapp, "972540000002", &["Rejected"]).await;
            assert_eq!(story["reason"]["code"], "recipient_not_reachable");
            assert!(story["reason"]["providerCode"].is_string(), "{story}");
        },
        async {
            let story = told(&whatsapp, "972540000003", &["Accepted", "Failed"]).await;
            assert_eq!(story["reason"]["code"], "message_lost");
        },
        // Throttled twice, then taken: one message, one event a status.
        told(&whatsapp, "972540000004", &["Accepted", "Delivered", "Read"]),
        // Receipts twice and in the wrong order.
        told(&sms, "972540000008", &["Accepted", "Delivered"]),
    );
    assert_eq!(world.simulator.summary().duplicates, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_delivery_is_signed_twice_over() {
    let world = World::new().await;
    let channel = world.channel("WhatsApp", "972550000001").await;
    let receiver = Receiver::start().await;
    let made = world.sales.subscribe(&receiver.url).await;
    let secret = EndpointSecret::parse(made["secret"].as_str().unwrap_or_else(|| panic!("{made}"))).unwrap();
    let id = world.sales.text(&channel, "972540000001", "Hello").await;
    receiver.until_statuses(&id, &["Accepted", "Delivered", "Read"]).await;
    for post in receiver.received() {
        let header = |name: &'static str| post.headers.get(name).and_then(|value| value.to_str().ok());
        let now = Timestamp::now();
        verify_v1_2(&world.sales.secret, header, &post.body, now, TOLERANCE).unwrap();
        verify_standard(&secret, header, &post.body, now, TOLERANCE).unwrap();
        let mut changed = post.body.to_vec();
        changed.push(b' ');
        verify_v1_2(&world.sales.secret, header, &changed, now, TOLERANCE).unwrap_err();
        verify_standard(&secret, header, &changed, now, TOLERANCE).unwrap_err();
        assert_eq!(header("x-glassix-api-key"), Some(world.sales.id.as_str()));
    }
}
