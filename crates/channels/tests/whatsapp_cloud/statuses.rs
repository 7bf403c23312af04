//! What became of messages.

use super::setting::{example, fixture, messages, only, read};
use herald_channels::contract::{Notice, Pricing, Receipt, Reference};
use herald_rules::{ids::MessageId, reason::Reason, status::Status, time::Timestamp};
use serde_json::{Value, json};

const WAMID: &str = "wamid.HBgLMTY1MDU1NTAxNDIVAgARGBI1RjJEOEE0MUMwN0U5MzZCMUQA";

fn receipt(notice: Notice) -> Receipt {
    match notice {
        Notice::Receipt(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

fn status(fields: Value) -> Notice {
    let mut status = json!({"id": "wamid.1", "status": "sent", "timestamp": "1795348801"});
    status.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    only(&messages(json!({"statuses": [status]})))
}

#[test]
fn metas_examples() {
    let seconds = |seconds: i64| Some(Timestamp(seconds * 1_000_000));
    let theirs = || Reference::Theirs(WAMID.to_owned());
    let pricing = |category: &str, billable, kind: &str| {
        Some(Pricing { category: category.to_owned(), billable: Some(billable), kind: Some(kind.to_owned()) })
    };
    for (name, status, at, pricing) in [
        (
            "status_sent_free_entry",
            Status::Accepted,
            1795348801,
            pricing("referral_conversion", false, "free_entry_point"),
        ),
        ("status_delivered", Status::Delivered, 1795348803, pricing("utility", true, "regular")),
        ("status_read", Status::Read, 1795348950, pricing("utility", true, "regular")),
    ] {
        // The echo of these is another program's.
        let expected = Receipt { at: seconds(at), pricing, ..Receipt::new(theirs(), status) };
        assert_eq!(receipt(only(&fixture(name))), expected, "{name}");
    }
    let failed = receipt(only(&fixture("status_failed")));
    assert_eq!((failed.reference, failed.status, failed.at), (theirs(), Status::Failed, seconds(1795348802)));
    let cause = failed.cause.unwrap();
    assert_eq!((cause.reason, cause.provider_code.as_deref()), (Reason::MarketingLimit, Some("131049")));
    assert!(cause.provider_text.unwrap().contains("healthy ecosystem"));
}

#[test]
fn metas_batch() {
    let receipts: Vec<_> = read(&fixture("status_batch")).into_iter().map(receipt).collect();
    let statuses: Vec<_> = receipts.iter().map(|receipt| receipt.status).collect();
    assert_eq!(statuses, [Status::Delivered, Status::Accepted, Status::Failed]);
    assert_eq!(receipts[2].cause.as_ref().unwrap().reason, Reason::WindowClosed);
}

#[test]
fn our_echo_names_the_message_and_its_part() {
    let id = MessageId::new();
    for (echo, reference, theirs, part) in [
        (json!(id.to_string()), Reference::Ours(id), Some("wamid.1"), 0),
        (json!(format!("{id}/3")), Reference::Ours(id), Some("wamid.1"), 3),
        (json!(format!("{id}/x")), Reference::Theirs("wamid.1".to_owned()), None, 0),
        (json!(format!("{id}/70000")), Reference::Theirs("wamid.1".to_owned()), None, 0),
        // Another program's spelling of its own ids.
        (json!(id.0.simple().to_string()), Reference::Theirs("wamid.1".to_owned()), None, 0),
        (json!("another program's"), Reference::Theirs("wamid.1".to_owned()), None, 0),
        (json!(""), Reference::Theirs("wamid.1".to_owned()), None, 0),
        (json!(7), Reference::Theirs("wamid.1".to_owned()), None, 0),
        (json!(null), Reference::Theirs("wamid.1".to_owned()), None, 0),
    ] {
        let receipt = receipt(status(json!({ "biz_opaque_callback_data": echo })));
        assert_eq!((receipt.reference, receipt.theirs.as_deref(), receipt.part), (reference, theirs, part), "{echo}");
    }
}

#[test]
fn every_word_for_a_status() {
    for (word, expected) in [
        ("sent", Status::Accepted),
        ("delivered", Status::Delivered),
        ("read", Status::Read),
        ("played", Status::Read),
        ("failed", Status::Failed),
    ] {
        assert_eq!(receipt(status(json!({ "status": word }))).status, expected);
    }
    assert_eq!(status(json!({"status": "teleported"})), Notice::Ignored("statuses/teleported".to_owned()));
}

#[test]
fn odd_fields_cost_only_themselves() {
    for odd in [
        json!({"timestamp": "soon"}),
        json!({"timestamp": 1e300}),
        json!({"timestamp": -5}),
        json!({"timestamp": null}),
    ] {
        assert_eq!(receipt(status(odd)).at, None);
    }
    assert_eq!(receipt(status(json!({"timestamp": 1795348801}))).at, Some(Timestamp(1_795_348_801_000_000)));
    for odd in [json!({"pricing": "dear"}), json!({"pricing": []}), json!({"pricing": {"billable": true}})] {
        assert_eq!(receipt(status(odd)).pricing, None);
    }
    for odd in [json!(null), json!([]), json!("x"), json!([{}]), json!([{"code": "much"}])] {
        let receipt = receipt(status(json!({"status": "failed", "errors": odd})));
        assert_eq!(receipt.cause.unwrap().reason, Reason::Unspecified);
    }
}

#[test]
fn one_that_cannot_be_read_costs_nobody_else() {
    let good = json!({"id": "wamid.1", "status": "sent", "timestamp": "1795348801"});
    let statuses = json!([good, 7, {}, {"id": "x"}, {"id": {}, "status": "sent"}, {"id": "", "status": "sent"}, good]);
    let notices = read(&messages(json!({ "statuses": statuses })));
    let receipts = notices.iter().filter(|notice| matches!(notice, Notice::Receipt(_))).count();
    assert_eq!((notices.len(), receipts), (7, 2));
}

#[test]
fn other_accounts_and_numbers_are_not_ours() {
    let mut body = example("status_sent_free_entry");
    body["entry"][0]["id"] = json!("1");
    assert_eq!(only(&body.to_string()), Notice::Ignored("another account".to_owned()));
    let mut body = example("status_sent_free_entry");
    body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("1");
    assert_eq!(only(&body.to_string()), Notice::Ignored("another number".to_owned()));
    let mut body = example("status_sent_free_entry");
    body["object"] = json!("instagram");
    assert_eq!(only(&body.to_string()), Notice::Ignored("instagram".to_owned()));
}
