//! Taking a message: check it, make it durable, answer. All sources of outbound messages come through here.
//!
//! The order of the refusals matters: nothing counts against the rate limit before the message is known to be good, and
//! nothing is written before it has passed the limit, so that a refused request leaves no trace.

mod answer;
mod check;
mod idempotency;
mod quota;
mod request;
mod wire;
mod wish;

pub use answer::{MessageAnswer, Warning};
pub use check::{Checked, check};
pub use idempotency::{IdempotencyKey, OptionalKey};
pub use quota::{Allowance, Quotas};
pub use request::SendRequest;
pub use wish::{CustomerWish, ParametersWish, TemplateWish, Wish};

use crate::{
    api::{codes::Code, problem::Problem},
    node::{app::App, crash, directory::Department},
    route::route,
    store::{self, DepartmentRow, Idempotency, NewMessage, StoreError},
};
use herald_rules::{
    ids::{DepartmentId, MessageId},
    message::Message,
    time::Timestamp,
};
use std::{borrow::Cow, sync::Arc};

/// A message that is durable.
#[derive(Debug)]
pub struct Accepted {
    /// The message.
    pub message: Arc<Message>,
    /// Whose it is.
    pub department: DepartmentId,
    /// v1.2's number of who carries it.
    pub service_provider: i32,
    /// What was left out or changed, as JSON.
    pub warnings: Cow<'static, str>,
    /// What is left of the department's limit.
    pub allowance: Allowance,
}

/// Accepts one message. When this has answered, it is on disk; of a refused one nothing is kept.
///
/// # Errors
/// Every refusal of the send, in the form in which it is answered.
pub async fn accept(
    app: &App,
    department: &Department,
    request: SendRequest<'_>,
    key: Option<IdempotencyKey>,
) -> Result<Accepted, Problem> {
    let key = key.map(|key| key.of(&request));
    match take(app, department, request, key.as_ref()).await {
        Err(problem) => {
            // What was accepted under this key is answered as then, though it could not be accepted now: its expiresAt has
            // passed, or the channel was switched off meanwhile.
            if let Some(key) = key
                && problem.status().is_client_error()
                && problem.code() != Code::IdempotencyKeyUsed
                && let Some(accepted) = answered_before(app, department, &key).await?
            {
                return Ok(accepted);
            }
            app.metrics.refused(problem.code().as_str(), 1);
            Err(problem)
        }
        accepted => accepted,
    }
}

async fn take(
    app: &App,
    department: &Department,
    request: SendRequest<'_>,
    key: Option<&Idempotency>,
) -> Result<Accepted, Problem> {
    let snapshot = Arc::clone(&app.directory.get());
    let again = app.store.is_shared().then(|| request.clone());
    let checked = match (check(&snapshot, department, request, Timestamp::now(), MessageId::new()), again) {
        // Another node may have made or switched on the channel a moment ago.
        (Err(problem), Some(again)) if matches!(problem.status().as_u16(), 403 | 404) && app.catch_up().await => {
            let snapshot = Arc::clone(&app.directory.get());
            check(&snapshot, department, again, Timestamp::now(), MessageId::new())?
        }
        (checked, _) => checked?,
    };
    let allowance = app.quotas.take(department.row)?;
    let warnings = checked.warnings_json();
    let Checked { lane, channel, message, wish, .. } = checked;
    let message = route(app, department, &channel, message, wish).await?;
    let body = serde_json::to_string(&message).map_err(StoreError::from)?;
    let message = Arc::new(message);
    let idempotency = key.map(|key| Idempotency { warnings: warnings.clone().into_owned(), ..key.clone() });
    let new = NewMessage { department: department.row, lane, message: message.clone(), body, idempotency };
    let answer = crash::around("accept", app.store.accept(vec![new])).await?.pop();
    let (id, service_provider) = (department.id, channel.provider.service_provider());
    match answer {
        Some(store::Accepted::New) => {
            app.metrics.accepted.of(message.protocol).inc();
            Ok(Accepted { message, department: id, service_provider, warnings, allowance })
        }
        Some(store::Accepted::Repeated { message, warnings }) => {
            Ok(repeated(app, department, Arc::new(*message), warnings, allowance))
        }
        Some(store::Accepted::KeyUsed) => Err(Problem::new(
            Code::IdempotencyKeyUsed,
            "Another request was accepted under this Idempotency-Key within the last 24 hours. Use a new key for each \
             message, and the same one only to repeat it.",
        )),
        None => Err(StoreError::Unavailable("an accept was not answered".into()).into()),
    }
}

/// What an earlier, equal request under this key was answered with.
async fn answered_before(
    app: &App,
    department: &Department,
    key: &Idempotency,
) -> Result<Option<Accepted>, StoreError> {
    let row: DepartmentRow = department.row;
    let earlier = app.store.answered(row, key.key_hash, key.body_hash).await?;
    Ok(earlier.map(|(message, warnings)| repeated(app, department, message, warnings, app.quotas.allowance(row))))
}

fn repeated(
    app: &App,
    department: &Department,
    message: Arc<Message>,
    warnings: String,
    allowance: Allowance,
) -> Accepted {
    let snapshot = app.directory.get();
    let channel = snapshot.lane_of(message.protocol, &message.from).and_then(|lane| snapshot.channel(lane.channel));
    Accepted {
        department: department.id,
        service_provider: channel.map_or(0, |channel| channel.provider.service_provider()),
        message,
        warnings: warnings.into(),
        allowance,
    }
}
