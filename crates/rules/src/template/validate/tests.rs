use super::*;
use serde_json::json;

fn good() -> Value {
    json!({
        "name": "order_update_v2", "language": "en_US", "category": "UTILITY", "parameter_format": "POSITIONAL",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["A-1009"]}},
            {"type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way.", "example": {"body_text": [["Dana", "A-1009"]]}},
            {"type": "FOOTER", "text": "Example Shop"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Help"},
                {"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}", "example": ["https://shop.example/t/A-1009"]},
                {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550100200"},
                {"type": "COPY_CODE", "example": "SAVE20"},
            ]},
        ],
    })
}

/// The example of a named template.
fn named() -> Value {
    json!({
        "name": "visit_reminder", "language": "en_US", "category": "UTILITY", "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "{{clinic}}: reminder",
             "example": {"header_text_named_params": [{"param_name": "clinic", "example": "Example Dental"}]}},
            {"type": "BODY", "text": "Hello {{first_name}}, see you {{visit_time}} at our practice.",
             "example": {"body_text_named_params": [
                {"param_name": "first_name", "example": "Dana"}, {"param_name": "visit_time", "example": "Tuesday 10:00"},
             ]}},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Confirm"},
                {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+15550100200"},
            ]},
        ],
    })
}

fn authentication() -> Value {
    json!({
        "name": "code", "language": "en", "category": "AUTHENTICATION", "message_send_ttl_seconds": 60,
        "components": [
            {"type": "BODY", "add_security_recommendation": true},
            {"type": "FOOTER", "code_expiration_minutes": 10},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "ONE_TAP", "text": "Copy", "autofill_text": "Autofill",
                "supported_apps": [{"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"}]}]},
        ],
    })
}

fn offer() -> Value {
    json!({
        "name": "spring_offer", "language": "pt_BR", "category": "MARKETING", "message_send_ttl_seconds": -1,
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1n"]}},
            {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon!", "has_expiration": true}},
            {"type": "BODY", "text": "Good news, {{1}}! Use the code {{2}} to get a quarter off.", "example": {"body_text": [["Pablo", "CARIBE25"]]}},
            {"type": "BUTTONS", "buttons": [
                {"type": "COPY_CODE", "example": "CARIBE25"},
                {"type": "URL", "text": "Book now", "url": "https://shop.example/offers?code={{1}}", "example": ["https://shop.example/offers?code=n3mtql"]},
            ]},
        ],
    })
}

fn carousel() -> Value {
    let card = || {
        json!({"components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1n"]}},
            {"type": "BODY", "text": "Only this week"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "More"}, {"type": "URL", "text": "Buy", "url": "https://shop.example/"}]},
        ]})
    };
    json!({
        "name": "summer", "language": "fil", "category": "marketing",
        "components": [{"type": "body", "text": "Fresh fruit is here."}, {"type": "carousel", "cards": [card(), card(), card()]}],
    })
}

/// `template` with one value otherwise; null removes nothing, it is a value.
fn with(mut template: Value, pointer: &str, value: Value) -> Value {
    match template.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            template.pointer_mut(parent).unwrap()[field] = value;
        }
    }
    template
}

fn found(template: &Value) -> Vec<(&'static str, String)> {
    let found = validate(template);
    for violation in &found {
        assert!(violation.sentence.ends_with('.') && violation.pointer.starts_with('/'), "{violation:?}");
    }
    found.into_iter().map(|violation| (violation.code, violation.pointer)).collect()
}

#[test]
fn good_templates_pass() {
    for template in [good(), named(), authentication(), offer(), carousel()] {
        assert_eq!(validate(&template), [], "{template}");
    }
    let positional = json!({
        "name": "order_update_v2", "language": "en_US", "category": "UTILITY",
        "components": [
            {"type": "HEADER", "format": "LOCATION"},
            {"type": "BODY", "text": "Hi {{1}}, order {{2}} of {{1}} is on its way to you.", "example": {"body_text": [["Dana", "A-1009"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Shop", "url": "https://shop.example"}, {"type": "QUICK_REPLY", "text": "Stop"}]},
        ],
    });
    assert_eq!(validate(&positional), [], "a variable may come again, and quick replies may come last");
    for (pointer, value) in [
        ("/parameter_format", Value::Null),
        ("/components/1/text", json!("No variables: no samples are needed.")),
        ("/components/0/text", json!("Your order")),
        ("/components/3/buttons/1/url", json!("https://shop.example/t")),
        ("/language", json!("zh_HK")),
        ("/message_send_ttl_seconds", json!(43_200)),
        ("/name", json!("a".repeat(512))),
        ("/components/2/text", json!("é".repeat(60))),
    ] {
        assert_eq!(validate(&with(good(), pointer, value)), [], "{pointer}");
    }
}

/// One row a rule: what is changed of a good template, the code, and where it is found.
#[test]
fn each_rule_is_told() {
    let url = "/components/3/buttons/1/url";
    let buttons = "/components/3/buttons";
    let reply = |text: &str| json!({"type": "QUICK_REPLY", "text": text});
    let phone = || json!({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550100200"});
    let link = || json!({"type": "URL", "text": "Go", "url": "https://shop.example/"});
    let body = |text: &str| (("/components/1/text"), json!(text));
    for ((pointer, value), code, place) in [
        (("/name", json!("Order Update")), "name_invalid", "/name"),
        (("/name", json!("")), "name_invalid", "/name"),
        (("/name", json!("a".repeat(513))), "name_too_long", "/name"),
        (("/language", json!("en-US")), "language_invalid", "/language"),
        (("/language", json!("english")), "language_invalid", "/language"),
        (("/category", json!("OTP")), "category_invalid", "/category"),
        (("/parameter_format", json!("NUMBERED")), "parameter_format_invalid", "/parameter_format"),
        (("/message_send_ttl_seconds", json!(29)), "time_to_live_invalid", "/message_send_ttl_seconds"),
        (("/message_send_ttl_seconds", json!(43_201)), "time_to_live_invalid", "/message_send_ttl_seconds"),
        (("/message_send_ttl_seconds", json!("60")), "time_to_live_invalid", "/message_send_ttl_seconds"),
        (("/components", json!("x")), "components_missing", "/components"),
        (("/components", json!([])), "body_missing", "/components"),
        (("/components/2", json!({"type": "BODY", "text": "Again"})), "component_twice", "/components/2"),
        (("/components/2/type", json!("FEET")), "component_unknown", "/components/2/type"),
        // The header.
        (("/components/0/text", json!("a".repeat(61))), "text_too_long", "/components/0/text"),
        (("/components/0/text", json!(" ")), "text_missing", "/components/0/text"),
        (("/components/0/text", json!("Two\nlines")), "line_break", "/components/0/text"),
        (("/components/0/format", json!("HOLOGRAM")), "header_format_invalid", "/components/0/format"),
        (("/components/0/example/header_text", json!([])), "samples_missing", "/components/0/example/header_text"),
        (
            ("/components/0", json!({"type": "HEADER", "format": "IMAGE"})),
            "header_sample_missing",
            "/components/0/example/header_handle",
        ),
        (
            (
                "/components/0",
                json!({"type": "HEADER", "format": "VIDEO", "example": {"header_handle": ["https://a.example/v.mp4"]}}),
            ),
            "header_sample_missing",
            "/components/0/example/header_handle",
        ),
        (
            (
                "/components/0",
                json!({"type": "HEADER", "format": "DOCUMENT", "example": {"header_handle": ["104433221100998"]}}),
            ),
            "header_sample_missing",
            "/components/0/example/header_handle",
        ),
        (
            ("/components/0", json!({"type": "HEADER", "format": "GIF", "example": {"header_handle": ["4::aW1n"]}})),
            "header_format_invalid",
            "/components/0/format",
        ),
        // The body.
        (("/components/1/text", json!("a".repeat(1_025))), "text_too_long", "/components/1/text"),
        (body("Hi {{1}}, order {{3}} is on its way."), "variable_gap", "/components/1/text"),
        (body("{{1}}, your order {{2}} is on its way."), "variable_at_edge", "/components/1/text"),
        (body("Hi {{1}}, on its way is your order: {{2}}!"), "variable_at_edge", "/components/1/text"),
        (body("Hi {{1}} {{2}}, your order is on its way."), "variables_adjacent", "/components/1/text"),
        (body("Hi {{1}}, order {{2}} is here."), "too_few_words", "/components/1/text"),
        (body("Hi {{1}}, order {{number}} is on its way."), "variables_mixed", "/components/1/text"),
        (body("Hi {{one}}, order {{two}} is on its way."), "parameter_format_wrong", "/components/1/text"),
        (body("Hi {{1}}, order {{2}} is on its {{way."), "variable_malformed", "/components/1/text"),
        (body("Hi {{1}}, order {{2}} is on its way}} now."), "variable_malformed", "/components/1/text"),
        (body("Hi {{1}}, order {{2}} is {{First Name}} on its way."), "variable_malformed", "/components/1/text"),
        (body("Hi {{01}}, order {{2}} of {{1}} is on its way today."), "variable_malformed", "/components/1/text"),
        (
            ("/components/1/example/body_text", json!([["Dana"]])),
            "samples_missing",
            "/components/1/example/body_text/0",
        ),
        (
            ("/components/1/example/body_text", json!([["Dana", ""]])),
            "samples_missing",
            "/components/1/example/body_text/0",
        ),
        (("/components/1/example", Value::Null), "samples_missing", "/components/1/example/body_text/0"),
        // The footer.
        (("/components/2/text", json!("a".repeat(61))), "text_too_long", "/components/2/text"),
        (("/components/2/text", json!("Bye {{1}}")), "footer_variable", "/components/2/text"),
        // The buttons.
        ((buttons, json!([])), "buttons_missing", buttons),
        ((buttons, (0..11).map(|n| reply(&n.to_string())).collect()), "too_many_buttons", buttons),
        ((buttons, json!([link(), link(), link()])), "too_many_buttons", buttons),
        ((buttons, json!([phone(), phone()])), "too_many_buttons", buttons),
        (
            (buttons, json!([{"type": "COPY_CODE", "example": "A"}, {"type": "COPY_CODE", "example": "B"}])),
            "too_many_buttons",
            buttons,
        ),
        ((buttons, json!([reply("a"), link(), reply("b")])), "quick_replies_apart", buttons),
        ((buttons, json!([link(), reply("a"), phone()])), "quick_replies_apart", buttons),
        ((buttons, json!([{"type": "OTP", "otp_type": "COPY_CODE"}])), "button_not_allowed", buttons),
        (("/components/3/buttons/0/type", json!("BELL")), "button_unknown", "/components/3/buttons/0/type"),
        (("/components/3/buttons/0/text", json!("a".repeat(26))), "text_too_long", "/components/3/buttons/0/text"),
        (("/components/3/buttons/0/text", Value::Null), "text_missing", "/components/3/buttons/0/text"),
        (("/components/3/buttons/0/text", json!("Hi {{1}}")), "button_label_variable", "/components/3/buttons/0/text"),
        ((url, json!(format!("https://shop.example/{}", "a".repeat(1_980)))), "text_too_long", url),
        ((url, json!("https://shop.example/{{1}}/track")), "url_variable", url),
        ((url, json!("https://shop.example/{{1}}{{2}}")), "url_variable", url),
        ((url, json!("{{1}}")), "url_invalid", url),
        ((url, json!("ftp://shop.example/")), "url_invalid", url),
        (("/components/3/buttons/1/example", json!([])), "samples_missing", "/components/3/buttons/1/example"),
        (
            ("/components/3/buttons/2/phone_number", json!("1".repeat(21))),
            "text_too_long",
            "/components/3/buttons/2/phone_number",
        ),
        (
            ("/components/3/buttons/2/phone_number", json!("call me")),
            "phone_number_invalid",
            "/components/3/buttons/2/phone_number",
        ),
        (
            ("/components/3/buttons/3/example", json!("A".repeat(16))),
            "text_too_long",
            "/components/3/buttons/3/example",
        ),
        (("/components/3/buttons/3/example", Value::Null), "text_missing", "/components/3/buttons/3/example"),
    ] {
        assert!(
            found(&with(good(), pointer, value.clone())).contains(&(code, place.to_owned())),
            "{pointer} {value}: {:?}",
            found(&with(good(), pointer, value.clone()))
        );
    }
}

#[test]
fn named_variables_have_rules_of_their_own() {
    let text = "/components/1/text";
    for (pointer, value, code, place) in [
        (text, json!("Hello {{first_name}}, see you {{first_name}} at our practice."), "variable_twice", text),
        (text, json!("Hello {{1}}, see you {{2}} at our practice."), "parameter_format_wrong", text),
        ("/parameter_format", Value::Null, "parameter_format_wrong", text),
        (
            "/components/1/example/body_text_named_params/1/param_name",
            json!("time"),
            "samples_missing",
            "/components/1/example/body_text_named_params",
        ),
        (
            "/components/1/example/body_text_named_params/1/param_name",
            json!("time"),
            "sample_unknown",
            "/components/1/example/body_text_named_params/1",
        ),
        ("/components/0/text", json!("{{clinic}} and {{doctor}}"), "too_many_variables", "/components/0/text"),
        ("/components/0/example", json!({}), "samples_missing", "/components/0/example/header_text_named_params"),
    ] {
        let found = found(&with(named(), pointer, value));
        assert!(found.contains(&(code, place.to_owned())), "{pointer}: {found:?}");
    }
}

#[test]
fn one_time_passwords_have_a_fixed_shape() {
    let button = "/components/2/buttons/0";
    for (pointer, value, code) in [
        ("/components/0/text", json!("Your code is {{1}}."), "authentication_text"),
        ("/components/0/add_security_recommendation", json!("yes"), "authentication_body"),
        ("/components/1/code_expiration_minutes", json!(91), "authentication_footer"),
        ("/components/1/code_expiration_minutes", json!(0), "authentication_footer"),
        ("/components/1/text", json!("Soon"), "authentication_footer"),
        ("/components/1", json!({"type": "HEADER", "format": "TEXT", "text": "Code"}), "component_not_allowed"),
        ("/components/2/buttons", json!([]), "authentication_button"),
        (button, json!({"type": "QUICK_REPLY", "text": "Hi"}), "authentication_button"),
        ("/components", json!([{"type": "BODY"}]), "authentication_button"),
        ("/components/2/buttons/0/otp_type", json!("TWO_TAP"), "otp_type_invalid"),
        ("/components/2/buttons/0/otp_type", json!("ZERO_TAP"), "otp_terms"),
        ("/components/2/buttons/0/text", json!("a".repeat(26)), "text_too_long"),
        ("/components/2/buttons/0/supported_apps", json!([]), "otp_apps"),
        ("/components/2/buttons/0/supported_apps/0/signature_hash", json!("short"), "otp_apps"),
        ("/message_send_ttl_seconds", json!(901), "time_to_live_invalid"),
    ] {
        let found = found(&with(authentication(), pointer, value));
        assert!(found.iter().any(|(found, _)| *found == code), "{pointer}: {found:?}");
    }
}

#[test]
fn offers_and_carousels() {
    for (pointer, value, code) in [
        ("/components/1/limited_time_offer/text", json!("a".repeat(17)), "text_too_long"),
        ("/components/1/limited_time_offer/has_expiration", json!("soon"), "offer_invalid"),
        ("/components/2/text", json!("a".repeat(601)), "text_too_long"),
        ("/components/0", json!({"type": "FOOTER", "text": "Bye"}), "footer_not_allowed"),
        ("/components/3/buttons/0", json!({"type": "URL", "text": "Go", "url": "https://a.example/"}), ""),
        ("/category", json!("UTILITY"), "component_not_allowed"),
        ("/message_send_ttl_seconds", json!(60), "time_to_live_invalid"),
    ] {
        let found = found(&with(offer(), pointer, value));
        assert!(
            code.is_empty() == found.is_empty()
                && found.iter().all(|(found, _)| *found == code || *found == "time_to_live_invalid"),
            "{pointer}: {found:?}"
        );
    }
    let mut turned = offer();
    turned["components"][3]["buttons"].as_array_mut().unwrap().reverse();
    assert_eq!(found(&turned), [("copy_code_not_first", "/components/3/buttons".to_owned())]);
    let cards = "/components/1/cards";
    for (pointer, value, code) in [
        (cards.to_owned(), json!([carousel()["components"][1]["cards"][0]]), "carousel_cards"),
        (format!("{cards}/1/components/0/format"), json!("VIDEO"), "carousel_shape"),
        (format!("{cards}/1/components/2/buttons/0/type"), json!("URL"), "carousel_shape"),
        (format!("{cards}/2/components/0/format"), json!("TEXT"), "carousel_header"),
        (format!("{cards}/2/components/0/example"), Value::Null, "header_sample_missing"),
        (format!("{cards}/2/components/1/text"), json!("a".repeat(161)), "text_too_long"),
        (format!("{cards}/0/components/1/type"), json!("FOOTER"), "component_not_allowed"),
    ] {
        let found = found(&with(carousel(), &pointer, value));
        assert!(found.iter().any(|(found, _)| *found == code), "{pointer}: {found:?}");
    }
}

#[test]
fn whatever_comes_is_judged_without_a_panic() {
    for bad in [
        json!(null),
        json!([]),
        json!(5),
        json!({"components": [null, 5, {"type": 5}, []]}),
        json!({"components": {"type": "BODY"}}),
    ] {
        assert!(!validate(&bad).is_empty());
    }
    let text = "}}{{{{1}}}} {{é}} {{99999999999}} {{0}} {{";
    assert!(!validate(&with(good(), "/components/1/text", json!(text))).is_empty());
    // All of several mistakes at once.
    let mut several = with(good(), "/name", json!("A"));
    several["language"] = json!("x");
    assert_eq!(found(&several).len(), 2);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(text in "[{}1-3a-c ,.é\n]{0,40}", kind in "BODY|HEADER|FOOTER") {
        let template = json!({"category": "UTILITY", "components": [{"type": kind, "format": "TEXT", "text": text}]});
        validate(&template);
    }
}
