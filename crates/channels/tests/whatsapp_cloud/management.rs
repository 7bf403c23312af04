//! Templates, reports and the live check: calls that send nothing.

use super::setting::{Graph, OURS, PNID, PROOF, WABA, example, fixture};
use herald_channels::contract::{AccountChange, CheckLine, Provider};
use herald_rules::reason::Reason;
use serde_json::{Value, json};

#[tokio::test]
async fn templates_come_by_pages() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    let mut last = example("templates_page");
    last["paging"].as_object_mut().unwrap().remove("next");
    graph.tell(200, fixture("templates_page")).tell(200, last.to_string()).tell(200, "{}");
    let page = adapter.templates(None).await.unwrap();
    assert_eq!(page.templates, example("templates_page")["data"].as_array().unwrap().clone());
    assert_eq!(page.after.as_deref(), Some("MjQZD"));
    let asked = graph.last();
    assert_eq!(asked.line(), format!("GET /v23.0/{WABA}/message_templates"));
    assert_eq!((asked.query("after"), asked.query("limit").as_deref()), (None, Some("100")));
    assert_eq!(asked.query("appsecret_proof").as_deref(), Some(PROOF));
    let fields = asked.query("fields").unwrap();
    let fields: Vec<_> = fields.split(',').collect();
    assert!(
        fields.iter().all(|field| field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')),
        "{fields:?}"
    );
    assert!(fields.contains(&"parameter_format") && fields.contains(&"correct_category"));

    // A cursor stands on the last page as well.
    assert_eq!(adapter.templates(page.after.as_deref()).await.unwrap().after, None);
    assert_eq!(graph.last().query("after").as_deref(), Some("MjQZD"));
    assert!(adapter.templates(None).await.unwrap().templates.is_empty());
}

#[tokio::test]
async fn templates_are_made_changed_and_deleted() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    graph.tell(200, fixture("template_created"));
    for _ in 0..4 {
        graph.tell(200, fixture("success"));
    }
    let made = adapter.create_template(&example("template_create")).await.unwrap();
    assert_eq!(made, example("template_created"));
    let asked = graph.last();
    assert_eq!(
        (asked.line(), asked.json()),
        (format!("POST /v23.0/{WABA}/message_templates"), example("template_create"))
    );
    let change = json!({"category": "UTILITY", "components": []});
    adapter.edit_template("572279198452421", &change).await.unwrap();
    assert_eq!((graph.last().line(), graph.last().json()), ("POST /v23.0/572279198452421".to_owned(), change));
    adapter.unpause_template("572279198452421").await.unwrap();
    assert_eq!(graph.last().line(), "POST /v23.0/572279198452421/unpause");
    adapter.delete_template("visit & more", Some("572279198452421")).await.unwrap();
    let asked = graph.last();
    assert_eq!(asked.line(), format!("DELETE /v23.0/{WABA}/message_templates"));
    assert_eq!(asked.query("name").as_deref(), Some("visit & more"));
    assert_eq!(asked.query("hsm_id").as_deref(), Some("572279198452421"));
    adapter.delete_template("visit", None).await.unwrap();
    assert_eq!(graph.last().query("hsm_id"), None);
}

#[tokio::test]
async fn an_id_leads_nowhere_else() {
    let graph = Graph::start().await;
    graph.tell(200, fixture("success"));
    graph.adapter().unpause_template("../x?y=/z").await.unwrap();
    assert_eq!(graph.last().uri.path(), "/v23.0/..%2Fx%3Fy=%2Fz/unpause");
}

#[tokio::test]
async fn why_a_template_is_not_taken() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    graph.tell(400, fixture("error_template_exists"));
    let cause = adapter.create_template(&json!({})).await.unwrap_err();
    assert_eq!((cause.reason, cause.provider_code.as_deref()), (Reason::ContentRefused, Some("100/2388024")));
    assert_eq!(cause.detail.as_deref(), Some("A template of this name exists in this language."));
    let text = cause.provider_text.unwrap();
    assert!(text.ends_with("There is already English (US) content for this template."), "{text}");
    for subcode in [2388023, 2388019, 2388040, 2388047, 2388072, 2388073, 2388293, 2388299] {
        let error = json!({"error": {"code": 100, "error_subcode": subcode}}).to_string();
        graph.tell(400, error.clone()).tell(400, error);
        assert!(adapter.create_template(&json!({})).await.unwrap_err().detail.is_some(), "{subcode}");
        assert!(adapter.edit_template("1", &json!({})).await.unwrap_err().detail.is_some(), "{subcode}");
    }
}

#[tokio::test]
async fn calls_that_fail() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    for (status, body, reason) in [
        (401, fixture("error_token_expired"), Reason::ProviderAuthFailed),
        (400, fixture("error_throughput"), Reason::ProviderThrottled),
        (429, String::new(), Reason::ProviderThrottled),
        (502, "Bad Gateway".to_owned(), Reason::ProviderUnavailable),
        (404, String::new(), Reason::Unspecified),
        (200, "<html>".to_owned(), Reason::ProviderError),
    ] {
        graph.tell(status, body);
        assert_eq!(adapter.templates(None).await.unwrap_err().reason, reason, "{status}");
    }
    let nobody = super::setting::adapter("http://127.0.0.1:1", |_| ());
    assert_eq!(nobody.templates(None).await.unwrap_err().reason, Reason::ProviderUnavailable);
}

#[tokio::test]
async fn a_report_of_each_number() {
    use AccountChange::{DailyCustomers, Other, Throughput};
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    let limit = |limit: &str| json!({ "whatsapp_business_manager_messaging_limit": limit });
    for (said, expected) in [
        (json!({"throughput": {"level": "STANDARD"}}), vec![Throughput(80), Other]),
        (json!({"throughput": {"level": "HIGH"}}), vec![Throughput(1_000), Other]),
        (json!({"throughput": {"level": "NOT_APPLICABLE"}}), vec![Other]),
        (limit("TIER_2K"), vec![DailyCustomers(Some(2_000)), Other]),
        (limit("TIER_UNLIMITED"), vec![DailyCustomers(None), Other]),
        (limit("TIER_NOT_SET"), vec![Other]),
        (json!({}), vec![Other]),
        (json!([]), vec![Other]),
    ] {
        graph.tell(200, said.to_string());
        let report = adapter.report().await.unwrap();
        let changes: Vec<_> = report.changes.iter().map(|notice| notice.change).collect();
        assert_eq!(changes, expected, "{said}");
        assert!(report.changes.iter().all(|notice| {
            notice.identifier.as_deref() == (!matches!(notice.change, DailyCustomers(_))).then_some(OURS)
        }));
    }
    let asked = graph.last();
    assert_eq!(asked.line(), format!("GET /v23.0/{PNID}"));
    assert!(asked.query("fields").unwrap().contains("whatsapp_business_manager_messaging_limit"));
    graph.tell(200, json!({"quality_rating": "GREEN", "status": "CONNECTED"}).to_string());
    assert_eq!(adapter.report().await.unwrap().changes[0].text, "status CONNECTED, quality GREEN");
    graph.tell(401, fixture("error_token_expired"));
    assert_eq!(adapter.report().await.unwrap_err().reason, Reason::ProviderAuthFailed);
}

async fn checked(answers: [(u16, Value); 4]) -> Vec<CheckLine> {
    let graph = Graph::start().await;
    for (status, body) in answers {
        graph.tell(status, body.to_string());
    }
    let lines = graph.adapter().check().await;
    let paths: Vec<_> = graph.asked().iter().map(|asked| asked.uri.path().to_owned()).collect();
    let (templates, apps) = (format!("/v23.0/{WABA}/message_templates"), format!("/v23.0/{WABA}/subscribed_apps"));
    assert_eq!(paths, [format!("/v23.0/{WABA}"), format!("/v23.0/{PNID}"), templates, apps]);
    lines
}

#[tokio::test]
async fn the_live_check() {
    let number = json!({"display_phone_number": "+1 555-010-0200", "status": "CONNECTED", "quality_rating": "GREEN"});
    let good = checked([
        (200, json!({"id": WABA, "name": "Example Shop"})),
        (200, number.clone()),
        (200, example("templates_page")),
        (200, json!({"data": [{"whatsapp_business_api_data": {"id": "1"}}]})),
    ])
    .await;
    let shown: Vec<_> = good.iter().map(|line| (line.what.as_str(), line.ok, line.said.as_str())).collect();
    let expected = [
        ("token and account", true, "Example Shop"),
        ("number 15550100200", true, "status CONNECTED, quality GREEN"),
        ("templates", true, "1 templates and more"),
        ("webhook subscription", true, "1 subscribed"),
    ];
    assert_eq!(shown, expected);

    let mut other = number;
    other["display_phone_number"] = json!("+1 555-010-0999");
    let bad = checked([
        (401, example("error_token_expired")),
        (200, other),
        (403, json!({"error": {"code": 200, "message": "no"}})),
        (200, json!({"data": []})),
    ])
    .await;
    assert!(bad.iter().all(|line| !line.ok && !line.said.is_empty()), "{bad:?}");
    assert!(bad[0].said.contains("(190/463)"), "{bad:?}");
    assert!(bad[1].said.contains("555-010-0999"), "{bad:?}");
}

#[tokio::test]
async fn subscribing() {
    let graph = Graph::start().await;
    graph.tell(200, fixture("success"));
    graph.adapter().subscribe_app().await.unwrap();
    assert_eq!(graph.last().line(), format!("POST /v23.0/{WABA}/subscribed_apps"));
}
