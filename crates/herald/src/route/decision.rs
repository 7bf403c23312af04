//! The whole decision about a message, for a look before sending: what dispatch would do with it now.

use crate::{
    dispatch::{Account, check_files, template_by_now},
    node::{app::App, directory::Lane},
    store::StoreError,
};
use herald_rules::{
    admission::{self, Admission, Reach},
    message::Message,
    reason::Cause,
    template::TemplateMessage,
    time::Timestamp,
};
use std::sync::Arc;

/// What dispatch would do with a message now.
#[derive(Debug, Default)]
pub struct Decision {
    /// How the customer can be reached.
    pub reach: Reach,
    /// Free text goes only within the window.
    pub needs_window: bool,
    /// The approved template that it would go as; None: it would go as it stands, or not at all.
    pub template: Option<TemplateMessage>,
    /// Why it would not be sent.
    pub problem: Option<Cause>,
}

/// Decides without sending. Files are looked at as they would be.
///
/// # Errors
/// When the store cannot be read.
pub async fn decide(app: &App, lane: &Lane, message: &Message, now: Timestamp) -> Result<Decision, StoreError> {
    let reach = app.store.reach(lane.department, lane.channel, lane.row, &message.to).await?;
    let Some(account) = app.lanes.accounts().get(lane.channel) else {
        return Ok(Decision { reach, problem: message.refused.clone(), ..Decision::default() });
    };
    let (template, problem) = match admitted(&account, message, &reach, now).await {
        Ok(template) => {
            let sent = Message { template: template.clone(), ..message.clone() };
            (template, check_files(&account, &sent).await.err())
        }
        Err(cause) => (None, Some(cause)),
    };
    Ok(Decision { reach, needs_window: account.terms().needs_window, template, problem })
}

async fn admitted(
    account: &Account,
    message: &Message,
    reach: &Reach,
    now: Timestamp,
) -> Result<Option<TemplateMessage>, Cause> {
    match admission::judge(message, reach, account.terms(), now) {
        Admission::Free => Ok(None),
        Admission::Template(template) => Ok(Some(template)),
        Admission::NeedsTemplate => template_by_now(account, &Arc::new(message.clone()), reach).await.map(Some),
        Admission::Refused(cause) => Err(cause),
    }
}
