//! What flows say: buttons, lists, links, places, reactions; and that it was read.

use super::setting::{CUSTOMER, Graph, OURS, PNID, example, fixture};
use herald_channels::{
    contract::Outcome,
    whatsapp_cloud::{
        FreeForm,
        free_form::{Location, Media},
        interactive::{Action, Header, Interactive, ReplyButton, Row, Section},
    },
};
use herald_rules::reason::Reason;
use serde_json::{Value, json};

const WAMID: &str = "wamid.HBgLMTY1MDU1NTAxNDIVAgASGBQzQTRGNUI2QzdEOEU5RkEwQjFDMgA=";

fn button(id: &str, title: &str) -> ReplyButton {
    ReplyButton { id: id.to_owned(), title: title.to_owned() }
}

fn row(id: &str, title: &str, description: Option<&str>) -> Row {
    Row { id: id.to_owned(), title: title.to_owned(), description: description.map(str::to_owned) }
}

fn interactive(body: &str, action: Action) -> Interactive {
    Interactive { header: None, body: body.to_owned(), footer: None, action }
}

async fn written(content: &FreeForm, context: Option<&str>, echo: &str) -> Value {
    let graph = Graph::start().await;
    graph.tell(200, fixture("taken_text"));
    let outcome = graph.adapter().send_free_form(OURS, CUSTOMER, content, context, echo).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    graph.last().json()
}

#[tokio::test]
async fn metas_examples() {
    let buttons = Interactive {
        header: Some(Header::Text("Appointment".to_owned())),
        footer: Some("Example Dental".to_owned()),
        ..interactive("Keep Tuesday 10:00?", Action::Buttons(vec![button("keep", "Keep"), button("move", "Move")]))
    };
    let list = Action::List {
        button: "Days".to_owned(),
        sections: vec![Section {
            title: Some("This week".to_owned()),
            rows: vec![row("d1", "Tuesday", Some("10:00-12:00")), row("d2", "Wednesday", None)],
        }],
    };
    let location = Location {
        latitude: 52.5163,
        longitude: 13.3777,
        name: Some("Showroom".to_owned()),
        address: Some("Pariser Platz 1, Berlin".to_owned()),
    };
    let document = Media {
        filename: Some("invoice-1009.pdf".to_owned()),
        caption: Some("Invoice".to_owned()),
        ..Media::id("1480912345678901")
    };
    for (content, name) in [
        (FreeForm::Document(document), "send_document_id"),
        (FreeForm::Interactive(buttons), "send_buttons"),
        (FreeForm::Interactive(interactive("Choose a day", list)), "send_list"),
        (FreeForm::reaction(WAMID, Some("👍")), "send_reaction"),
        (FreeForm::Location(location), "send_location"),
    ] {
        assert_eq!(written(&content, None, "").await, example(name), "{name}");
    }
    let quoting = written(&FreeForm::text("Your table is ready."), Some(WAMID), "01JD9Z6T4K6XQ0V7").await;
    assert_eq!(quoting, example("send_text_quoting"));
}

#[tokio::test]
async fn what_has_no_example() {
    let link = Action::OpenLink { display_text: "Open".to_owned(), url: "https://a.example/1".to_owned() };
    let parameters = json!({"display_text": "Open", "url": "https://a.example/1"});
    for (action, expected) in [
        (
            link,
            json!({"type": "cta_url", "body": {"text": "Hi"}, "action": {"name": "cta_url", "parameters": parameters}}),
        ),
        (
            Action::AskLocation,
            json!({"type": "location_request_message", "body": {"text": "Hi"}, "action": {"name": "send_location"}}),
        ),
    ] {
        let written = written(&FreeForm::Interactive(interactive("Hi", action)), None, "").await;
        assert_eq!((&written["type"], &written["interactive"]), (&json!("interactive"), &expected));
    }
    let taken_back = written(&FreeForm::reaction(WAMID, None), None, "").await;
    assert_eq!(taken_back["reaction"], json!({"message_id": WAMID, "emoji": ""}));
    let header = Some(Header::Image(Media::link("https://a.example/1.png")));
    let pictured = Interactive { header, ..interactive("Hi", Action::Buttons(vec![button("a", "A")])) };
    let header = json!({"type": "image", "image": {"link": "https://a.example/1.png"}});
    assert_eq!(written(&FreeForm::Interactive(pictured), None, "").await["interactive"]["header"], header);
}

#[tokio::test]
async fn read_and_typing() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    graph.tell(200, fixture("success")).tell(200, fixture("success"));
    adapter.mark_read(OURS, WAMID, true).await.unwrap();
    assert_eq!(graph.last().json(), example("mark_read_typing"));
    assert_eq!(graph.last().line(), format!("POST /v23.0/{PNID}/messages"));
    adapter.mark_read(OURS, WAMID, false).await.unwrap();
    assert_eq!(graph.last().json().get("typing_indicator"), None);
    let unknown = adapter.mark_read("1", WAMID, false).await.unwrap_err();
    assert_eq!(unknown.reason, Reason::SenderNotReady);
}

#[tokio::test]
async fn what_breaks_a_limit_is_refused_without_a_call() {
    let buttons = |buttons: Vec<ReplyButton>| FreeForm::Interactive(interactive("Hi", Action::Buttons(buttons)));
    let list = |sections: Vec<Section>| {
        FreeForm::Interactive(interactive("Hi", Action::List { button: "Open".to_owned(), sections }))
    };
    let section = |title: Option<&str>, rows: usize, prefix: &str| Section {
        title: title.map(str::to_owned),
        rows: (0..rows).map(|number| row(&format!("{prefix}{number}"), "Row", None)).collect(),
    };
    let headed = |header: Header, action| {
        FreeForm::Interactive(Interactive { header: Some(header), ..interactive("Hi", action) })
    };
    let open = |text: &str, url: &str| {
        let action = Action::OpenLink { display_text: text.to_owned(), url: url.to_owned() };
        FreeForm::Interactive(interactive("Hi", action))
    };
    let ask = || Action::AskLocation;
    let file = |media| FreeForm::Image(media);
    let place = |latitude, longitude| FreeForm::Location(Location { latitude, longitude, name: None, address: None });
    let many = |length: usize| "x".repeat(length);
    let fine = [
        FreeForm::text(&many(4_096)),
        buttons(vec![button(&many(256), &many(20)), button("b", "B"), button("c", "C")]),
        list(vec![section(None, 10, "a")]),
        list(vec![section(Some("A"), 5, "a"), section(Some("B"), 5, "b")]),
        headed(Header::Text(many(60)), ask()),
        place(-90.0, 180.0),
        FreeForm::Contacts(json!([{"name": {"formatted_name": "Ira", "first_name": "Ira"}}])),
    ];
    let wrong = [
        FreeForm::text(""),
        FreeForm::text(&many(4_097)),
        buttons(vec![]),
        buttons(vec![button("a", "A"), button("b", "B"), button("c", "C"), button("d", "D")]),
        buttons(vec![button("a", "A"), button("a", "B")]),
        buttons(vec![button("a", "A"), button("b", "A")]),
        buttons(vec![button(" a", "A")]),
        buttons(vec![button("", "A")]),
        buttons(vec![button(&many(257), "A")]),
        buttons(vec![button("a", &many(21))]),
        list(vec![]),
        list(vec![section(None, 0, "a")]),
        list(vec![section(None, 11, "a")]),
        list(vec![section(Some("A"), 6, "a"), section(Some("B"), 5, "b")]),
        list(vec![section(None, 1, "a"), section(Some("B"), 1, "b")]),
        list(vec![section(Some("A"), 1, "a"), section(Some("B"), 1, "a")]),
        list(vec![section(Some(&many(25)), 1, "a")]),
        list(vec![Section { title: None, rows: vec![row(&many(201), "R", None)] }]),
        list(vec![Section { title: None, rows: vec![row("a", &many(25), None)] }]),
        list(vec![Section { title: None, rows: vec![row("a", "R", Some(&many(73)))] }]),
        headed(Header::Text(many(61)), ask()),
        headed(
            Header::Image(Media::id("1")),
            Action::List { button: "Open".to_owned(), sections: vec![section(None, 1, "a")] },
        ),
        FreeForm::Interactive(interactive("", ask())),
        FreeForm::Interactive(interactive(&many(1_025), ask())),
        FreeForm::Interactive(Interactive { footer: Some(many(61)), ..interactive("Hi", ask()) }),
        open("", "https://a.example"),
        open(&many(21), "https://a.example"),
        open("Open", "javascript:alert(1)"),
        file(Media { link: None, ..Media::link("x") }),
        file(Media { id: Some("1".to_owned()), ..Media::link("https://a.example/1.png") }),
        file(Media { caption: Some(many(1_025)), ..Media::id("1") }),
        FreeForm::Audio(Media { caption: Some("x".to_owned()), ..Media::id("1") }),
        place(90.1, 0.0),
        place(0.0, f64::NAN),
        FreeForm::Contacts(json!([])),
        FreeForm::Contacts(json!({})),
        FreeForm::reaction("", Some("👍")),
    ];
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    for content in &fine {
        graph.tell(200, fixture("taken_text"));
        let outcome = adapter.send_free_form(OURS, CUSTOMER, content, None, "").await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{content:?}: {outcome:?}");
    }
    for content in &wrong {
        let outcome = adapter.send_free_form(OURS, CUSTOMER, content, None, "").await;
        let Outcome::Refused(cause) = outcome else { panic!("{content:?}: {outcome:?}") };
        assert_eq!(cause.reason, Reason::ContentRefused);
        assert!(cause.detail.unwrap().ends_with('.'));
    }
    assert_eq!(graph.asked().len(), fine.len());
}
