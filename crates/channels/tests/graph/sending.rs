//! Every kind of send that the adapter can make is taken by the strict simulator.

use crate::setting::{CUSTOMER, OURS, Setting, text};
use herald_channels::{
    contract::{Outcome, Outgoing, Provider},
    whatsapp_cloud::{
        FreeForm,
        free_form::{Location, Media},
        interactive::{Action, Header, Interactive, ReplyButton, Row, Section},
    },
};
use herald_rules::{
    message::Message,
    reason::Reason,
    template::{ButtonParameter, ButtonValue, Category, HeaderValue, MediaKind, Parameter, TemplateMessage},
};
use herald_simulators::whatsapp_cloud::CustomerMessage;
use serde_json::{Value, json};
use std::sync::Arc;

fn accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { reference: Some(reference) } if reference.starts_with("wamid."))
}

fn interactive(action: Action, header: Option<Header>) -> FreeForm {
    let footer = Some("Example Dental".to_owned());
    FreeForm::Interactive(Interactive { header, body: "Keep Tuesday 10:00?".to_owned(), footer, action })
}

#[tokio::test]
async fn every_free_form_kind_is_taken() {
    let setting = Setting::new().await;
    let file = setting.simulator.put_media(None, "image/jpeg", "picture".into(), None).unwrap();
    let inbound = setting.simulator.inbound(&CustomerMessage::text(CUSTOMER, "Hi")).unwrap();
    let link = |name: &str| Media::link(&format!("https://cdn.example.com/{name}"));
    let captioned = |media: Media| Media { caption: Some("Your parcel".to_owned()), ..media };
    let button = |id: &str| ReplyButton { id: id.to_owned(), title: id.to_owned() };
    let row = |id: &str, description: Option<&str>| Row {
        id: id.to_owned(),
        title: id.to_owned(),
        description: description.map(str::to_owned),
    };
    let section = |title: &str, rows| Section { title: Some(title.to_owned()), rows };
    let place = Location { latitude: 52.5163, longitude: 13.3777, name: Some("Showroom".to_owned()), address: None };
    let kinds = [
        FreeForm::text("See https://shop.example/ 😀"),
        FreeForm::Image(captioned(link("1.jpg"))),
        FreeForm::Image(captioned(Media::id(&file))),
        FreeForm::Video(captioned(link("1.mp4"))),
        FreeForm::Audio(link("1.mp3")),
        FreeForm::Audio(Media { voice: Some(true), ..link("1.ogg") }),
        FreeForm::Document(Media { filename: Some("invoice.pdf".to_owned()), ..captioned(link("1.pdf")) }),
        FreeForm::Sticker(link("1.webp")),
        FreeForm::Location(Location { address: Some("Pariser Platz 1".to_owned()), ..place.clone() }),
        FreeForm::Location(Location { name: None, ..place }),
        FreeForm::Contacts(json!([{"name": {"formatted_name": "Ira Stein", "first_name": "Ira"},
            "phones": [{"phone": "+49 30 5550100", "type": "CELL"}]}])),
        FreeForm::reaction(&inbound, Some("👍")),
        FreeForm::reaction(&inbound, None),
        interactive(Action::Buttons(vec![button("keep"), button("move"), button("drop")]), None),
        interactive(Action::Buttons(vec![button("keep")]), Some(Header::Text("Appointment".to_owned()))),
        interactive(Action::Buttons(vec![button("keep")]), Some(Header::Image(link("1.jpg")))),
        interactive(Action::Buttons(vec![button("keep")]), Some(Header::Video(Media::id(&file)))),
        interactive(
            Action::Buttons(vec![button("keep")]),
            Some(Header::Document(Media { filename: Some("a.pdf".to_owned()), ..link("1.pdf") })),
        ),
        interactive(
            Action::List {
                button: "Days".to_owned(),
                sections: vec![
                    section("This week", vec![row("d1", Some("10:00-12:00")), row("d2", None)]),
                    section("Next week", vec![row("d3", None)]),
                ],
            },
            None,
        ),
        interactive(
            Action::List {
                button: "Days".to_owned(),
                sections: vec![Section { title: None, rows: vec![row("d1", None)] }],
            },
            Some(Header::Text("Choose".to_owned())),
        ),
        interactive(
            Action::OpenLink { display_text: "Open".to_owned(), url: "https://shop.example/x?y=1".to_owned() },
            None,
        ),
        interactive(Action::AskLocation, None),
    ];
    let count = kinds.len();
    for kind in kinds {
        let outcome = setting.adapter.send_free_form(OURS, CUSTOMER, &kind, None, "flow:1").await;
        assert!(accepted(&outcome), "{kind:?}: {outcome:?}, {:?}", setting.simulator.calls().last());
    }
    let quoted = FreeForm::text("Yes");
    let outcome = setting.adapter.send_free_form(OURS, CUSTOMER, &quoted, Some(&inbound), "").await;
    assert!(accepted(&outcome), "{outcome:?}");
    let last = setting.simulator.calls().pop().unwrap();
    assert_eq!((last.body["context"]["message_id"].as_str(), last.echo), (Some(inbound.as_str()), None));
    for typing in [false, true] {
        setting.adapter.mark_read(OURS, &inbound, typing).await.unwrap();
    }
    let unknown = setting.adapter.mark_read(OURS, "wamid.unknown", false).await.unwrap_err();
    assert_eq!(unknown.provider_code.as_deref(), Some("131009"));
    assert_eq!(setting.simulator.summary().taken as usize, count + 3);
}

#[tokio::test]
async fn files_and_text_are_taken_as_parts() {
    let setting = Setting::new().await;
    let files = ["a.mp3", "b.png", "c.pdf", "d.mp4", "e.webp"].map(|name| format!("https://cdn.example.com/{name}"));
    let message = Message { files: files.to_vec(), ..text(CUSTOMER) };
    let message = Arc::new(message);
    let parts = setting.adapter.parts(&message);
    assert_eq!(parts, 5);
    for part in 0..parts {
        let outcome = setting
            .adapter
            .send(&Outgoing { message: Arc::clone(&message), kinds: Vec::new(), part, attempt: 0 })
            .await;
        assert!(accepted(&outcome), "part {part}: {outcome:?}");
    }
    let kinds: Vec<String> = setting.simulator.calls().into_iter().map(|call| call.kind).collect();
    assert_eq!(kinds, ["audio", "image", "document", "video", "sticker"]);
    // Each part has an echo of its own, so that none counts as a repetition.
    assert_eq!((setting.simulator.sends().len(), setting.simulator.summary().duplicates), (5, 0));
}

fn named(name: &str, text: &str) -> Parameter {
    Parameter { name: Some(name.to_owned()), text: text.to_owned() }
}

fn value(text: &str) -> Parameter {
    Parameter { name: None, text: text.to_owned() }
}

fn media(kind: MediaKind, name: &str, filename: Option<&str>) -> Option<HeaderValue> {
    let link = format!("https://cdn.example.com/{name}");
    Some(HeaderValue::Media { kind, link, filename: filename.map(str::to_owned) })
}

fn button(index: u8, parameter: ButtonParameter) -> ButtonValue {
    ButtonValue { index, parameter }
}

/// A template as Meta holds it, and what is sent of it.
fn template(
    name: &str,
    (category, named): (Category, bool),
    components: Value,
    header: Option<HeaderValue>,
    (body, buttons): (Vec<Parameter>, Vec<ButtonValue>),
) -> (Value, TemplateMessage) {
    let format = if named { "NAMED" } else { "POSITIONAL" };
    let row = json!({"name": name, "language": "en_US", "category": category.as_str(), "parameter_format": format, "components": components});
    let (name, language) = (name.to_owned(), "en_US".to_owned());
    let more_than_text = true;
    (row, TemplateMessage { name, language, category, explicit: false, more_than_text, header, body, buttons })
}

#[tokio::test]
async fn every_template_kind_is_taken() {
    let setting = Setting::new().await;
    let words = |text: &str| json!({"type": "BODY", "text": text});
    let head = |format: &str| json!({"type": "HEADER", "format": format});
    let url = |text: &str| ButtonParameter::Url { suffix: text.to_owned() };
    let utility = (Category::Utility, false);
    let track = json!({"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}"});
    let buttons = json!({"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Help"}, track, {"type": "PHONE_NUMBER",
        "text": "Call", "phone_number": "+15550100200"}]});
    let pressed = vec![
        button(0, ButtonParameter::QuickReply { payload: "order:A-1009:help".to_owned() }),
        button(1, url("A-1009")),
    ];
    let location = HeaderValue::Location {
        latitude: 52.5163,
        longitude: 13.3777,
        name: "Showroom".to_owned(),
        address: "Pariser Platz 1".to_owned(),
    };
    let all = [
        template("plain", utility, json!([words("Hello!")]), None, (vec![], vec![])),
        template(
            "image",
            utility,
            json!([head("IMAGE"), words("Hi {{1}}, order {{2}} is on its way. {{1}}!"), {"type": "FOOTER", "text": "Shop"}, buttons]),
            media(MediaKind::Image, "1.jpg", None),
            (vec![value("Dana"), value("A-1009")], pressed.clone()),
        ),
        template(
            "video",
            utility,
            json!([head("VIDEO"), words("See!")]),
            media(MediaKind::Video, "1.mp4", None),
            (vec![], vec![]),
        ),
        template(
            "document",
            utility,
            json!([head("DOCUMENT"), words("Your invoice.")]),
            media(MediaKind::Document, "1.pdf", Some("invoice.pdf")),
            (vec![], vec![]),
        ),
        template("place", utility, json!([head("LOCATION"), words("Here.")]), Some(location), (vec![], vec![])),
        template(
            "header",
            utility,
            json!([{"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}, words("Hi {{1}}, thanks.")]),
            Some(HeaderValue::Text { parameter: value("A-1009") }),
            (vec![value("Dana")], vec![]),
        ),
        template(
            "named",
            (Category::Utility, true),
            json!([{"type": "HEADER", "format": "TEXT", "text": "{{clinic}}: reminder"}, words("Hello {{first_name}}, see you {{visit_time}}.")]),
            Some(HeaderValue::Text { parameter: named("clinic", "Example Dental") }),
            (vec![named("first_name", "Dana"), named("visit_time", "Tuesday 10:00")], vec![]),
        ),
        template(
            "code",
            (Category::Authentication, false),
            json!([{"type": "BODY", "add_security_recommendation": true}, {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}]),
            None,
            (vec![value("482913")], vec![button(0, url("482913"))]),
        ),
        template(
            "coupon",
            (Category::Marketing, false),
            json!([words("Hi {{1}}, an offer."), {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}, track]}]),
            None,
            (
                vec![value("Dana")],
                vec![button(0, ButtonParameter::CopyCode { code: "SAVE20".to_owned() }), button(1, url("x"))],
            ),
        ),
        template(
            "flow",
            utility,
            json!([words("How was it?"), {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Answer"}]}]),
            None,
            (vec![], vec![button(0, ButtonParameter::Flow { token: "7f1c2c1e".to_owned() })]),
        ),
    ];
    for (row, sent) in all {
        setting.simulator.put_template(None, &row).unwrap();
        let message = Message { template: Some(sent.clone()), ..text(CUSTOMER) };
        let outcome = setting.send(message).await;
        assert!(accepted(&outcome), "{}: {outcome:?}", sent.name);
    }
}

/// What does not fit the template is refused by Meta with the reason that a person understands.
#[tokio::test]
async fn wrong_values_come_back_as_reasons() {
    let setting = Setting::new().await;
    let (row, sent) = template(
        "order",
        (Category::Utility, false),
        json!([{"type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way."}]),
        None,
        (vec![value("Dana"), value("A-1009")], vec![]),
    );
    setting.simulator.put_template(None, &row).unwrap();
    let with = |change: &dyn Fn(&mut TemplateMessage)| {
        let mut sent = sent.clone();
        change(&mut sent);
        Message { template: Some(sent), ..text(CUSTOMER) }
    };
    let invalid = Reason::TemplateParameterInvalid;
    for (message, reason, code) in [
        (with(&|sent| drop(sent.body.pop())), invalid, "132000"),
        (with(&|sent| sent.body[0] = named("first", "Dana")), invalid, "132012"),
        (with(&|sent| sent.body[0] = value("a\nb")), invalid, "132018"),
        (with(&|sent| sent.header = media(MediaKind::Image, "1.jpg", None)), invalid, "132000"),
        (with(&|sent| sent.name = "gone".to_owned()), Reason::TemplateNotFound, "132001"),
        (with(&|sent| sent.language = "de".to_owned()), Reason::TemplateNotFound, "132001"),
        (with(&|sent| sent.body[0] = value(&"x".repeat(33_000))), Reason::ContentRefused, "132005"),
        (text(OURS), Reason::RecipientNotReachable, "131021"),
    ] {
        let outcome = setting.send(message).await;
        let Outcome::Refused(cause) = outcome else { panic!("{code}: {outcome:?}") };
        assert_eq!((cause.reason, cause.provider_code.as_deref()), (reason, Some(code)));
    }
}

#[tokio::test]
async fn marketing_goes_by_its_own_api() {
    let setting = Setting::with(|_| (), json!({"marketing_messages_api": true})).await;
    for (category, marketing_api) in [(Category::Marketing, true), (Category::Utility, false)] {
        let message = crate::setting::templated(&setting.simulator, CUSTOMER, category);
        let outcome = setting.send(message).await;
        assert!(accepted(&outcome), "{outcome:?}");
        assert_eq!(setting.simulator.calls().pop().unwrap().marketing_api, marketing_api);
    }
}

/// People without a visible number are written to by Meta's id of them; the sender's own id is checked too.
#[tokio::test]
async fn people_and_numbers_by_their_ids() {
    let setting = Setting::new().await;
    let outcome = setting.send(text("US.13491208655302741918")).await;
    assert!(accepted(&outcome), "{outcome:?}");
    assert_eq!(setting.simulator.calls().pop().unwrap().to, "US.13491208655302741918");
    let other = crate::setting::adapter(&setting.simulator.base_url(), json!({"phone_numbers": {(OURS): "1"}}));
    let message = Outgoing { message: Arc::new(text(CUSTOMER)), kinds: Vec::new(), part: 0, attempt: 0 };
    let outcome = other.send(&message).await;
    assert!(
        matches!(&outcome, Outcome::Stopped { cause, .. } if cause.reason == Reason::SenderNotReady),
        "{outcome:?}"
    );
    assert_eq!(setting.simulator.calls().pop().unwrap().code, Some(33));
}
