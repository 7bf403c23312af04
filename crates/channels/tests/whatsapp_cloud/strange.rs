//! Bodies that nobody expects: whatever comes, nothing panics, and what is not of the form is refused.

use super::setting::{SECRET, deaf, fixture};
use super::signature::sign;
use axum::http::{HeaderMap, HeaderValue};
use herald_channels::{
    contract::{Callback, CallbackError, Provider},
    whatsapp_cloud::SIGNATURE_HEADER,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Callbacks of every kind, to be damaged.
const KINDS: [&str; 19] = [
    "status_sent_free_entry",
    "status_delivered",
    "status_read",
    "status_failed",
    "status_batch",
    "inbound_text_user_id",
    "inbound_text_referral",
    "inbound_text_reply",
    "inbound_number_changed",
    "template_rejected",
    "template_paused",
    "template_quality",
    "template_category_announced",
    "template_category_done",
    "account_restriction",
    "account_disabled",
    "throughput_upgrade",
    "business_capability",
    "user_preference_stop",
];

/// Lists of messages, which are wrapped first.
const LISTS: [&str; 3] = ["inbound_media", "inbound_choices", "inbound_others"];

fn whole(at: usize) -> Vec<u8> {
    match KINDS.get(at) {
        Some(name) => fixture(name).into_bytes(),
        None => {
            let list: Value = super::setting::example(LISTS[at - KINDS.len()]);
            super::setting::messages(json!({ "messages": list })).into_bytes()
        }
    }
}

/// Reads and verifies; the two agree on what is of the form.
fn take(body: &[u8]) {
    let adapter = deaf();
    let read = adapter.read(body);
    let mut headers = HeaderMap::new();
    headers.insert(SIGNATURE_HEADER, HeaderValue::try_from(sign(SECRET, body)).unwrap());
    let verified = adapter.verify(Callback { headers: &headers, body });
    assert_eq!(read.is_ok(), verified.is_ok());
    assert!(!matches!(verified, Err(CallbackError::Unauthorised)));
    let unsigned = adapter.verify(Callback { headers: &HeaderMap::new(), body });
    assert!(matches!(unsigned, Err(CallbackError::Unauthorised)));
}

/// Replaces the `at`-th value inside of `value` (counted over all) by `other`.
fn replace(value: &mut Value, at: &mut usize, other: &Value) {
    if *at == 0 {
        *value = other.clone();
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    match value {
        Value::Array(list) => list.iter_mut().for_each(|inner| replace(inner, at, other)),
        Value::Object(fields) => fields.values_mut().for_each(|inner| replace(inner, at, other)),
        _ => (),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        take(&body);
    }

    #[test]
    fn any_json(value in any_value()) {
        take(value.to_string().as_bytes());
        take(json!({"object": "whatsapp_business_account", "entry": [value]}).to_string().as_bytes());
    }

    #[test]
    fn damaged_bytes(kind in 0..KINDS.len() + LISTS.len(), cut in any::<prop::sample::Index>(), byte in any::<u8>(), at in any::<prop::sample::Index>()) {
        let mut body = whole(kind);
        let position = at.index(body.len());
        body[position] = byte;
        take(&body);
        body.truncate(cut.index(body.len()));
        take(&body);
    }

    /// What stands beside a damaged value is read all the same: of two entries the whole one is always understood.
    #[test]
    fn damaged_values(kind in 0..KINDS.len() + LISTS.len(), at in 0..80_usize, other in any_value()) {
        let good: Value = serde_json::from_slice(&whole(kind)).unwrap();
        let mut damaged = good["entry"][0].clone();
        let mut at = at;
        replace(&mut damaged, &mut at, &other);
        let expected = deaf().read(&whole(kind)).unwrap();
        let mut body = good.clone();
        body["entry"].as_array_mut().unwrap().insert(0, damaged);
        let body = body.to_string();
        take(body.as_bytes());
        let read = deaf().read(body.as_bytes()).unwrap();
        prop_assert!(read.ends_with(&expected));
    }

    #[test]
    fn any_handshake(query in "\\PC{0,80}") {
        prop_assert_eq!(deaf().handshake(&query), None);
    }
}

#[test]
fn deep_nesting_is_no_way_in() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    take(deep.as_bytes());
    take(format!(r#"{{"object":"whatsapp_business_account","entry":[{deep}]}}"#).as_bytes());
}
