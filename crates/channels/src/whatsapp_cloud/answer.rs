//! What the answer to a send, or its absence, means for the message.

use super::{
    codes::{self, Effect, Row, Wait},
    problem::{Problem, said},
};
use crate::{
    contract::{Outcome, Throttled},
    http::{Answer, CallError},
};
use herald_rules::reason::{Cause, Reason};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use std::{borrow::Cow, time::Duration};

/// Where Meta says that an app or an account has used up its calls.
const USAGE_HEADER: &str = "x-business-use-case-usage";
/// The least wait for a used-up account, where Meta does not name one.
const ACCOUNT_WAIT: Duration = Duration::from_secs(15 * 60);

#[derive(Deserialize)]
struct Taken<'a> {
    #[serde(borrow)]
    messages: Vec<TakenMessage<'a>>,
}

#[derive(Deserialize)]
struct TakenMessage<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    message_status: Option<Cow<'a, str>>,
}

/// The outcome of a send; `attempt` counts the tries before it.
pub fn outcome(result: Result<Answer, CallError>, attempt: u32) -> Outcome {
    let answer = match result {
        Ok(answer) => answer,
        Err(error) => return without_answer(error),
    };
    if answer.status.is_success() {
        return taken(&answer.body);
    }
    match Problem::of_answer(&answer.body) {
        Some(problem) => refused(&answer, &problem, attempt),
        None => without_words(answer.status, answer.retry_after()),
    }
}

fn taken(body: &[u8]) -> Outcome {
    let taken = serde_json::from_slice::<Taken<'_>>(body).ok().and_then(|taken| taken.messages.into_iter().next());
    match taken {
        // The answer is a 200, and the message does not go.
        Some(message) if message.message_status.as_deref() == Some("paused") => {
            Outcome::Refused(said(Reason::TemplatePaused, None, Some("message_status: paused")))
        }
        Some(message) if !message.id.is_empty() => Outcome::Accepted { reference: Some(message.id.into_owned()) },
        // Receipts will carry our echo, and the id with it.
        _ => Outcome::Unknown(said(Reason::ProviderError, None, Some("accepted without a message id"))),
    }
}

/// An error in Meta's own form: this try was not taken, whatever the status.
fn refused(answer: &Answer, problem: &Problem, attempt: u32) -> Outcome {
    let wish = answer.retry_after();
    match codes::find_error(problem.code, problem.subcode) {
        Some(row) => {
            let wish = match row.effect {
                Effect::SlowDown(_, Wait::Reported) => {
                    wish.max(Some(reported(&answer.headers).unwrap_or(ACCOUNT_WAIT)))
                }
                _ => wish,
            };
            act(row, problem.cause(row.reason), wish, attempt)
        }
        None => unlisted(answer.status, problem, wish),
    }
}

/// What a row of the table does; `wish` is the provider's own.
fn act(row: &Row, cause: Cause, wish: Option<Duration>, attempt: u32) -> Outcome {
    match row.effect {
        Effect::Refuse => Outcome::Refused(cause),
        Effect::Retry { tries, .. } if tries > 0 && attempt + 1 >= tries => {
            Outcome::Refused(Cause { reason: Reason::RetriesExhausted, ..cause })
        }
        Effect::Retry { not_before, .. } => {
            let own = (not_before > 0).then(|| Duration::from_secs(not_before));
            Outcome::Retry { cause, after: wish.max(own), throttled: None }
        }
        Effect::SlowDown(limit, wait) => {
            let own = match wait {
                Wait::Schedule | Wait::Reported => None,
                Wait::Seconds(seconds) => Some(Duration::from_secs(seconds)),
                // 4^5 is 17 minutes, beyond the longest wish that is kept.
                Wait::PowersOfFour => Some(Duration::from_secs(4_u64.pow(attempt.min(5)))),
            };
            Outcome::Retry { cause, after: wish.max(own), throttled: Some(limit) }
        }
        Effect::Stop(scope, seconds) => Outcome::Stopped { cause, scope, after: seconds.map(Duration::from_secs) },
    }
}

/// A code that is not in the table: what usually passes is tried again, all else is for good.
fn unlisted(status: StatusCode, problem: &Problem, after: Option<Duration>) -> Outcome {
    if status == StatusCode::TOO_MANY_REQUESTS {
        let cause = problem.cause(Reason::ProviderThrottled);
        return Outcome::Retry { cause, after, throttled: Some(Throttled::Identifier) };
    }
    if status == StatusCode::UNAUTHORIZED {
        let cause = problem.cause(Reason::ProviderAuthFailed);
        return Outcome::Stopped { cause, scope: Throttled::Account, after: None };
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return Outcome::Retry { cause: problem.cause(Reason::ProviderUnavailable), after, throttled: None };
    }
    if status.is_server_error() || problem.is_transient {
        return Outcome::Retry { cause: problem.cause(Reason::ProviderError), after, throttled: None };
    }
    Outcome::Refused(problem.cause(Reason::Unspecified))
}

/// An error that is not in Meta's form comes from something in between: a proxy's 502 or 504 says nothing about whether Meta
/// took the message.
fn without_words(status: StatusCode, after: Option<Duration>) -> Outcome {
    let cause = |reason| said(reason, Some(status.as_str()), None);
    if status.is_server_error() {
        return Outcome::Unknown(cause(Reason::ProviderError));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let throttled = Some(Throttled::Account);
        return Outcome::Retry { cause: cause(Reason::ProviderThrottled), after, throttled };
    }
    // A redirect or a bare 4xx: the address is probably wrong. That is the operator's to mend, so messages wait.
    Outcome::Retry { cause: cause(Reason::ProviderError), after, throttled: None }
}

/// What a call without a whole answer means for a message.
fn without_answer(error: CallError) -> Outcome {
    match error {
        CallError::NotSent(problem) => Outcome::NotSent(said(Reason::ProviderUnavailable, None, Some(&problem))),
        CallError::TimedOut => Outcome::Unknown(Reason::ProviderTimeout.into()),
        CallError::Lost(problem) => Outcome::Unknown(said(Reason::ProviderUnavailable, None, Some(&problem))),
        CallError::Body { status, problem } if status.is_success() => {
            Outcome::Unknown(said(Reason::ProviderError, Some(status.as_str()), Some(&problem)))
        }
        CallError::Body { status, .. } => without_words(status, None),
    }
}

/// The longest `estimated_time_to_regain_access` (minutes) that Meta names for any of its counters.
fn reported(headers: &HeaderMap) -> Option<Duration> {
    let usage: Value = serde_json::from_slice(headers.get(USAGE_HEADER)?.as_bytes()).ok()?;
    let counters = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = counters.filter_map(|counter| counter.get("estimated_time_to_regain_access")?.as_u64()).max()?;
    // A month at most: more is nonsense.
    (minutes > 0).then(|| Duration::from_secs(minutes.min(31 * 24 * 60) * 60))
}

/// The cause of a management call that failed, which has no schedule and no outcome of its own.
pub fn cause(result: Result<Answer, CallError>) -> Result<Answer, Cause> {
    let answer = result.map_err(|error| match error {
        CallError::NotSent(problem) | CallError::Lost(problem) => {
            said(Reason::ProviderUnavailable, None, Some(&problem))
        }
        CallError::TimedOut => Reason::ProviderTimeout.into(),
        CallError::Body { status, problem } => said(Reason::ProviderError, Some(status.as_str()), Some(&problem)),
    })?;
    if answer.status.is_success() {
        return Ok(answer);
    }
    let by_status = match answer.status {
        StatusCode::UNAUTHORIZED => Reason::ProviderAuthFailed,
        StatusCode::TOO_MANY_REQUESTS => Reason::ProviderThrottled,
        status if status.is_server_error() => Reason::ProviderUnavailable,
        _ => Reason::Unspecified,
    };
    Err(match Problem::of_answer(&answer.body) {
        Some(problem) => problem.cause(by_status),
        None => said(by_status, Some(answer.status.as_str()), None),
    })
}
