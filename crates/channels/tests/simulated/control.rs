//! The control interface, as another process uses it.

use crate::setting::{Setting, outgoing};
use axum::http::{Method, StatusCode};
use herald_channels::http::{Address, Call, Client, Limits};
use herald_rules::protocol::Protocol;
use serde_json::{Value, json};
use std::time::Duration;

async fn call(setting: &Setting, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let address = Address::parse(&format!("{}{path}", setting.simulator.base_url())).unwrap();
    let json = body.map(|body| body.to_string().into_bytes());
    let call = Call { method, address: &address, authorization: None, json, timeout: Duration::from_secs(10) };
    let answer = Client::new(Limits::default()).unwrap().call(call).await.unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test]
async fn behaviour_is_read_and_changed() {
    let setting = Setting::new(Protocol::SMS).await;
    let update = json!({"SMS": {"answers": {"latencyMs": 3}}});
    let (status, body) = call(&setting, Method::PUT, "/control/behaviour", Some(update)).await;
    assert_eq!((status, &body["SMS"]["answers"]["latencyMs"]), (StatusCode::OK, &json!(3)));
    assert_eq!(setting.simulator.behaviours().SMS.answers.latency_ms, 3);
    let (_, body) = call(&setting, Method::GET, "/control/behaviour", None).await;
    assert_eq!(body["WhatsApp"]["answers"]["latencyMs"], json!(0));
    for wrong in [json!({"SMS": {"answers": {"latencyMs": "long"}}}), json!({"Fax": {}}), json!(5)] {
        let (status, body) = call(&setting, Method::PUT, "/control/behaviour", Some(wrong)).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
    }
    assert_eq!(setting.simulator.behaviours().SMS.answers.latency_ms, 3);
}

#[tokio::test]
async fn the_journal_is_paged_filtered_and_cleared() {
    let setting = Setting::new(Protocol::SMS).await;
    let repeated = outgoing(Protocol::SMS, "491705550000");
    setting.adapter.send(&repeated).await;
    for _ in 0..4 {
        setting.adapter.send(&outgoing(Protocol::SMS, "491705550099")).await;
    }
    setting.adapter.send(&repeated).await;
    setting.receipts_when(6).await;

    let (_, page) = call(&setting, Method::GET, "/control/journal?limit=4", None).await;
    assert_eq!((page["entries"].as_array().map(Vec::len), &page["next"]), (Some(4), &json!(4)));
    let (_, page) = call(&setting, Method::GET, "/control/journal?limit=4&after=4", None).await;
    assert_eq!((page["entries"].as_array().map(Vec::len), &page["next"]), (Some(2), &Value::Null));
    let path = "/control/journal?from=4930123456&to=491705550000";
    let (_, page) = call(&setting, Method::GET, path, None).await;
    let attempts: Vec<_> = page["entries"].as_array().unwrap().iter().map(|call| call["attempt"].clone()).collect();
    assert_eq!(attempts, [json!(1), json!(2)]);
    let (_, page) = call(&setting, Method::GET, "/control/journal?kind=receipts", None).await;
    assert_eq!(page["entries"].as_array().map(Vec::len), Some(6));

    let (_, summary) = call(&setting, Method::GET, "/control/summary", None).await;
    assert_eq!(
        (&summary["calls"], &summary["distinctReferences"], &summary["duplicates"], &summary["receipts"]["delivered"]),
        (&json!(6), &json!(5), &json!(1), &json!(6))
    );
    let (_, duplicates) = call(&setting, Method::GET, "/control/duplicates", None).await;
    assert_eq!(duplicates, json!([repeated.message.id]));

    let (_, summary) = call(&setting, Method::PUT, "/control/journal", Some(json!({"mode": "counting"}))).await;
    assert_eq!(summary["calls"], json!(6));
    assert!(setting.simulator.calls().is_empty());
    let (_, summary) = call(&setting, Method::DELETE, "/control/journal", None).await;
    assert_eq!((&summary["calls"], &summary["seed"]), (&json!(0), &json!(7)));
}

#[tokio::test]
async fn accounts_are_added_and_unknown_paths_refused() {
    let setting = Setting::new(Protocol::SMS).await;
    let account = json!({"key": "second", "callbackSecret": "secret"});
    assert_eq!(call(&setting, Method::PUT, "/control/accounts", Some(account)).await.0, StatusCode::OK);
    let (status, body) = call(&setting, Method::GET, "/v2/anything", None).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
}
