//! Callbacks as they may come in, good and bad.

use crate::setting::{adapter, receipts};
use axum::http::{HeaderMap, HeaderValue};
use herald_channels::{
    contract::{Callback, CallbackError, Capabilities, Receipt, Reconcile, Reference},
    registry::Adapter,
    simulated::SIGNATURE_HEADER,
};
use herald_rules::{ids::MessageId, protocol::Protocol, protocol::Provider, reason::Reason, status::Status};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;

const OURS: &str = "0192d5c6-7a6f-7c1e-9f6a-0123456789ab";

fn any_adapter() -> Adapter {
    adapter(Protocol::WhatsApp, "http://127.0.0.1:9", "http://127.0.0.1:9", 1000)
}

fn signed(body: &[u8], secret: &str) -> HeaderMap {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body).finalize();
    let value = format!("sha256={}", hex::encode(mac.into_bytes()));
    HeaderMap::from_iter([(SIGNATURE_HEADER.parse().unwrap(), HeaderValue::try_from(value).unwrap())])
}

fn receive(body: &[u8]) -> Result<Vec<Receipt>, CallbackError> {
    let adapter = any_adapter();
    adapter.verify(Callback { headers: &signed(body, "simulator-secret"), body })?;
    Ok(receipts(adapter.read(body)?))
}

fn read(body: &Value) -> Vec<Receipt> {
    receive(body.to_string().as_bytes()).unwrap()
}

#[test]
fn a_batch_is_read() {
    let receipts = read(&json!([
        {"reference": "a", "clientReference": OURS, "status": "delivered", "at": "2026-11-22T12:00:00Z", "new": [1]},
        {"reference": "b", "status": "failed", "at": "2026-11-22T12:00:00.5+01:00", "code": "delivery_failed", "text": "Lost."},
        {"reference": "c", "status": "accepted"},
        {"reference": "d\"\u{e9}", "status": "read", "at": "yesterday"},
    ]));
    assert_eq!(
        receipts.iter().map(|receipt| receipt.status).collect::<Vec<_>>(),
        [Status::Delivered, Status::Failed, Status::Accepted, Status::Read]
    );
    assert_eq!(receipts[0].reference, Reference::Ours(OURS.parse().unwrap()));
    assert_eq!(receipts[0].at.unwrap().to_string(), "2026-11-22T12:00:00.000000Z");
    assert_eq!(receipts[1].reference, Reference::Theirs("b".to_owned()));
    let cause = receipts[1].cause.clone().unwrap();
    assert_eq!((cause.reason, cause.provider_text.as_deref()), (Reason::MessageLost, Some("Lost.")));
    assert_eq!((receipts[2].at, &receipts[2].cause), (None, &None));
    assert_eq!(receipts[3].reference, Reference::Theirs("d\"\u{e9}".to_owned()));
    assert_eq!(receipts[3].at, None);
}

#[test]
fn unknown_kinds_never_fail_a_batch() {
    let good = json!({"reference": "a", "status": "delivered"});
    for odd in [
        json!({"reference": "b", "status": "played"}),
        json!({"status": "delivered"}),
        json!({"reference": "", "status": "delivered"}),
        json!({"reference": 5, "status": "delivered"}),
        json!({"inbound": {"text": "Hello"}}),
        json!([]),
        json!(null),
        json!("text"),
    ] {
        assert_eq!(read(&json!([odd, good])).len(), 1, "{odd}");
    }
    // An id that is none of ours falls back to theirs.
    let receipts = read(&json!([{"reference": "a", "clientReference": "other", "status": "delivered"}]));
    assert_eq!(receipts[0].reference, Reference::Theirs("a".to_owned()));
    assert!(read(&json!([])).is_empty());
}

#[test]
fn a_failure_with_an_unknown_code_keeps_it() {
    let receipts = read(&json!([{"reference": "a", "status": "failed", "code": "77", "text": "x".repeat(2000)}]));
    let cause = receipts[0].cause.clone().unwrap();
    assert_eq!((cause.reason, cause.provider_code.as_deref()), (Reason::Unspecified, Some("77")));
    assert_eq!(cause.provider_text.map(|text| text.len()), Some(500));
}

#[test]
fn other_forms_are_malformed() {
    for body in ["", "{}", "null", "[", "[{}", "[] x", "receipts", "\u{0}"] {
        assert!(matches!(receive(body.as_bytes()), Err(CallbackError::Malformed(_))), "{body}");
    }
    assert!(matches!(receive(b"[\"\xff\"]"), Err(CallbackError::Malformed(_))));
    let words = receive(br#"{"text": "something private"}"#).unwrap_err().to_string();
    assert!(!words.contains("private"), "{words}");
}

#[test]
fn only_the_right_signature_is_taken() {
    let (body, adapter) = (b"[]".as_slice(), any_adapter());
    let good = signed(body, "simulator-secret");
    let text = good[SIGNATURE_HEADER].to_str().unwrap().to_owned();
    let with = |value: &str| HeaderMap::from_iter([(SIGNATURE_HEADER.parse().unwrap(), value.parse().unwrap())]);
    for (headers, taken) in [
        (good, true),
        (with(&text.to_uppercase()), false),
        (with(&format!("sha256={}", text.trim_start_matches("sha256=").to_uppercase())), true),
        (HeaderMap::new(), false),
        (signed(body, "other"), false),
        (signed(b"[ ]", "simulator-secret"), false),
        (with(text.trim_start_matches("sha256=")), false),
        (with(&text[..text.len() - 2]), false),
        (with("sha256="), false),
        (with("sha256=zz"), false),
    ] {
        let answer = adapter.verify(Callback { headers: &headers, body });
        assert_eq!(answer.is_ok(), taken, "{headers:?}");
        assert!(taken || matches!(answer, Err(CallbackError::Unauthorised)));
    }
}

#[test]
fn protocols_differ_in_what_they_can() {
    let of = |protocol| -> Capabilities {
        adapter(protocol, "http://127.0.0.1:9", "http://127.0.0.1:9", 1000).capabilities()
    };
    let (whatsapp, sms, apple) = (of(Protocol::WhatsApp), of(Protocol::SMS), of(Protocol::AppleBusinessChat));
    assert_eq!(
        (whatsapp.last_receipt, sms.last_receipt, apple.last_receipt),
        (Status::Read, Status::Delivered, Status::Accepted)
    );
    assert_eq!((whatsapp.echoes_our_id, sms.echoes_our_id, apple.echoes_our_id), (true, false, true));
    assert_eq!(whatsapp.reconcile, Reconcile::ByReceipt { deadline: Duration::from_secs(3600) });
    assert_eq!(sms.reconcile, Reconcile::ByLookUp { deadline: Duration::from_secs(900) });
    assert_eq!(apple.reconcile, Reconcile::Never);
    for (setting, expected) in [
        (json!("never"), Reconcile::Never),
        (json!({"by_receipt": 50}), Reconcile::ByReceipt { deadline: Duration::from_millis(50) }),
        (json!({"by_look_up": 50}), Reconcile::ByLookUp { deadline: Duration::from_millis(50) }),
    ] {
        let settings =
            json!({"base_url": "http://127.0.0.1:9", "callback_url": "http://127.0.0.1:9", "reconcile": setting});
        let credentials = json!({"key": "k", "callback_secret": "s"});
        let adapter = Adapter::build(Provider::Simulated, Protocol::SMS, &settings, &credentials).unwrap();
        assert_eq!(adapter.capabilities().reconcile, expected);
    }
}

/// Any JSON, with the field names that matter among the keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("delivered")),
        Just(json!("failed")),
        Just(json!(MessageId::new())),
    ];
    let name =
        prop_oneof![Just("reference"), Just("clientReference"), Just("status"), Just("at"), Just("code"), Just("text")];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = receive(&body);
    }

    #[test]
    fn any_array_is_read(body in proptest::collection::vec(any_json(), 0..6)) {
        let count = body.len();
        prop_assert!(read(&Value::from(body)).len() <= count);
    }

    #[test]
    fn no_signature_breaks_it(value in "[ -~]{0,80}") {
        let headers = HeaderMap::from_iter([(SIGNATURE_HEADER.parse().unwrap(), HeaderValue::try_from(value).unwrap())]);
        let answer = any_adapter().verify(Callback { headers: &headers, body: b"[]" });
        prop_assert!(answer.is_err());
    }
}
