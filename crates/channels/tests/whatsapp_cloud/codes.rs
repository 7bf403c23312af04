//! Every code of Meta's list: what its answer does, and what its status says. The list is a copy of Meta's, so that a row that
//! is lost from the adapter's table fails here.

use super::setting::{Graph, messages, only, outgoing};
use herald_channels::{
    contract::{
        Notice, Outcome, Provider,
        Throttled::{self, Account, Identifier, Pair},
    },
    whatsapp_cloud::codes,
};
use herald_rules::reason::Reason::{self, *};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Refuse,
    /// After so many seconds at the least; 0: as our schedule says.
    Again(u64),
    Slow(Throttled, u64),
    /// For so many seconds; 0: without an end.
    Stop(Throttled, u64),
}
use Does::{Again, Refuse, Slow, Stop};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Code, HTTP status, reason, what an answer with it does.
const META: &[(i64, u16, Reason, Does)] = &[
    (0, 401, ProviderAuthFailed, Stop(Account, 0)),
    (1, 400, ProviderError, Again(0)),
    (1, 500, ProviderError, Again(0)),
    (2, 503, ProviderUnavailable, Again(0)),
    (3, 500, PermissionMissing, Stop(Account, 0)),
    (4, 400, ProviderThrottled, Slow(Account, 900)),
    (4, 429, ProviderThrottled, Slow(Account, 900)),
    (10, 403, PermissionMissing, Stop(Account, 0)),
    (33, 400, SenderNotReady, Stop(Identifier, 0)),
    (100, 400, ContentRefused, Refuse),
    (190, 401, ProviderAuthFailed, Stop(Account, 0)),
    (200, 403, PermissionMissing, Stop(Account, 0)),
    (250, 403, PermissionMissing, Stop(Account, 0)),
    (299, 403, PermissionMissing, Stop(Account, 0)),
    (368, 403, AccountRestricted, Stop(Account, 0)),
    (613, 400, ProviderThrottled, Slow(Account, 60)),
    (80007, 400, ProviderThrottled, Slow(Account, 900)),
    (80007, 429, ProviderThrottled, Slow(Account, 900)),
    (130429, 400, ProviderThrottled, Slow(Identifier, 0)),
    (130429, 429, ProviderThrottled, Slow(Identifier, 0)),
    (130472, 400, MarketingLimit, Refuse),
    (130497, 403, CountryNotAllowed, Refuse),
    (131000, 500, ProviderError, Again(0)),
    (131005, 403, PermissionMissing, Stop(Account, 0)),
    (131008, 400, ContentRefused, Refuse),
    (131009, 400, ContentRefused, Refuse),
    (131016, 500, ProviderUnavailable, Again(0)),
    (131021, 400, RecipientNotReachable, Refuse),
    (131026, 400, RecipientNotReachable, Refuse),
    (131030, 400, SenderNotReady, Refuse),
    (131031, 403, AccountRestricted, Stop(Account, 0)),
    (131037, 400, SenderNotReady, Stop(Identifier, HOUR)),
    (131042, 400, PaymentProblem, Stop(Account, HOUR)),
    (131044, 400, PaymentProblem, Stop(Account, HOUR)),
    (131045, 500, SenderNotReady, Stop(Identifier, HOUR)),
    (131047, 400, WindowClosed, Refuse),
    (131048, 400, QualityLimit, Stop(Identifier, DAY)),
    (131049, 400, MarketingLimit, Refuse),
    (131050, 400, MarketingStopped, Refuse),
    (131051, 400, ContentRefused, Refuse),
    (131052, 400, FileRefused, Refuse),
    (131053, 400, FileRefused, Refuse),
    (131055, 400, ContentRefused, Refuse),
    (131056, 400, PairLimit, Slow(Pair, 1)),
    (131057, 500, ProviderUnavailable, Again(0)),
    (131062, 400, RecipientNotReachable, Refuse),
    (131063, 400, PermissionMissing, Refuse),
    (131064, 400, QualityLimit, Again(DAY)),
    (132000, 400, TemplateParameterInvalid, Refuse),
    (132001, 404, TemplateNotFound, Refuse),
    (132005, 400, ContentRefused, Refuse),
    (132007, 400, ContentRefused, Refuse),
    (132008, 400, TemplateParameterInvalid, Refuse),
    (132012, 400, TemplateParameterInvalid, Refuse),
    (132015, 400, TemplatePaused, Again(HOUR)),
    (132016, 400, TemplatePaused, Refuse),
    (132018, 400, TemplateParameterInvalid, Refuse),
    (132068, 400, TemplatePaused, Refuse),
    (132069, 400, ProviderThrottled, Again(HOUR)),
    (133000, 500, SenderNotReady, Stop(Identifier, HOUR)),
    (133004, 503, ProviderUnavailable, Again(0)),
    (133005, 400, SenderNotReady, Stop(Identifier, 0)),
    (133006, 400, SenderNotReady, Stop(Identifier, HOUR)),
    (133008, 400, SenderNotReady, Stop(Identifier, HOUR)),
    (133009, 400, SenderNotReady, Stop(Identifier, 300)),
    (133010, 400, SenderNotReady, Stop(Identifier, HOUR)),
    (133015, 400, SenderNotReady, Stop(Identifier, 300)),
    (133016, 400, SenderNotReady, Stop(Identifier, 72 * HOUR)),
    (134011, 400, PermissionMissing, Refuse),
    (134100, 400, ContentRefused, Refuse),
    (134101, 400, ProviderError, Again(600)),
    (134102, 400, TemplateNotFound, Refuse),
    (135000, 400, Unspecified, Refuse),
    (137000, 400, IdentityChanged, Refuse),
    (138000, 400, Unspecified, Refuse),
    (138999, 403, Unspecified, Refuse),
    (139000, 400, Unspecified, Refuse),
    (139999, 403, Unspecified, Refuse),
    (2494100, 500, ProviderUnavailable, Again(0)),
];

pub fn error(code: i64) -> Value {
    json!({
        "code": code, "message": format!("(#{code}) Title"), "type": "OAuthException",
        "error_data": {"messaging_product": "whatsapp", "details": "What exactly"}, "fbtrace_id": "A",
    })
}

fn does(outcome: &Outcome) -> (Reason, Does) {
    let seconds = |after: &Option<Duration>| after.map_or(0, |after| after.as_secs());
    match outcome {
        Outcome::Refused(cause) => (cause.reason, Refuse),
        Outcome::Retry { cause, after, throttled: None } => (cause.reason, Again(seconds(after))),
        Outcome::Retry { cause, after, throttled: Some(limit) } => (cause.reason, Slow(*limit, seconds(after))),
        Outcome::Stopped { cause, scope, after } => (cause.reason, Stop(*scope, seconds(after))),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_with_each_code() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    for (code, status, reason, expected) in META {
        graph.tell(*status, json!({"error": error(*code)}).to_string());
        let outcome = adapter.send(&outgoing("Hi", &[])).await;
        assert_eq!(does(&outcome), (*reason, *expected), "{code}");
        let (Outcome::Refused(cause) | Outcome::Retry { cause, .. } | Outcome::Stopped { cause, .. }) = outcome else {
            panic!("{code}");
        };
        assert_eq!(cause.provider_code, Some(code.to_string()));
        assert_eq!(cause.provider_text, Some(format!("(#{code}) Title: What exactly")));
    }
}

#[test]
fn a_failed_status_with_each_code() {
    for (code, _, reason, _) in META {
        let errors = json!([{"code": code, "title": "Title", "message": "Title", "error_data": {"details": "Why"}}]);
        let status = json!({"id": "wamid.1", "status": "failed", "timestamp": "1795348802", "errors": errors});
        let Notice::Receipt(receipt) = only(&messages(json!({"statuses": [status]}))) else { panic!("{code}") };
        let cause = receipt.cause.unwrap();
        assert_eq!((cause.reason, cause.provider_code), (*reason, Some(code.to_string())));
        assert_eq!(cause.provider_text.as_deref(), Some("Title: Why"));
    }
}

#[test]
fn each_row_of_the_table_is_of_metas_list() {
    for row in codes::TABLE {
        let listed = META.iter().any(|(code, ..)| (row.first..=row.last).contains(code));
        assert!(listed, "{}", row.first);
        assert!(row.advice.is_empty() || row.advice.ends_with(['.', '?']), "{}", row.first);
    }
    for unlisted in [-1, 5, 199, 300, 131_999, 137_999, 140_000, i64::MIN, i64::MAX] {
        assert!(codes::find(unlisted).is_none(), "{unlisted}");
    }
}

#[test]
fn what_is_tried_again_has_a_schedule() {
    for row in codes::TABLE {
        if matches!(row.effect, codes::Effect::Retry { .. } | codes::Effect::SlowDown(..)) {
            assert!(herald_rules::retry::schedule(row.reason).is_some(), "{}", row.first);
        }
    }
}
