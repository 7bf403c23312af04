use crate::api::testing::{Instance, USER};
use herald_rules::protocol::Protocol::{AppleBusinessChat, SMS, WhatsApp};
use serde_json::{Value, json};

const OURS: &str = "972550000001";
const APPLE: &str = "a884eddf-0c4a-4a2b-9d2e-2f6a2f0f7b11";
const SEND: &str = "/api/v1.2/protocols/send";
const TOKEN: &str = "/api/v1.2/token/get";

fn message() -> Value {
    json!({"protocolType": "WhatsApp", "from": OURS, "to": "972550000002", "text": "Hello"})
}

/// `message()` with some fields otherwise.
fn with(fields: Value) -> Value {
    let mut body = message();
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

async fn instance() -> (Instance, crate::api::testing::Member) {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    for (protocol, identifier) in [(WhatsApp, OURS), (SMS, OURS), (AppleBusinessChat, APPLE)] {
        instance.channel(&member, protocol, identifier, true).await;
    }
    (instance, member)
}

#[tokio::test]
async fn a_message_is_answered_as_the_reference_says() {
    let (instance, member) = instance().await;
    let answer = instance.post(SEND, &member.token, &message()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["ratelimit-limit"], "50");
    assert_eq!(answer.headers["ratelimit-remaining"], "49");
    let mut body = answer.body;
    let id = body["providerMessageId"].take();
    assert!(id.as_str().unwrap().parse::<uuid::Uuid>().unwrap().get_version_num() == 7);
    assert!(body["dateTime"].take().as_str().unwrap().ends_with('Z'));
    let expected = json!({
        "text": "Hello", "html": null, "protocolType": "WhatsApp", "attachmentUris": null, "from": OURS,
        "to": "972550000002", "dateTime": null, "providerMessageId": null, "departmentId": member.id,
        "status": "Pending", "files": null, "serviceProvider": 0, "warnings": [], "priority": "transactional",
    });
    assert_eq!(body, expected);
}

/// What the clients' own libraries send.
#[tokio::test]
async fn tolerates_what_clients_send() {
    let (instance, member) = instance().await;
    for fields in [
        json!({"protocolType": "Whatsapp"}),
        json!({"protocolType": "SMS"}),
        json!({"to": "+972 55-000-0002"}),
        json!({"to": 972550000002_u64, "from": 972550000001_u64}),
        json!({"from": "+972 55 000 0001"}),
        json!({"files": null}),
        json!({"files": []}),
        json!({"files": [""]}),
        json!({"text": null, "files": ["https://files.example/logo.png"]}),
        json!({"sendAt": null, "expiresAt": "", "priority": null, "metadata": null}),
        json!({"protocolType": "AppleBusinessChat", "from": APPLE, "to": "urn:mbid:AQAAY"}),
        json!({
            "html": null, "attachmentUris": null, "dateTime": "0001-01-01T00:00:00", "providerMessageId": null,
            "departmentId": "00000000-0000-0000-0000-000000000000", "status": "Pending", "serviceProvider": 0,
        }),
    ] {
        let answer = instance.post(SEND, &member.token, &with(fields.clone())).await;
        assert_eq!(answer.status, 200, "{fields}: {answer:?}");
        assert_eq!(answer.body["status"], "Pending");
        assert_ne!(answer.body["to"].as_str().unwrap().chars().next(), Some('+'));
    }
}

#[tokio::test]
async fn sms_drops_files_and_says_so() {
    let (instance, member) = instance().await;
    let body = with(json!({"protocolType": "SMS", "files": ["https://files.example/logo.png"]}));
    let answer = instance.post(SEND, &member.token, &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["files"], Value::Null);
    assert_eq!(answer.body["warnings"][0]["code"], "attachments_dropped");
    assert!(answer.body["warnings"][0]["message"].as_str().unwrap().contains("1 file was left out"));
}

#[tokio::test]
async fn refusals_have_a_status_a_code_and_a_pointer() {
    let (instance, member) = instance().await;
    let long = "a".repeat(5_000);
    for (fields, status, code, pointer) in [
        (json!({"protocolType": "Telegram"}), 400, "unknown_protocol", "/protocolType"),
        (json!({"protocolType": null}), 400, "unknown_protocol", "/protocolType"),
        (json!({"from": null}), 400, "from_required", "/from"),
        (json!({"from": "972559999999"}), 404, "from_not_found", "/from"),
        (json!({"from": "nobody"}), 404, "from_not_found", "/from"),
        (json!({"to": null}), 400, "identifier_missing", "/to"),
        (json!({"to": "0550000002"}), 400, "unknown_country_code", "/to"),
        (json!({"to": "12"}), 400, "wrong_number_length", "/to"),
        (json!({"to": ["972550000002"]}), 400, "one_recipient_only", "/to"),
        (json!({"to": "972550000002,972550000003"}), 400, "one_recipient_only", "/to"),
        (json!({"to": {}}), 400, "invalid_body", "/to"),
        (json!({"text": ""}), 400, "text_or_files_required", "/text"),
        (json!({"text": 5}), 400, "invalid_body", "/text"),
        (json!({"text": long}), 400, "text_too_long", "/text"),
        (json!({"protocolType": "SMS", "text": null}), 400, "text_required", "/text"),
        (json!({"files": "https://a.example"}), 400, "invalid_body", "/files"),
        (json!({"files": ["https://a.example", 7]}), 400, "invalid_body", "/files/1"),
        (json!({"files": ["https://a.example", "logo.png"]}), 400, "file_not_a_link", "/files/1"),
        (json!({"metadata": long}), 400, "metadata_too_large", "/metadata"),
        (json!({"sendAt": "tomorrow"}), 400, "send_at_invalid", "/sendAt"),
        (json!({"sendAt": "2999-01-01T00:00:00Z"}), 400, "send_at_invalid", "/sendAt"),
        (json!({"expiresAt": 5}), 400, "expires_at_invalid", "/expiresAt"),
        (json!({"expiresAt": "2020-01-01T00:00:00Z"}), 400, "already_expired", "/expiresAt"),
        (json!({"priority": "urgent"}), 400, "unknown_priority", "/priority"),
    ] {
        let answer = instance.post(SEND, &member.token, &with(fields.clone())).await;
        assert_eq!(answer.refusal(), (status, code), "{fields}");
        assert_eq!(answer.body["pointer"], pointer, "{fields}");
    }
}

#[tokio::test]
async fn another_departments_sender_is_answered_like_none() {
    let (instance, member) = instance().await;
    let other = instance.member("Support").await;
    instance.channel(&other, WhatsApp, "972550000009", true).await;
    let theirs = instance.post(SEND, &member.token, &with(json!({"from": "972550000009"}))).await;
    let none = instance.post(SEND, &member.token, &with(json!({"from": "972550000008"}))).await;
    assert_eq!(theirs.refusal(), (404, "from_not_found"));
    assert_eq!(theirs.body, none.body);
}

#[tokio::test]
async fn switches_of_the_channel() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let channel = instance.channel(&member, WhatsApp, OURS, false).await;
    let answer = instance.post(SEND, &member.token, &message()).await;
    assert_eq!(answer.refusal(), (403, "non_ticket_not_enabled"));
    assert!(answer.body["message"].as_str().unwrap().contains(&format!("/api/v2/channels/{channel}")));
    let row = instance.app.directory.get().lane_of(WhatsApp, OURS).unwrap().channel;
    let change = crate::store::ChannelChange { active: Some(false), non_ticket: Some(true), ..Default::default() };
    instance.app.store.change_channel(row, change).await.unwrap();
    instance.app.directory_changed().await.unwrap();
    let answer = instance.post(SEND, &member.token, &message()).await;
    assert_eq!(answer.refusal(), (403, "channel_inactive"));
}

#[tokio::test]
async fn the_door_comes_before_everything_else() {
    let (instance, _) = instance().await;
    for (headers, code) in [
        (&[][..], "token_missing"),
        (&[("authorization", "Basic abc")], "token_missing"),
        (&[("authorization", "Bearer wrong")], "token_invalid"),
    ] {
        // Not even JSON: whoever is not known learns nothing about it.
        let answer = instance.ask("POST", SEND, "", headers, "{").await;
        assert_eq!(answer.refusal(), (401, code));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let instance = Instance::with(|config| config.limits.body_bytes = 1_000).await;
    let member = instance.member("Sales").await;
    let ask = |headers: &'static [(&'static str, &'static str)], body: String| {
        instance.ask("POST", SEND, &member.token, headers, body)
    };
    assert_eq!(ask(&[], "{".into()).await.refusal(), (400, "malformed_json"));
    assert_eq!(ask(&[], String::new()).await.refusal(), (400, "malformed_json"));
    assert_eq!(ask(&[], "[]".into()).await.refusal(), (400, "invalid_body"));
    assert_eq!(ask(&[], "7".into()).await.refusal(), (400, "invalid_body"));
    assert_eq!(ask(&[], "[".repeat(900)).await.refusal(), (400, "invalid_body"));
    assert_eq!(ask(&[], "x".repeat(1_001)).await.refusal(), (413, "body_too_large"));
    let stream = futures_util::stream::iter(["x".repeat(600), "x".repeat(600)].map(Ok::<_, std::io::Error>));
    let answer = instance.ask("POST", SEND, &member.token, &[], axum::body::Body::from_stream(stream)).await;
    assert_eq!(answer.refusal(), (413, "body_too_large"));
    let router = instance.router.clone();
    let request = axum::http::Request::post(SEND)
        .header("authorization", format!("Bearer {}", member.token))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("a=b"));
    let answer = tower::ServiceExt::oneshot(router, request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 415);
}

#[tokio::test]
async fn unknown_routes_and_methods() {
    let instance = Instance::new().await;
    assert_eq!(instance.get("/nowhere", "").await.refusal(), (404, "route_not_found"));
    let answer = instance.get(SEND, "").await;
    assert_eq!(answer.refusal(), (405, "method_not_allowed"));
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn a_key_gives_the_same_answer_again() {
    let (instance, member) = instance().await;
    let send = |key: &'static str, body: Value| {
        let headers = [("idempotency-key", key)];
        let (instance, token) = (&instance, &member.token);
        async move { instance.ask("POST", SEND, token, &headers, body.to_string()).await }
    };
    let body = with(json!({"protocolType": "SMS", "files": ["https://files.example/a.png"], "metadata": {"a": 1}}));
    let first = send("one", body.clone()).await;
    assert_eq!(first.status, 200);
    assert_eq!(send("one", body.clone()).await.body, first.body);
    assert_ne!(send("two", body.clone()).await.body, first.body);
    assert_eq!(send("one", message()).await.refusal(), (409, "idempotency_key_used"));
    assert_eq!(send("", body.clone()).await.refusal(), (400, "idempotency_key_invalid"));
    // A refused request leaves the key free.
    assert_eq!(send("three", with(json!({"to": "1"}))).await.refusal().0, 400);
    assert_eq!(send("three", message()).await.status, 200);
    // What was accepted once is answered as then, though the channel is off now.
    let row = instance.app.directory.get().lane_of(SMS, OURS).unwrap().channel;
    let off = crate::store::ChannelChange { active: Some(false), ..Default::default() };
    instance.app.store.change_channel(row, off).await.unwrap();
    instance.app.directory_changed().await.unwrap();
    assert_eq!(send("one", body.clone()).await.body, first.body);
    assert_eq!(send("four", body).await.refusal(), (403, "channel_inactive"));
}

#[tokio::test]
async fn the_limit_counts_messages_and_leaves_keys_free() {
    let instance = Instance::with(|config| {
        config.limits.burst = 2.try_into().unwrap();
        config.limits.messages_per_minute = 1.try_into().unwrap();
    })
    .await;
    let member = instance.member("Sales").await;
    instance.channel(&member, WhatsApp, OURS, true).await;
    for to in ["1", "2", "3"] {
        assert_eq!(instance.post(SEND, &member.token, &with(json!({"to": to}))).await.status, 400);
    }
    for remaining in ["1", "0"] {
        let answer = instance.post(SEND, &member.token, &message()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["ratelimit-remaining"]),
            (200, &remaining.parse().unwrap())
        );
    }
    let headers = [("idempotency-key", "later")];
    let answer = instance.ask("POST", SEND, &member.token, &headers, message().to_string()).await;
    assert_eq!(answer.refusal(), (429, "rate_limited"));
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(answer.headers["ratelimit-remaining"], "0");
    assert_eq!(answer.headers["ratelimit-reset"], "120");
    let row = instance.app.directory.get().department_by_id(member.id).unwrap().row;
    let settings = serde_json::from_value(json!({"messagesPerMinute": 1000, "burst": 10})).unwrap();
    instance.app.store.change_department(row, None, Some(settings)).await.unwrap();
    instance.app.directory_changed().await.unwrap();
    let other = with(json!({"text": "Another"}));
    let answer = instance.ask("POST", SEND, &member.token, &headers, other.to_string()).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["ratelimit-limit"]), (200, &"10".parse().unwrap()));
}

#[tokio::test]
async fn tokens_are_given_for_the_right_words_only() {
    let (instance, member) = instance().await;
    let other = instance.member("Support").await;
    let ask = |key: String, secret: String, user: &'static str| {
        let body = json!({"apiKey": key, "apiSecret": secret, "userName": user, "extra": true});
        let instance = &instance;
        async move { instance.post(TOKEN, "", &body).await }
    };
    let (id, secret) = (member.id.to_string(), member.secret.clone());
    let answer = ask(id.to_uppercase(), secret.clone(), "API@Example.com").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("bearer"), &json!(10_800)));
    let token = answer.body["access_token"].as_str().unwrap();
    assert_eq!(instance.post(SEND, token, &message()).await.status, 200);
    let (key, department) =
        (ask("no-id".into(), secret.clone(), USER).await, ask(id.clone(), other.secret, USER).await);
    assert_eq!((key.refusal(), department.refusal()), ((401, "invalid_credentials"), (401, "invalid_credentials")));
    assert_eq!(key.body, department.body, "which of them is wrong is not said");
    assert_eq!(ask(id, secret, "nobody@example.com").await.refusal(), (401, "unknown_user"));
    assert_eq!(instance.post(TOKEN, "", &json!({"apiKey": 5})).await.refusal(), (400, "invalid_body"));
}

#[tokio::test]
async fn token_get_is_throttled() {
    let instance = Instance::with(|config| config.limits.tokens_per_minute = 2.try_into().unwrap()).await;
    let member = instance.member("Sales").await;
    let body = json!({"apiKey": member.id, "apiSecret": "wrong", "userName": USER});
    assert_eq!(instance.post(TOKEN, "", &body).await.refusal(), (401, "invalid_credentials"));
    let answer = instance.post(TOKEN, "", &body).await;
    assert_eq!(answer.refusal(), (429, "too_many_tokens"));
    assert!(answer.headers.contains_key("retry-after"));
    assert!(instance.member("Support").await.token.starts_with("hrt_"), "others go on");
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_or_its_user_removed() {
    let (instance, member) = instance().await;
    let row = instance.app.directory.get().department_by_id(member.id).unwrap().row;
    assert_eq!(instance.post(SEND, &member.token, &message()).await.status, 200);
    let now = herald_rules::time::Timestamp::now();
    assert!(instance.app.access.remove_user(&instance.app.store, row, USER, now).await.unwrap());
    assert_eq!(instance.post(SEND, &member.token, &message()).await.refusal(), (401, "token_invalid"));
}

#[tokio::test]
async fn a_closed_store_is_503() {
    let (instance, member) = instance().await;
    assert_eq!(instance.post(SEND, &member.token, &message()).await.status, 200);
    instance.app.store.close().await;
    let answer = instance.post(SEND, &member.token, &message()).await;
    assert_eq!(answer.refusal(), (503, "store_unavailable"));
    assert_eq!(answer.headers["retry-after"], "2");
}
