//! What callbacks tell beside receipts and customers' messages, handed to whom it concerns.
//!
//! These run after the page that held them is durable, so a crash in between loses them. That is no harm: templates are
//! read anew at every sync, and an account's limits by its next report.

use crate::{
    node::{app::App, directory::Channel},
    template::sync,
};
use herald_channels::contract::{AccountNotice, TemplateNotice};
use herald_rules::{ids::MessageId, time::Timestamp};
use std::sync::Arc;

/// Something about a template of the channel's account changed.
pub async fn template_noticed(app: &App, channel: &Channel, notice: TemplateNotice) {
    if let Err(error) = sync::noticed(app, channel, &notice).await {
        // The comparison that is asked for finds it out.
        tracing::warn!(channel.id = %channel.id, %error, "template.notice_not_applied");
        app.templates.ask(channel.row);
    }
}

/// Something about the channel's account, or an identifier of it, changed.
pub async fn account_noticed(app: &App, channel: &Channel, notice: AccountNotice) {
    tracing::warn!(channel.id = %channel.id, change = ?notice.change, text = notice.text, "account.noticed");
    let snapshot = Arc::clone(&app.directory.get());
    if let Err(error) = app.lanes.noticed(&app.store, &snapshot, channel, &notice, Timestamp::now()).await {
        tracing::warn!(channel.id = %channel.id, %error, "account.notice_not_kept");
    }
}

/// Customers wrote: these messages are new, and durable. Nothing else happens to them yet; consent, flows and tickets
/// begin here.
pub(super) fn customers_wrote(channel: &Channel, messages: &[MessageId]) {
    if !messages.is_empty() {
        tracing::debug!(channel.id = %channel.id, messages = messages.len(), "inbound.received");
    }
}
