//! What an answer, or its absence, means for a message.

use super::codes::{self, Effect};
use crate::{
    contract::{LookUp, Outcome, Throttled},
    http::{Answer, CallError},
};
use herald_rules::{reason::Reason, status::Status};
use http::StatusCode;
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
struct Taken {
    reference: String,
}

#[derive(Deserialize)]
struct Problem {
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Found {
    reference: String,
    status: String,
}

/// The outcome of a send. `needs_reference`: receipts name the provider's id only, so an acceptance without it is of
/// no use until a look-up brings it.
pub(super) fn outcome(result: Result<Answer, CallError>, needs_reference: bool) -> Outcome {
    let (status, after, body) = match result {
        Ok(answer) => (answer.status, answer.retry_after(), answer.body),
        Err(CallError::Body { status, .. }) => (status, None, Default::default()),
        Err(CallError::NotSent(problem)) => {
            return Outcome::NotSent(codes::cause(Reason::ProviderUnavailable, None, Some(&problem)));
        }
        Err(CallError::TimedOut) => return Outcome::Unknown(Reason::ProviderTimeout.into()),
        Err(CallError::Lost(problem)) => {
            return Outcome::Unknown(codes::cause(Reason::ProviderUnavailable, None, Some(&problem)));
        }
    };
    if status.is_success() {
        return match serde_json::from_slice::<Taken>(&body) {
            Ok(taken) => Outcome::Accepted { reference: Some(taken.reference) },
            Err(_) if !needs_reference => Outcome::Accepted { reference: None },
            Err(_) => Outcome::Unknown(codes::cause(Reason::ProviderError, None, Some("accepted without a reference"))),
        };
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => refused(status, after, &problem.error),
        Err(_) => without_words(status, after),
    }
}

/// An error in the provider's own form: the message was not taken.
fn refused(status: StatusCode, after: Option<Duration>, error: &Detail) -> Outcome {
    let (reason, effect) = codes::find(&error.code).unwrap_or_else(|| by_status(status));
    let cause = codes::cause(reason, Some(&error.code), Some(&error.message));
    match effect {
        Effect::Refuse | Effect::Receipt => Outcome::Refused(cause),
        Effect::Retry => Outcome::Retry { cause, after, throttled: None },
        Effect::SlowDown(limit) => Outcome::Retry { cause, after, throttled: Some(limit) },
        Effect::Stop(scope) => Outcome::Stopped { cause, scope, after },
    }
}

/// A code that the table does not know is judged by the class of its status.
fn by_status(status: StatusCode) -> (Reason, Effect) {
    match status {
        StatusCode::TOO_MANY_REQUESTS => (Reason::ProviderThrottled, Effect::SlowDown(Throttled::Account)),
        status if status.is_client_error() => (Reason::Unspecified, Effect::Refuse),
        _ => (Reason::ProviderError, Effect::Retry),
    }
}

/// An error that is not in the provider's form comes from something in between: a proxy's 502 or 504 says nothing about
/// whether the provider behind it took the message.
fn without_words(status: StatusCode, after: Option<Duration>) -> Outcome {
    let code = status.as_str();
    let (reason, effect) = by_status(status);
    let cause = codes::cause(reason, Some(code), None);
    match effect {
        _ if status.is_server_error() => Outcome::Unknown(cause),
        Effect::SlowDown(limit) => Outcome::Retry { cause, after, throttled: Some(limit) },
        // A redirect or a bare 4xx: the address is probably wrong. That is the operator's to mend, so messages wait.
        _ => Outcome::Retry { cause: codes::cause(Reason::ProviderError, Some(code), None), after, throttled: None },
    }
}

/// The answer to a look-up. Only the provider's own words prove that a message never arrived: a bare 404 may come from
/// a wrong address.
pub(super) fn looked_up(result: Result<Answer, CallError>) -> LookUp {
    let Ok(answer) = result else { return LookUp::Unavailable };
    if answer.status == StatusCode::OK {
        return match serde_json::from_slice::<Found>(&answer.body) {
            Ok(found) => LookUp::Found {
                reference: Some(found.reference),
                // A status that we do not know still proves that the provider has it.
                status: status(&found.status).unwrap_or(Status::Accepted),
            },
            Err(_) => LookUp::Unavailable,
        };
    }
    match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(problem) if answer.status == StatusCode::NOT_FOUND && problem.error.code == "message_not_found" => {
            LookUp::NeverArrived
        }
        _ => LookUp::Unavailable,
    }
}

/// The provider's names of statuses.
pub(super) fn status(name: &str) -> Option<Status> {
    match name {
        "accepted" => Some(Status::Accepted),
        "delivered" => Some(Status::Delivered),
        "read" => Some(Status::Read),
        "failed" => Some(Status::Failed),
        _ => None,
    }
}
