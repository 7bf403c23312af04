//! Every kind of message that customers send, told by the simulator and read by the adapter.

use crate::setting::{CUSTOMER, OURS, Setting};
use herald_channels::contract::Notice;
use herald_rules::inbound::{ChoiceSource, Inbound, InboundContent};
use herald_simulators::whatsapp_cloud::CustomerMessage;
use serde_json::{Value, json};
use std::time::Duration;

async fn told(setting: &Setting, message: Value) -> Inbound {
    let reference = setting.simulator.inbound(&CustomerMessage::of(CUSTOMER, message)).unwrap();
    let is = |notice: &Notice| matches!(notice, Notice::Inbound(inbound) if inbound.reference == reference);
    let notices = setting.until(|notices| notices.iter().any(is)).await;
    let found = notices.into_iter().find_map(|notice| match notice {
        Notice::Inbound(inbound) if inbound.reference == reference => Some(*inbound),
        _ => None,
    });
    found.unwrap()
}

#[tokio::test]
async fn every_kind_is_read() {
    let setting = Setting::new().await;
    let wamid = "wamid.HBgLMTY1MDU1NTAxNDIVAgARGBI5QzFENEU3QTIwQjM1RjY4NDEA";
    let reply = json!({"from": OURS, "id": wamid});
    let choice = |id: &str, title: &str, source| InboundContent::Choice {
        id: Some(id.to_owned()),
        title: title.to_owned(),
        source,
    };
    let day = Some(Duration::from_secs(24 * 3600));
    for (message, content, window) in [
        (
            json!({"type": "text", "text": {"body": "Hi 😀 a/b"}}),
            InboundContent::Text { text: "Hi 😀 a/b".to_owned() },
            day,
        ),
        (
            json!({"type": "button", "button": {"payload": "help", "text": "Help"}, "context": reply}),
            choice("help", "Help", ChoiceSource::Template),
            day,
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "keep", "title": "Keep"}}}),
            choice("keep", "Keep", ChoiceSource::Button),
            day,
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "d1", "title": "Tuesday"}}}),
            choice("d1", "Tuesday", ChoiceSource::List),
            day,
        ),
        (
            json!({"type": "reaction", "reaction": {"message_id": wamid, "emoji": "😮"}}),
            InboundContent::Reaction { message: wamid.to_owned(), emoji: Some("😮".to_owned()) },
            day,
        ),
        (
            json!({"type": "system", "system": {"body": "changed", "wa_id": "16505550199", "type": "user_changed_number"}}),
            InboundContent::NumberChanged { new_identifier: "16505550199".to_owned() },
            None,
        ),
        (
            json!({"type": "edit", "edit": {"original_message_id": wamid, "message": {"type": "text", "text": {"body": "Monday?"}}}}),
            InboundContent::Edited { message: wamid.to_owned(), text: Some("Monday?".to_owned()) },
            None,
        ),
        (
            json!({"type": "revoke", "revoke": {"original_message_id": wamid}}),
            InboundContent::Revoked { message: wamid.to_owned() },
            None,
        ),
    ] {
        let inbound = told(&setting, message.clone()).await;
        assert_eq!(inbound.content, content, "{message}");
        assert_eq!((inbound.from.as_str(), inbound.to.as_str()), (CUSTOMER, OURS));
        // Whether a reaction opens the window is nowhere said by Meta; either reading is kept.
        if message["type"] != json!("reaction") {
            assert_eq!(inbound.opens_window, window, "{message}");
        }
        let replies = message["context"]["id"].as_str();
        assert_eq!(inbound.reply_to.as_deref(), replies, "{message}");
    }
    for (message, kind) in [
        (json!({"type": "location", "location": {"latitude": 52.5, "longitude": 13.4, "name": "Gate"}}), "location"),
        (
            json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Ira", "first_name": "Ira"}}]}),
            "contacts",
        ),
        (json!({"type": "order", "order": {"catalog_id": "1", "product_items": []}}), "order"),
        (
            json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{\"rating\":\"4\"}", "body": "Sent", "name": "flow"}}}),
            "form",
        ),
        (
            json!({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131_051, "title": "Message type unknown"}]}),
            "unsupported",
        ),
        (json!({"type": "hologram", "hologram": {}}), "unsupported"),
    ] {
        let inbound = told(&setting, message).await;
        let read = match inbound.content {
            InboundContent::Location { .. } => "location",
            InboundContent::Contacts { .. } => "contacts",
            InboundContent::Order { .. } => "order",
            InboundContent::Form { .. } => "form",
            InboundContent::Unsupported { .. } => "unsupported",
            other => panic!("{other:?}"),
        };
        assert_eq!(read, kind);
    }
}

#[tokio::test]
async fn an_advertisement_opens_a_longer_window() {
    let setting = Setting::new().await;
    let ad = json!({"type": "text", "text": {"body": "More info"}, "referral": {"source_type": "ad", "source_id": "1", "ctwa_clid": "A"}});
    let inbound = told(&setting, ad).await;
    assert_eq!(inbound.opens_window, Some(Duration::from_secs(72 * 3600)));
    assert!(inbound.referral.is_some());
}

#[tokio::test]
async fn names_and_ids_of_people() {
    let setting = Setting::new().await;
    let message = CustomerMessage {
        name: Some("Ira Stein".to_owned()),
        user_id: Some("DE.123456".to_owned()),
        ..CustomerMessage::text(CUSTOMER, "Hi")
    };
    setting.simulator.inbound(&message).unwrap();
    let told = setting.until(|told| !told.is_empty()).await;
    let Notice::Inbound(inbound) = &told[0] else { panic!("{told:?}") };
    assert_eq!((inbound.name.as_deref(), inbound.user_id.as_deref()), (Some("Ira Stein"), Some("DE.123456")));
}
