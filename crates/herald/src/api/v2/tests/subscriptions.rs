//! Subscriptions and deliveries, over HTTP.

use crate::api::testing::{Instance, Member};
use serde_json::{Value, json};

const LIST: &str = "/api/v2/subscriptions";

/// An instance that may call this machine, and an endpoint on it that takes everything.
async fn with_endpoint() -> (Instance, Member, String) {
    let instance = Instance::with(|config| {
        config.webhooks.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let member = instance.member("Sales").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(|| async { "ok" })).await });
    (instance, member, url)
}

async fn patch(instance: &Instance, path: &str, token: &str, body: Value) -> crate::api::testing::Answer {
    instance.ask("PATCH", path, token, &[], body.to_string()).await
}

#[tokio::test]
async fn a_webhook_from_its_making_to_its_end() {
    let (instance, member, url) = with_endpoint().await;
    let body = json!({"name": "shop", "url": url, "headers": {"X-Team": "sales-secret"}, "maxBatch": 10, "secretName": "first"});
    let made = instance.post(LIST, &member.token, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let path = format!("{LIST}/{}", made.body["id"].as_str().unwrap());

    let shown = instance.get(&path, &member.token).await;
    assert_eq!(
        (&shown.body["state"], &shown.body["headers"], &shown.body["maxBatch"]),
        (&json!("active"), &json!(["X-Team"]), &json!(10))
    );
    assert!(!shown.body.to_string().contains("sales-secret") && !shown.body.to_string().contains(secret));

    let tested = instance.post(&format!("{path}/test"), &member.token, &json!({})).await.body;
    assert_eq!((&tested["taken"], &tested["attempt"]["status"]), (&json!(true), &json!(200)), "{tested}");
    let listed = instance.get(&format!("{path}/deliveries?state=taken"), &member.token).await.body;
    assert_eq!(listed["items"][0]["kind"], "test");
    let delivery = format!("/api/v2/deliveries/{}", tested["delivery"].as_str().unwrap());
    let story = instance.get(&delivery, &member.token).await.body;
    assert_eq!((&story["history"][0]["status"], &story["attempts"]), (&json!(200), &json!(1)));
    let again = instance.post(&format!("{delivery}/replay"), &member.token, &json!({})).await;
    assert_eq!(again.refusal(), (400, "invalid_value"), "a test holds no events");

    let rotated = instance.post(&format!("{path}/rotate-secret"), &member.token, &json!({})).await.body;
    assert!(rotated["secret"].as_str().unwrap() != secret);
    for (verb, state) in [("pause", "paused"), ("resume", "active")] {
        let answer = instance.post(&format!("{path}/{verb}"), &member.token, &json!({})).await;
        assert_eq!(answer.body["state"], state);
    }
    let changed =
        patch(&instance, &path, &member.token, json!({"name": "new", "maxBatch": null, "secretName": null})).await;
    assert_eq!(
        (&changed.body["name"], &changed.body["maxBatch"], &changed.body["headers"]),
        (&json!("new"), &Value::Null, &json!(["X-Team"]))
    );
    let span = json!({"since": "2026-01-01T00:00:00Z"});
    let replayed = instance.post(&format!("{path}/replay"), &member.token, &span).await;
    assert_eq!((replayed.status.as_u16(), &replayed.body["deliveries"]), (202, &json!(0)));

    assert_eq!(instance.ask("DELETE", &path, &member.token, &[], String::new()).await.status, 204);
    assert_eq!(instance.get(&path, &member.token).await.refusal(), (404, "subscription_not_found"));
    assert_eq!(instance.get(LIST, &member.token).await.body["items"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_reason() {
    let instance = Instance::new().await;
    let (member, other) = (instance.member("Sales").await, instance.member("Service").await);
    for (body, status, code) in [
        (json!({"name": "a"}), 400, "invalid_value"),
        (json!({"name": "a", "url": "http://127.0.0.1:9/"}), 400, "url_forbidden"),
        (json!({"name": "a", "url": "https://169.254.169.254/"}), 400, "url_forbidden"),
        (json!({"name": "a", "url": "https://localhost/"}), 400, "url_forbidden"),
        (json!({"name": "a", "url": "https://u:p@1.1.1.1/"}), 400, "url_forbidden"),
        (json!({"name": "", "url": "https://1.1.1.1/"}), 400, "invalid_value"),
        (json!({"name": "a", "url": "https://1.1.1.1/", "events": ["NEW_COLOUR"]}), 400, "invalid_value"),
        (json!({"name": "a", "url": "https://1.1.1.1/", "maxBatch": 0}), 400, "invalid_value"),
        (json!({"name": "a", "url": "https://1.1.1.1/", "headers": {"Content-Length": "1"}}), 400, "invalid_value"),
        (json!({"name": "a", "url": "https://1.1.1.1/", "headers": {"X-A": "a\nb"}}), 400, "invalid_value"),
        (json!({"name": "a", "url": "https://1.1.1.1/", "secretName": "none"}), 404, "secret_not_found"),
        (json!({"name": "a", "kind": "polling", "url": "https://1.1.1.1/"}), 400, "invalid_value"),
        (json!({"name": "a", "colour": "red"}), 400, "invalid_body"),
    ] {
        let answer = instance.post(LIST, &member.token, &body).await;
        assert_eq!(answer.refusal(), (status, code), "{body}");
    }
    let made = instance.post(LIST, &member.token, &json!({"name": "a", "kind": "polling"})).await.body;
    assert!(made.get("secret").is_none(), "{made}");
    let path = format!("{LIST}/{}", made["id"].as_str().unwrap());
    assert_eq!(instance.get(&path, &other.token).await.refusal(), (404, "subscription_not_found"));
    assert_eq!(
        instance.post(&format!("{path}/test"), &member.token, &json!({})).await.refusal(),
        (400, "invalid_value")
    );
    let query = format!("{path}/deliveries?state=lost");
    assert_eq!(instance.get(&query, &member.token).await.refusal(), (400, "invalid_query"));
    let nothing = format!("/api/v2/deliveries/{}", uuid::Uuid::now_v7());
    assert_eq!(instance.get(&nothing, &member.token).await.refusal(), (404, "delivery_not_found"));
}
