//! Meta's limits and blocks, as the adapter hands them on.

use crate::setting::{CUSTOMER, NUMBER, Setting, templated, text};
use herald_channels::contract::{Outcome, Throttled};
use herald_rules::{reason::Reason, template::Category};
use herald_simulators::whatsapp_cloud::TokenState;
use serde_json::Value;
use std::time::Duration;

#[tokio::test]
async fn the_limit_of_a_pair_holds_back_that_customer_alone() {
    let setting = Setting::new().await;
    for _ in 0..45 {
        assert!(matches!(setting.send(text(CUSTOMER)).await, Outcome::Accepted { .. }));
    }
    let outcome = setting.send(text(CUSTOMER)).await;
    let Outcome::Retry { cause, after, throttled } = outcome else { panic!("{outcome:?}") };
    assert_eq!(
        (cause.reason, throttled, after),
        (Reason::PairLimit, Some(Throttled::Pair), Some(Duration::from_secs(1)))
    );
    let other = templated(&setting.simulator, "491709999999", Category::Utility);
    assert!(matches!(setting.send(other).await, Outcome::Accepted { .. }));
    setting.simulator.advance(Duration::from_secs(6));
    assert!(matches!(setting.send(text(CUSTOMER)).await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn the_limit_of_a_number_slows_the_number() {
    let setting = Setting::with(|behaviour| behaviour.limits.throughput = 2.0, Value::Null).await;
    let mut throttled = None;
    for _ in 0..5 {
        if let Outcome::Retry { cause, throttled: limit, .. } = setting.send(text(CUSTOMER)).await {
            throttled = Some((cause.reason, limit));
        }
    }
    assert_eq!(throttled, Some((Reason::ProviderThrottled, Some(Throttled::Identifier))));
    setting.simulator.change_number(NUMBER, |number| number.throughput = Some(1000)).unwrap();
    setting.simulator.advance(Duration::from_secs(10));
    for _ in 0..30 {
        let outcome = setting.send(text(CUSTOMER)).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_used_up_account_waits_as_its_header_says() {
    let setting = Setting::with(
        |behaviour| (behaviour.answers.throttled_share, behaviour.answers.throttled_code) = (1.0, 80_007),
        Value::Null,
    )
    .await;
    let outcome = setting.send(text(CUSTOMER)).await;
    let Outcome::Retry { throttled, after, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((throttled, after), (Some(Throttled::Account), Some(Duration::from_secs(60))));
}

/// A token that no longer holds stops the account until there is another one.
#[tokio::test]
async fn a_revoked_token_stops_the_account() {
    let setting = Setting::new().await;
    for state in [TokenState::Revoked, TokenState::Expired] {
        setting.simulator.set_token(None, None, state).unwrap();
        let outcome = setting.send(text(CUSTOMER)).await;
        let Outcome::Stopped { cause, scope, after } = outcome else { panic!("{outcome:?}") };
        assert_eq!((cause.reason, scope, after), (Reason::ProviderAuthFailed, Throttled::Account, None));
    }
    setting.simulator.set_token(None, None, TokenState::Valid).unwrap();
    assert!(matches!(setting.send(text(CUSTOMER)).await, Outcome::Accepted { .. }));
    setting.simulator.block(None, Some(368)).unwrap();
    let outcome = setting.send(text(CUSTOMER)).await;
    assert!(
        matches!(&outcome, Outcome::Stopped { cause, .. } if cause.reason == Reason::AccountRestricted),
        "{outcome:?}"
    );
}
