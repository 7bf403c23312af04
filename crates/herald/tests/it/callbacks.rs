//! A provider's callbacks: what is not Meta's is refused and leaves nothing behind; what is Meta's counts once, in whatever
//! order, how often and through whichever crash it comes.

use crate::support::{Department, Herald, until};
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

const OURS: &str = "15550100200";
const NUMBER_ID: &str = "104433221100998";
const DANA: &str = "16505550142";
const SECRET: &str = "the app's secret";
const TOKEN: &str = "the verify token";

struct Callbacks {
    herald: Herald,
    sales: Department,
    path: String,
    client: reqwest::Client,
}

impl Callbacks {
    async fn new() -> Self {
        let herald = Herald::builder().at_lasting_addresses().start().await;
        let sales = Department::new(&herald, "Sales").await;
        let channel = json!({
            "protocol": "WhatsApp",
            "provider": "whatsapp_cloud",
            "identifiers": [{"identifier": OURS}],
            // Nobody is there: nothing is sent here.
            "settings": {"provider": {
                "waba_id": "109876543210987",
                "phone_numbers": {OURS: NUMBER_ID},
                "graph_url": "http://127.0.0.1:9",
            }},
            "credentials": {"access_token": "token", "app_secret": SECRET, "verify_token": TOKEN},
        });
        let channel = sales.ask().post("/api/v2/channels", &channel).await.good();
        let path = channel["callbackPath"].as_str().unwrap().to_owned();
        Self { herald, sales, path, client: client() }
    }

    async fn raw(&self, url: String) -> (StatusCode, String) {
        let answer = self.client.get(url).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// What Meta asks before it uses an address.
    async fn handshake(&self, path: &str, token: &str) -> (StatusCode, String) {
        let query =
            format!("hub.mode=subscribe&hub.challenge=%3Cb%3E+1158&hub.verify_token={}", token.replace(' ', "%20"));
        self.raw(format!("{}{path}?{query}", self.herald.base)).await
    }

    async fn signed_with(&self, secret: &str, body: impl Into<Vec<u8>>) -> Result<StatusCode, reqwest::Error> {
        let body = body.into();
        let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&body).finalize();
        let signature = format!("sha256={}", hex::encode(signature.into_bytes()));
        let url = format!("{}{}", self.herald.base, self.path);
        let request = self.client.request(Method::POST, url).header("x-hub-signature-256", signature);
        Ok(request.header("content-type", "application/json").body(body).send().await?.status())
    }

    async fn post(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        self.signed_with(SECRET, body).await.unwrap()
    }

    async fn metric(&self, line: &str) -> f64 {
        let (_, text) = self.raw(format!("{}/metrics", self.herald.internal)).await;
        let found = text.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {line} in {text}")).parse().unwrap()
    }

    /// What customers wrote, newest first, as soon as it is so many messages.
    async fn inbound(&self, many: usize) -> Vec<Value> {
        until(&format!("{many} messages of customers"), || async {
            let page = self.sales.ask().get("/api/v2/messages?direction=inbound").await.good();
            let items = page["items"].as_array().unwrap().clone();
            assert!(items.len() <= many, "{items:?}");
            (items.len() == many).then_some(items)
        })
        .await
    }

    /// Until everything that was taken is worked off.
    async fn worked_off(&self, callbacks: f64) {
        until("the inbox to be empty", || async {
            let done = self.metric("herald_notices_total{kind=\"ignored\"}").await;
            (done >= callbacks).then_some(())
        })
        .await;
    }
}

fn envelope(field: &str, value: &Value) -> Value {
    json!({
        "object": "whatsapp_business_account", "newcomer": {"a": [1]},
        "entry": [{"id": "109876543210987", "changes": [{"field": field, "value": value}]}],
    })
}

fn messages(kind: &str, list: Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": OURS, "phone_number_id": NUMBER_ID},
        "contacts": [{"profile": {"name": "Dana Reyes"}, "wa_id": DANA}],
        "something_new": true,
    });
    value[kind] = list;
    envelope("messages", &value)
}

fn now() -> String {
    (herald_rules::time::Timestamp::now().0 / 1_000_000).to_string()
}

fn text(id: &str, text: &str) -> Value {
    json!({"from": DANA, "id": id, "timestamp": now(), "type": "text", "text": {"body": text}, "unknown": null})
}

/// A change of a kind that nobody acts on: counted, which tells that everything before it is done.
fn marker() -> String {
    envelope("message_echoes", &json!({})).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_the_provider_is_refused_and_leaves_nothing() {
    let callbacks = Callbacks::new().await;
    assert_eq!(callbacks.handshake(&callbacks.path, TOKEN).await, (StatusCode::OK, "<b> 1158".into()));
    assert_eq!(callbacks.handshake(&callbacks.path, "another").await.0, StatusCode::FORBIDDEN);
    assert_eq!(callbacks.handshake("/callbacks/x", TOKEN).await.0, StatusCode::NOT_FOUND);

    let body = messages("messages", json!([text("wamid.1", "Hello")])).to_string();
    assert_eq!(callbacks.signed_with("another secret", body.clone()).await.unwrap(), StatusCode::UNAUTHORIZED);
    let unsigned = callbacks.client.post(format!("{}{}", callbacks.herald.base, callbacks.path)).body(body.clone());
    assert_eq!(unsigned.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    for malformed in ["", "[]", "no JSON", "{\"object\": 1}"] {
        assert_eq!(callbacks.post(malformed).await, StatusCode::BAD_REQUEST, "{malformed}");
    }
    let huge = vec![b' '; (3 << 20) + 1];
    assert_eq!(callbacks.post(huge).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(callbacks.metric("herald_callbacks_total{result=\"unauthorised\"}").await, 2.0);
    assert_eq!(callbacks.metric("herald_callbacks_total{result=\"malformed\"}").await, 4.0);
    assert_eq!(callbacks.metric("herald_callbacks_total{result=\"too_large\"}").await, 1.0);
    assert_eq!(callbacks.metric("herald_callbacks_total{result=\"taken\"}").await, 0.0);

    assert_eq!(callbacks.post(marker()).await, StatusCode::OK);
    callbacks.worked_off(1.0).await;
    callbacks.inbound(0).await;
    assert!(!callbacks.herald.log().contains("Hello"), "{}", callbacks.herald.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customers_write_counts_once_whatever_comes_beside_it() {
    let callbacks = Callbacks::new().await;
    // With a kind that nobody knows, an element that is none, and a status of somebody else's message in the same batch.
    let mut batch = messages("messages", json!([text("wamid.1", "First"), 17, {"id": "wamid.x", "type": "hologram"}]));
    let statuses = messages("statuses", json!([{"id": "wamid.foreign", "status": "read", "timestamp": now()}, {}]));
    let entries = batch["entry"].as_array_mut().unwrap();
    entries.push(statuses["entry"][0].clone());
    entries.push(envelope("newcomers", &json!([]))["entry"][0].clone());
    for _ in 0..3 {
        assert_eq!(callbacks.post(batch.to_string()).await, StatusCode::OK);
    }
    let second = messages("messages", json!([text("wamid.2", "Second"), text("wamid.1", "First")]));
    assert_eq!(callbacks.post(second.to_string()).await, StatusCode::OK);
    let stop = json!([{"wa_id": DANA, "category": "marketing_messages", "value": "stop", "timestamp": now()}]);
    let mut preference = messages("user_preferences", stop);
    preference["entry"][0]["changes"][0]["field"] = json!("user_preferences");
    assert_eq!(callbacks.post(preference.to_string()).await, StatusCode::OK);

    let inbound = callbacks.inbound(3).await;
    let texts: Vec<_> = inbound.iter().map(|message| &message["text"]).collect();
    assert_eq!(texts, [&json!("Second"), &Value::Null, &json!("First")]);
    assert_eq!(
        inbound[1]["content"],
        json!({"type": "unsupported", "kind": "hologram"}),
        "kept, so that it can be seen"
    );
    assert_eq!((&inbound[0]["from"], &inbound[0]["to"]), (&json!(DANA), &json!(OURS)));
    let id = inbound[2]["id"].as_str().unwrap();
    assert_eq!(callbacks.sales.story(id).await, inbound[2], "one shows it as the list does");
    let suppressed = until("the customer's wish", || async {
        let page = callbacks.sales.ask().get(&format!("/api/v2/suppressions?customer={DANA}")).await.good();
        page["items"].get(0).cloned()
    })
    .await;
    assert_eq!((&suppressed["kind"], &suppressed["source"]), (&json!("marketing"), &json!("provider")));
    let contact = callbacks.sales.ask().get(&format!("/api/v2/contacts?identifier=%2B{DANA}")).await.good();
    assert_eq!(
        (&contact["items"][0]["name"], &contact["items"][0]["namedBy"]),
        (&json!("Dana Reyes"), &json!("profile"))
    );

    assert_eq!(callbacks.metric("herald_callbacks_unreadable_total").await, 0.0);
    for private in [DANA, "First", "Second", "Dana Reyes"] {
        assert!(!callbacks.herald.log().contains(private), "{private} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_survives_a_crash_before_it_is_worked_off() {
    let mut callbacks = Callbacks::new().await;
    for (number, point) in ["drain.before:1", "drain.after:1", "receipt.after:1"].into_iter().enumerate() {
        callbacks.herald.restart_with(|builder| builder.env("HERALD_CRASH_AT", point)).await;
        let body = messages("messages", json!([text(&format!("wamid.{number}"), "Hello")])).to_string();
        // The crash may be quicker than the answer; then a provider repeats the callback.
        let answered = callbacks.signed_with(SECRET, body.clone()).await;
        assert!(!callbacks.herald.ended().await.success(), "{point}");
        callbacks.herald.restart_with(|builder| builder.without_env("HERALD_CRASH_AT")).await;
        callbacks.inbound(number + 1).await;
        if answered.is_err() {
            assert_eq!(callbacks.post(body).await, StatusCode::OK);
        }
        assert_eq!(callbacks.post(marker()).await, StatusCode::OK);
        callbacks.worked_off(1.0).await;
        callbacks.inbound(number + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_or_a_large_body_hurts_nobody() {
    let callbacks = Callbacks::new().await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(1_000_000), close.repeat(1_000_000));
    let wrapped = |inner: String| messages("messages", json!("INNER")).to_string().replace("\"INNER\"", &inner);
    for body in [
        deep("[", "]"),
        wrapped(deep("[", "]")),
        wrapped(format!("[{}1{}]", "{\"a\":".repeat(400_000), "}".repeat(400_000))),
    ] {
        let status = callbacks.post(body).await;
        assert!(matches!(status.as_u16(), 200 | 400), "{status}");
    }
    let large = "x".repeat(2_900_000);
    let body = messages("messages", json!([text("wamid.large", &large)])).to_string();
    assert_eq!(callbacks.post(body).await, StatusCode::OK);
    let body = messages("messages", json!([text("wamid.after", "Small")])).to_string();
    assert_eq!(callbacks.post(body).await, StatusCode::OK);
    let inbound = callbacks.inbound(2).await;
    assert_eq!(inbound[0]["text"], "Small");
    assert_eq!(inbound[1]["text"].as_str().map(str::len), Some(large.len()));
}

/// A client for bodies and answers that are no JSON, which the scenarios' own does not know.
#[expect(clippy::disallowed_methods, reason = "it speaks with loopback only, and its waits are the scenario's")]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}
