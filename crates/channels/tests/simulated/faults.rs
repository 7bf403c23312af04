//! Broken connections, wrong keys and answers from something else than the provider.

use crate::setting::{Setting, adapter, nobody, outgoing, reason, recipient};
use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
};
use herald_channels::{
    contract::{LookUp, Outcome, Throttled},
    registry::Adapter,
};
use herald_rules::{
    ids::MessageId,
    protocol::{Protocol, Provider},
    reason::Reason,
};
use serde_json::json;
use tokio::net::TcpListener;

const CALLBACK: &str = "http://127.0.0.1:9/callbacks/1";

#[tokio::test]
async fn nobody_there_is_certainly_not_sent() {
    for base in [format!("http://{}", nobody().await), "http://no-such-host.invalid".to_owned()] {
        let adapter = adapter(Protocol::SMS, &base, CALLBACK, 10_000);
        let outcome = adapter.send(&outgoing(Protocol::SMS, "4917012345678")).await;
        assert!(matches!(outcome, Outcome::NotSent(_)), "{outcome:?}");
        assert_eq!(reason(&outcome), Some(Reason::ProviderUnavailable));
        assert_eq!(adapter.look_up(MessageId::new()).await, LookUp::Unavailable);
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_is_certainly_not_sent() {
    let setting = Setting::new(Protocol::SMS).await;
    let base = setting.simulator.base_url().replace("http://", "https://");
    let outcome = adapter(Protocol::SMS, &base, CALLBACK, 10_000).send(&setting.message("54321")).await;
    assert!(matches!(outcome, Outcome::NotSent(_)), "{outcome:?}");
    assert_eq!(setting.simulator.summary().calls, 0);
}

#[tokio::test]
async fn a_kept_connection_that_the_provider_closed_is_replaced() {
    let setting = Setting::new(Protocol::SMS).await;
    for digits in ["54321", "00006", "54322"] {
        let outcome = setting.adapter.send(&setting.message(digits)).await;
        assert_eq!(matches!(outcome, Outcome::Unknown(_)), digits == "00006", "{outcome:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_waits_for_the_operator() {
    let setting = Setting::new(Protocol::WhatsApp).await;
    let adapter = Adapter::build(
        Provider::Simulated,
        Protocol::WhatsApp,
        &json!({"base_url": setting.simulator.base_url(), "callback_url": CALLBACK}),
        &json!({"key": "other", "callback_secret": "other"}),
    )
    .unwrap();
    let outcome = adapter.send(&setting.message("54321")).await;
    assert!(matches!(outcome, Outcome::Retry { throttled: None, .. }), "{outcome:?}");
    assert_eq!(reason(&outcome), Some(Reason::ProviderAuthFailed));
    assert_eq!(setting.simulator.summary().malformed.get("unauthorized"), Some(&1));
    assert!(setting.simulator.calls().is_empty());
}

#[tokio::test]
async fn what_the_provider_refuses_to_read_is_refused() {
    let setting = Setting::new(Protocol::SMS).await;
    let base = setting.simulator.base_url();
    let elsewhere = adapter(Protocol::SMS, &base, "http://192.0.2.1:80/", 10_000);
    let outcome = elsewhere.send(&setting.message("54321")).await;
    let Outcome::Refused(cause) = outcome else { panic!("{outcome:?}") };
    assert_eq!(cause.provider_code.as_deref(), Some("callback_url_invalid"));
    let outcome = setting.adapter.send(&outgoing(Protocol::SMS, "nobody")).await;
    assert!(matches!(outcome, Outcome::Refused(_)) && reason(&outcome) == Some(Reason::ProviderError));
}

/// A server that answers everything alike.
async fn always(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(move || std::future::ready(answer.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn answers_of_something_in_between_prove_nothing() {
    let huge = || "x".repeat(300_000);
    let error = |code: &str| json!({"error": {"code": code, "message": "no"}}).to_string();
    let cases: Vec<(String, &str, &str)> = vec![
        (always((StatusCode::OK, "{}")).await, "Accepted", "Unknown"),
        (always((StatusCode::OK, huge())).await, "Accepted", "Unknown"),
        (always((StatusCode::BAD_GATEWAY, "<html>")).await, "Unknown", "Unknown"),
        (always((StatusCode::GATEWAY_TIMEOUT, huge())).await, "Unknown", "Unknown"),
        (always((StatusCode::NOT_FOUND, "<html>")).await, "Retry", "Retry"),
        (always((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")], "slow")).await, "Throttled", "Throttled"),
        (always((StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:9/")], "")).await, "Retry", "Retry"),
        (always((StatusCode::BAD_REQUEST, error("never_heard_of"))).await, "Unspecified", "Unspecified"),
        (always((StatusCode::BAD_GATEWAY, error("never_heard_of"))).await, "Retry", "Retry"),
    ];
    for (base, whatsapp, sms) in cases {
        for (protocol, expected) in [(Protocol::WhatsApp, whatsapp), (Protocol::SMS, sms)] {
            let message = outgoing(protocol, &recipient(protocol, "54321"));
            let outcome = adapter(protocol, &base, CALLBACK, 10_000).send(&message).await;
            let name = match &outcome {
                Outcome::Accepted { .. } => "Accepted",
                Outcome::Retry { throttled: Some(Throttled::Account), after: Some(_), .. } => "Throttled",
                Outcome::Retry { throttled: None, .. } => "Retry",
                Outcome::Unknown(_) => "Unknown",
                Outcome::Refused(cause) if cause.reason == Reason::Unspecified => "Unspecified",
                _ => "other",
            };
            assert_eq!(name, expected, "{protocol} {outcome:?}");
        }
    }
}

#[tokio::test]
async fn only_the_providers_own_words_prove_that_a_message_never_arrived() {
    let words = |code: &str| json!({"error": {"code": code, "message": "no"}}).to_string();
    for (base, expected) in [
        (always((StatusCode::NOT_FOUND, words("message_not_found"))).await, LookUp::NeverArrived),
        (always((StatusCode::NOT_FOUND, words("not_found"))).await, LookUp::Unavailable),
        (always((StatusCode::NOT_FOUND, "")).await, LookUp::Unavailable),
        (always((StatusCode::GONE, words("message_not_found"))).await, LookUp::Unavailable),
        (always((StatusCode::OK, "{}")).await, LookUp::Unavailable),
    ] {
        assert_eq!(adapter(Protocol::SMS, &base, CALLBACK, 10_000).look_up(MessageId::new()).await, expected);
    }
}

#[test]
fn bad_settings_name_their_place_and_keep_secrets() {
    let settings = json!({"base_url": "http://127.0.0.1:1", "callback_url": CALLBACK});
    let credentials = json!({"key": "k", "callback_secret": "s"});
    let with = |document: &serde_json::Value, name: &str, value: serde_json::Value| {
        let mut changed = document.clone();
        changed[name] = value;
        changed
    };
    for (settings, credentials, place) in [
        (json!(null), credentials.clone(), "settings"),
        (with(&settings, "more", json!(1)), credentials.clone(), "settings"),
        (with(&settings, "base_url", json!("127.0.0.1")), credentials.clone(), "settings.base_url"),
        (with(&settings, "callback_url", json!("ftp://x")), credentials.clone(), "settings.callback_url"),
        (with(&settings, "timeout_ms", json!(0)), credentials.clone(), "settings.timeout_ms"),
        (settings.clone(), json!({}), "credentials"),
        (settings.clone(), with(&credentials, "key", json!("line\nbreak")), "credentials.key"),
        (settings.clone(), with(&credentials, "callback_secret", json!("")), "credentials.callback_secret"),
        (settings.clone(), with(&credentials, "key", json!(271_828)), "credentials"),
        (settings.clone(), json!("hunter2"), "credentials"),
    ] {
        let error = Adapter::build(Provider::Simulated, Protocol::SMS, &settings, &credentials).unwrap_err();
        assert_eq!(error.place, place, "{error}");
        assert!(!error.problem.contains("271828") && !error.problem.contains("hunter2"), "{error}");
    }
}
