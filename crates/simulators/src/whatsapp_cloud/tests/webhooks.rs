//! What is told: statuses in batches, signed, until they are taken; and the fates that Meta finds out later.

use super::*;
use axum::{Router, extract::State, routing::post};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, time::timeout};

/// Long enough for a machine that is busy with other things; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Receiver {
    bodies: Mutex<Vec<Bytes>>,
    /// So many posts are refused first.
    refusals: AtomicUsize,
}

impl Receiver {
    async fn start() -> (Arc<Self>, String) {
        let receiver = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/callbacks/1", listener.local_addr().unwrap());
        let router = Router::new().route("/callbacks/1", post(take)).with_state(Arc::clone(&receiver));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (receiver, url)
    }

    /// Every value of a field, with its time.
    fn changes(&self, field: &str) -> Vec<(Value, Value)> {
        let bodies = self.bodies.lock().unwrap();
        let mut list = Vec::new();
        for body in bodies.iter() {
            let body: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(body["object"], json!("whatsapp_business_account"));
            for entry in body["entry"].as_array().unwrap() {
                assert_eq!(entry["id"], json!(ACCOUNT));
                let changes =
                    entry["changes"].as_array().unwrap().iter().filter(|change| change["field"] == json!(field));
                list.extend(changes.map(|change| (change["value"].clone(), entry["time"].clone())));
            }
        }
        list
    }

    /// Every status, in the order of its coming.
    fn statuses(&self) -> Vec<Value> {
        self.changes("messages")
            .into_iter()
            .flat_map(|(value, _)| value["statuses"].as_array().cloned().unwrap_or_default())
            .collect()
    }
}

async fn take(State(receiver): State<Arc<Receiver>>, headers: http::HeaderMap, body: Bytes) -> http::StatusCode {
    if receiver.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        return http::StatusCode::SERVICE_UNAVAILABLE;
    }
    let mac = Hmac::<Sha256>::new_from_slice(b"f6a0b3c1d2e4958677a1b2c3d4e5f607").unwrap().chain_update(&body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(headers[SIGNATURE].to_str().unwrap(), expected);
    receiver.bodies.lock().unwrap().push(body);
    http::StatusCode::OK
}

async fn meta() -> (Meta, Arc<Receiver>) {
    let (receiver, url) = Receiver::start().await;
    let meta = Meta::with(|options| {
        options.accounts[0].callback_url = Some(url);
        options.callback_connections = 1;
    })
    .await;
    (meta, receiver)
}

impl Meta {
    async fn until_quiet(&self) {
        let quiet = self.simulator.until(|summary| summary.taken > 0 && summary.receipts_waiting == 0);
        timeout(PATIENCE, quiet).await.expect("everything is told");
    }
}

/// A template message of the example's customer, under an echo.
fn echoed(name: &str, echo: &str) -> Value {
    let mut sent = template(name, Value::Null);
    sent["biz_opaque_callback_data"] = json!(echo);
    sent
}

#[tokio::test]
async fn statuses_come_signed_with_price_and_echo_until_they_are_taken() {
    let (meta, receiver) = meta().await;
    receiver.refusals.store(2, Ordering::SeqCst);
    let (_, answer) = meta.send(&echoed("plain", "a/b é")).await;
    meta.until_quiet().await;
    let statuses = receiver.statuses();
    let words: Vec<&str> = statuses.iter().map(|status| status["status"].as_str().unwrap()).collect();
    assert_eq!(words, ["sent", "delivered", "read"]);
    for status in &statuses {
        assert_eq!(status["id"], answer["messages"][0]["id"]);
        assert_eq!((&status["recipient_id"], &status["biz_opaque_callback_data"]), (&json!(CUSTOMER), &json!("a/b é")));
        assert_eq!(status["pricing"]["category"], json!("utility"));
        assert!(status["timestamp"].as_str().unwrap().parse::<i64>().is_ok());
    }
    let raw = receiver.bodies.lock().unwrap().first().cloned().unwrap();
    assert!(raw.windows(11).any(|window| window == br"a\/b \u00e9"[..].as_ref()), "escaped as Meta does");
    assert_eq!(meta.simulator.summary().callback_posts_refused, 2);
    assert_eq!(meta.simulator.receipts().len(), 3);
}

#[tokio::test]
async fn batches_nest() {
    let (meta, receiver) = meta().await;
    meta.simulator
        .change(|behaviour| {
            behaviour.callbacks.batch = 1000;
            behaviour.callbacks.linger_ms = 200;
            *behaviour = behaviour.clone().unlimited();
        })
        .unwrap();
    for number in 0..60 {
        let mut sent = echoed("plain", &number.to_string());
        sent["to"] = json!(format!("+49170551{number:03}1"));
        meta.send(&sent).await;
    }
    meta.until_quiet().await;
    let bodies: Vec<Value> =
        receiver.bodies.lock().unwrap().iter().map(|body| serde_json::from_slice(body).unwrap()).collect();
    assert!(bodies.iter().any(|body| body["entry"].as_array().unwrap().len() > 1));
    assert!(bodies.iter().any(|body| body["entry"][0]["changes"].as_array().unwrap().len() > 1));
    assert!(
        bodies.iter().any(|body| body["entry"][0]["changes"][0]["value"]["statuses"].as_array().unwrap().len() > 1)
    );
}

#[tokio::test]
async fn what_meta_finds_out_later_fails_by_webhook() {
    let (meta, receiver) = meta().await;
    let simulator = &meta.simulator;
    let offer = json!({"name": "offer", "language": "en_US", "category": "MARKETING", "components": [{"type": "BODY", "text": "Offer!"}]});
    simulator.put_template(None, &offer).unwrap();
    simulator
        .change(|behaviour| (behaviour.limits.customers_a_day, behaviour.limits.marketing_a_day) = (Some(4), Some(1)))
        .unwrap();
    simulator.set_reachable("491701111111", false);
    simulator.prefer(Some(NUMBER), "491702222222", false).unwrap();
    let text = message("text", json!({"body": "Hi"}));
    let wrong_file = message("image", json!({"link": "https://cdn.example.com/logo.svg"}));
    let (plain, offer) = (template("plain", Value::Null), template("offer", Value::Null));
    for (to, sent, code) in [
        ("491703333333", &text, Some(131_047)),
        ("491701111111", &plain, Some(131_026)),
        ("491702222222", &offer, Some(131_050)),
        (CUSTOMER, &offer, Some(131_049)),
        (CUSTOMER, &text, None),
        (CUSTOMER, &wrong_file, Some(131_053)),
        ("491704444444", &offer, None),
        ("491704444444", &offer, Some(131_049)),
        ("491705555551", &plain, None),
        ("491705555552", &plain, None),
        ("491705555553", &plain, None),
        ("491705555554", &plain, Some(131_048)),
        ("491705555553", &plain, None),
        (CUSTOMER, &plain, None),
    ] {
        receiver.bodies.lock().unwrap().clear();
        let mut sent = sent.clone();
        sent["to"] = json!(format!("+{to}"));
        assert_eq!(meta.send(&sent).await.0, 200);
        meta.until_quiet().await;
        let last = receiver.statuses().pop().unwrap();
        assert_eq!(last["errors"][0]["code"].as_u64(), code, "{to}: {last}");
        assert_eq!(last["status"], json!(if code.is_some() { "failed" } else { "read" }));
    }
    // A day later there is room again, and the window has closed.
    simulator.advance(Duration::from_secs(24 * 3600));
    for (to, sent, code) in [("491705555554", &plain, None), (CUSTOMER, &text, Some(131_047))] {
        receiver.bodies.lock().unwrap().clear();
        let mut sent = sent.clone();
        sent["to"] = json!(format!("+{to}"));
        meta.send(&sent).await;
        meta.until_quiet().await;
        assert_eq!(receiver.statuses().pop().unwrap()["errors"][0]["code"].as_u64(), code, "{to}");
    }
}

#[tokio::test]
async fn limits_of_pace() {
    let (meta, _) = meta().await;
    let sent = template("plain", Value::Null);
    for number in 0..46 {
        assert_eq!(meta.refusal(&sent).await.1, if number < 45 { 0 } else { 131_056 }, "{number}");
    }
    meta.simulator.advance(Duration::from_secs(6));
    assert_eq!(meta.refusal(&sent).await.1, 0);
    assert_eq!(meta.refusal(&sent).await.1, 131_056);

    meta.simulator.change(|behaviour| behaviour.limits.throughput = 10.0).unwrap();
    meta.simulator.advance(Duration::from_secs(60));
    let mut codes = Vec::new();
    for number in 0..12 {
        let mut sent = sent.clone();
        sent["to"] = json!(format!("+4917051{number:04}"));
        codes.push(meta.refusal(&sent).await.1);
    }
    assert!(codes[..10].iter().all(|code| *code == 0) && codes.contains(&130_429), "{codes:?}");
    meta.simulator.change_number(NUMBER, |number| number.throughput = Some(1000)).unwrap();
    meta.simulator.advance(Duration::from_secs(60));
    for number in 0..100 {
        let mut sent = sent.clone();
        sent["to"] = json!(format!("+4917061{number:04}"));
        assert_eq!(meta.refusal(&sent).await.1, 0);
    }
}

#[tokio::test]
async fn customers_templates_and_accounts_are_told_of() {
    let (meta, receiver) = meta().await;
    let simulator = &meta.simulator;
    let id = simulator.inbound(&CustomerMessage::text("491701234567", "Hello")).unwrap();
    simulator
        .inbound(&CustomerMessage::of("491701234567", json!({"type": "image", "image": {"caption": "leaf"}})))
        .unwrap();
    let plain = simulator.templates(None).into_iter().find(|row| row["name"] == json!("plain")).unwrap();
    let plain = plain["id"].as_str().unwrap();
    assert!(simulator.set_template_status(plain, "PAUSED", None));
    assert!(simulator.set_template_quality(plain, "RED"));
    assert!(simulator.set_template_category(plain, "MARKETING", true));
    assert!(!simulator.set_template_status("1", "PAUSED", None));
    simulator.prefer(None, "491701234567", false).unwrap();
    simulator
        .webhook(None, "account_update", json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}))
        .unwrap();
    timeout(PATIENCE, simulator.until(|summary| summary.receipts_waiting == 0)).await.unwrap();

    let messages = receiver.changes("messages");
    assert_eq!(messages.len(), 2);
    let (text, time) = &messages[0];
    assert_eq!((&text["messages"][0]["id"], &text["messages"][0]["text"]["body"]), (&json!(id), &json!("Hello")));
    assert_eq!((&text["contacts"][0]["wa_id"], time), (&json!("491701234567"), &Value::Null));
    let file = messages[1].0["messages"][0]["image"]["id"].as_str().unwrap();
    assert_eq!(
        meta.call(Method::GET, &format!("/v23.0/{file}"), &Value::Null).await.1["mime_type"],
        json!("image/jpeg")
    );
    for (field, name, value) in [
        ("message_template_status_update", "event", "PAUSED"),
        ("message_template_quality_update", "new_quality_score", "RED"),
        ("template_category_update", "correct_category", "MARKETING"),
        ("account_update", "event", "DISABLED_UPDATE"),
    ] {
        let (change, time) = receiver.changes(field).pop().unwrap();
        assert_eq!(change[name], json!(value));
        assert!(time.is_i64(), "{field}");
    }
    assert!(receiver.changes("message_template_status_update")[0].0["message_template_id"].is_u64());
    assert_eq!(receiver.changes("user_preferences")[0].0["user_preferences"][0]["value"], json!("stop"));
    // The customer wrote, so that free text may go; and it is marked as read.
    let mut sent = message("text", json!({"body": "Hi"}));
    sent["to"] = json!("+491701234567");
    assert_eq!(meta.send(&sent).await.0, 200);
    meta.until_quiet().await;
    assert_eq!(receiver.statuses().pop().unwrap()["status"], json!("read"));
    let mark = json!({"messaging_product": "whatsapp", "status": "read", "message_id": id});
    assert_eq!(meta.send(&mark).await.1, json!({"success": true}));
}

#[tokio::test]
async fn statuses_can_be_lost_doubled_and_shuffled() {
    let (meta, receiver) = meta().await;
    for (name, change, expected) in [
        ("missing", json!({"receipts": {"missingShare": 1.0}}), vec![]),
        (
            "doubled",
            json!({"receipts": {"missingShare": 0.0, "duplicatedShare": 1.0}}),
            vec!["sent", "sent", "delivered", "delivered", "read", "read"],
        ),
        (
            "shuffled",
            json!({"receipts": {"duplicatedShare": 0.0, "outOfOrderShare": 1.0}}),
            vec!["read", "delivered", "sent"],
        ),
        ("unread", json!({"receipts": {"outOfOrderShare": 0.0, "readShare": 0.0}}), vec!["sent", "delivered"]),
        ("failed", json!({"receipts": {"failedShare": 1.0, "failedCode": 131_000}}), vec!["sent", "failed"]),
    ] {
        receiver.bodies.lock().unwrap().clear();
        meta.simulator.engine.change(|present| present.updated(&change)).unwrap();
        meta.send(&echoed("plain", name)).await;
        meta.until_quiet().await;
        let statuses = receiver.statuses();
        let mut words: Vec<&str> = statuses.iter().map(|status| status["status"].as_str().unwrap()).collect();
        if name == "doubled" {
            // What comes between the two of a pair is a matter of milliseconds.
            words.sort_by_key(|word| expected.iter().position(|expected| expected == word));
        }
        assert_eq!(words, expected, "{name}");
    }
}

#[tokio::test]
async fn a_status_can_come_before_the_answer() {
    let (meta, receiver) = meta().await;
    let mut sent = echoed("plain", "early");
    sent["to"] = json!("+491705500007");
    let (status, _) = meta.send(&sent).await;
    assert_eq!((status, receiver.statuses().is_empty()), (200, false));
}

#[tokio::test]
async fn an_advertisement_pays_for_what_follows() {
    let (meta, receiver) = meta().await;
    let ad = json!({"type": "text", "text": {"body": "More"}, "referral": {"source_type": "ad", "source_id": "1"}});
    meta.simulator.inbound(&CustomerMessage::of(CUSTOMER, ad)).unwrap();
    // A day later the usual window would be closed.
    meta.simulator.advance(Duration::from_secs(48 * 3600));
    meta.send(&message("text", json!({"body": "Hi"}))).await;
    meta.until_quiet().await;
    let statuses = receiver.statuses();
    let price = json!({"billable": false, "pricing_model": "PMP", "category": "referral_conversion", "type": "free_entry_point"});
    assert!(statuses.iter().all(|status| status["pricing"] == price), "{statuses:?}");
    assert_eq!(statuses[0]["conversation"]["origin"], json!({"type": "referral_conversion"}));
    assert_eq!((statuses.len(), &statuses[1]["conversation"]), (3, &Value::Null));
}
