//! The command line against a running Herald, as scripts use it: JSON on stdout, talk on stderr, exit codes.

use crate::support::{Herald, Receiver, event_message};
use herald_simulators::{Options, Simulator};
use serde_json::Value;
use std::process::Output;

/// Runs a command with `--json`, which must end well.
#[track_caller]
fn json(herald: &Herald, arguments: &[&str]) -> Value {
    let output = herald.command(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    // Commands that go on print a line for each value: the last one counts.
    serde_json::from_str(&text).or_else(|_| serde_json::from_str(text.lines().last().unwrap())).unwrap()
}

/// The exit code, and what was told on stderr.
#[track_caller]
fn refused(output: &Output) -> (i32, Value) {
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code().unwrap(), serde_json::from_slice(&output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_empty_folder_to_a_delivered_message() {
    let herald = Herald::start().await;
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let (code, told) = refused(&herald.command(&["channel", "list", "--json"]));
    assert_eq!((code, told["error"]["message"].as_str()), (2, Some("There is no department yet.")), "{told}");

    let made = json(&herald, &["department", "create", "Sales", "--user", "api@example.com", "--burst", "100"]);
    assert_eq!(made["settings"]["burst"], 100);
    // The only department needs no naming.
    let create = ["channel", "create", "sms", "--name", "Texts", "--identifier", "ACME", "--rate", "100/s"];
    json(&herald, &[&create[..], &["--simulator", &simulator.base_url()]].concat());
    let send = ["send", "--to", "972550100001", "--text", "Hello"];
    let (code, told) = refused(&herald.command(&[&send[..], &["--from", "ACME", "--json"]].concat()));
    assert_eq!((code, told["error"]["code"].as_str()), (4, Some("non_ticket_not_enabled")), "{told}");
    assert_eq!(json(&herald, &["channel", "non-ticket", "texts", "on"])["nonTicketMessages"], true);
    json(&herald, &["channel", "add-identifier", "ACME", "12345"]);

    // Two identifiers fit now.
    assert_eq!(refused(&herald.command(&[&send[..], &["--json"]].concat())).0, 2);
    let send = [&send[..], &["--from", "ACME"]].concat();
    assert_eq!(json(&herald, &[&send[..], &["--dry-run"]].concat())["channel"]["name"], "Texts");
    assert_eq!(json(&herald, &[&send[..], &["--follow"]].concat())["status"], "Delivered");
    let lost = herald.command(&["send", "--from", "ACME", "--to", "972550100003", "--text", "Hello", "--follow"]);
    assert_eq!(lost.status.code(), Some(1), "{lost:?}");
    let listed = json(&herald, &["messages", "list", "--status", "delivered"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let id = listed["items"][0]["id"].as_str().unwrap();
    assert_eq!(json(&herald, &["messages", "show", id])["history"].as_array().unwrap().len(), 3);
    let (code, told) = refused(&herald.command(&["messages", "cancel", id, "--json"]));
    assert_eq!((code, told["error"]["code"].as_str()), (4, Some("too_late_to_cancel")));
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_and_keys() {
    let herald = Herald::start().await;
    let simulator = Simulator::start(Options::default()).await.unwrap();
    for name in ["Sales", "Service"] {
        json(&herald, &["department", "create", name, "--user", "api@example.com"]);
    }
    let create = ["channel", "create", "WhatsApp", "--identifier", "972550000001", "--department", "Sales"];
    // Two departments: one must be named.
    assert_eq!(refused(&herald.command(&["lane", "list", "--json"])).0, 2);
    json(&herald, &[&create[..], &["--simulator", &simulator.base_url()]].concat());
    let lane = |arguments: &[&str]| {
        let (action, rest) = arguments.split_first().unwrap();
        json(&herald, &[&["lane", action, "WhatsApp:972550000001", "--department", "Sales"], rest].concat())
    };
    assert_eq!(lane(&["pause"])["paused"], true);
    assert_eq!(lane(&["resume"])["paused"], false);
    assert_eq!(lane(&["rate", "500/m,burst=50"])["rateIsDefault"], false);
    assert_eq!(lane(&["rate", "default"])["rateIsDefault"], true);

    let service = |arguments: &[&str]| json(&herald, &[arguments, &["--department", "Service"]].concat());
    let second = service(&["key", "secret", "create", "2027"]);
    service(&["key", "secret", "revoke", "first"]);
    let key = json(&herald, &["department", "show", "Service"])["id"].as_str().unwrap().to_owned();
    let secret = second["secret"].as_str().unwrap();
    let get = ["key", "get", "--key", &key, "--secret", secret, "--user", "api@example.com"];
    let token = json(&herald, &get)["access_token"].as_str().unwrap().to_owned();
    // A department's own token needs no department, and is no administrator's.
    assert_eq!(json(&herald, &["channel", "list", "--token", &token])["items"], Value::Array(vec![]));
    let (code, told) = refused(&herald.command(&["department", "list", "--token", &token, "--json"]));
    assert_eq!((code, told["error"]["code"].as_str()), (4, Some("admin_required")));

    let named = service(&["key", "token", "create", "report", "--scope", "messages"])["token"].clone();
    let named = named.as_str().unwrap();
    assert_eq!(refused(&herald.command(&["lane", "list", "--token", named, "--json"])).0, 4);
    service(&["key", "token", "revoke", "report"]);
    assert_eq!(refused(&herald.command(&["messages", "list", "--token", named, "--json"])).0, 4);
    service(&["key", "user", "add", "other@example.com"]);
    service(&["key", "user", "remove", "api@example.com"]);
    assert_eq!(service(&["key", "user", "list"])["items"][0]["email"], "other@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks() {
    let herald = Herald::start().await;
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let receiver = Receiver::start().await;
    json(&herald, &["department", "create", "Sales"]);
    let create = ["channel", "create", "SMS", "--identifier", "ACME", "--non-ticket"];
    json(&herald, &[&create[..], &["--simulator", &simulator.base_url()]].concat());
    let made = json(&herald, &["webhook", "add", &receiver.url, "--name", "shop", "--header", "X-Team: sales"]);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    assert_eq!(json(&herald, &["webhook", "test", "shop"])["taken"], true);
    json(&herald, &["send", "--to", "972550100001", "--text", "Hello", "--follow"]);
    let events = receiver.until_events(3).await;
    assert_eq!(event_message(&events[2])["status"], "Delivered");
    assert_eq!(receiver.received()[0].headers["x-team"], "sales");

    json(&herald, &["webhook", "pause", "shop"]);
    assert_eq!(json(&herald, &["webhook", "resume", "shop"])["state"], "active");
    let deliveries = json(&herald, &["webhook", "deliveries", "shop", "--state", "taken"]);
    let last = deliveries["items"][0]["id"].as_str().unwrap();
    assert_eq!(json(&herald, &["webhook", "delivery", last])["history"][0]["status"], 200);
    json(&herald, &["webhook", "replay", last]);
    receiver.until_events(4).await;
    json(&herald, &["webhook", "replay", "shop", "--since", "2026-01-01T00:00:00Z"]);
    receiver.until_events(6).await;

    receiver.answer_with(|_, _| (http::StatusCode::INTERNAL_SERVER_ERROR, std::time::Duration::ZERO));
    assert_eq!(herald.command(&["webhook", "test", "shop"]).status.code(), Some(1));
    json(&herald, &["webhook", "remove", "shop"]);
    assert_eq!(json(&herald, &["webhook", "list"])["items"], Value::Array(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_have_exit_codes_of_their_own() {
    let mut herald = Herald::start().await;
    assert_eq!(herald.command(&["send", "--colour", "red"]).status.code(), Some(2));
    assert_eq!(herald.command(&["channel", "list", "--url", "ftp://example.com", "--json"]).status.code(), Some(2));
    let wrong = herald.command(&["channel", "list", "--token", "wrong", "--json"]);
    assert_eq!((refused(&wrong).0, refused(&wrong).1["error"]["code"].as_str()), (4, Some("token_invalid")));
    herald.stop().await;
    assert_eq!(refused(&herald.command(&["channel", "list", "--json"])).0, 3);
    for shell in ["bash", "zsh", "fish"] {
        let script = herald.command(&["completions", shell]).stdout;
        assert!(String::from_utf8(script).unwrap().contains("non-ticket"), "{shell}");
    }
}
