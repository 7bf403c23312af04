//! What becomes of messages, as the adapter reads it, and what is found out about lost answers.

use crate::setting::{CUSTOMER, Setting, statuses, templated, text};
use herald_channels::contract::{Notice, Outcome, Outgoing, Pricing, Provider, Reference};
use herald_rules::{message::Message, reason::Reason, status::Status, template::Category};
use serde_json::Value;
use std::sync::Arc;

const ALL: [Status; 3] = [Status::Accepted, Status::Delivered, Status::Read];

#[tokio::test]
async fn a_message_is_followed_to_its_end() {
    let setting = Setting::new().await;
    for (category, price) in [(Category::Utility, "utility"), (Category::Marketing, "marketing")] {
        let message = templated(&setting.simulator, "491709999999", category);
        let id = message.id;
        let Outcome::Accepted { reference } = setting.send(message).await else { panic!() };
        let receipts = setting.receipts(id).await;
        assert_eq!(statuses(&receipts), ALL);
        for receipt in receipts {
            assert_eq!((receipt.theirs, receipt.part, receipt.cause), (reference.clone(), 0, None));
            let kind = Some("regular".to_owned());
            assert_eq!(receipt.pricing, Some(Pricing { category: price.to_owned(), billable: Some(true), kind }));
            assert!(receipt.at.is_some());
        }
    }
    let message = text(CUSTOMER);
    let id = message.id;
    setting.send(message).await;
    let price = setting.receipts(id).await.pop().unwrap().pricing.unwrap();
    assert_eq!((price.category.as_str(), price.billable), ("service", Some(false)), "within the window");
}

#[tokio::test]
async fn each_part_has_its_own_statuses() {
    let setting = Setting::new().await;
    let files = ["a.png", "b.pdf"].map(|name| format!("https://cdn.example.com/{name}"));
    let message = Arc::new(Message { files: files.to_vec(), ..text(CUSTOMER) });
    for part in 0..2 {
        setting.adapter.send(&Outgoing { message: Arc::clone(&message), kinds: Vec::new(), part, attempt: 0 }).await;
    }
    let receipts = setting.receipts(message.id).await;
    for part in 0..2 {
        let of: Vec<_> = receipts.iter().filter(|receipt| receipt.part == part).cloned().collect();
        assert_eq!(statuses(&of), ALL, "part {part}");
    }
}

#[tokio::test]
async fn without_an_echo_metas_id_tells() {
    let setting = Setting::with(|behaviour| behaviour.receipts.echo = false, Value::Null).await;
    let Outcome::Accepted { reference } = setting.send(text(CUSTOMER)).await else { panic!() };
    let reference = Reference::Theirs(reference.unwrap());
    let told = setting.told().await;
    let of = |notice: &&Notice| matches!(notice, Notice::Receipt(receipt) if receipt.reference == reference);
    assert_eq!(told.iter().filter(of).count(), 3);
}

#[tokio::test]
async fn what_meta_finds_out_later() {
    let setting = Setting::new().await;
    let simulator = &setting.simulator;
    simulator.set_reachable("491701111111", false);
    simulator.prefer(None, "491702222222", false).unwrap();
    simulator.change(|behaviour| behaviour.limits.customers_a_day = Some(0)).unwrap();
    let svg = Message { files: vec!["https://cdn.example.com/logo.svg".to_owned()], ..text(CUSTOMER) };
    for (message, reason) in [
        (text("491703333333"), Reason::WindowClosed),
        (text("491701111111"), Reason::RecipientNotReachable),
        (templated(simulator, "491702222222", Category::Marketing), Reason::MarketingStopped),
        (templated(simulator, "16505550142", Category::Marketing), Reason::MarketingLimit),
        (templated(simulator, "491704444444", Category::Utility), Reason::QualityLimit),
        (svg, Reason::FileRefused),
    ] {
        let id = message.id;
        assert!(matches!(setting.send(message).await, Outcome::Accepted { .. }), "Meta takes it first");
        let last = setting.receipts(id).await.pop().unwrap();
        assert_eq!((last.status, last.cause.map(|cause| cause.reason)), (Status::Failed, Some(reason)));
    }
}

/// What the last digits of a customer ask for.
#[tokio::test]
async fn magic_customers() {
    let setting = Setting::new().await;
    let to = |digits: &str| format!("49170555{digits}");
    for (digits, expected) in [
        ("00001", ALL.to_vec()),
        ("00002", vec![Status::Failed]),
        ("00003", vec![Status::Accepted, Status::Failed]),
        ("00007", ALL.to_vec()),
        ("00009", vec![]),
        ("00013", vec![Status::Failed]),
        ("00014", vec![Status::Failed]),
    ] {
        let message = templated(&setting.simulator, &to(digits), Category::Marketing);
        let id = message.id;
        assert!(matches!(setting.send(message).await, Outcome::Accepted { .. }), "{digits}");
        assert_eq!(statuses(&setting.receipts(id).await), expected, "{digits}");
    }
    let paused = setting.send(templated(&setting.simulator, &to("00016"), Category::Utility)).await;
    assert!(matches!(&paused, Outcome::Refused(cause) if cause.reason == Reason::TemplatePaused), "{paused:?}");
    let refused = setting.send(templated(&setting.simulator, &to("00011"), Category::Utility)).await;
    assert!(matches!(&refused, Outcome::Refused(cause) if cause.reason == Reason::ContentRefused), "{refused:?}");
    for (digits, reasons) in [
        ("00004", [Reason::PairLimit, Reason::PairLimit]),
        ("00010", [Reason::ProviderUnavailable, Reason::ProviderUnavailable]),
    ] {
        let message = templated(&setting.simulator, &to(digits), Category::Utility);
        for reason in reasons {
            let outcome = setting.send(message.clone()).await;
            assert!(
                matches!(&outcome, Outcome::Retry { cause, .. } if cause.reason == reason),
                "{digits}: {outcome:?}"
            );
        }
        assert!(matches!(setting.send(message).await, Outcome::Accepted { .. }), "{digits}");
    }
}

/// A lost answer leaves the outcome unknown; the echo in a status tells that Meta has it.
#[tokio::test]
async fn lost_answers_are_found_out_by_the_echo() {
    let setting = Setting::new().await;
    for (digits, taken) in [("00005", true), ("00006", false)] {
        let message = templated(&setting.simulator, &format!("49170555{digits}"), Category::Utility);
        let id = message.id;
        let outcome = setting.send(message).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{digits}: {outcome:?}");
        let receipts = setting.receipts(id).await;
        assert_eq!(statuses(&receipts), if taken { ALL.to_vec() } else { vec![] }, "{digits}");
        assert!(receipts.iter().all(|receipt| receipt.theirs.is_some()));
    }
    let hung =
        Setting::with(|behaviour| behaviour.answers.hang_share = 1.0, serde_json::json!({"timeout_ms": 300})).await;
    let outcome = hung.send(text(CUSTOMER)).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
}

#[tokio::test]
async fn twice_and_backwards_and_all_in_one_post() {
    let setting = Setting::with(
        |behaviour| {
            behaviour.receipts.duplicated_share = 1.0;
            behaviour.receipts.out_of_order_share = 1.0;
            behaviour.callbacks.batch = 1000;
            behaviour.callbacks.linger_ms = 300;
            *behaviour = behaviour.clone().unlimited();
        },
        Value::Null,
    )
    .await;
    let mut ids = Vec::new();
    for number in 0..100 {
        let message = templated(&setting.simulator, &format!("49170551{number:03}1"), Category::Utility);
        ids.push(message.id);
        assert!(matches!(setting.send(message).await, Outcome::Accepted { .. }));
    }
    for id in ids {
        let mut got = statuses(&setting.receipts(id).await);
        assert_eq!((got.len(), got.first(), got.last()), (6, Some(&Status::Read), Some(&Status::Accepted)));
        got.sort_by_key(|status| ALL.iter().position(|of| of == status));
        got.dedup();
        assert_eq!(got, ALL);
    }
    let posts = setting.simulator.summary().callback_posts;
    assert!(posts < 60, "600 statuses in {posts} posts");
}
