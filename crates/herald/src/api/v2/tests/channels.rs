//! Channels, identifiers and lanes, over HTTP.

use crate::{access::Subject, api::testing::Instance};
use serde_json::{Value, json};

const PATH: &str = "/api/v2/channels";

fn request() -> Value {
    json!({
        "protocol": "whatsapp", "name": "Shop", "credentials": {"key": "very-secret", "callback_secret": "another"},
        "settings": {"onUnknownOutcome": "resend", "provider": {"base_url": "http://127.0.0.1:9"}},
        "identifiers": [{"identifier": "+972 55-000-0001", "name": "Main", "rate": "80/s"}, {"identifier": "972550000002"}],
    })
}

/// `request()` with some fields otherwise.
fn with(fields: Value) -> Value {
    let mut body = request();
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_channel_is_made_shown_and_changed() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let made = instance.post(PATH, &member.token, &request()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.body["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "protocol": "WhatsApp", "provider": "simulated", "name": "Shop", "active": true,
        "nonTicketMessages": false, "hasCredentials": true,
        "callbackPath": format!("/callbacks/{id}"),
        "callbackUrl": format!("http://127.0.0.1:8080/callbacks/{id}"),
        "settings": {"onUnknownOutcome": "resend", "provider": {
            "base_url": "http://127.0.0.1:9", "callback_url": format!("http://127.0.0.1:8080/callbacks/{id}"),
        }},
        "identifiers": [
            {"identifier": "972550000001", "name": "Main", "lane": "WhatsApp:972550000001", "rate": "80/s"},
            {"identifier": "972550000002", "name": "", "lane": "WhatsApp:972550000002", "rate": null},
        ],
    });
    assert_eq!(made.body, expected);
    let path = format!("{PATH}/{id}");
    assert_eq!(instance.get(&path, &member.token).await.body, expected);
    assert_eq!(instance.get(PATH, &member.token).await.body, json!({"items": [expected], "nextCursor": null}));
    // At rest the credentials cannot be read, and open only for this channel.
    let row = instance.app.directory.get().department_by_id(member.id).unwrap().row;
    let channel = instance.app.directory.get().channels(row)[0].clone();
    let sealed = channel.sealed_credentials.clone().unwrap();
    assert!(!sealed.windows(11).any(|window| window == b"very-secret"));
    let opened = instance.app.access.sealer.open_sealed(Subject::Credentials(channel.id), &sealed).unwrap();
    assert_eq!(opened, br#"{"callback_secret":"another","key":"very-secret"}"#);
    let patch = json!({"nonTicketMessages": true, "name": "Store"}).to_string();
    let changed = instance.ask("PATCH", &path, &member.token, &[], patch).await.body;
    assert_eq!((&changed["nonTicketMessages"], &changed["name"]), (&json!(true), &json!("Store")));
    assert_eq!((&changed["active"], &changed["settings"]), (&expected["active"], &expected["settings"]));
    // New settings are held to the credentials that are there, and new credentials to the settings.
    for (patch, status) in [
        (json!({"settings": {"provider": {"base_url": "http://127.0.0.1:10"}}}), 200),
        (json!({"settings": {}}), 400),
        (json!({"credentials": {"key": "k"}}), 400),
        (json!({"credentials": {"key": "k", "callback_secret": "s"}}), 200),
    ] {
        let answer = instance.ask("PATCH", &path, &member.token, &[], patch.to_string()).await;
        assert_eq!(answer.status, status, "{patch}: {answer:?}");
    }
    let send = json!({"protocolType": "WhatsApp", "from": "972550000002", "to": "972550000009", "text": "Hi"});
    assert_eq!(instance.post("/api/v1.2/protocols/send", &member.token, &send).await.status, 200);
}

#[tokio::test]
async fn an_identifier_belongs_to_one_channel() {
    let instance = Instance::new().await;
    let (member, other) = (instance.member("Sales").await, instance.member("Support").await);
    let made = instance.post(PATH, &member.token, &request()).await;
    assert_eq!(instance.post(PATH, &member.token, &request()).await.refusal(), (409, "identifier_taken"));
    assert_eq!(instance.post(PATH, &other.token, &request()).await.refusal(), (409, "identifier_taken"));
    // Of a refused channel nothing is left, and the same number may speak another protocol.
    assert_eq!(instance.get(PATH, &other.token).await.body["items"], json!([]));
    let sms = with(json!({"protocol": "SMS", "identifiers": [{"identifier": "972550000001"}]}));
    assert_eq!(instance.post(PATH, &other.token, &sms).await.status, 201);
    let path = format!("{PATH}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(instance.get(&path, &other.token).await.refusal(), (404, "channel_not_found"));
    let add = format!("{path}/identifiers");
    let body = json!({"identifier": "972550000003", "rate": "40/s,burst=40"});
    let lane = instance.post(&add, &member.token, &body).await;
    assert_eq!((lane.status.as_u16(), &lane.body["id"]), (201, &json!("WhatsApp:972550000003")));
    assert_eq!(instance.post(&add, &member.token, &body).await.refusal(), (409, "identifier_taken"));
    assert_eq!(instance.post(&add, &other.token, &body).await.refusal(), (404, "channel_not_found"));
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    for (body, code, pointer) in [
        (json!({"protocol": "Telex"}), "unknown_protocol", json!("/protocol")),
        (json!({"protocol": "SMS", "provider": "acme"}), "unknown_provider", json!("/provider")),
        (json!({"protocol": "SMS", "name": ""}), "invalid_value", json!("/name")),
        (json!({"protocol": "SMS"}), "settings_unusable", json!("/settings/provider")),
        (with(json!({"settings": {"provider": {"base_url": 5}}})), "settings_unusable", json!("/settings/provider")),
        (with(json!({"settings": {"provider": []}})), "settings_unusable", json!("/settings/provider")),
        (with(json!({"credentials": "x"})), "settings_unusable", json!("/credentials")),
        (json!({"protocol": "SMS", "settings": {"colour": 1}}), "invalid_body", Value::Null),
        (json!({}), "invalid_body", Value::Null),
    ] {
        let answer = instance.post(PATH, &member.token, &body).await;
        assert_eq!((answer.refusal(), &answer.body["pointer"]), ((400, code), &pointer), "{body}");
    }
    let body = json!({"protocol": "WhatsApp", "identifiers": [
        {"identifier": "972550000001"}, {"identifier": "x"}, {"identifier": "972550000002", "rate": "fast"},
    ]});
    let answer = instance.post(PATH, &member.token, &body).await;
    assert_eq!(answer.refusal(), (400, "not_a_number"));
    let pointers: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/identifiers/1/identifier", "/identifiers/2/rate"]);
    assert_eq!(answer.body["pointer"], *pointers[0]);
}

#[tokio::test]
async fn a_lane_is_paused_resumed_and_slowed() {
    let instance = Instance::new().await;
    let (member, other) = (instance.member("Sales").await, instance.member("Support").await);
    let mut body = request();
    body["nonTicketMessages"] = json!(true);
    instance.post(PATH, &member.token, &body).await;
    let path = "/api/v2/lanes/WhatsApp:972550000001";
    let send = json!({"protocolType": "WhatsApp", "from": "972550000001", "to": "972550000009", "text": "Hi"});
    for _ in 0..3 {
        assert_eq!(instance.post("/api/v1.2/protocols/send", &member.token, &send).await.status, 200);
    }
    let paused = instance.ask("POST", &format!("{path}/pause"), &member.token, &[], "").await.body;
    assert_eq!((&paused["paused"], &paused["queued"], &paused["rate"]), (&json!(true), &json!(3), &json!("80/s")));
    // A message may still be at the provider's door; everything else stands.
    let still = |mut lane: Value| {
        assert_eq!(lane.as_object_mut().unwrap().remove("now").unwrap()["waiting"]["code"], "paused");
        lane
    };
    let paused = still(paused);
    assert_eq!(still(instance.get(path, &member.token).await.body), paused);
    // Any way of writing the number names the lane.
    assert_eq!(still(instance.get("/api/v2/lanes/whatsapp:+972-55-000-0001", &member.token).await.body), paused);
    let resumed = instance.ask("POST", &format!("{path}/resume"), &member.token, &[], "").await.body;
    assert_eq!(resumed["paused"], json!(false));
    let patch = |body: Value| {
        let (instance, token) = (&instance, &member.token);
        async move { instance.ask("PATCH", path, token, &[], body.to_string()).await }
    };
    let slowed = patch(json!({"rate": " 1_000 / h", "name": "Slow"})).await.body;
    assert_eq!((&slowed["rate"], &slowed["name"]), (&json!("1000/h"), &json!("Slow")));
    assert_eq!(patch(json!({"name": "Still"})).await.body["rate"], "1000/h");
    let default = patch(json!({"rate": null})).await.body;
    assert_eq!((&default["rate"], &default["rateIsDefault"]), (&json!("80/s"), &json!(true)));
    assert_eq!(patch(json!({"rate": "0/s"})).await.refusal(), (400, "rate_invalid"));
    for id in ["WhatsApp:972550000009", "972550000001", "Telex:1", "WhatsApp:x"] {
        let answer = instance.get(&format!("/api/v2/lanes/{id}"), &member.token).await;
        assert_eq!(answer.refusal(), (404, "lane_not_found"));
    }
    assert_eq!(instance.get(path, &other.token).await.refusal(), (404, "lane_not_found"));
    let listed = instance.get("/api/v2/lanes?limit=1", &member.token).await.body;
    assert_eq!(listed["items"][0]["id"], "WhatsApp:972550000001");
    let rest = format!("/api/v2/lanes?cursor={}", listed["nextCursor"].as_str().unwrap());
    assert_eq!(instance.get(&rest, &member.token).await.body["items"][0]["id"], "WhatsApp:972550000002");
}
