//! Each of Meta's codes, there and back: in answers with the status that Meta documents, and in failed statuses.

use crate::setting::{CUSTOMER, Setting, templated, text};
use herald_channels::{
    contract::{Outcome, Throttled},
    whatsapp_cloud::codes::{Effect, find},
};
use herald_rules::{
    reason::{Cause, Reason},
    status::Status,
    template::Category,
};
use herald_simulators::whatsapp_cloud::codes;

/// What an outcome says, in the words of the adapter's table.
fn said(outcome: Outcome) -> (&'static str, Cause, Option<Throttled>) {
    match outcome {
        Outcome::Refused(cause) => ("refused", cause, None),
        Outcome::Retry { cause, throttled, .. } => ("later", cause, throttled),
        Outcome::Stopped { cause, scope, .. } => ("stopped", cause, Some(scope)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_code_in_an_answer() {
    let setting = Setting::with(|behaviour| *behaviour = behaviour.clone().unlimited(), serde_json::Value::Null).await;
    let mut listed = 0;
    for (code, _) in codes() {
        for as_429 in [false, true] {
            setting
                .simulator
                .change(|behaviour| {
                    let answers = &mut behaviour.answers;
                    answers.throttled_as_429 = as_429;
                    if as_429 {
                        (answers.throttled_share, answers.permanent_share) = (1.0, 0.0);
                        answers.throttled_code = code;
                    } else {
                        (answers.throttled_share, answers.permanent_share) = (0.0, 1.0);
                        answers.permanent_code = code;
                    }
                })
                .unwrap();
            let (word, cause, limit) = said(setting.send(text(CUSTOMER)).await);
            assert_eq!(cause.provider_code.as_deref(), Some(code.to_string().as_str()));
            assert!(cause.provider_text.as_deref().is_some_and(|text| !text.is_empty()), "{code}");
            let Some(row) = find(i64::from(code)) else {
                assert_eq!(
                    cause.reason,
                    if as_429 { Reason::ProviderThrottled } else { Reason::Unspecified },
                    "{code}"
                );
                continue;
            };
            listed += 1;
            let expected = match row.effect {
                Effect::Refuse => ("refused", None),
                Effect::Retry { .. } => ("later", None),
                Effect::SlowDown(limit, _) => ("later", Some(limit)),
                Effect::Stop(scope, _) => ("stopped", Some(scope)),
            };
            assert_eq!((word, limit, cause.reason), (expected.0, expected.1, row.reason), "{code} as 429: {as_429}");
        }
    }
    assert!(listed > 120, "{listed}");
}

#[tokio::test]
async fn every_code_in_a_failed_status() {
    let setting = Setting::with(
        |behaviour| {
            *behaviour = behaviour.clone().unlimited();
            behaviour.receipts.failed_share = 1.0;
            (behaviour.receipts.delay_ms, behaviour.receipts.delivered_delay_ms) = (0, 0);
            behaviour.callbacks.linger_ms = 0;
        },
        serde_json::Value::Null,
    )
    .await;
    for (code, _) in codes() {
        setting.simulator.change(|behaviour| behaviour.receipts.failed_code = code).unwrap();
        let message = templated(&setting.simulator, CUSTOMER, Category::Utility);
        let id = message.id;
        assert!(matches!(setting.send(message).await, Outcome::Accepted { .. }));
        let last = setting.receipts(id).await.pop().unwrap();
        let cause = last.cause.unwrap();
        let reason = find(i64::from(code)).map_or(Reason::Unspecified, |row| row.reason);
        assert_eq!((last.status, cause.reason), (Status::Failed, reason), "{code}");
        assert_eq!(cause.provider_code.as_deref(), Some(code.to_string().as_str()));
    }
}
