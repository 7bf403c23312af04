//! What settings make an adapter.

use super::setting::{OURS, PNID, SECRET, TOKEN, WABA, settings};
use herald_channels::{contract::Provider as _, registry::Adapter};
use herald_rules::protocol::{Protocol, Provider};
use serde_json::{Value, json};

fn build(settings: &Value, credentials: &Value) -> Result<Adapter, String> {
    Adapter::build(Provider::WhatsappCloud, Protocol::WhatsApp, settings, credentials)
        .map_err(|error| error.to_string())
}

fn credentials() -> Value {
    json!({"access_token": TOKEN, "app_secret": SECRET, "verify_token": "v"})
}

#[test]
fn the_least_that_is_needed() {
    let adapter = build(&json!({"waba_id": WABA, "phone_numbers": {OURS: PNID}}), &credentials()).unwrap();
    let cloud = adapter.whatsapp_cloud().unwrap();
    assert_eq!(cloud.portfolio(), Some(WABA));
    assert_eq!(format!("{cloud:?}"), format!("WhatsappCloud {{ waba_id: \"{WABA}\", .. }}"));
    let mut named = settings("https://graph.facebook.com");
    named["portfolio_id"] = json!("777");
    assert_eq!(build(&named, &credentials()).unwrap().portfolio(), Some("777"));
}

#[test]
fn what_is_wrong_is_named_and_no_secret_is_shown() {
    let with = |name: &str, value: Value| {
        let mut settings = settings("https://graph.facebook.com");
        settings[name] = value;
        settings
    };
    for (settings, place) in [
        (with("waba_id", json!("")), "settings.waba_id"),
        (with("waba_id", json!("12/34")), "settings.waba_id"),
        (with("phone_numbers", json!({"+1555": PNID})), "settings.phone_numbers"),
        (with("phone_numbers", json!({"1555": "../x"})), "settings.phone_numbers"),
        (with("phone_numbers", json!({"1555": PNID, "1556": PNID})), "settings.phone_numbers"),
        (with("graph_version", json!("23")), "settings.graph_version"),
        (with("graph_version", json!("v23/../x")), "settings.graph_version"),
        (with("graph_url", json!("graph.facebook.com")), "settings.graph_url"),
        (with("timeout_ms", json!(0)), "settings.timeout_ms"),
        (with("in_flight", json!(0)), "settings.in_flight"),
        (with("unknown", json!(0)), "settings"),
    ] {
        let problem = build(&settings, &credentials()).unwrap_err();
        assert!(problem.starts_with(place), "{problem}");
    }
    for (name, value) in [
        ("access_token", json!("")),
        ("access_token", json!("line\nbreak")),
        ("app_secret", json!("")),
        ("previous_app_secret", json!("")),
        ("verify_token", json!("")),
        ("verify_token", json!(123_456_789)),
    ] {
        let mut credentials = credentials();
        credentials[name] = value;
        let problem = build(&settings("https://graph.facebook.com"), &credentials).unwrap_err();
        assert!(problem.starts_with("credentials"), "{problem}");
        assert!(!problem.contains("line") && !problem.contains("123456789") && !problem.contains(SECRET), "{problem}");
    }
}
