//! Templates: sent with every component, and managed.

use super::{
    super::setting::{template_named, with_template},
    Both, stored, to,
};
use herald_channels::contract::{Notice, Outcome, Provider, TemplateChange};
use herald_rules::{
    reason::Reason,
    status::Status,
    template::{ButtonParameter, ButtonValue, Category, HeaderValue, MediaKind, Parameter, TemplateMessage},
};
use herald_simulators::whatsapp_cloud::GraphMagic;
use serde_json::{Value, json};

fn value(text: &str) -> Parameter {
    Parameter { name: None, text: text.to_owned() }
}

fn button(index: u8, parameter: ButtonParameter) -> ButtonValue {
    ButtonValue { index, parameter }
}

fn body(text: &str, values: Value) -> Value {
    json!({"type": "BODY", "text": text, "example": {"body_text": [values]}})
}

#[tokio::test]
async fn every_component_of_a_template() {
    let url = json!({"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}", "example": ["https://shop.example/t/1"]});
    let handle = json!({"header_handle": ["4::aW1n"]});
    let media = |format: &str| json!({"type": "HEADER", "format": format, "example": handle});
    let hi = || body("Hi {{1}}, your order is on its way.", json!(["Dana"]));
    let with_header = |name: &str, header| stored(name, "UTILITY", json!([header, hi()]));
    let both = Both::with(vec![
        stored(
            "order_update",
            "UTILITY",
            json!([
                {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["A-1009"]}},
                hi(),
                {"type": "FOOTER", "text": "Example Shop"},
                {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Help"}, url]},
            ]),
        ),
        with_header("image", media("IMAGE")),
        with_header("video", media("VIDEO")),
        with_header("document", media("DOCUMENT")),
        with_header("place", json!({"type": "HEADER", "format": "LOCATION"})),
        json!({"name": "visit", "language": "en_US", "category": "UTILITY", "parameter_format": "NAMED", "components": [
            {"type": "BODY", "text": "Hello {{first_name}}, see you {{visit_time}} at our practice.", "example": {
                "body_text_named_params": [
                    {"param_name": "first_name", "example": "Dana"}, {"param_name": "visit_time", "example": "Tuesday"},
                ],
            }},
        ]}),
        stored(
            "coupon",
            "MARKETING",
            json!([hi(), {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "example": "SAVE20"}]}]),
        ),
        stored(
            "login_code",
            "AUTHENTICATION",
            json!([
                {"type": "BODY", "add_security_recommendation": true},
                {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]},
            ]),
        ),
        stored("hello_world", "UTILITY", json!([{"type": "BODY", "text": "Hello and welcome."}])),
    ])
    .await;
    let media = |kind, name: &str, filename: Option<&str>| {
        let link = format!("https://cdn.example.com/{name}");
        Some(HeaderValue::Media { kind, link, filename: filename.map(str::to_owned) })
    };
    let hi = |name: &str| TemplateMessage { body: vec![value("Dana")], ..template_named(name) };
    let named = |name: &str, text: &str| Parameter { name: Some(name.to_owned()), text: text.to_owned() };
    let place = HeaderValue::Location {
        latitude: 52.5163,
        longitude: 13.3777,
        name: "Showroom".to_owned(),
        address: "Pariser Platz 1".to_owned(),
    };
    let all = [
        TemplateMessage {
            header: Some(HeaderValue::Text { parameter: value("A-1009") }),
            buttons: vec![
                button(0, ButtonParameter::QuickReply { payload: "help".to_owned() }),
                button(1, ButtonParameter::Url { suffix: "A-1009".to_owned() }),
            ],
            ..hi("order_update")
        },
        TemplateMessage { header: media(MediaKind::Image, "1.png", None), ..hi("image") },
        TemplateMessage { header: media(MediaKind::Video, "1.mp4", None), ..hi("video") },
        TemplateMessage { header: media(MediaKind::Document, "1.pdf", Some("1.pdf")), ..hi("document") },
        TemplateMessage { header: Some(place), ..hi("place") },
        TemplateMessage {
            body: vec![named("first_name", "Dana"), named("visit_time", "Tuesday")],
            ..template_named("visit")
        },
        TemplateMessage {
            buttons: vec![button(0, ButtonParameter::CopyCode { code: "SAVE20".to_owned() })],
            category: Category::Marketing,
            ..hi("coupon")
        },
        TemplateMessage {
            body: vec![value("482913")],
            buttons: vec![button(0, ButtonParameter::Url { suffix: "482913".to_owned() })],
            category: Category::Authentication,
            ..template_named("login_code")
        },
        template_named("hello_world"),
    ];
    // Not in the USA, where marketing templates end at Meta.
    let customer = "491701234567";
    let count = all.len();
    for template in all {
        both.take(&to(with_template(template), customer)).await;
    }
    let read = |notice: &Notice| match notice {
        Notice::Receipt(receipt) if receipt.status == Status::Read => Some(receipt.pricing.clone()),
        _ => None,
    };
    assert!(
        both.notices_when(read, count)
            .await
            .iter()
            .any(|pricing| { pricing.as_ref().is_some_and(|pricing| pricing.category == "authentication") })
    );
    for (template, reason) in [
        (template_named("missing"), Reason::TemplateNotFound),
        (template_named("order_update"), Reason::TemplateParameterInvalid),
        (hi("image"), Reason::TemplateParameterInvalid),
    ] {
        let outcome = both.adapter.send(&to(with_template(template), customer)).await;
        assert!(matches!(&outcome, Outcome::Refused(cause) if cause.reason == reason), "{outcome:?}");
    }
}

#[tokio::test]
async fn the_special_customers() {
    let both =
        Both::with(vec![stored("hello_world", "UTILITY", json!([{"type": "BODY", "text": "Hello and welcome."}]))]);
    let both = both.await;
    let special = |magic: GraphMagic| format!("491701{}", magic.suffix());
    let template = || with_template(template_named("hello_world"));
    both.take(&to(template(), &special(GraphMagic::Held))).await;
    let paused = both.adapter.send(&to(template(), &special(GraphMagic::Paused))).await;
    assert!(matches!(&paused, Outcome::Refused(cause) if cause.reason == Reason::TemplatePaused), "{paused:?}");
}

#[tokio::test]
async fn templates_are_managed() {
    let both = Both::new().await;
    let hello = stored("hello", "UTILITY", json!([{"type": "BODY", "text": "Hello and welcome."}]));
    let made = both.adapter.create_template(&hello).await.unwrap();
    assert_eq!(made["status"], "APPROVED");
    let id = made["id"].as_str().unwrap();
    let again = both.adapter.create_template(&hello).await.unwrap_err();
    assert_eq!(again.provider_code.as_deref(), Some("100/2388024"));
    let change = json!({"components": [{"type": "BODY", "text": "Hello and welcome again."}]});
    both.adapter.edit_template(id, &change).await.unwrap();
    let page = both.adapter.templates(None).await.unwrap();
    assert_eq!((page.templates.len(), page.after), (1, None));
    assert_eq!(page.templates[0]["name"], "hello");
    assert!(both.simulator.set_template_quality(id, "RED"));
    assert!(both.simulator.set_template_status(id, "PAUSED", None));
    assert_eq!(both.adapter.templates(None).await.unwrap().templates[0]["status"], "PAUSED");
    both.adapter.unpause_template(id).await.unwrap();
    assert_eq!(both.adapter.templates(None).await.unwrap().templates[0]["status"], "APPROVED");
    let quality = |notice: &Notice| match notice {
        Notice::Template(notice) if notice.id == id => match &notice.change {
            TemplateChange::Quality(quality) => Some(quality.clone()),
            _ => None,
        },
        _ => None,
    };
    assert_eq!(both.notices_when(quality, 1).await, ["RED"]);
    both.adapter.delete_template("hello", Some(id)).await.unwrap();
    assert!(both.adapter.templates(None).await.unwrap().templates.is_empty());
}

#[tokio::test]
async fn many_templates_come_by_pages() {
    let all = (0..250).map(|number| {
        stored(&format!("hello_{number}"), "UTILITY", json!([{"type": "BODY", "text": "Hello and welcome."}]))
    });
    let both = Both::with(all.collect()).await;
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = both.adapter.templates(after.as_deref()).await.unwrap();
        names.extend(page.templates.iter().map(|row| row["name"].as_str().unwrap().to_owned()));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 250);
}
