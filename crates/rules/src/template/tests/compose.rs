//! What is sent of a template, and which values Meta takes.

use super::samples::body;
use crate::{
    reason::{Cause, Reason},
    template::{
        ButtonKind, ButtonParameter, Given, Header, HeaderValue, MediaKind, Parameter, Template, TemplateMessage,
        check_values, compose, explicit_values,
    },
};
use serde_json::json;

fn texts(values: &[&str]) -> Vec<Parameter> {
    values.iter().map(|text| Parameter { name: None, text: (*text).to_owned() }).collect()
}

fn composed(template: &Template, values: &[&str], given: &Given<'_>) -> TemplateMessage {
    compose(template, None, texts(values), given).unwrap()
}

fn refused(done: Result<impl std::fmt::Debug, Cause>, reason: Reason, words: &str) {
    let cause = done.unwrap_err();
    assert_eq!(cause.reason, reason);
    let detail = cause.detail.unwrap();
    assert!(detail.contains(words) && detail.ends_with('.'), "{detail}");
}

fn url(link: &str) -> ButtonKind {
    ButtonKind::Url { url: link.to_owned() }
}

#[test]
fn a_body_alone_is_only_its_values() {
    let message = composed(&body(1, "plain", "Hi {{1}}."), &["Dana"], &Given::default());
    let expected = TemplateMessage {
        name: "plain".to_owned(),
        language: "en_US".to_owned(),
        category: crate::template::Category::Utility,
        explicit: false,
        more_than_text: false,
        header: None,
        body: texts(&["Dana"]),
        buttons: Vec::new(),
    };
    assert_eq!(message, expected);
    let wrong = compose(&body(1, "plain", "Hi {{1}}."), None, Vec::new(), &Given::default());
    refused(wrong, Reason::TemplateParameterInvalid, "takes 1 values, and 0 were given");
}

#[test]
fn headers_are_filled_from_text_files_and_what_is_given() {
    let text = body(1, "t", "Hi").with_header("Order {{1}}");
    let given = Given { header_parameter: Some("A-2"), ..Given::default() };
    let header = |text: &str| Some(HeaderValue::Text { parameter: Parameter { name: None, text: text.to_owned() } });
    assert_eq!(compose(&text, Some("A-1".to_owned()), Vec::new(), &Given::default()).unwrap().header, header("A-1"));
    assert_eq!(compose(&text, None, Vec::new(), &given).unwrap().header, header("A-2"));
    refused(compose(&text, None, Vec::new(), &Given::default()), Reason::TemplateParameterInvalid, "{{1}}");
    let fixed = body(1, "t", "Hi").with_header("Order");
    assert_eq!(composed(&fixed, &[], &Given::default()).header, None);
    let named = body(1, "t", "Hi").with_header("{{clinic}}: reminder").named();
    match composed(&named, &[], &given).header {
        Some(HeaderValue::Text { parameter }) => assert_eq!(parameter.name.as_deref(), Some("clinic")),
        other => panic!("{other:?}"),
    }

    let media = |kind| Template { header: Some(Header::Media(kind)), ..body(1, "t", "Hi") };
    let files = ["https://cdn.example/a%20b.pdf".to_owned()];
    let one = Given { files: &files, ..Given::default() };
    for (kind, filename) in [(MediaKind::Image, None), (MediaKind::Document, Some("a b.pdf".to_owned()))] {
        let expected = HeaderValue::Media { kind, link: files[0].clone(), filename };
        assert_eq!(composed(&media(kind), &[], &one).header, Some(expected));
    }
    let two = [files[0].clone(), files[0].clone()];
    for files in [&[][..], &two] {
        let given = Given { files, ..Given::default() };
        refused(
            compose(&media(MediaKind::Image), None, Vec::new(), &given),
            Reason::HeaderMediaRequired,
            "exactly one",
        );
    }
    let place = Template { header: Some(Header::Location), ..body(1, "t", "Hi") };
    let given = Given { header_parameter: Some("52.5, 13.4, Showroom"), ..Given::default() };
    assert!(matches!(composed(&place, &[], &given).header, Some(HeaderValue::Location { .. })));
    refused(compose(&place, None, Vec::new(), &Given::default()), Reason::TemplateParameterInvalid, "latitude");
}

/// Values of the buttons as `index: value`.
fn values(message: &TemplateMessage) -> Vec<String> {
    let value = |parameter: &ButtonParameter| match parameter {
        ButtonParameter::QuickReply { payload } => format!("payload {payload}"),
        ButtonParameter::Url { suffix } => suffix.clone(),
        ButtonParameter::CopyCode { code } => format!("code {code}"),
        ButtonParameter::Flow { token } => format!("flow {token}"),
    };
    message.buttons.iter().map(|button| format!("{}: {}", button.index, value(&button.parameter))).collect()
}

#[test]
fn buttons_are_filled_from_what_is_given_and_from_the_text() {
    let template = body(1, "t", "Hi {{1}}")
        .with_button("Help", ButtonKind::QuickReply)
        .with_button("Track", url("https://shop.example/t/{{1}}"))
        .with_button("Call", ButtonKind::PhoneNumber { phone_number: "+1555".to_owned() })
        .with_button("Shop", url("https://shop.example/"));
    let with = |parameters: &[Option<&str>], text: &str| {
        let parameters: Vec<_> = parameters.iter().map(|value| value.map(str::to_owned)).collect();
        let given = Given { button_parameters: &parameters, text, ..Given::default() };
        compose(&template, None, texts(&["Dana"]), &given).map(|message| values(&message))
    };
    // One for each that needs a value; for each that may have one; for each.
    assert_eq!(with(&[Some("A-1")], "").unwrap(), ["1: A-1"]);
    assert_eq!(with(&[Some("help"), Some("A-1")], "").unwrap(), ["0: payload help", "1: A-1"]);
    assert_eq!(with(&[None, Some("A-1"), None, None], "").unwrap(), ["1: A-1"]);
    assert_eq!(with(&[Some("https://shop.example/t/A-1")], "").unwrap(), ["1: A-1"]);
    // The text holds it; what is given goes first.
    assert_eq!(with(&[], "Hi Dana, see https://shop.example/t/A-2.").unwrap(), ["1: A-2"]);
    assert_eq!(with(&[Some("A-1")], "Hi Dana, see https://shop.example/t/A-2.").unwrap(), ["1: A-1"]);
    assert_eq!(with(&[], "https://shop.example/t/${order|none yet}, bye").unwrap(), ["1: ${order|none yet}"]);
    // Missing, too many, for one that takes none.
    for text in ["", "https://shop.example/t/", "http://shop.example/t/A-1"] {
        refused(with(&[], text), Reason::ButtonParameterMissing, "Button 2 (\"Track\")");
    }
    refused(with(&[Some("")], ""), Reason::ButtonParameterMissing, "https://shop.example/t/{{1}}");
    refused(with(&[None, None, None, None, None], ""), Reason::TemplateParameterInvalid, "5 values");
    refused(with(&[None, Some("A"), Some("1"), None], ""), Reason::TemplateParameterInvalid, "takes no value");
}

#[test]
fn codes_go_where_they_are_copied_from() {
    let coupon = body(1, "t", "Hi").with_button("", ButtonKind::CopyCode);
    let code = [Some("SAVE20".to_owned())];
    let given = Given { button_parameters: &code, ..Given::default() };
    assert_eq!(values(&composed(&coupon, &[], &given)), ["0: code SAVE20"]);
    refused(compose(&coupon, None, Vec::new(), &Given::default()), Reason::ButtonParameterMissing, "Button 1 ");

    let login = body(1, "t", "{{1}} is your code.").with_button("Copy", ButtonKind::OneTimePassword);
    assert_eq!(values(&composed(&login, &["482913"], &Given::default())), ["0: 482913"]);
    refused(compose(&login, None, texts(&["1"]), &given), Reason::TemplateParameterInvalid, "same code");
    let flow = body(1, "t", "Hi").with_button("Start", ButtonKind::Flow);
    assert!(composed(&flow, &[], &Given::default()).buttons.is_empty());
    assert_eq!(values(&composed(&flow, &[], &given)), ["0: flow SAVE20"]);
}

#[test]
fn two_buttons_with_the_same_link_take_one_each_from_the_text() {
    let template = body(1, "t", "Hi")
        .with_button("A", url("https://x.example/{{1}}"))
        .with_button("B", url("https://x.example/{{1}}"));
    let with = |text| values(&composed(&template, &[], &Given { text, ..Given::default() }));
    assert_eq!(with("https://x.example/1 https://x.example/2"), ["0: 1", "1: 2"]);
    assert_eq!(with("https://x.example/1"), ["0: 1", "1: 1"]);
}

#[test]
fn what_cannot_be_filled_is_refused() {
    let carousel = Template { unsupported: vec!["CAROUSEL".to_owned()], ..body(1, "t", "Hi") };
    refused(compose(&carousel, None, Vec::new(), &Given::default()), Reason::TemplateParameterInvalid, "CAROUSEL");
}

#[test]
fn values_beside_a_name_come_as_a_list_or_by_name() {
    let positional = body(1, "t", "{{2}} for {{1}}").with_header("Order {{1}}");
    let named = body(1, "t", "Hi {{first_name}}, {{time}}").with_header("{{clinic}}").named();
    let read = |template: &Template, given| {
        let (header, body) = explicit_values(template, &given).unwrap();
        let body: Vec<_> = body.into_iter().map(|value| (value.name.unwrap_or_default(), value.text)).collect();
        (header, body)
    };
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let two = vec![pair("", "two"), pair("", "7")];
    assert_eq!(read(&positional, json!(["two", 7])), (None, two.clone()));
    assert_eq!(read(&positional, json!({"2": 7, "1": "two"})), (None, two.clone()));
    assert_eq!(read(&positional, json!([{"1": "two"}, {"2": 7}])), (None, two.clone()));
    assert_eq!(read(&positional, json!({"2": 7, "1": "two", "header": "A-1"})), (Some("A-1".to_owned()), two));
    let values = vec![pair("first_name", "Dana"), pair("time", "ten")];
    let by_name = json!({"time": "ten", "first_name": "Dana", "clinic": "Example"});
    assert_eq!(read(&named, by_name), (Some("Example".to_owned()), values.clone()));
    assert_eq!(read(&named, json!(["Dana", "ten"])), (None, values));
    assert_eq!(read(&body(1, "t", "Hi"), json!(null)), (None, Vec::new()));

    let wrong = [
        (json!(["two"]), "takes 2 parameters ({{1}}, {{2}}), and 1 were given"),
        (json!(null), "and 0 were given"),
        (json!({"1": "two"}), "needs a value for {{2}}"),
        (json!({"1": "two", "2": "x", "3": "y"}), "has no parameter {{3}}"),
        (json!(["two", null]), "{{2}} must be a text"),
        (json!(["two", ["x"]]), "{{2}} must be a text"),
        (json!("two"), "a list of texts"),
    ];
    for (given, words) in wrong {
        refused(explicit_values(&positional, &given), Reason::TemplateParameterInvalid, words);
    }
}

#[test]
fn metas_rules_for_values() {
    let template = body(1, "t", "Hi {{1}}, {{2}}.")
        .with_header("Order {{1}}")
        .with_button("Track", url("https://x.example/{{1}}"));
    let with = |header: &str, first: &str, suffix: &str| {
        let suffix = [Some(suffix.to_owned())];
        let given = Given { button_parameters: &suffix, ..Given::default() };
        let message = compose(&template, Some(header.to_owned()), texts(&[first, "x"]), &given).unwrap();
        check_values(&message, &template)
    };
    assert_eq!(with("A", "B    C", "D"), Ok(()));
    let long = |characters| "é".repeat(characters);
    assert_eq!(with(&long(60), &long(1_024 - "Hi , x.".len()), &long(2_000 - "https://x.example/".len())), Ok(()));
    let refusals = [
        (with("A", "two\nlines", "D"), "{{1}} has a line break"),
        (with("A", "two\rlines", "D"), "{{1}} has a line break"),
        (with("A", "a\ttab", "D"), "{{1}} has a tab"),
        (with("A", "five     spaces", "D"), "{{1}} has more than four spaces"),
        (with("A", " ", "D"), "{{1}} is empty"),
        (with("A", "\u{200e}\u{a0}", "D"), "{{1}} is empty"),
        (with("A\nB", "C", "D"), "the header's parameter has a line break"),
        (with(&long(61), "C", "D"), "the header's parameter has 61 characters, and Meta takes 60"),
        (with("A", &long(1_024 - "Hi , x.".len() + 1), "D"), "has 1025 characters, and Meta takes 1024"),
        (with("A", "B", "two\nlines"), "button 1 (\"Track\") has a line break"),
        (with("A", "B", &long(2_000 - "https://x.example/".len() + 1)), "and Meta takes 1982"),
    ];
    for (done, words) in refusals {
        refused(done, Reason::TemplateParameterInvalid, words);
    }
    // A body alone may be long.
    let alone = body(1, "t", "Hi {{1}}.");
    let message = composed(&alone, &[&long(5_000)], &Given::default());
    assert_eq!(check_values(&message, &alone), Ok(()));

    let check_code = |kind: ButtonKind, code: &str| {
        let template = body(1, "t", "{{1}} is it.").with_button("", kind);
        let given = [Some(code.to_owned())];
        let message = composed(&template, &[code], &Given { button_parameters: &given, ..Given::default() });
        check_values(&message, &template)
    };
    for kind in [ButtonKind::CopyCode, ButtonKind::OneTimePassword] {
        assert_eq!(check_code(kind.clone(), "ABCDEFGHIJ12345"), Ok(()));
        refused(
            check_code(kind, "ABCDEFGHIJ123456"),
            Reason::TemplateParameterInvalid,
            "16 characters, and Meta takes 15",
        );
    }
    refused(check_code(ButtonKind::CopyCode, "SAVE-20"), Reason::TemplateParameterInvalid, "letters and digits only");
    refused(check_code(ButtonKind::QuickReply, &long(257)), Reason::TemplateParameterInvalid, "Meta takes 256");
}
