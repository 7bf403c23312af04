//! What an answer, or none, means for a message.

use super::{
    codes::error,
    setting::{Graph, adapter, fixture, outgoing, template_named, with_template},
};
use axum::{Router, routing::any};
use herald_channels::contract::{Outcome, Provider, Throttled};
use herald_rules::reason::{Cause, Reason};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpListener};

async fn sent(status: u16, headers: Vec<(&'static str, String)>, body: impl Into<String>) -> Outcome {
    let graph = Graph::start().await;
    graph.tell_with(status, headers, body);
    graph.adapter().send(&outgoing("Hi", &[])).await
}

fn accepted(reference: &str) -> Outcome {
    Outcome::Accepted { reference: Some(reference.to_owned()) }
}

fn cause(outcome: Outcome) -> Cause {
    match outcome {
        Outcome::Refused(cause) | Outcome::Unknown(cause) | Outcome::NotSent(cause) => cause,
        Outcome::Retry { cause, .. } | Outcome::Stopped { cause, .. } => cause,
        Outcome::Accepted { .. } => panic!("accepted"),
    }
}

#[tokio::test]
async fn metas_examples_of_acceptance() {
    let text = "wamid.HBgLMTY1MDU1NTAxNDIVAgARGBI5QzFENEU3QTIwQjM1RjY4NDEA";
    let template = "wamid.HBgLMTY1MDU1NTAxNDIVAgARGBI1RjJEOEE0MUMwN0U5MzZCMUQA";
    for (name, reference) in [("taken_text", text), ("taken_template", template), ("taken_user_id", text)] {
        assert_eq!(sent(200, Vec::new(), fixture(name)).await, accepted(reference), "{name}");
    }
}

#[tokio::test]
async fn the_states_of_a_template_that_was_taken() {
    let body = |status: &str| json!({"messages": [{"id": "wamid.1", "message_status": status}]}).to_string();
    assert_eq!(sent(200, Vec::new(), body("accepted")).await, accepted("wamid.1"));
    assert_eq!(sent(200, Vec::new(), body("held_for_quality_assessment")).await, accepted("wamid.1"));
    assert_eq!(sent(200, Vec::new(), body("of a later version")).await, accepted("wamid.1"));
    let paused = sent(200, Vec::new(), body("paused")).await;
    assert!(matches!(&paused, Outcome::Refused(cause) if cause.reason == Reason::TemplatePaused), "{paused:?}");
}

#[tokio::test]
async fn a_good_answer_without_an_id_is_unknown() {
    for body in ["", "{}", "[]", "<html>", r#"{"messages":[]}"#, r#"{"messages":[{}]}"#, r#"{"messages":[{"id":""}]}"#]
    {
        let outcome = sent(200, Vec::new(), body).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn metas_examples_of_errors() {
    let throughput = sent(400, Vec::new(), fixture("error_throughput")).await;
    let Outcome::Retry { cause, after: None, throttled: Some(Throttled::Identifier) } = throughput else {
        panic!("{throughput:?}");
    };
    let text = cause.provider_text.unwrap();
    assert!(text.starts_with("(#130429) Rate limit hit: Message failed to send because"), "{text}");

    let missing = cause_of("error_template_missing", 404).await;
    assert_eq!((missing.reason, missing.provider_code.as_deref()), (Reason::TemplateNotFound, Some("132001")));
    let expired = sent(401, Vec::new(), fixture("error_token_expired")).await;
    assert!(matches!(expired, Outcome::Stopped { scope: Throttled::Account, after: None, .. }), "{expired:?}");
    let expired = cause_of("error_token_expired", 401).await;
    assert_eq!((expired.reason, expired.provider_code.as_deref()), (Reason::ProviderAuthFailed, Some("190/463")));
    let exists = cause_of("error_template_exists", 400).await;
    assert_eq!((exists.reason, exists.provider_code.as_deref()), (Reason::ContentRefused, Some("100/2388024")));
}

async fn cause_of(name: &str, status: u16) -> Cause {
    cause(sent(status, Vec::new(), fixture(name)).await)
}

#[tokio::test]
async fn subcodes_that_say_more_than_their_code() {
    let with = |code: i64, subcode: i64| json!({"error": {"code": code, "error_subcode": subcode}}).to_string();
    let gone = sent(400, Vec::new(), with(100, 33)).await;
    assert!(
        matches!(&gone, Outcome::Stopped { cause, scope: Throttled::Identifier, after: None } if cause.reason == Reason::SenderNotReady)
    );
    let maintenance = sent(500, Vec::new(), with(131_000, 2_494_100)).await;
    assert!(matches!(&maintenance, Outcome::Retry { cause, .. } if cause.reason == Reason::ProviderUnavailable));
}

#[tokio::test]
async fn the_pair_limit_waits_powers_of_four() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    for (attempt, seconds) in [(0, 1), (1, 4), (2, 16), (3, 64), (4, 256), (5, 1024), (60, 1024)] {
        graph.tell(400, json!({"error": error(131_056)}).to_string());
        let mut message = outgoing("Hi", &[]);
        message.attempt = attempt;
        let outcome = adapter.send(&message).await;
        let Outcome::Retry { after, throttled: Some(Throttled::Pair), .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(after, Some(Duration::from_secs(seconds)), "{attempt}");
    }
}

#[tokio::test]
async fn few_tries_for_errors_without_an_explanation() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    for (code, tries) in [(1, 3), (131_000, 5)] {
        for attempt in 0..tries {
            graph.tell(500, json!({"error": error(code)}).to_string());
            let mut message = outgoing("Hi", &[]);
            message.attempt = attempt;
            match adapter.send(&message).await {
                Outcome::Retry { .. } => assert!(attempt + 1 < tries),
                Outcome::Refused(cause) => {
                    assert_eq!((attempt + 1, cause.reason), (tries, Reason::RetriesExhausted));
                    assert_eq!(cause.provider_code, Some(code.to_string()));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn how_long_a_used_up_account_rests() {
    let body = || json!({"error": error(80_007)}).to_string();
    let usage = |minutes: serde_json::Value| {
        let counters = json!([{"type": "messaging", "estimated_time_to_regain_access": minutes}, {"type": "x"}]);
        ("x-business-use-case-usage", json!({"109876543210987": counters}).to_string())
    };
    let retry_after = |seconds: &str| ("retry-after", seconds.to_owned());
    for (headers, seconds) in [
        (vec![], 900),
        (vec![usage(json!(3))], 180),
        (vec![usage(json!(120))], 7_200),
        (vec![usage(json!(0))], 900),
        (vec![usage(json!("soon"))], 900),
        (vec![("x-business-use-case-usage", "nonsense".to_owned())], 900),
        (vec![retry_after("5000")], 5_000),
        (vec![usage(json!(3)), retry_after("200")], 200),
    ] {
        let outcome = sent(400, headers.clone(), body()).await;
        let Outcome::Retry { after, throttled: Some(Throttled::Account), .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(after, Some(Duration::from_secs(seconds)), "{headers:?}");
    }
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let headers = || vec![("retry-after", "7".to_owned())];
    for code in [130_429, 131_016, 999_999] {
        let outcome = sent(429, headers(), json!({"error": error(code)}).to_string()).await;
        assert!(matches!(outcome, Outcome::Retry { after: Some(wish), .. } if wish.as_secs() == 7), "{outcome:?}");
    }
}

#[tokio::test]
async fn codes_that_are_not_listed() {
    let unlisted = |more: serde_json::Value| {
        let mut error = error(999_999);
        error.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "error": error }).to_string()
    };
    for (status, more, reason, retry) in [
        (400, json!({}), Reason::Unspecified, false),
        (404, json!({}), Reason::Unspecified, false),
        (400, json!({"is_transient": true}), Reason::ProviderError, true),
        (429, json!({}), Reason::ProviderThrottled, true),
        (500, json!({}), Reason::ProviderError, true),
        (503, json!({}), Reason::ProviderUnavailable, true),
    ] {
        let outcome = sent(status, Vec::new(), unlisted(more)).await;
        assert_eq!(matches!(outcome, Outcome::Retry { .. }), retry, "{status}: {outcome:?}");
        assert_eq!(cause(outcome).reason, reason, "{status}");
    }
    let outcome = sent(401, Vec::new(), unlisted(json!({}))).await;
    assert!(matches!(outcome, Outcome::Stopped { scope: Throttled::Account, .. }), "{outcome:?}");
}

#[tokio::test]
async fn errors_that_are_not_metas_own() {
    for body in ["", "Bad Gateway", "{}", r#"{"error":"no"}"#, r#"{"error":{"message":"no"}}"#, "[", "null"] {
        for status in [500, 502, 503, 504] {
            let outcome = sent(status, Vec::new(), body).await;
            assert!(matches!(outcome, Outcome::Unknown(_)), "{status} {body}: {outcome:?}");
        }
        for status in [301, 400, 404, 413, 429] {
            let outcome = sent(status, Vec::new(), body).await;
            assert!(matches!(outcome, Outcome::Retry { .. }), "{status} {body}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn words_of_meta_are_cut() {
    let long = json!({"error": {"code": 100, "message": "ü".repeat(2_000)}}).to_string();
    assert_eq!(cause(sent(400, Vec::new(), long).await).provider_text.unwrap().chars().count(), 500);
}

#[tokio::test]
async fn a_connection_that_is_refused_proves_that_nothing_was_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = adapter(&format!("http://{closed}"), |_| ()).send(&outgoing("Hi", &[])).await;
    assert!(matches!(&outcome, Outcome::NotSent(cause) if cause.reason == Reason::ProviderUnavailable), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_outcome_unknown() {
    // It reads the request and closes.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4_096];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await;
            let _ = stream.shutdown().await;
        }
    });
    let template = with_template(template_named("hello_world"));
    let outcome = adapter(&url, |_| ()).send(&template).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let never = Router::new().fallback(any(std::future::pending::<()>));
    tokio::spawn(async move { axum::serve(listener, never).await });
    // Connecting to loopback takes far less than this; only the answer is waited for.
    let impatient = adapter(&url, |settings| settings.timeout_ms = 300);
    let outcome = impatient.send(&outgoing("Hi", &[])).await;
    assert!(matches!(&outcome, Outcome::Unknown(cause) if cause.reason == Reason::ProviderTimeout), "{outcome:?}");
    // And no place is kept by a call that has ended.
    let one = adapter(&url, |settings| {
        settings.timeout_ms = 300;
        settings.in_flight = 1;
    });
    let first = Arc::new(outgoing("Hi", &[]));
    for _ in 0..2 {
        assert!(matches!(one.send(&first).await, Outcome::Unknown(_)));
    }
}
