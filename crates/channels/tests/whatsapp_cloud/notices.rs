//! What Meta tells about templates, accounts, numbers and wishes of customers.

use super::setting::{CUSTOMER, OURS, PNID, change, fixture, messages, only, read};
use herald_channels::contract::{AccountChange, AccountNotice, Notice, TemplateChange, TemplateNotice};
use herald_rules::{
    template::{Category, TemplateStatus},
    time::Timestamp,
};
use serde_json::{Value, json};

const fn seconds(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}
const AT: Timestamp = seconds(1_795_348_800);

fn template(change: TemplateChange, at: Timestamp) -> Notice {
    Notice::Template(TemplateNotice {
        id: "1689556908129832".to_owned(),
        name: "order_update_v2".to_owned(),
        language: "en_US".to_owned(),
        change,
        at: Some(at),
    })
}

fn accounts(body: &str) -> Vec<AccountNotice> {
    let notices = read(body).into_iter().map(|notice| match notice {
        Notice::Account(notice) => notice,
        other => panic!("{other:?}"),
    });
    notices.collect()
}

fn changes(body: &str) -> Vec<(Option<String>, AccountChange)> {
    accounts(body).into_iter().map(|notice| (notice.identifier, notice.change)).collect()
}

#[test]
fn templates_of_meta() {
    let words = "INVALID_FORMAT: Two variables stand next to each other.: Put text between them.".to_owned();
    let paused = "FIRST_PAUSE: Paused for 3 hours because of quality.".to_owned();
    for (name, expected) in [
        ("template_rejected", template(TemplateChange::Status(TemplateStatus::Rejected, Some(words)), AT)),
        ("template_paused", template(TemplateChange::Status(TemplateStatus::Paused, Some(paused)), AT)),
        ("template_quality", template(TemplateChange::Quality("YELLOW".to_owned()), AT)),
        // What it will be, and from when.
        (
            "template_category_announced",
            template(TemplateChange::Category(Category::Marketing), seconds(1_795_435_200)),
        ),
        ("template_category_done", template(TemplateChange::Category(Category::Marketing), seconds(1_795_435_200))),
    ] {
        assert_eq!(only(&fixture(name)), expected, "{name}");
    }
}

#[test]
fn every_event_of_a_template() {
    let status = |event: &str| {
        let value = json!({
            "event": event, "message_template_id": 1_689_556_908_129_832_u64, "message_template_name": "order_update_v2",
            "message_template_language": "en-US", "reason": null,
        });
        only(&change("message_template_status_update", value))
    };
    let is = |status| template(TemplateChange::Status(status, None), AT);
    for (event, expected) in [
        ("APPROVED", is(TemplateStatus::Approved)),
        ("REINSTATED", is(TemplateStatus::Approved)),
        ("UNARCHIVED", is(TemplateStatus::Approved)),
        ("REJECTED", is(TemplateStatus::Rejected)),
        ("PENDING", is(TemplateStatus::Pending)),
        ("PAUSED", is(TemplateStatus::Paused)),
        ("DISABLED", is(TemplateStatus::Disabled)),
        ("IN_APPEAL", is(TemplateStatus::InAppeal)),
        ("LIMIT_EXCEEDED", is(TemplateStatus::LimitExceeded)),
        ("ARCHIVED", is(TemplateStatus::Archived)),
        ("DELETED", is(TemplateStatus::Deleted)),
        ("PENDING_DELETION", is(TemplateStatus::PendingDeletion)),
        // These change no status; what they change comes with the sync.
        ("FLAGGED", template(TemplateChange::Components, AT)),
        ("LOCKED", template(TemplateChange::Components, AT)),
        ("OF_A_LATER_VERSION", template(TemplateChange::Components, AT)),
    ] {
        assert_eq!(status(event), expected, "{event}");
    }
    let components = json!({
        "message_template_id": 1_689_556_908_129_832_u64, "message_template_name": "order_update_v2",
        "message_template_language": "en_US", "message_template_element": "Hi {{1}}",
    });
    assert_eq!(
        only(&change("message_template_components_update", components)),
        template(TemplateChange::Components, AT)
    );
    for value in [json!({}), json!({"event": "APPROVED"}), json!(7), json!({"message_template_id": 1})] {
        let ignored = Notice::Ignored("message_template_status_update".to_owned());
        assert_eq!(only(&change("message_template_status_update", value)), ignored);
    }
}

#[test]
fn accounts_of_meta() {
    let ours = || Some(OURS.to_owned());
    for (name, expected) in [
        ("account_restriction", vec![(None, AccountChange::Restricted(Some(seconds(1_795_608_000))))]),
        ("account_disabled", vec![(None, AccountChange::Disabled)]),
        (
            "throughput_upgrade",
            vec![(ours(), AccountChange::Throughput(1_000)), (None, AccountChange::DailyCustomers(None))],
        ),
        ("business_capability", vec![(None, AccountChange::DailyCustomers(Some(2_000)))]),
    ] {
        assert_eq!(changes(&fixture(name)), expected, "{name}");
    }
}

#[test]
fn other_news_of_accounts() {
    use AccountChange::{DailyCustomers, Disabled, Other, Reinstated, Restricted};
    let ours = || Some(OURS.to_owned());
    let restriction = |kind: &str| json!([{ "restriction_type": kind }]);
    let restricted = |kind: &str| json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": restriction(kind)});
    let ban = |state: &str| json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
    let event = |event: &str| json!({ "event": event });
    let number = |event: &str| json!({"event": event, "display_phone_number": "+1 555-010-0200"});
    for (field, value, expected) in [
        ("account_update", restricted("RESTRICTED_BIZ_INITIATED_MESSAGING"), vec![(None, Restricted(None))]),
        ("account_update", restricted("RESTRICTED_CUSTOMER_INITIATED_MESSAGING"), vec![(None, Other)]),
        ("account_update", event("ACCOUNT_RESTRICTION"), vec![(None, Other)]),
        ("account_update", ban("REINSTATE"), vec![(None, Reinstated)]),
        ("account_update", ban("SCHEDULE_FOR_DISABLE"), vec![(None, Other)]),
        ("account_update", event("ACCOUNT_DELETED"), vec![(None, Disabled)]),
        ("account_update", event("ACCOUNT_OFFBOARDED"), vec![(None, Disabled)]),
        ("account_update", event("ACCOUNT_RECONNECTED"), vec![(None, Reinstated)]),
        ("account_update", event("ACCOUNT_VIOLATION"), vec![(None, Other)]),
        ("account_update", event("PARTNER_ADDED"), vec![(None, Other)]),
        ("phone_number_quality_update", number("FLAGGED"), vec![(ours(), Other)]),
        (
            "phone_number_quality_update",
            json!({"event": "ONBOARDING", "display_phone_number": "1999", "current_limit": "TIER_250"}),
            vec![(None, Other), (None, DailyCustomers(Some(250)))],
        ),
        (
            "business_capability_update",
            json!({"max_daily_conversations_per_business": "TIER_10K"}),
            vec![(None, DailyCustomers(Some(10_000)))],
        ),
        (
            "business_capability_update",
            json!({"max_daily_conversations_per_business": -1}),
            vec![(None, DailyCustomers(None))],
        ),
        ("business_capability_update", json!({"max_phone_numbers_per_waba": 25}), vec![(None, Other)]),
        ("phone_number_name_update", number(""), vec![(ours(), Other)]),
        ("account_review_update", json!({"decision": "APPROVED"}), vec![(None, Other)]),
        ("account_alerts", json!({"alert_info": {"alert_severity": "CRITICAL"}}), vec![(None, Other)]),
        ("security", number("PIN_CHANGED"), vec![(ours(), Other)]),
    ] {
        let body = change(field, value);
        assert_eq!(changes(&body), expected, "{body}");
        assert!(accounts(&body).iter().all(|notice| notice.text.ends_with(['.', 'L'])), "{:?}", accounts(&body));
    }
    let alert = json!({"alert_info": {
        "alert_severity": "WARNING", "alert_type": "OBA_APPROVED", "alert_description": "Well done.",
    }});
    assert_eq!(accounts(&change("account_alerts", alert))[0].text, "WARNING: OBA_APPROVED: Well done.");
}

#[test]
fn errors_beside_messages_are_for_the_operator() {
    let error = json!({"code": 130_429, "title": "Rate limit hit"});
    let notices = accounts(&messages(json!({"errors": [error, {}]})));
    assert_eq!(notices[0].identifier.as_deref(), Some(OURS));
    assert_eq!((notices[0].change, notices[0].text.as_str()), (AccountChange::Other, "130429: Rate limit hit"));
    assert_eq!(notices[1].text, "an error without a code");
}

#[test]
fn what_customers_want_of_marketing() {
    let marketing = |customer: &str, wanted| Notice::Marketing {
        customer: customer.to_owned(),
        identifier: Some(OURS.to_owned()),
        wanted,
        at: AT,
    };
    assert_eq!(only(&fixture("user_preference_stop")), marketing(CUSTOMER, false));
    let preference = |fields: Value| {
        let mut preference = json!({"category": "marketing_messages", "value": "stop", "timestamp": 1_795_348_800});
        preference.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let metadata = json!({"display_phone_number": OURS, "phone_number_id": PNID});
        only(&change("user_preferences", json!({"metadata": metadata, "user_preferences": [preference]})))
    };
    assert_eq!(preference(json!({"wa_id": CUSTOMER, "value": "resume"})), marketing(CUSTOMER, true));
    assert_eq!(preference(json!({"wa_id": CUSTOMER, "value": "signup"})), marketing(CUSTOMER, true));
    assert_eq!(preference(json!({"user_id": "US.1"})), marketing("US.1", false));
    let ignored = Notice::Ignored("user_preferences".to_owned());
    for wrong in [
        json!({}),
        json!({"wa_id": CUSTOMER, "value": "perhaps"}),
        json!({"wa_id": CUSTOMER, "category": "jokes"}),
        json!({"wa_id": CUSTOMER, "value": null}),
    ] {
        assert_eq!(preference(wrong), ignored);
    }
}

#[test]
fn fields_that_are_not_acted_on() {
    for field in ["smb_message_echoes", "smb_app_state_sync", "history", "flows", "of a later version"] {
        let value = json!({"metadata": {"phone_number_id": PNID}, "message_echoes": [{}]});
        assert_eq!(only(&change(field, value)), Notice::Ignored(field.to_owned()));
    }
}
