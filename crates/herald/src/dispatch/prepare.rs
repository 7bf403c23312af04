//! What takes time between claim and call: a template found by now, a look at the files, the account's daily customers.
//! What ends a message here costs no call.

use super::Account;
use crate::{
    node::{crash, ownership::Tenure},
    pace::Daily,
    route,
};
use herald_channels::contract::{Outcome, Outgoing};
use herald_rules::{
    admission::{self, Reach},
    file::{FileKind, Wanted},
    message::Message,
    reason::{Cause, Reason},
    template::{HeaderValue, TemplateMessage},
    time::Timestamp,
};
use std::sync::Arc;

/// What became of a message at the door.
#[derive(Debug)]
pub(super) enum Tried {
    /// The provider was called.
    Called(Outcome),
    /// It ends without a call.
    Refused(Cause),
    /// It waits until a moment: a limit of the account.
    Waits(Timestamp, Cause),
    /// The lease ran out while it was made ready: its lane may be another node's.
    TooLate,
}

/// Makes ready and calls. `closed` is set where free text may not be sent: then the message goes as the template that it is
/// by now, if the customer may be sent that. `first`: it opens a conversation, which may be counted.
pub(super) async fn tried(
    account: Arc<Account>,
    tenure: &Tenure,
    mut outgoing: Outgoing,
    closed: Option<Reach>,
    first: bool,
) -> Tried {
    if let Some(reach) = closed {
        match template_by_now(&account, &outgoing.message, &reach).await {
            // It was cut when it was accepted, and cannot be put together again.
            Ok(template) if outgoing.message.parts > 1 => {
                let detail = format!(
                    "The text is the template {} now, and was none yet when it was accepted. Send it again.",
                    template.name
                );
                return Tried::Refused(Cause::with_detail(Reason::TemplateNotMatched, detail));
            }
            Ok(template) => {
                outgoing.message = Arc::new(Message { template: Some(template), ..Message::clone(&outgoing.message) });
            }
            Err(cause) => return Tried::Refused(cause),
        }
    }
    // The channel had no adapter when it was accepted, or another one: rather not at all than in part.
    if account.adapter.parts(&outgoing.message) > outgoing.message.parts {
        let detail = "The message was accepted while its channel could not be used, and cannot be cut into parts any more. Send it again.";
        return Tried::Refused(Cause::with_detail(Reason::ContentRefused, detail));
    }
    match check_files(&account, &outgoing.message).await {
        Ok(kinds) => outgoing.kinds = kinds,
        Err(cause) => return Tried::Refused(cause),
    }
    // Nearly last: a place of the day is taken by what goes.
    if first && let Daily::Until(until, cause) = account.may_write_first(&outgoing.message.to, Timestamp::now()) {
        return Tried::Waits(until, cause);
    }
    if !tenure.may_call() {
        return Tried::TooLate;
    }
    Tried::Called(crash::around("call", account.adapter.send(&outgoing)).await)
}

/// The template that a message can go as by now to a customer whose window is closed.
///
/// # Errors
/// Why there is none, or why this customer may not be sent it.
pub async fn template_by_now(
    account: &Account,
    message: &Arc<Message>,
    reach: &Reach,
) -> Result<TemplateMessage, Cause> {
    let (index, searched) = (account.templates.index(account.channel), message.clone());
    // The search for the nearest template takes milliseconds among thousands.
    let found = tokio::task::spawn_blocking(move || route::template_by_now(index.as_deref(), &searched));
    let template = found.await.unwrap_or_else(|_| Err(Reason::TemplateNotMatched.into()))?;
    match admission::template_refused(&template, message, reach, account.terms()) {
        Some(reason) => Err(reason.into()),
        None => Ok(template),
    }
}

/// Looks at the files of a message and says what they are, also those of later parts: half a message is worse than none. A look is kept for a
/// while, so that the same link costs one.
///
/// # Errors
/// Why the first that cannot be sent cannot.
pub async fn check_files(account: &Account, message: &Message) -> Result<Vec<FileKind>, Cause> {
    if message.files.is_empty() || !account.adapter.capabilities().fetches_files {
        return Ok(Vec::new());
    }
    let wanted = match message.template.as_ref().and_then(|template| template.header.as_ref()) {
        Some(HeaderValue::Media { kind, .. }) => Wanted::Header(*kind),
        _ => Wanted::Message(message.protocol),
    };
    let mut kinds = Vec::with_capacity(message.files.len());
    for link in &message.files {
        kinds.push(account.files.check(link, wanted).await?.kind);
    }
    Ok(kinds)
}
