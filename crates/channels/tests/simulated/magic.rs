//! Every magic recipient, on every protocol.

use crate::setting::{Setting, code, reason};
use herald_channels::contract::{LookUp, Outcome, Reference, Throttled};
use herald_rules::{protocol::Protocol, reason::Reason, status::Status};
use herald_simulators::Magic;
use std::time::{Duration, Instant};

fn suffix(magic: Magic) -> String {
    magic.suffix()
}

/// The receipts that follow a plain acceptance.
fn usual(protocol: Protocol) -> &'static [Status] {
    match protocol {
        Protocol::WhatsApp => &[Status::Delivered, Status::Read],
        Protocol::SMS => &[Status::Delivered],
        Protocol::AppleBusinessChat => &[],
    }
}

#[tokio::test]
async fn plain_and_00001_are_accepted_delivered_and_read() {
    for protocol in Protocol::ALL {
        for digits in ["00001", "54321"] {
            let setting = Setting::new(protocol).await;
            let message = setting.message(digits);
            let outcomes = setting.send(&message).await;
            let [Outcome::Accepted { reference: Some(reference) }] = outcomes.as_slice() else {
                panic!("{protocol} {outcomes:?}")
            };
            let receipts = setting.receipts_when(usual(protocol).len()).await;
            assert_eq!(receipts.iter().map(|receipt| receipt.status).collect::<Vec<_>>(), usual(protocol));
            let ours = Reference::Ours(message.message.id);
            let theirs = Reference::Theirs(reference.clone());
            for receipt in receipts {
                assert_eq!(receipt.reference, if protocol == Protocol::SMS { theirs.clone() } else { ours.clone() });
                assert!(receipt.at.is_some() && receipt.cause.is_none());
            }
        }
    }
}

#[tokio::test]
async fn refusals_are_final_and_carry_the_providers_words() {
    for protocol in Protocol::ALL {
        let setting = Setting::new(protocol).await;
        for (magic, expected) in
            [(Magic::NotReachable, Reason::RecipientNotReachable), (Magic::ContentRefused, Reason::ContentRefused)]
        {
            let outcome = setting.send(&setting.message(&suffix(magic))).await.remove(0);
            let Outcome::Refused(cause) = outcome else { panic!("{outcome:?}") };
            assert_eq!((cause.reason, code(&cause)), (expected, Some(expected.code())));
            assert!(cause.provider_text.is_some_and(|text| text.ends_with('.')));
        }
        assert!(setting.receipts().is_empty());
    }
}

#[tokio::test]
async fn failing_later_is_a_receipt_with_a_cause() {
    for protocol in [Protocol::WhatsApp, Protocol::SMS] {
        let setting = Setting::new(protocol).await;
        assert!(matches!(setting.send(&setting.message("00003")).await[..], [Outcome::Accepted { .. }]));
        let receipt = setting.receipts_when(1).await.remove(0);
        assert_eq!(receipt.status, Status::Failed);
        let cause = receipt.cause.unwrap();
        assert_eq!((cause.reason, code(&cause)), (Reason::MessageLost, Some("delivery_failed")));
    }
}

#[tokio::test]
async fn throttled_twice_names_the_pair_and_the_wait() {
    for protocol in Protocol::ALL {
        let setting = Setting::new(protocol).await;
        let outcomes = setting.send(&setting.message("00004")).await;
        assert_eq!(outcomes.len(), 3);
        for outcome in &outcomes[..2] {
            let Outcome::Retry { after, throttled, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!((*after, *throttled), (Some(Duration::from_secs(1)), Some(Throttled::Pair)));
            assert_eq!(reason(outcome), Some(Reason::ProviderThrottled));
        }
        assert!(matches!(outcomes[2], Outcome::Accepted { .. }));
        assert_eq!(setting.statuses_when(usual(protocol).len()).await, usual(protocol));
    }
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_can_be_found_out() {
    for protocol in Protocol::ALL {
        let setting = Setting::new(protocol).await;
        let message = setting.message("00005");
        assert!(matches!(setting.send(&message).await[..], [Outcome::Unknown(_)]));
        assert_eq!(setting.statuses_when(usual(protocol).len()).await, usual(protocol));
        let found = setting.look_up(&message).await;
        if protocol == Protocol::SMS {
            let LookUp::Found { reference: Some(reference), status: Status::Delivered } = found else {
                panic!("{found:?}")
            };
            assert_eq!(setting.receipts()[0].reference, Reference::Theirs(reference));
        } else {
            assert_eq!(found, LookUp::Unavailable);
        }
        assert_eq!(setting.simulator.summary().taken, 1);
    }
}

#[tokio::test]
async fn a_lost_call_is_unknown_and_was_not_taken() {
    for protocol in Protocol::ALL {
        let setting = Setting::new(protocol).await;
        let message = setting.message("00006");
        assert!(matches!(setting.send(&message).await[..], [Outcome::Unknown(_)]));
        assert_eq!(setting.simulator.summary().taken, 0);
        if protocol == Protocol::SMS {
            assert_eq!(setting.look_up(&message).await, LookUp::NeverArrived);
        }
        assert!(matches!(setting.send(&message).await[..], [Outcome::Accepted { .. }]));
        assert_eq!(setting.statuses_when(usual(protocol).len()).await, usual(protocol));
        assert_eq!(setting.simulator.summary().duplicates, 0);
    }
}

#[tokio::test]
async fn the_receipt_comes_before_the_answer() {
    for protocol in [Protocol::WhatsApp, Protocol::SMS] {
        let setting = Setting::new(protocol).await;
        let outcomes = setting.send(&setting.message("00007")).await;
        assert!(matches!(outcomes[..], [Outcome::Accepted { .. }]));
        // No waiting here: it must have come already.
        assert_eq!(setting.receipts()[0].status, Status::Delivered);
    }
}

#[tokio::test]
async fn receipts_come_twice_and_backwards() {
    use Status::{Accepted, Delivered, Read};
    let setting = Setting::new(Protocol::WhatsApp).await;
    setting.send(&setting.message("00008")).await;
    assert_eq!(setting.statuses_when(6).await, [Read, Read, Delivered, Delivered, Accepted, Accepted]);
    let setting = Setting::new(Protocol::SMS).await;
    setting.send(&setting.message("00008")).await;
    assert_eq!(setting.statuses_when(4).await, [Delivered, Delivered, Accepted, Accepted]);
}

#[tokio::test]
async fn no_receipts_are_planned_for_00009() {
    for protocol in Protocol::ALL {
        let setting = Setting::new(protocol).await;
        assert!(matches!(setting.send(&setting.message("00009")).await[..], [Outcome::Accepted { .. }]));
        assert_eq!(setting.simulator.summary().receipts_waiting, 0);
        assert!(setting.receipts().is_empty());
    }
}

#[tokio::test]
async fn broken_twice_is_retried() {
    for protocol in Protocol::ALL {
        let setting = Setting::new(protocol).await;
        let outcomes = setting.send(&setting.message("00010")).await;
        let reasons: Vec<_> = outcomes.iter().map(reason).collect();
        assert_eq!(reasons, [Some(Reason::ProviderUnavailable), Some(Reason::ProviderError), None]);
        assert!(outcomes.iter().all(|outcome| !matches!(outcome, Outcome::Retry { throttled: Some(_), .. })));
    }
}

#[tokio::test]
async fn slow_takes_three_seconds() {
    let setting = Setting::new(Protocol::WhatsApp).await;
    let begun = Instant::now();
    assert!(matches!(setting.send(&setting.message("00012")).await[..], [Outcome::Accepted { .. }]));
    assert!(begun.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn magic_can_be_switched_off() {
    let setting = Setting::with(Protocol::SMS, 10_000, |behaviour| behaviour.magic_numbers = false).await;
    for magic in Magic::ALL {
        assert!(matches!(setting.send(&setting.message(&suffix(magic))).await[..], [Outcome::Accepted { .. }]));
    }
}
