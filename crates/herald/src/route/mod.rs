//! From what was asked for to what will be sent: the template that a text is, the values of its variables, its parts.
//!
//! Matching comes first, so that a variable is captured as the value of a parameter; then values are filled in and frozen.
//! What cannot be sent whatever happens is noted in the message, and ends it at dispatch: the send answer is `Pending` all
//! the same.

mod decision;
mod fill;
mod template;

use crate::{
    accept::Wish,
    node::{
        app::App,
        directory::{Channel, Department},
    },
    store::StoreError,
};
pub use decision::{Decision, decide};
use herald_rules::{
    message::Message,
    reason::{Cause, Reason},
    template::{Index, TemplateMessage, check_values},
};
use template::{Chosen, choose};

/// Makes a checked message ready to be accepted.
///
/// # Errors
/// When the store cannot be read.
pub async fn route(
    app: &App,
    department: &Department,
    channel: &Channel,
    mut message: Message,
    wish: Wish,
) -> Result<Message, StoreError> {
    // Whoever gives what only a template takes is told when it cannot be used: nothing is left out in silence.
    let asked = wish.of_a_template().is_some();
    let chosen = match app.templates.index(channel.row) {
        Some(index) => choose(&index, &message.text, &message.files, &wish, asked).map(Some),
        None if asked => Err(Cause::with_detail(Reason::TemplateNotFound, "The channel has no templates.")),
        None => Ok(None),
    };
    let chosen = match chosen {
        Ok(Some(Chosen { template, message: sent, text })) => {
            message.template = Some(sent);
            message.text = text.unwrap_or(message.text);
            Some(template)
        }
        Ok(None) => None,
        Err(cause) => {
            // A text that is no template may be sent as it is while the window is open; dispatch knows, and says why not.
            message.refused = asked.then_some(cause);
            None
        }
    };
    fill::fill(app, department, &mut message, wish).await?;
    if let (Some(template), Some(sent)) = (&chosen, &message.template)
        && let Err(cause) = check_values(sent, template)
    {
        message.template = None;
        message.refused = message.refused.or(asked.then_some(cause));
    }
    if message.template.is_none()
        && !message.files.is_empty()
        && let Some(account) = app.lanes.accounts().get(channel.row)
    {
        message.parts = account.adapter.parts(&message);
    }
    Ok(message)
}

/// The template that an accepted message can go as by now, where free text may not be sent.
///
/// # Errors
/// Why there is none, with the template that comes nearest: milliseconds among thousands of templates.
pub fn template_by_now(index: Option<&Index>, message: &Message) -> Result<TemplateMessage, Cause> {
    let Some(index) = index else { return Err(Reason::TemplateNotMatched.into()) };
    let Chosen { template, message, .. } = choose(index, &message.text, &message.files, &Wish::default(), true)?;
    check_values(&message, &template)?;
    Ok(message)
}
