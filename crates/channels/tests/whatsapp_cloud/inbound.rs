//! What customers write.

use super::setting::{CUSTOMER, OURS, PNID, WABA, example, fixture, messages, only, read};
use herald_channels::contract::Notice;
use herald_rules::{
    inbound::{ChoiceSource, Inbound, InboundContent, InboundMedia},
    protocol::Protocol,
    time::Timestamp,
};
use serde_json::{Value, json};
use std::time::Duration;

const WAMID: &str = "wamid.HBgLMTY1MDU1NTAxNDIVAgASGBQzQTRGNUI2QzdEOEU5RkEwQjFDMgA=";
const TEMPLATE: &str = "wamid.HBgLMTY1MDU1NTAxNDIVAgARGBI1RjJEOEE0MUMwN0U5MzZCMUQA";
const TEXT: &str = "wamid.HBgLMTY1MDU1NTAxNDIVAgARGBI5QzFENEU3QTIwQjM1RjY4NDEA";
const DAY: Option<Duration> = Some(Duration::from_secs(24 * 3600));

fn inbound(notice: Notice) -> Inbound {
    match notice {
        Notice::Inbound(inbound) => *inbound,
        other => panic!("{other:?}"),
    }
}

fn one(body: &str) -> Inbound {
    inbound(only(body))
}

/// A message of so many fields.
fn message(fields: Value) -> Inbound {
    let mut message = json!({"from": CUSTOMER, "id": WAMID, "timestamp": "1795348800"});
    message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    one(&messages(json!({"messages": [message]})))
}

/// Those of an example that is a list of messages.
fn listed(name: &str) -> Vec<Inbound> {
    read(&messages(json!({"messages": example(name)}))).into_iter().map(inbound).collect()
}

fn text(text: &str) -> InboundContent {
    InboundContent::Text { text: text.to_owned() }
}

fn expected(content: InboundContent) -> Inbound {
    Inbound {
        reference: WAMID.to_owned(),
        protocol: Protocol::WhatsApp,
        to: OURS.to_owned(),
        from: CUSTOMER.to_owned(),
        user_id: None,
        at: Timestamp(1_795_348_800_000_000),
        name: None,
        content,
        reply_to: None,
        reply_to_id: None,
        referral: None,
        opens_window: DAY,
    }
}

#[test]
fn texts_of_meta() {
    let with_user = Inbound {
        user_id: Some("US.13491208655302741918".to_owned()),
        name: Some("Dana Reyes".to_owned()),
        ..expected(text("Is it still available? 😀"))
    };
    assert_eq!(one(&fixture("inbound_text_user_id")), with_user);

    let referral = example("inbound_text_referral").pointer("/entry/0/changes/0/value/messages/0/referral").cloned();
    let by_advertisement = Inbound {
        name: Some("Dana Reyes".to_owned()),
        referral,
        opens_window: Some(Duration::from_secs(72 * 3600)),
        ..expected(text("Hello, more info please"))
    };
    assert_eq!(one(&fixture("inbound_text_referral")), by_advertisement);

    let reply = Inbound {
        name: Some("Dana Reyes".to_owned()),
        reply_to: Some(TEXT.to_owned()),
        ..expected(text("Yes please"))
    };
    assert_eq!(one(&fixture("inbound_text_reply")), reply);
}

#[test]
fn files_places_and_people_of_meta() {
    let media = |kind, id: &str, mime: &str, sha256: &str, filename: Option<&str>, caption: Option<&str>| {
        InboundContent::Media {
            kind,
            id: id.to_owned(),
            mime_type: mime.to_owned(),
            filename: filename.map(str::to_owned),
            caption: caption.map(str::to_owned),
            sha256: Some(sha256.to_owned()),
        }
    };
    let contents = [
        media(
            InboundMedia::Image,
            "1003383421387256",
            "image/jpeg",
            "XGRXNKC0vZ1b0QzWf5bq2pV7m3n9sT6yR1u4w8x0y2Y=",
            None,
            Some("broken leaf"),
        ),
        media(
            InboundMedia::Voice,
            "1003383421387257",
            "audio/ogg; codecs=opus",
            "m04pFf2ERdaopTyFkGPA0+bX3i+YY2dYgVFwOgDLSDI=",
            None,
            None,
        ),
        media(
            InboundMedia::Document,
            "1003383421387258",
            "application/pdf",
            "grwfweZPx0wAbdfbdeFUNItPZ0RylL8gGUvdt3YFqc0=",
            Some("contract.pdf"),
            Some("contract"),
        ),
        media(
            InboundMedia::Sticker,
            "1003383421387259",
            "image/webp",
            "OmT4nhjUhCMIPNmj7eeOZeCYjTXkLxoOv85OMCFwSuc=",
            None,
            None,
        ),
        InboundContent::Location {
            latitude: 52.5163,
            longitude: 13.3777,
            name: Some("Brandenburger Tor".to_owned()),
            address: Some("Pariser Platz, Berlin".to_owned()),
        },
        InboundContent::Contacts { contacts: example("inbound_media")[5]["contacts"].clone() },
    ];
    assert_eq!(listed("inbound_media"), contents.map(expected));
}

#[test]
fn choices_reactions_and_orders_of_meta() {
    let choice = |id: &str, title: &str, source| InboundContent::Choice {
        id: Some(id.to_owned()),
        title: title.to_owned(),
        source,
    };
    let reply = |content| Inbound { reply_to: Some(TEMPLATE.to_owned()), ..expected(content) };
    let reaction =
        |emoji: Option<&str>| InboundContent::Reaction { message: TEXT.to_owned(), emoji: emoji.map(str::to_owned) };
    let response = json!({"rating": "4", "flow_token": "7f1c2c1e-6a42-4e0b-8a3f-0d1b5a1f9c11"});
    let all = vec![
        reply(choice("order:A-1009:help", "Help", ChoiceSource::Template)),
        Inbound { reply_to: Some(TEMPLATE.to_owned()), ..expected(choice("keep", "Keep", ChoiceSource::Button)) },
        reply(choice("d1", "Tuesday", ChoiceSource::List)),
        reply(InboundContent::Form { response }),
        expected(reaction(Some("😮"))),
        expected(reaction(None)),
        expected(InboundContent::Order { order: example("inbound_choices")[6]["order"].clone() }),
    ];
    let listed = listed("inbound_choices");
    assert_eq!(listed.len(), all.len());
    for (listed, expected) in listed.into_iter().zip(all) {
        // Which message each answers differs in the examples, and is checked by its form alone.
        assert_eq!(listed.reply_to.is_some(), expected.reply_to.is_some());
        assert_eq!(Inbound { reply_to: expected.reply_to.clone(), ..listed }, expected);
    }
}

#[test]
fn what_opens_no_window() {
    let closed = |content| Inbound { opens_window: None, ..expected(content) };
    let unsupported = |kind: &str| InboundContent::Unsupported { kind: kind.to_owned() };
    let number = InboundContent::NumberChanged { new_identifier: "16505550199".to_owned() };
    assert_eq!(one(&fixture("inbound_number_changed")), closed(number));
    let all = [
        closed(unsupported("system/customer_identity_changed")),
        closed(unsupported("poll")),
        closed(InboundContent::Edited {
            message: WAMID.to_owned(),
            text: Some("Is it available on Monday?".to_owned()),
        }),
        closed(InboundContent::Revoked { message: WAMID.to_owned() }),
    ];
    assert_eq!(listed("inbound_others"), all);
    for kind in ["request_welcome", "unknown", "ephemeral"] {
        assert_eq!(message(json!({ "type": kind })), closed(unsupported(kind)));
    }
    assert_eq!(message(json!({})), closed(unsupported("unknown")));
    let group = message(json!({"type": "text", "text": {"body": "Hi all"}, "group_id": "g1"}));
    assert_eq!(group, closed(unsupported("group")));
    // An advertisement does not open it where nothing was said.
    assert_eq!(message(json!({"type": "revoke", "referral": {"source_id": "1"}})).opens_window, None);
}

#[test]
fn every_kind_that_opens_the_window() {
    for kind in [
        "text",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "button",
        "interactive",
        "order",
        "location",
        "contacts",
        "reaction",
    ] {
        assert_eq!(message(json!({ "type": kind })).opens_window, DAY, "{kind}");
    }
}

#[test]
fn what_lacks_its_object_is_kept_as_unsupported() {
    for (fields, kind) in [
        (json!({"type": "text"}), "text"),
        (json!({"type": "text", "text": {"body": 7}}), "text"),
        (json!({"type": "image", "image": {"mime_type": "image/png"}}), "image"),
        (json!({"type": "location", "location": {"latitude": "north"}}), "location"),
        (json!({"type": "contacts", "contacts": {}}), "contacts"),
        (json!({"type": "interactive", "errors": [{"code": 131_051}]}), "interactive"),
        (
            json!({"type": "interactive", "interactive": {"type": "call_permission_reply"}}),
            "interactive/call_permission_reply",
        ),
        (json!({"type": "interactive", "interactive": {"type": "button_reply"}}), "interactive/button_reply"),
        (json!({"type": "unsupported"}), "unsupported"),
        (json!({"type": "system", "system": {"type": "user_changed_number"}}), "system/user_changed_number"),
        (json!({"type": "edit", "edit": {}}), "edit"),
        (json!({"type": "revoke", "revoke": null}), "revoke"),
    ] {
        assert_eq!(message(fields).content, InboundContent::Unsupported { kind: kind.to_owned() });
    }
}

#[test]
fn other_spellings() {
    let video = message(json!({"type": "video", "video": {"id": 123, "caption": "c"}})).content;
    let mime_type = "application/octet-stream".to_owned();
    let (id, caption) = ("123".to_owned(), Some("c".to_owned()));
    let kind = InboundMedia::Video;
    assert_eq!(video, InboundContent::Media { kind, id, mime_type, filename: None, caption, sha256: None });
    let audio = message(json!({"type": "audio", "audio": {"id": "1", "voice": false}})).content;
    assert!(matches!(audio, InboundContent::Media { kind: InboundMedia::Audio, .. }));
    let location = message(json!({"type": "location", "location": {"latitude": "52.5", "longitude": "13.3"}})).content;
    assert!(matches!(location, InboundContent::Location { latitude: 52.5, .. }));
    let form = json!({"type": "nfm_reply", "nfm_reply": {"response_json": "no JSON"}});
    let form = message(json!({"type": "interactive", "interactive": form})).content;
    assert_eq!(form, InboundContent::Form { response: json!("no JSON") });
    let edited = json!({"original_message_id": "w", "message": {"type": "image", "image": {"caption": "new"}}});
    let edited = message(json!({"type": "edit", "edit": edited})).content;
    assert_eq!(edited, InboundContent::Edited { message: "w".to_owned(), text: Some("new".to_owned()) });
    let number = json!({"type": "customer_changed_number", "wa_id": "+16505550199"});
    let number = message(json!({"type": "system", "system": number})).content;
    assert_eq!(number, InboundContent::NumberChanged { new_identifier: "16505550199".to_owned() });
    let before = Timestamp::now();
    assert!(message(json!({"type": "text", "timestamp": "soon"})).at >= before);
}

#[test]
fn people_without_a_visible_number() {
    let user = "US.13491208655302741918";
    let body = |message: Value, contacts: Value| {
        let mut whole = json!({"id": WAMID, "timestamp": "1795348800", "type": "text", "text": {"body": "Hi"}});
        whole.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
        one(&messages(json!({"messages": [whole], "contacts": contacts})))
    };
    let dana = json!({"profile": {"name": "Dana", "username": "dana.reyes"}, "user_id": user});
    let ira = json!({"profile": {"name": "Ira"}, "user_id": "US.2", "wa_id": "49305550100"});
    let named = body(json!({"from_user_id": user}), json!([ira, dana]));
    let found = (named.from.as_str(), named.user_id.as_deref(), named.name.as_deref());
    assert_eq!(found, (user, Some(user), Some("Dana")));
    // Nothing in the message, one person in the list.
    let alone = body(json!({}), json!([dana]));
    assert_eq!((alone.from.as_str(), alone.name.as_deref()), (user, Some("Dana")));
    // The number is in the list alone.
    let numbered = body(json!({"from_user_id": "US.2"}), json!([dana, ira]));
    assert_eq!((numbered.from.as_str(), numbered.user_id.as_deref()), ("49305550100", Some("US.2")));
    // Another person's name is not taken.
    assert_eq!(body(json!({"from": CUSTOMER}), json!([ira])).name, None);
    assert_eq!(body(json!({"from": CUSTOMER}), json!("nonsense")).name, None);
}

#[test]
fn one_that_cannot_be_read_costs_nobody_else() {
    let good =
        json!({"from": CUSTOMER, "id": WAMID, "timestamp": "1795348800", "type": "text", "text": {"body": "Hi"}});
    let list = json!([good, 7, {}, {"from": CUSTOMER}, {"id": WAMID, "type": "text"}, [], good]);
    let notices = read(&messages(json!({"messages": list, "contacts": [7, {}, "x"], "statuses": {}})));
    let written = notices.iter().filter(|notice| matches!(notice, Notice::Inbound(_))).count();
    assert_eq!((notices.len(), written), (7, 2));
    let wrong_change = json!({"object": "whatsapp_business_account", "entry": [
        7,
        {"id": WABA, "changes": [7, {"field": "messages"}, {"field": "messages", "value": 7}, {"field": "later", "value": {}}]},
        {"id": WABA, "changes": [{"field": "messages", "value": {
            "metadata": {"phone_number_id": PNID}, "messages": [good],
        }}]},
    ]});
    let notices = read(&wrong_change.to_string());
    let ignored = ["unreadable entry", "unreadable change", "unreadable change", "messages", "later"];
    let ignored = ignored.map(|kind| Notice::Ignored(kind.to_owned()));
    assert_eq!(notices[..5], ignored);
    assert_eq!(inbound(notices[5].clone()).content, text("Hi"));
}
