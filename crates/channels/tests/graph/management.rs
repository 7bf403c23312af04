//! Templates, numbers and subscriptions by the adapter's own calls, and the handshake.

use crate::setting::{CUSTOMER, NUMBER, OURS, Setting, adapter, text};
use herald_channels::{
    contract::{AccountChange, Notice, Outcome, Provider, TemplateChange},
    whatsapp_cloud::WhatsappCloud,
};
use herald_rules::{
    message::Message,
    template::{Category, Parameter, TemplateMessage, TemplateStatus},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

fn new_template(name: &str) -> Value {
    json!({"name": name, "language": "en_US", "category": "UTILITY", "components": [
        {"type": "BODY", "text": "Hi {{1}}, your order is on its way.", "example": {"body_text": [["Dana"]]}}]})
}

async fn all(adapter: &WhatsappCloud) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = adapter.templates(after.as_deref()).await.unwrap();
        rows.extend(page.templates);
        after = page.after;
        if after.is_none() {
            return rows;
        }
    }
}

#[tokio::test]
async fn all_pages_are_read() {
    let setting = Setting::new().await;
    assert_eq!(all(&setting.adapter).await, Vec::<Value>::new());
    for number in 0..250 {
        let status = ["APPROVED", "PAUSED", "REJECTED", "PENDING"][number % 4];
        let row = json!({"name": format!("t{number}"), "language": "de", "status": status, "components": [{"type": "BODY", "text": "Hi"}]});
        setting.simulator.put_template(None, &row).unwrap();
    }
    let rows = all(&setting.adapter).await;
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!((rows.len(), ids.len()), (250, 250));
    for name in
        ["name", "language", "status", "category", "components", "parameter_format", "quality_score", "rejected_reason"]
    {
        assert!(rows.iter().all(|row| !row[name].is_null()), "{name}");
    }
    let lists =
        setting.simulator.requests().iter().filter(|request| request.path.contains("message_templates")).count();
    assert_eq!(lists, 4, "one for nothing, three for 250");
}

#[tokio::test]
async fn a_template_lives() {
    let setting = Setting::with(|behaviour| behaviour.review.delay_ms = 100, Value::Null).await;
    let adapter = &setting.adapter;
    let made = adapter.create_template(&new_template("fresh")).await.unwrap();
    assert_eq!(made["status"], json!("PENDING"));
    let id = made["id"].as_str().unwrap();
    let approved = |notice: &Notice| matches!(notice, Notice::Template(told) if told.id == id && matches!(told.change, TemplateChange::Status(TemplateStatus::Approved, _)));
    setting.until(|told| told.iter().any(approved)).await;
    let again = adapter.create_template(&new_template("fresh")).await.unwrap_err();
    assert_eq!(again.provider_code.as_deref(), Some("100/2388024"));

    let sent = TemplateMessage {
        name: "fresh".to_owned(),
        language: "en_US".to_owned(),
        category: Category::Utility,
        explicit: false,
        more_than_text: false,
        header: None,
        body: vec![Parameter { name: None, text: "Dana".to_owned() }],
        buttons: Vec::new(),
    };
    let message = || Message { template: Some(sent.clone()), ..text(CUSTOMER) };
    assert!(matches!(setting.send(message()).await, Outcome::Accepted { .. }));

    let edit = json!({"components": [{"type": "BODY", "text": "Your order is on its way."}]});
    adapter.edit_template(id, &edit).await.unwrap();
    let row = all(adapter).await.remove(0);
    assert_eq!((&row["components"], &row["status"]), (&edit["components"], &json!("PENDING")));
    setting.until(|told| told.iter().filter(|notice| approved(notice)).count() == 2).await;
    assert!(adapter.edit_template(id, &edit).await.is_err(), "once a day");

    assert!(setting.simulator.set_template_status(id, "PAUSED", None));
    let paused = setting.send(message()).await;
    assert!(
        matches!(&paused, Outcome::Retry { cause, .. } if cause.provider_code.as_deref() == Some("132015")),
        "{paused:?}"
    );
    adapter.unpause_template(id).await.unwrap();
    assert_eq!(all(adapter).await.remove(0)["status"], json!("APPROVED"));

    adapter.delete_template("fresh", Some(id)).await.unwrap();
    assert_eq!(all(adapter).await.len(), 0);
    assert!(adapter.delete_template("fresh", None).await.is_err());
    let reserved = adapter.create_template(&new_template("fresh")).await.unwrap_err();
    assert_eq!(reserved.provider_code.as_deref(), Some("100/2388023"));
    setting.simulator.advance(Duration::from_secs(31 * 24 * 3600));
    assert!(adapter.create_template(&new_template("fresh")).await.is_ok());
}

#[tokio::test]
async fn what_breaks_a_rule_comes_back_with_its_number() {
    let setting = Setting::new().await;
    setting.simulator.change(|behaviour| behaviour.limits.templates = 1).unwrap();
    let with = |text: &str| {
        let mut template = new_template("fresh");
        template["components"][0]["text"] = json!(text);
        template
    };
    let mut header = new_template("fresh");
    header["components"].as_array_mut().unwrap().push(json!({"type": "HEADER", "format": "IMAGE"}));
    let mut footer = new_template("fresh");
    footer["components"].as_array_mut().unwrap().push(json!({"type": "FOOTER", "text": "{{1}}"}));
    for (template, code) in [
        (with(&"x".repeat(1025)), "100/2388040"),
        (with("{{1}}, your order is on its way."), "100/2388299"),
        (with("Hi {{2}}, your order is on its way."), "100/2388072"),
        (with("Hi {{1}}!"), "100/2388299"),
        (with("Hi {{1}} you."), ""),
        (header, "100/2388047"),
        (footer, "100/2388073"),
    ] {
        match setting.adapter.create_template(&template).await {
            Ok(_) => assert_eq!(code, "", "{template}"),
            Err(cause) => {
                assert_eq!(cause.provider_code.as_deref(), Some(code), "{template}");
                assert!(cause.detail.is_some(), "a sentence of ours");
            }
        }
    }
    let full = setting.adapter.create_template(&new_template("another")).await.unwrap_err();
    assert_eq!(full.provider_code.as_deref(), Some("100/2388019"));
}

#[tokio::test]
async fn numbers_are_reported_and_checked() {
    let setting = Setting::new().await;
    setting
        .simulator
        .change_number(NUMBER, |number| {
            (number.throughput, number.messaging_limit) = (Some(1000), "TIER_UNLIMITED".to_owned())
        })
        .unwrap();
    let report = setting.adapter.report().await.unwrap();
    let has = |identifier: Option<&str>, change: AccountChange| {
        report.changes.iter().any(|notice| notice.identifier.as_deref() == identifier && notice.change == change)
    };
    assert!(
        has(Some(OURS), AccountChange::Throughput(1000)) && has(None, AccountChange::DailyCustomers(None)),
        "{report:?}"
    );
    let lines = setting.adapter.check().await;
    assert!(lines.iter().all(|line| line.ok) && lines.len() >= 4, "{lines:?}");
    let other = adapter(&setting.simulator.base_url(), json!({"waba_id": "1", "phone_numbers": {(OURS): "2"}}));
    assert!(other.check().await.iter().all(|line| !line.ok));
    setting.adapter.subscribe_app().await.unwrap();
}

#[tokio::test]
async fn meta_asks_whether_the_address_is_ours() {
    let setting = Setting::new().await;
    assert_eq!(setting.simulator.handshake(None).await, Ok(true));
    let query = |token: &str| format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
    assert_eq!(setting.adapter.handshake(&query("verify-token")).as_deref(), Some("1158201444"));
    assert_eq!(setting.adapter.handshake(&query("other")), None);
}
