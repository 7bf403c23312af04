//! What is sent, and what becomes of it.

use super::{
    super::setting::{CUSTOMER, OURS, PNID, outgoing},
    Both,
};
use herald_channels::{
    contract::{Outcome, Provider, Reference, Throttled},
    whatsapp_cloud::{
        FreeForm, codes,
        free_form::{Location, Media},
        interactive::{Action, Interactive, ReplyButton, Row, Section},
    },
};
use herald_rules::{reason::Reason, status::Status};
use herald_simulators::whatsapp_cloud::{CustomerMessage, GraphBehaviour, TokenState};
use serde_json::json;

#[tokio::test]
async fn a_message_and_its_statuses() {
    let both = Both::new().await;
    assert!(both.simulator.handshake(None).await.unwrap());
    both.simulator.open_window(PNID, CUSTOMER).unwrap();
    let message = outgoing("Your table is ready.", &[]);
    let wamid = both.take(&message).await;
    let receipts = both.receipts(3).await;
    let statuses: Vec<_> = receipts.iter().map(|receipt| receipt.status).collect();
    assert_eq!(statuses, [Status::Accepted, Status::Delivered, Status::Read]);
    for receipt in receipts {
        assert_eq!(receipt.reference, Reference::Ours(message.message.id));
        assert_eq!((receipt.theirs.as_deref(), receipt.part), (Some(wamid.as_str()), 0));
        assert!(receipt.at.is_some());
    }
}

#[tokio::test]
async fn every_part_of_a_message() {
    let both = Both::new().await;
    both.simulator.open_window(PNID, CUSTOMER).unwrap();
    let names = ["1.mp3", "2.png", "3.mp4", "4.pdf", "5.webp"];
    let links: Vec<_> = names.iter().map(|name| format!("https://cdn.example.com/{name}")).collect();
    let links: Vec<_> = links.iter().map(String::as_str).collect();
    let mut message = outgoing("See https://a.example", &links);
    for part in 0..both.adapter.parts(&message.message) {
        message.part = part;
        both.take(&message).await;
    }
    let kinds: Vec<_> = both.simulator.calls().into_iter().map(|call| call.kind).collect();
    assert_eq!(kinds, ["audio", "image", "video", "document", "sticker"]);
    let mut parts: Vec<_> = both.receipts(15).await.into_iter().map(|receipt| receipt.part).collect();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts, [0, 1, 2, 3, 4]);
    let long = outgoing(&"x".repeat(4_096), &[]);
    both.take(&long).await;
}

#[tokio::test]
async fn every_free_form() {
    let both = Both::new().await;
    let written = both.simulator.inbound(&CustomerMessage::text(CUSTOMER, "Hello")).unwrap();
    let press = |action| {
        FreeForm::Interactive(Interactive { header: None, body: "Hi".to_owned(), footer: Some("F".to_owned()), action })
    };
    let buttons = Action::Buttons(vec![ReplyButton { id: "a".to_owned(), title: "A".to_owned() }]);
    let rows = vec![Row { id: "r".to_owned(), title: "R".to_owned(), description: None }];
    let list = Action::List { button: "Open".to_owned(), sections: vec![Section { title: None, rows }] };
    let link = Action::OpenLink { display_text: "Open".to_owned(), url: "https://a.example/1".to_owned() };
    let file = both.adapter.upload(OURS, b"\xff\xd8\xff\xe0 a picture", "image/jpeg").await.unwrap();
    let place = Location { latitude: 52.5, longitude: 13.3, name: Some("Here".to_owned()), address: None };
    let name = json!({"formatted_name": "Ira Stein", "first_name": "Ira"});
    for content in [
        press(buttons),
        press(list),
        press(link),
        press(Action::AskLocation),
        FreeForm::Image(Media::id(&file)),
        FreeForm::Location(place),
        FreeForm::Contacts(json!([{"name": name, "phones": [{"phone": "+49 30 5550100", "type": "CELL"}]}])),
        FreeForm::reaction(&written, Some("👍")),
        FreeForm::reaction(&written, None),
        FreeForm::text("Hello"),
    ] {
        let context = (content.kind() == "text").then_some(written.as_str());
        let outcome = both.adapter.send_free_form(OURS, CUSTOMER, &content, context, "of a flow").await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{content:?}: {outcome:?}");
    }
    both.adapter.mark_read(OURS, &written, true).await.unwrap();
    let unknown = both.adapter.mark_read(OURS, "wamid.unknown", false).await.unwrap_err();
    assert_eq!(unknown.reason, Reason::ContentRefused);
}

#[tokio::test]
async fn free_text_outside_of_the_window_fails() {
    let both = Both::new().await;
    both.take(&outgoing("Hi", &[])).await;
    let failed = both.receipts(1).await.remove(0);
    let cause = failed.cause.unwrap();
    assert_eq!((failed.status, cause.reason), (Status::Failed, Reason::WindowClosed));
    assert_eq!(cause.provider_code.as_deref(), Some("131047"));
}

#[tokio::test]
async fn an_answer_that_is_lost_is_found_by_the_echo() {
    let both = Both::new().await;
    both.simulator.open_window(PNID, CUSTOMER).unwrap();
    both.simulator.change(|behaviour| behaviour.answers.dropped_after_share = 1.0).unwrap();
    let message = outgoing("Hi", &[]);
    let outcome = both.adapter.send(&message).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    let receipt = both.receipts(1).await.remove(0);
    assert_eq!(receipt.reference, Reference::Ours(message.message.id));
    assert!(receipt.theirs.is_some());
}

#[tokio::test]
async fn a_token_that_was_taken_back_stops_the_account() {
    let both = Both::new().await;
    both.simulator.open_window(PNID, CUSTOMER).unwrap();
    for state in [TokenState::Expired, TokenState::Revoked] {
        both.simulator.set_token(None, None, state).unwrap();
        let outcome = both.adapter.send(&outgoing("Hi", &[])).await;
        assert!(matches!(outcome, Outcome::Stopped { scope: Throttled::Account, after: None, .. }), "{outcome:?}");
        assert!(both.adapter.check().await.iter().all(|line| !line.ok));
    }
    both.simulator.set_token(None, None, TokenState::Valid).unwrap();
    both.take(&outgoing("Hi", &[])).await;
}

#[tokio::test]
async fn throttling_names_its_limit() {
    let both = Both::new().await;
    both.simulator.open_window(PNID, CUSTOMER).unwrap();
    for as_429 in [false, true] {
        for (code, limit) in [
            (130_429, Throttled::Identifier),
            (131_056, Throttled::Pair),
            (4, Throttled::Account),
            (80_007, Throttled::Account),
            (613, Throttled::Account),
        ] {
            let change = |behaviour: &mut GraphBehaviour| {
                behaviour.answers.throttled_share = 1.0;
                behaviour.answers.throttled_code = code;
                behaviour.answers.throttled_as_429 = as_429;
            };
            both.simulator.change(change).unwrap();
            let outcome = both.adapter.send(&outgoing("Hi", &[])).await;
            let is = matches!(outcome, Outcome::Retry { throttled: Some(throttled), .. } if throttled == limit);
            assert!(is, "{code}: {outcome:?}");
        }
    }
}

/// Not about sending: a callback's address, and an unknown path.
const OF_OTHER_CALLS: [u32; 2] = [2_200, 2_500];

#[test]
fn every_code_of_the_simulator_has_a_row() {
    for (code, _) in herald_simulators::whatsapp_cloud::codes().filter(|(code, _)| !OF_OTHER_CALLS.contains(code)) {
        assert!(codes::find(code.into()).is_some(), "{code}");
    }
}
