//! What is refused, and with which code.

use super::*;

#[tokio::test]
async fn envelopes() {
    let meta = Meta::new().await;
    let good = message("text", json!({"body": "Hi"}));
    let long = "x".repeat(513);
    let wamid = "wamid.HBgLMTY1MDU1NTAxNDIVAgASGBQzQTRGNUI2QzdEOEU5RkEwQjFDMgA=";
    for (name, value, code) in [
        ("messaging_product", Value::Null, 100),
        ("messaging_product", json!("sms"), 100),
        ("recipient_type", json!("group"), 100),
        ("to", Value::Null, 100),
        ("to", json!(16505550142_u64), 100),
        ("to", json!("+49170x"), 131_009),
        ("to", json!("+15550100200"), 131_021),
        ("type", json!("poll"), 100),
        ("type", json!("image"), 100),
        ("text", json!("Hi"), 100),
        ("text", Value::Null, 131_008),
        ("image", json!({}), 100),
        ("biz_opaque_callback_data", json!(long), 131_009),
        ("biz_opaque_callback_data", json!(5), 100),
        ("context", json!({"message_id": "x"}), 131_009),
        ("context", json!({"id": wamid}), 100),
        ("context", json!({"message_id": wamid}), 0),
        ("preview_url", json!(true), 100),
        ("biz_opaque_callback_data", json!("x".repeat(512)), 0),
    ] {
        let mut sent = good.clone();
        sent[name] = value.clone();
        assert_eq!(meta.refusal(&sent).await.1, code, "{name}: {value}");
    }
    assert_eq!(meta.refusal(&json!([])).await.1, 100);
    assert_eq!(
        meta.refusal(&json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid})).await.1,
        131_009
    );
}

#[tokio::test]
async fn free_form() {
    let meta = Meta::new().await;
    let (link, id) = ("https://cdn.example.com/p/1.jpg", FILE);
    let wamid = "wamid.HBgLMTY1MDU1NTAxNDIVAgASGBQzQTRGNUI2QzdEOEU5RkEwQjFDMgA=";
    let button = |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let buttons = |list: Value| json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": list}});
    let row = |id: usize| json!({"id": format!("r{id}"), "title": "Row"});
    let rows = |count: usize| (0..count).map(row).collect::<Vec<_>>();
    let list = |sections: Value| json!({"type": "list", "body": {"text": "?"}, "action": {"button": "Days", "sections": sections}});
    let open = |text: &str, url: &str| json!({"type": "cta_url", "body": {"text": "?"}, "action": {"name": "cta_url", "parameters": {"display_text": text, "url": url}}});
    let contact = |name: Value| json!([{"name": name, "phones": [{"phone": "+49 30 5550100", "type": "CELL"}]}]);
    for (kind, object, code) in [
        ("text", json!({"body": "x".repeat(4096)}), 0),
        ("text", json!({"body": "x".repeat(4097)}), 131_009),
        ("text", json!({"body": " "}), 131_008),
        ("text", json!({"body": "x", "preview_url": "yes"}), 100),
        ("text", json!({"body": "x", "previewUrl": true}), 100),
        ("image", json!({"link": link, "caption": "x".repeat(1024)}), 0),
        ("image", json!({"link": link, "caption": "x".repeat(1025)}), 131_009),
        ("image", json!({"link": link, "id": id}), 100),
        ("image", json!({}), 131_008),
        ("image", json!({"id": "1"}), 131_009),
        ("image", json!({"link": "cdn.example.com/p/1.jpg"}), 100),
        ("image", json!({"link": link, "filename": "a.jpg"}), 100),
        ("audio", json!({"link": "https://cdn.example.com/a.ogg", "voice": true}), 0),
        ("audio", json!({"link": "https://cdn.example.com/a.ogg", "caption": "x"}), 100),
        ("sticker", json!({"id": id}), 0),
        ("sticker", json!({"id": id, "caption": "x"}), 100),
        ("document", json!({"id": id, "filename": "a.pdf", "caption": "x"}), 0),
        ("location", json!({"latitude": 91, "longitude": 0}), 131_009),
        ("location", json!({"latitude": 1}), 131_008),
        ("location", json!({"latitude": 1, "longitude": 2, "address": "Here"}), 131_008),
        ("contacts", contact(json!({"formatted_name": "Ira Stein", "first_name": "Ira"})), 0),
        ("contacts", contact(json!({"formatted_name": "Ira Stein"})), 131_008),
        ("contacts", contact(json!({"first_name": "Ira"})), 131_008),
        ("contacts", json!([]), 131_008),
        ("contacts", json!({}), 100),
        ("reaction", json!({"message_id": wamid, "emoji": ""}), 0),
        ("reaction", json!({"message_id": wamid}), 131_008),
        ("reaction", json!({"message_id": wamid, "emoji": "ok"}), 131_009),
        ("reaction", json!({"message_id": "x", "emoji": "👍"}), 131_009),
        ("interactive", buttons(json!([button("a", "A"), button("b", "B"), button("c", "C")])), 0),
        (
            "interactive",
            buttons(json!([button("a", "A"), button("b", "B"), button("c", "C"), button("d", "D")])),
            131_009,
        ),
        ("interactive", buttons(json!([])), 131_009),
        ("interactive", buttons(json!([button("a", "A"), button("a", "B")])), 131_009),
        ("interactive", buttons(json!([button("a", "A"), button("b", "A")])), 131_009),
        ("interactive", buttons(json!([button(" a", "A")])), 131_009),
        ("interactive", buttons(json!([button("a", &"x".repeat(21))])), 131_009),
        ("interactive", buttons(json!([button(&"x".repeat(257), "A")])), 131_009),
        ("interactive", list(json!([{"rows": rows(10)}])), 0),
        ("interactive", list(json!([{"rows": rows(11)}])), 131_009),
        ("interactive", list(json!([{"title": "a", "rows": rows(5)}, {"title": "b", "rows": rows(5)}])), 131_009),
        ("interactive", list(json!([{"rows": rows(1)}, {"rows": [row(7)]}])), 131_008),
        ("interactive", list(json!([{"title": "x".repeat(25), "rows": rows(1)}])), 131_009),
        ("interactive", open("Open", "https://shop.example/"), 0),
        ("interactive", open(&"x".repeat(21), "https://shop.example/"), 131_009),
        ("interactive", open("Open", "shop.example"), 100),
        (
            "interactive",
            json!({"type": "location_request_message", "body": {"text": "?"}, "action": {"name": "send_location"}}),
            0,
        ),
        (
            "interactive",
            json!({"type": "location_request_message", "body": {"text": "?"}, "action": {"name": "x"}}),
            100,
        ),
        ("interactive", json!({"type": "button", "action": {"buttons": [button("a", "A")]}}), 131_008),
        ("interactive", json!({"type": "poll", "body": {"text": "?"}, "action": {}}), 100),
    ] {
        let refusal = meta.refusal(&message(kind, object.clone())).await;
        assert_eq!(refusal.1, code, "{kind}: {object}: {}", refusal.2);
        meta.simulator.advance(std::time::Duration::from_secs(6));
    }
}

#[tokio::test]
async fn templates() {
    let meta = Meta::new().await;
    let text = |text: &str| json!({"type": "text", "text": text});
    let part = |kind: &str, parameters: Value| json!({"type": kind, "parameters": parameters});
    let button = |sub_type: &str, index: Value, parameter: Value| json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]});
    let image = part("header", json!([{"type": "image", "image": {"id": FILE}}]));
    let two = part("body", json!([text("Dana"), text("A-1009")]));
    let track = button("url", json!("1"), text("A-1009"));
    let help = button("quick_reply", json!("0"), json!({"type": "payload", "payload": "help"}));
    let named = |clinic: Value, first: Value, second: Value| {
        json!([part("header", json!([clinic])), part("body", json!([first, second]))])
    };
    let by_name = |name: &str, value: &str| json!({"type": "text", "parameter_name": name, "text": value});
    let clinic = by_name("clinic", "Example Dental");
    let (first, visit) = (by_name("first_name", "Dana"), by_name("visit_time", "Tuesday"));
    let body = |value: &str| json!([image, part("body", json!([text("Dana"), text(value)])), track]);
    let code = |body: &str, button_code: &str| {
        json!([part("body", json!([text(body)])), button("url", json!("0"), text(button_code))])
    };
    let offer = |ends: i64, coupon: &str| {
        let ends = json!({"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": ends}});
        let coupon = button("copy_code", json!("0"), json!({"type": "coupon_code", "coupon_code": coupon}));
        json!([image, part("body", json!([text("Dana")])), part("limited_time_offer", json!([ends])), coupon, track])
    };
    let future = 4_000_000_000_000_i64;
    for (name, components, expected) in [
        ("order_update_v2", json!([image, two, help, track]), 0),
        ("order_update_v2", json!([image, two, track]), 0),
        ("order_update_v2", json!([image, two]), 131_008),
        ("order_update_v2", json!([two, track]), 132_012),
        ("order_update_v2", json!([part("header", json!([text("x")])), two, track]), 132_012),
        (
            "order_update_v2",
            json!([part("header", json!([{"type": "video", "video": {"id": FILE}}])), two, track]),
            132_012,
        ),
        (
            "order_update_v2",
            json!([part("header", json!([{"type": "image", "image": {"id": "1"}}])), two, track]),
            131_009,
        ),
        ("order_update_v2", json!([part("header", json!([])), two, track]), 132_000),
        ("order_update_v2", json!([image, track]), 132_000),
        ("order_update_v2", json!([image, part("body", json!([text("Dana")])), track]), 132_000),
        ("order_update_v2", json!([image, part("body", json!([first, visit])), track]), 132_012),
        ("order_update_v2", json!([image, two, two, track]), 132_018),
        ("order_update_v2", json!([image, two, track, track]), 132_018),
        ("order_update_v2", json!([image, two, track, part("footer", json!([text("x")]))]), 132_000),
        ("order_update_v2", json!([image, two, track, part("BODY", json!([]))]), 100),
        ("order_update_v2", json!([image, two, button("url", json!(1), text("x"))]), 100),
        ("order_update_v2", json!([image, two, button("url", json!("0"), text("x"))]), 131_009),
        ("order_update_v2", json!([image, two, track, button("url", json!("2"), text("x"))]), 131_009),
        (
            "order_update_v2",
            json!([image, two, button("url", json!("1"), json!({"type": "payload", "payload": "x"}))]),
            132_012,
        ),
        ("order_update_v2", body("a\nb"), 132_018),
        ("order_update_v2", body("a\tb"), 132_018),
        ("order_update_v2", body("a     b"), 132_018),
        ("order_update_v2", body("a    b"), 0),
        ("order_update_v2", body(""), 131_008),
        ("order_update_v2", body(&"x".repeat(1100)), 132_005),
        ("visit_reminder", named(clinic.clone(), visit.clone(), first.clone()), 0),
        ("visit_reminder", named(clinic.clone(), first.clone(), text("Tuesday")), 132_012),
        ("visit_reminder", named(clinic.clone(), first.clone(), first.clone()), 132_018),
        ("visit_reminder", named(clinic.clone(), first.clone(), by_name("when", "Tuesday")), 132_012),
        ("visit_reminder", named(by_name("clinic", &"x".repeat(60)), first.clone(), visit.clone()), 132_005),
        ("login_code", code("482913", "482913"), 0),
        ("login_code", json!([part("body", json!([text("482913")]))]), 131_008),
        ("login_code", json!([button("url", json!("0"), text("482913"))]), 132_000),
        ("login_code", code("482913", "1234567890123456"), 131_009),
        ("winter_offer", offer(future, "SAVE20"), 0),
        ("winter_offer", offer(future, "SAVE-20"), 131_009),
        ("winter_offer", offer(future, "SAVE20SAVE20SAVE"), 131_009),
        ("winter_offer", offer(1000, "SAVE20"), 131_009),
        ("plain", Value::Null, 0),
        ("plain", json!([]), 0),
        ("plain", json!([two]), 132_000),
        ("plain", json!([image]), 132_000),
        ("new_plants", json!([part("body", json!([text("Dana")])), {"type": "carousel", "cards": []}]), 132_018),
        ("nobody", Value::Null, 132_001),
    ] {
        let sent = template(name, components.clone());
        let refusal = meta.refusal(&sent).await;
        assert_eq!(refusal.1, expected, "{name}: {components}: {}", refusal.2);
        meta.simulator.advance(std::time::Duration::from_secs(6));
    }
    let mut german = template("plain", Value::Null);
    german["template"]["language"]["code"] = json!("de");
    let (status, answer) = meta.send(&german).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!(132_001)));
    assert_eq!(answer["error"]["error_data"]["details"], json!("template name (plain) does not exist in de"));
    for (status, code) in
        [("PAUSED", 132_015), ("DISABLED", 132_016), ("PENDING", 132_001), ("REJECTED", 132_001), ("APPROVED", 0)]
    {
        let row = json!({"name": "plain", "language": "en_US", "status": status, "components": [{"type": "BODY", "text": "Hello!"}]});
        meta.simulator.put_template(None, &row).unwrap();
        assert_eq!(meta.refusal(&template("plain", Value::Null)).await.1, code, "{status}");
    }
}

#[tokio::test]
async fn tokens_numbers_and_accounts() {
    let meta = Meta::new().await;
    let sent = message("text", json!({"body": "Hi"}));
    let path = format!("/v23.0/{NUMBER}/messages");
    let error = |answer: &Value| (answer["error"]["code"].clone(), answer["error"]["error_subcode"].clone());
    let (status, answer) = meta.call_as("other", Method::POST, &path, &sent).await;
    assert_eq!((status, error(&answer)), (401, (json!(190), Value::Null)));
    let none = Request::builder().method(Method::POST).uri(&path).body(Body::from(sent.to_string())).unwrap();
    assert_eq!(meta.raw(none).await.status(), 401);
    for (state, subcode) in [(TokenState::Expired, 463), (TokenState::Revoked, 460)] {
        meta.simulator.set_token(None, None, state).unwrap();
        let (status, answer) = meta.send(&sent).await;
        assert_eq!((status, error(&answer)), (401, (json!(190), json!(subcode))));
    }
    meta.simulator.set_token(None, Some("EAAGother"), TokenState::Valid).unwrap();
    assert_eq!(meta.call_as("EAAGother", Method::POST, &path, &sent).await.0, 200);
    meta.simulator.set_token(None, Some("EAAGtoken"), TokenState::Valid).unwrap();

    // The published one is of this token and this secret.
    let proof = "a61a84582522387b8589a8ba574a161ef338ef9a2b20d3225ebeb7dba951dca4";
    for (proof, expected) in [(proof, 200), ("00", 400)] {
        let (status, answer) = meta.call(Method::POST, &format!("{path}?appsecret_proof={proof}"), &sent).await;
        assert_eq!(status, expected, "{answer}");
    }

    let (status, answer) = meta.call(Method::POST, "/v23.0/1/messages", &sent).await;
    assert_eq!((status, error(&answer).0), (400, json!(33)));
    assert_eq!(
        meta.call(Method::POST, &format!("/v1.0/{NUMBER}/messages"), &sent).await.1["error"]["code"],
        json!(2500)
    );

    meta.simulator.block(None, Some(131_031)).unwrap();
    assert_eq!(meta.refusal(&sent).await.0, 403);
    meta.simulator.block(None, None).unwrap();
    meta.simulator.change_number(NUMBER, |number| number.registered = false).unwrap();
    assert_eq!(meta.refusal(&sent).await.1, 133_010);
    meta.simulator.change_number(NUMBER, |number| (number.registered, number.allowed) = (true, Some(vec![]))).unwrap();
    assert_eq!(meta.refusal(&sent).await.1, 131_030);
}

#[tokio::test]
async fn the_marketing_api_takes_marketing_only() {
    let meta = Meta::new().await;
    let path = format!("/v23.0/{NUMBER}/marketing_messages");
    for (sent, code) in
        [(message("text", json!({"body": "Hi"})), json!(131_055)), (template("plain", Value::Null), json!(134_100))]
    {
        assert_eq!(meta.call(Method::POST, &path, &sent).await.1["error"]["code"], code);
    }
    let offer = json!({"name": "offer", "language": "en_US", "category": "MARKETING", "components": [{"type": "BODY", "text": "Offer!"}]});
    meta.simulator.put_template(None, &offer).unwrap();
    let mut sent = template("offer", Value::Null);
    sent["product_policy"] = json!("CLOUD_API_FALLBACK");
    assert_eq!(meta.call(Method::POST, &path, &sent).await.0, 200);
    assert_eq!(meta.refusal(&sent).await.1, 100, "product_policy belongs to the marketing API");
}

/// The code of every error is answered with the status that Meta documents for it.
#[tokio::test]
async fn any_code_can_be_asked_for() {
    let meta = Meta::new().await;
    for (code, http) in codes() {
        meta.simulator
            .change(|behaviour| (behaviour.answers.permanent_share, behaviour.answers.permanent_code) = (1.0, code))
            .unwrap();
        let (status, answer) = meta.send(&template("plain", Value::Null)).await;
        assert_eq!((status, &answer["error"]["code"]), (http, &json!(code)), "{answer}");
        meta.simulator.advance(std::time::Duration::from_secs(6));
    }
}
