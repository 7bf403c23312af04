//! Who may send what: every way in which a message is refused, and what is left out of one.

use crate::support::{Department, World};
use serde_json::json;

const OURS: &str = "972550000001";
const CUSTOMER: &str = "972540000001";

#[tokio::test(flavor = "multi_thread")]
async fn is_off_until_somebody_switches_it_on() {
    let world = World::new().await;
    let channel = world.sales.channel(&world.simulator, "WhatsApp", OURS, false).await;
    let body = json!({"text": "Hello", "protocolType": "WhatsApp", "from": OURS, "to": CUSTOMER});
    let refused = world.sales.send(&body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "non_ticket_not_enabled"));
    assert!(refused.body["message"].as_str().is_some_and(|text| !text.is_empty()), "{refused:?}");

    let address = format!("/api/v2/channels/{}", channel.id);
    world.sales.ask().patch(&address, &json!({"nonTicketMessages": true})).await.good();
    let id = world.sales.text(&channel, CUSTOMER, "Hello").await;
    world.sales.story_until(&id, "Read").await;
    assert_eq!(world.called(), [id], "nothing was kept of what was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_an_sms_are_left_out_and_named() {
    let world = World::new().await;
    world.channel("SMS", OURS).await;
    let body = json!({
        "text": "See the plan", "protocolType": "SMS", "from": OURS, "to": CUSTOMER,
        "files": ["https://files.example/plan.pdf"],
    });
    let message = world.sales.send(&body).await.good();
    assert_eq!(message["warnings"][0]["code"], "attachments_dropped");
    assert_eq!(message["files"], json!(null));
    world.sales.story_until(message["providerMessageId"].as_str().unwrap(), "Delivered").await;

    let body = json!({
        "protocolType": "SMS", "from": OURS, "to": CUSTOMER, "files": ["https://files.example/plan.pdf"],
    });
    let refused = world.sales.send(&body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (400, "text_required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_is_unknown_or_of_others_is_not_found() {
    let world = World::new().await;
    world.channel("WhatsApp", OURS).await;
    let support = Department::new(&world.herald, "Support").await;
    let other = json!({"text": "Hello", "protocolType": "WhatsApp", "from": OURS, "to": CUSTOMER});
    let unknown = json!({"text": "Hello", "protocolType": "WhatsApp", "from": "972550000009", "to": CUSTOMER});
    let (other, unknown) = (support.send(&other).await, world.sales.send(&unknown).await);
    assert_eq!((other.status.as_u16(), other.code()), (404, "from_not_found"));
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "from_not_found"));
    assert_eq!(other.body["detail"], unknown.body["detail"], "nobody learns who has which number");
    assert!(world.called().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused_with_a_code() {
    const SMS: &str = "972550000008";
    let world = World::new().await;
    world.channel("SMS", SMS).await;
    let channel = world.channel("WhatsApp", OURS).await;
    let table = [
        (json!({"protocolType": "Fax"}), 400, "unknown_protocol"),
        (json!({"to": "0541234567"}), 400, "unknown_country_code"),
        (json!({"to": "972540000001,972540000002"}), 400, "one_recipient_only"),
        (json!({"text": null}), 400, "text_or_files_required"),
        (json!({"files": ["ftp://files.example/a.png"]}), 400, "file_not_a_link"),
        (json!({"priority": "urgent"}), 400, "unknown_priority"),
        (json!({"expiresAt": "2020-01-01T00:00:00Z"}), 400, "already_expired"),
        (json!({"customer": "Noa"}), 400, "invalid_body"),
        (json!({"customer": {"attributes": {"city": {}}}}), 400, "invalid_body"),
        (json!({"template": {"language": "en_US"}}), 400, "invalid_body"),
        (json!({"buttonParameters": vec!["x"; 11]}), 400, "invalid_value"),
        (json!({"protocolType": "SMS", "from": SMS, "template": {"name": "order"}}), 400, "invalid_value"),
    ];
    for (change, status, code) in table {
        let mut body = json!({"text": "Hello", "protocolType": "WhatsApp", "from": OURS, "to": CUSTOMER});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = world.sales.send(&body).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (status, code), "{change}");
    }
    let address = format!("/api/v2/channels/{}", channel.id);
    world.sales.ask().patch(&address, &json!({"active": false})).await.good();
    let refused =
        world.sales.send(&json!({"text": "Hello", "protocolType": "WhatsApp", "from": OURS, "to": CUSTOMER})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "channel_inactive"));
    let anybody = world.herald.ask().post("/api/v1.2/protocols/send", &json!({})).await;
    assert_eq!((anybody.status.as_u16(), anybody.code()), (401, "token_missing"));
    let listed = world.sales.ask().get("/api/v2/messages").await.good();
    assert_eq!(listed["items"], json!([]), "of a refused message nothing is kept");
}
