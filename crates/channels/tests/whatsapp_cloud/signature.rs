//! Whose a callback is.

use super::setting::{PROOF, SECRET, TOKEN, adapter, credentials, deaf, settings};
use axum::http::{HeaderMap, HeaderValue};
use herald_channels::{
    contract::{Callback, CallbackError, Provider},
    whatsapp_cloud::{Credentials, SIGNATURE_HEADER, WhatsappCloud, appsecret_proof},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Meta's bytes, as computed once with another implementation.
const STATUS: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"109876543210987","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":"104433221100998"},"statuses":[{"id":"wamid.HBgLMTY1MDU1NTAxNDIVAgARGBI1RjJEOEE0MUMwN0U5MzZCMUQA","status":"delivered","timestamp":"1795348803","recipient_id":"16505550142","pricing":{"billable":true,"pricing_model":"PMP","category":"utility","type":"regular"}}]},"field":"messages"}]}]}"#;
const STATUS_SIGNATURE: &str = "sha256=2f3b68bf4a540087d9fd0556d202dc0b743bc3aaa7e5fbbcbb2a4a3620af9f27";
/// Escaped as Meta does: whoever writes the body anew before checking it fails here.
const ESCAPED: &str = r#"{"text":"caf\u00e9 \/ \ud83d\ude00"}"#;
const ESCAPED_SIGNATURE: &str = "sha256=cc58825062a68088a46d8223b1f34f4eab40ae17d2edbcb6a74dd36f07e8ab03";

fn verify(adapter: &WhatsappCloud, signature: Option<&str>, body: &str) -> Result<(), CallbackError> {
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert(SIGNATURE_HEADER, HeaderValue::try_from(signature).unwrap());
    }
    adapter.verify(Callback { headers: &headers, body: body.as_bytes() })
}

pub fn sign(secret: &str, body: &[u8]) -> String {
    let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body).finalize();
    format!("sha256={}", hex::encode(signature.into_bytes()))
}

#[test]
fn the_proof_of_a_token() {
    assert_eq!(appsecret_proof(SECRET, TOKEN).as_deref(), Some(PROOF));
}

#[test]
fn what_is_signed_is_taken() {
    verify(&deaf(), Some(STATUS_SIGNATURE), STATUS).unwrap();
    // The signature is good; what it signs has no entries.
    let escaped = verify(&deaf(), Some(ESCAPED_SIGNATURE), ESCAPED);
    assert!(matches!(escaped, Err(CallbackError::Malformed(_))), "{escaped:?}");
}

#[test]
fn what_is_not_signed_is_not_taken() {
    let upper = STATUS_SIGNATURE.to_uppercase();
    let legacy = STATUS_SIGNATURE.replace("sha256", "sha1");
    let short = &STATUS_SIGNATURE[..STATUS_SIGNATURE.len() - 2];
    let bare = &STATUS_SIGNATURE["sha256=".len()..];
    let wrong = [
        None,
        Some(""),
        Some("sha256="),
        Some(ESCAPED_SIGNATURE),
        Some(&upper),
        Some(&legacy),
        Some(short),
        Some(bare),
        Some("sha256=zz"),
    ];
    for signature in wrong {
        let result = verify(&deaf(), signature, STATUS);
        assert!(matches!(result, Err(CallbackError::Unauthorised)), "{signature:?}: {result:?}");
    }
    let changed = STATUS.replace("delivered", "read");
    assert!(matches!(verify(&deaf(), Some(STATUS_SIGNATURE), &changed), Err(CallbackError::Unauthorised)));
}

#[test]
fn both_secrets_are_good_during_a_rotation() {
    let rotated = Credentials { previous_app_secret: Some("before".to_owned()), ..credentials() };
    let adapter = WhatsappCloud::new(serde_json::from_value(settings("http://127.0.0.1:9")).unwrap(), rotated).unwrap();
    verify(&adapter, Some(STATUS_SIGNATURE), STATUS).unwrap();
    verify(&adapter, Some(&sign("before", STATUS.as_bytes())), STATUS).unwrap();
    assert!(verify(&adapter, Some(&sign("other", STATUS.as_bytes())), STATUS).is_err());
    assert!(verify(&deaf(), Some(&sign("before", STATUS.as_bytes())), STATUS).is_err());
}

#[test]
fn what_has_not_the_form_is_malformed() {
    for body in ["", "[]", "{}", "null", r#"{"object":"x"}"#, r#"{"entry":[]}"#, r#"{"object":"x","entry":{}}"#, "{"] {
        let result = verify(&deaf(), Some(&sign(SECRET, body.as_bytes())), body);
        assert!(matches!(result, Err(CallbackError::Malformed(_))), "{body}: {result:?}");
    }
}

#[test]
fn the_handshake() {
    let adapter = adapter("http://127.0.0.1:9", |_| ());
    let asked = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=our%20verify+token";
    assert_eq!(adapter.handshake(asked).as_deref(), Some("1158201444"));
    for wrong in [
        "",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=our",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=our%20verify%20token",
        "hub.challenge=1&hub.verify_token=our%20verify%20token",
        "hub.mode=subscribe&hub.verify_token=our%20verify%20token",
    ] {
        assert_eq!(adapter.handshake(wrong), None, "{wrong}");
    }
}
