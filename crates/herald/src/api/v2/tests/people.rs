//! Contacts, what customers wrote, and suppressions, over HTTP.

use crate::{
    api::testing::{Instance, Member},
    node::directory::Lane,
    store::{CallbackWork, Epoch, MarketingWish, NewInbound},
};
use herald_rules::{
    ids::MessageId,
    inbound::{Inbound, InboundContent},
    protocol::Protocol::{SMS, WhatsApp},
    time::Timestamp,
};
use serde_json::{Value, json};
use std::sync::Arc;

const OURS: &str = "972550000001";
const DANA: &str = "972550000002";
const CONTACT: &str = "/api/v2/contacts/WhatsApp/972550000002";

async fn instance() -> (Instance, Member) {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    instance.channel(&member, WhatsApp, OURS, true).await;
    (instance, member)
}

impl Instance {
    async fn put(&self, path: &str, member: &Member, body: &Value) -> crate::api::testing::Answer {
        self.ask("PUT", path, &member.token, &[], body.to_string()).await
    }

    fn lane(&self) -> Arc<Lane> {
        self.app.directory.get().lane_of(WhatsApp, OURS).unwrap().clone()
    }

    /// Works off a callback in which customers wrote.
    async fn customers_write(&self, messages: &[(&str, &str)]) -> Vec<MessageId> {
        let (lane, now) = (self.lane(), Timestamp::now());
        let one = |(number, (from, text)): (u16, &(&str, &str))| NewInbound {
            id: MessageId::received_at(now, number),
            lane: lane.row,
            received_at: now,
            inbound: Inbound {
                reference: format!("wamid.{from}.{text}"),
                protocol: WhatsApp,
                to: OURS.into(),
                from: (*from).into(),
                user_id: None,
                at: now,
                name: Some("Dana Reyes".into()),
                content: InboundContent::Text { text: (*text).into() },
                reply_to: None,
                reply_to_id: None,
                referral: None,
                opens_window: None,
            },
        };
        let work = CallbackWork {
            department: lane.department,
            channel: lane.channel,
            // As the owner of the lanes, which this node becomes at some moment.
            epoch: Epoch(i64::MAX),
            now,
            inbound: (0..).zip(messages).map(one).collect(),
            marketing: vec![MarketingWish { customer: DANA.into(), wanted: false, at: now }],
            ..CallbackWork::default()
        };
        self.app.store.work_off(work).await.unwrap().inbound
    }
}

#[tokio::test]
async fn a_contact_is_set_and_found() {
    let (instance, member) = instance().await;
    let body = json!({"name": "Dana Reyes", "attributes": {"city": "Haifa"}});
    let made = instance.put("/api/v2/contacts/whatsapp/+972%2055-000-0002", &member, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["identifiers"], json!([{"protocol": "WhatsApp", "identifier": DANA}]));
    assert_eq!((&made.body["name"], &made.body["namedBy"]), (&json!("Dana Reyes"), &json!("api")));
    let replaced = instance.put(CONTACT, &member, &json!({"attributes": {"plan": "gold"}})).await;
    assert_eq!((replaced.status.as_u16(), &replaced.body["id"]), (200, &made.body["id"]));
    assert_eq!((&replaced.body["name"], &replaced.body["attributes"]), (&Value::Null, &json!({"plan": "gold"})));

    let id = made.body["id"].as_str().unwrap();
    let path = format!("/api/v2/contacts/{id}");
    assert_eq!(instance.get(&path, &member.token).await.body, replaced.body);
    let other = instance.member("Support").await;
    assert_eq!(instance.get(&path, &other.token).await.refusal(), (404, "contact_not_found"));
    assert_eq!(instance.get("/api/v2/contacts/x", &member.token).await.refusal(), (404, "contact_not_found"));
    instance.put(CONTACT, &member, &body).await;
    for (query, found) in [
        ("", 1),
        ("identifier=%2B972550000002", 1),
        ("identifier=972550000002&protocol=SMS", 0),
        ("name=dana", 1),
        ("name=reyes", 0),
        ("name=dana&identifier=972550000009", 0),
    ] {
        let page = instance.get(&format!("/api/v2/contacts?{query}"), &member.token).await.body;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(found), "{query}: {page}");
    }
    assert_eq!(instance.get("/api/v2/contacts", &other.token).await.body["items"], json!([]));
    assert_eq!(instance.get("/api/v2/contacts?protocol=Telex", &member.token).await.refusal(), (400, "invalid_query"));
    assert_eq!(instance.get("/api/v2/contacts?cursor=x", &member.token).await.refusal(), (400, "invalid_cursor"));
}

#[tokio::test]
async fn what_cannot_be_kept_of_a_contact_is_refused() {
    let (instance, member) = instance().await;
    let many: serde_json::Map<_, _> = (0..51).map(|number| (format!("a{number}"), json!("x"))).collect();
    for (body, code) in [
        (json!({"name": ""}), "invalid_value"),
        (json!({"name": "a\nb"}), "invalid_value"),
        (json!({"name": "x".repeat(101)}), "invalid_value"),
        (json!({"attributes": {"": "x"}}), "invalid_value"),
        (json!({"attributes": {"a b": "x"}}), "invalid_value"),
        (json!({"attributes": {"x".repeat(65): "x"}}), "invalid_value"),
        (json!({"attributes": {"a": "x".repeat(1_001)}}), "invalid_value"),
        (json!({"attributes": {"a": "\u{7}"}}), "invalid_value"),
        (json!({"attributes": many}), "invalid_value"),
        (json!({"attributes": {"a": 1}}), "invalid_body"),
        (json!({"nom": "Dana"}), "invalid_body"),
    ] {
        assert_eq!(instance.put(CONTACT, &member, &body).await.refusal(), (400, code), "{body}");
    }
    let good = json!({"name": "x".repeat(100), "attributes": {"x".repeat(64): "é".repeat(1_000), "a.b-c_d": "1\n2"}});
    assert_eq!(instance.put(CONTACT, &member, &good).await.status, 201);
    for (path, code) in [
        ("/api/v2/contacts/Telex/972550000002", "unknown_protocol"),
        ("/api/v2/contacts/WhatsApp/hello", "not_a_number"),
        ("/api/v2/contacts/SMS/972550000002,972550000003", "one_recipient_only"),
    ] {
        assert_eq!(instance.put(path, &member, &json!({})).await.refusal(), (400, code), "{path}");
    }
}

#[tokio::test]
async fn what_customers_wrote_is_listed_and_shown() {
    let (instance, member) = instance().await;
    instance.channel(&member, SMS, OURS, true).await;
    let ids = instance.customers_write(&[(DANA, "First"), ("972550000003", "Other"), (DANA, "Second")]).await;
    let list = async |query: &str| {
        let path = format!("/api/v2/messages?direction=inbound{query}");
        instance.get(&path, &member.token).await.body
    };
    let picked = |page: &Value| -> Vec<usize> {
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}")).iter();
        items.map(|item| ids.iter().position(|id| id.to_string() == item["id"]).unwrap()).collect()
    };
    for (query, expected) in [
        ("", vec![2, 1, 0]),
        ("&from=%2B972550000002", vec![2, 0]),
        ("&to=972550000001", vec![2, 1, 0]),
        ("&to=972550000009", vec![]),
        ("&protocol=SMS", vec![]),
        ("&protocol=WhatsApp&limit=500", vec![2, 1, 0]),
        ("&since=2099-01-01T00:00:00Z", vec![]),
        ("&until=2020-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(picked(&list(query).await), expected, "{query}");
    }
    let page = list("&limit=2").await;
    let rest = list(&format!("&limit=2&cursor={}", page["nextCursor"].as_str().unwrap())).await;
    assert_eq!([picked(&page), picked(&rest)].concat(), [2, 1, 0]);
    assert_eq!(list("&status=Read").await["code"], "invalid_query");
    assert_eq!(instance.get("/api/v2/messages?direction=up", &member.token).await.refusal(), (400, "invalid_query"));

    let shown = instance.get(&format!("/api/v2/messages/{}", ids[0]), &member.token).await.body;
    assert_eq!(shown, list("").await["items"][2]);
    assert_eq!((&shown["direction"], &shown["text"]), (&json!("inbound"), &json!("First")));
    assert_eq!((&shown["from"], &shown["to"], &shown["name"]), (&json!(DANA), &json!(OURS), &json!("Dana Reyes")));
    assert_eq!(shown["content"], json!({"type": "text", "text": "First"}));
    let sent = instance.get("/api/v2/messages?direction=outbound", &member.token).await.body;
    assert_eq!(sent["items"], json!([]));
    let other = instance.member("Support").await;
    let path = format!("/api/v2/messages/{}", ids[0]);
    assert_eq!(instance.get(&path, &other.token).await.refusal(), (404, "message_not_found"));
    assert_eq!(instance.get("/api/v2/messages?direction=inbound", &other.token).await.body["items"], json!([]));
}

#[tokio::test]
async fn suppressions_are_listed() {
    let (instance, member) = instance().await;
    instance.customers_write(&[]).await;
    let channel = instance.app.directory.get().channel(instance.lane().channel).unwrap().id;
    let found = instance.get("/api/v2/suppressions?customer=%2B972550000002", &member.token).await.body;
    let first = &found["items"][0];
    assert_eq!(
        (&first["customer"], &first["kind"], &first["source"]),
        (&json!(DANA), &json!("marketing"), &json!("provider"))
    );
    assert_eq!((&first["channelId"], &found["nextCursor"]), (&json!(channel), &Value::Null));
    for query in ["customer=972550000003", "cursor=1:marketing:972550000002"] {
        let page = instance.get(&format!("/api/v2/suppressions?{query}"), &member.token).await.body;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(0), "{query}: {page}");
    }
    assert_eq!(instance.get("/api/v2/suppressions?cursor=x", &member.token).await.refusal(), (400, "invalid_cursor"));
    let other = instance.member("Support").await;
    assert_eq!(instance.get("/api/v2/suppressions", &other.token).await.body["items"], json!([]));
}

#[tokio::test]
async fn reading_and_setting_have_scopes_of_their_own() {
    let (instance, member) = instance().await;
    let token = async |scope: &str| {
        let body = json!({"name": scope, "scopes": [scope]});
        let made = instance.post("/api/v2/tokens", &member.token, &body).await;
        made.body["token"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    };
    let (send, messages) = (token("send").await, token("messages").await);
    for path in ["/api/v2/contacts", "/api/v2/suppressions", "/api/v2/messages?direction=inbound"] {
        assert_eq!(instance.get(path, &send).await.refusal(), (403, "scope_missing"), "{path}");
        assert_eq!(instance.get(path, &messages).await.status, 200, "{path}");
    }
    assert_eq!(instance.ask("PUT", CONTACT, &messages, &[], "{}").await.refusal(), (403, "scope_missing"));
    assert_eq!(instance.ask("PUT", CONTACT, &send, &[], "{}").await.status, 201);
}
