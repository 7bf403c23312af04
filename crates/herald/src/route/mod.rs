//! From what was asked for to what will be sent: the template that a text is, the values of its variables, its parts.
//!
//! Matching comes first, so that a variable is captured as the value of a parameter; then values are filled in and frozen.
//! What cannot be sent whatever happens is noted in the message, and ends it at dispatch: the send answer is `Pending` all
//! the same.

mod fill;

use crate::{
    accept::Wish,
    node::{
        app::App,
        directory::{Channel, Department},
    },
    store::StoreError,
};
use herald_rules::message::Message;

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
    fill::fill(app, department, &mut message, wish).await?;
    if message.template.is_none()
        && !message.files.is_empty()
        && let Some(account) = app.lanes.accounts().get(channel.row)
    {
        message.parts = account.adapter.parts(&message);
    }
    Ok(message)
}
