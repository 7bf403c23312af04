//! What goes out, compared with Meta's examples.

use super::setting::{CUSTOMER, Graph, OURS, PNID, PROOF, example, fixture, outgoing, template_named, with_template};
use herald_channels::contract::{Outcome, Outgoing, Provider};
use herald_rules::{
    reason::Reason,
    template::{ButtonParameter, ButtonValue, Category, HeaderValue, MediaKind, Parameter, TemplateMessage},
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{io::AsyncReadExt, net::TcpListener};

fn value(text: &str) -> Parameter {
    Parameter { name: None, text: text.to_owned() }
}

fn named(name: &str, text: &str) -> Parameter {
    Parameter { name: Some(name.to_owned()), text: text.to_owned() }
}

fn button(index: u8, parameter: ButtonParameter) -> ButtonValue {
    ButtonValue { index, parameter }
}

fn media(kind: MediaKind, link: &str, filename: Option<&str>) -> HeaderValue {
    HeaderValue::Media { kind, link: link.to_owned(), filename: filename.map(str::to_owned) }
}

/// What is written for a message, without our echo, which no example has.
async fn written(outgoing: &Outgoing) -> Value {
    let graph = Graph::start().await;
    graph.tell(200, fixture("taken_text"));
    let outcome = graph.adapter().send(outgoing).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let mut body = graph.last().json();
    let echo = body.as_object_mut().unwrap().remove("biz_opaque_callback_data");
    assert_eq!(echo, Some(json!(outgoing.message.id.to_string())));
    body
}

async fn components(template: TemplateMessage) -> Value {
    written(&with_template(template)).await["template"]["components"].take()
}

#[tokio::test]
async fn a_call_carries_token_and_proof() {
    let graph = Graph::start().await;
    graph.tell(200, fixture("taken_text"));
    graph.adapter().send(&outgoing("Your table is ready.", &[])).await;
    let asked = graph.last();
    assert_eq!(asked.line(), format!("POST /v23.0/{PNID}/messages"));
    assert_eq!(asked.query("appsecret_proof").as_deref(), Some(PROOF));
    assert_eq!(asked.headers["authorization"], "Bearer EAAGtoken");
    assert_eq!(asked.headers["content-type"], "application/json");
}

#[tokio::test]
async fn text() {
    let mut expected = example("send_text_quoting");
    for ours in ["context", "biz_opaque_callback_data"] {
        expected.as_object_mut().unwrap().remove(ours);
    }
    assert_eq!(written(&outgoing("Your table is ready.", &[])).await, expected);
    let link = written(&outgoing("See https://a.example/1", &[])).await;
    assert_eq!(link["text"], json!({"preview_url": true, "body": "See https://a.example/1"}));
}

#[tokio::test]
async fn files_by_link() {
    let image = written(&outgoing("Your parcel", &["https://cdn.example.com/p/1.jpg"])).await;
    assert_eq!(image, example("send_image_link"));
    for (link, kind, object) in [
        ("https://a.example/a%20b.pdf?x=1", "document", json!({"filename": "a b.pdf", "caption": "Hi"})),
        ("https://a.example/1.mp4", "video", json!({"caption": "Hi"})),
    ] {
        let body = written(&outgoing("Hi", &[link])).await;
        let mut expected = object;
        expected["link"] = json!(link);
        assert_eq!((&body["type"], &body[kind]), (&json!(kind), &expected));
    }
    for (link, kind) in [("https://a.example/1.ogg", "audio"), ("https://a.example/1.webp", "sticker")] {
        assert_eq!(written(&outgoing("", &[link])).await[kind], json!({ "link": link }));
    }
}

#[tokio::test]
async fn each_part_is_a_call_with_its_own_echo() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    let mut message = outgoing("Hi", &["https://a.example/1.mp3", "https://a.example/2.pdf"]);
    assert_eq!(adapter.parts(&message.message), 2);
    message.part = 1;
    graph.tell(200, fixture("taken_text"));
    adapter.send(&message).await;
    let body = graph.last().json();
    assert_eq!(body["document"]["caption"], "Hi");
    assert_eq!(body["biz_opaque_callback_data"], format!("{}/1", message.message.id));
    message.part = 2;
    let outcome = adapter.send(&message).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert_eq!(graph.asked().len(), 1);
}

#[tokio::test]
async fn template_with_named_parameters() {
    let template = TemplateMessage {
        header: Some(HeaderValue::Text { parameter: named("clinic", "Example Dental") }),
        body: vec![named("first_name", "Dana"), named("visit_time", "Tuesday 10:00")],
        ..template_named("visit_reminder")
    };
    assert_eq!(written(&with_template(template)).await, example("send_template_named"));
}

#[tokio::test]
async fn template_with_image_and_buttons() {
    let template = TemplateMessage {
        header: Some(media(MediaKind::Image, "https://cdn.example.com/o.jpg", None)),
        body: vec![value("Dana"), value("A-1009")],
        buttons: vec![
            button(0, ButtonParameter::QuickReply { payload: "order:A-1009:help".to_owned() }),
            button(1, ButtonParameter::Url { suffix: "A-1009".to_owned() }),
        ],
        ..template_named("order_update_v2")
    };
    let mut expected = example("send_template_image_positional");
    // Ours go by link.
    expected["template"]["components"][0]["parameters"][0]["image"] = json!({"link": "https://cdn.example.com/o.jpg"});
    assert_eq!(written(&with_template(template)).await, expected);
}

#[tokio::test]
async fn template_with_a_one_time_password() {
    let template = TemplateMessage {
        body: vec![value("482913")],
        buttons: vec![button(0, ButtonParameter::Url { suffix: "482913".to_owned() })],
        category: Category::Authentication,
        ..template_named("login_code")
    };
    assert_eq!(written(&with_template(template)).await, example("send_template_otp"));
}

#[tokio::test]
async fn template_with_a_coupon() {
    let template = TemplateMessage {
        header: Some(media(MediaKind::Image, "https://cdn.example.com/w.jpg", None)),
        body: vec![value("Dana")],
        buttons: vec![
            button(0, ButtonParameter::CopyCode { code: "SAVE20".to_owned() }),
            button(1, ButtonParameter::Url { suffix: "winter".to_owned() }),
        ],
        ..template_named("winter_offer")
    };
    let mut expected = example("send_template_coupon_offer");
    // A limited-time offer is none of ours: such templates are never matched.
    expected["template"]["components"].as_array_mut().unwrap().retain(|it| it["type"] != "limited_time_offer");
    assert_eq!(written(&with_template(template)).await, expected);
}

#[tokio::test]
async fn template_with_a_flow() {
    let token = "7f1c2c1e-6a42-4e0b-8a3f-0d1b5a1f9c11".to_owned();
    let buttons = vec![button(0, ButtonParameter::Flow { token })];
    let template = TemplateMessage { buttons, ..template_named("survey_flow") };
    let mut expected = example("send_template_flow");
    let action = &mut expected["template"]["components"][0]["parameters"][0]["action"];
    action.as_object_mut().unwrap().remove("flow_action_data");
    assert_eq!(written(&with_template(template)).await, expected);
}

#[tokio::test]
async fn every_other_header() {
    let examples = example("template_headers");
    let header = |value| TemplateMessage { header: Some(value), ..template_named("t") };
    let document = media(MediaKind::Document, "https://cdn.example.com/i.pdf", Some("invoice.pdf"));
    assert_eq!(components(header(document)).await[0], examples[0]);
    let location = HeaderValue::Location {
        latitude: 52.5163,
        longitude: 13.3777,
        name: "Showroom".to_owned(),
        address: "Pariser Platz 1".to_owned(),
    };
    assert_eq!(components(header(location)).await[0], examples[1]);
    let mut video = examples[2].clone();
    video["parameters"][0]["video"] = json!({"link": "https://a.example/1.mp4"});
    assert_eq!(components(header(media(MediaKind::Video, "https://a.example/1.mp4", None))).await[0], video);
    let positional = HeaderValue::Text { parameter: value("A-1009") };
    let expected = json!({"type": "header", "parameters": [{"type": "text", "text": "A-1009"}]});
    assert_eq!(components(header(positional)).await[0], expected);
}

#[tokio::test]
async fn template_without_parameters_has_no_components() {
    let body = written(&with_template(template_named("hello_world"))).await;
    assert_eq!(body["template"], json!({"name": "hello_world", "language": {"code": "en_US"}}));
}

#[tokio::test]
async fn marketing_has_a_door_of_its_own_where_it_is_set() {
    let graph = Graph::start().await;
    let adapter = super::setting::adapter(graph.url(), |settings| settings.marketing_messages_api = true);
    let (without, marketing) = (graph.adapter(), Category::Marketing);
    for (adapter, category, path) in [
        (&adapter, marketing, "marketing_messages"),
        (&adapter, Category::Utility, "messages"),
        (&without, marketing, "messages"),
    ] {
        graph.tell(200, fixture("taken_template"));
        let template = TemplateMessage { category, ..template_named("news") };
        adapter.send(&with_template(template)).await;
        assert_eq!(graph.last().uri.path(), format!("/v23.0/{PNID}/{path}"));
    }
}

#[tokio::test]
async fn people_without_a_number_are_named_by_metas_id() {
    let mut message = outgoing("Hi", &[]);
    Arc::make_mut(&mut message.message).to = "US.13491208655302741918".to_owned();
    let body = written(&message).await;
    assert_eq!(body["recipient"], "US.13491208655302741918");
    assert_eq!(body.get("to"), None);
    assert_eq!(written(&outgoing("Hi", &[])).await["to"], format!("+{CUSTOMER}"));
}

#[tokio::test]
async fn a_sender_that_is_not_in_the_settings_is_refused_without_a_call() {
    let graph = Graph::start().await;
    let mut message = outgoing("Hi", &[]);
    Arc::make_mut(&mut message.message).from = format!("{OURS}1");
    let outcome = graph.adapter().send(&message).await;
    assert!(matches!(&outcome, Outcome::Refused(cause) if cause.reason == Reason::SenderNotReady), "{outcome:?}");
    assert!(graph.asked().is_empty());
}

#[tokio::test]
async fn calls_in_flight_are_bounded_for_each_number() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (now.clone(), most.clone());
    let answer = move || {
        let (now, most) = counted.clone();
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // So long a call lasts: what is not held back meets it here.
            tokio::time::sleep(Duration::from_millis(50)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            fixture("taken_text")
        }
    };
    let router = axum::Router::new().fallback(answer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let adapter = super::setting::adapter(&url, |settings| settings.in_flight = 2);
    let sends: Vec<_> = (0..6)
        .map(|_| {
            let adapter = adapter.clone();
            tokio::spawn(async move { adapter.send(&outgoing("Hi", &[])).await })
        })
        .collect();
    for send in sends {
        let outcome = send.await.unwrap();
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    server.abort();
}

#[tokio::test]
async fn a_message_that_finds_no_place_in_time_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let adapter = super::setting::adapter(&url, |settings| {
        settings.in_flight = 1;
        settings.timeout_ms = 1_000;
    });
    let first = tokio::spawn({
        let adapter = adapter.clone();
        async move { adapter.send(&outgoing("Hi", &[])).await }
    });
    // The first call holds the place from here on, and is never answered.
    let _held = listener.accept().await.unwrap();
    let second = adapter.send(&outgoing("Hi", &[])).await;
    assert!(matches!(second, Outcome::NotSent(_)), "{second:?}");
    assert!(matches!(first.await.unwrap(), Outcome::Unknown(_)));
}

#[tokio::test]
async fn calls_one_after_another_share_a_connection() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    for _ in 0..5 {
        graph.tell(200, fixture("taken_text"));
        adapter.send(&outgoing("Hi", &[])).await;
    }
    let peers: HashSet<_> = graph.asked().iter().map(|asked| asked.peer).collect();
    assert_eq!(peers.len(), 1);
}

#[tokio::test]
async fn http_2_is_offered_over_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let adapter = super::setting::adapter(&format!("https://{}", listener.local_addr().unwrap()), |_| ());
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4_096];
        let length = stream.read(&mut hello).await.unwrap();
        hello.truncate(length);
        hello
    });
    let outcome = adapter.send(&outgoing("Hi", &[])).await;
    assert!(matches!(outcome, Outcome::NotSent(_)), "{outcome:?}");
    // The ALPN list: each name behind its length.
    let offered = b"\x02h2\x08http/1.1";
    assert!(hello.await.unwrap().windows(offered.len()).any(|window| window == offered));
}
