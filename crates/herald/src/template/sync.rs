//! One comparison of a channel's templates with Meta's: all pages are read, differences are written.

use super::states;
use crate::{
    node::{app::App, directory::Channel},
    observe::metrics::SyncResult,
    store::{StoreError, TemplatePlace, TemplateStepKind, TemplateSync, TemplateWrite},
};
use herald_channels::{
    contract::{TemplateChange, TemplateNotice},
    whatsapp_cloud::WhatsappCloud,
};
use herald_rules::{
    reason::{Cause, Reason},
    time::Timestamp,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Pages of one list: 100 templates each, and an account may hold 6,000.
const MOST_PAGES: usize = 1_000;
/// Rows written in one operation, so that messages never wait long behind it.
const ROWS_AT_ONCE: usize = 500;

/// What a comparison came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Templates that Meta lists.
    pub listed: usize,
    /// Of them, those that differed or were new here.
    pub changed: usize,
    /// Templates that Meta lists no longer.
    pub gone: usize,
}

/// Why a comparison was not made. What is here stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The channel has no WhatsApp adapter: another provider, no identifier yet, or unusable settings.
    #[error("the channel has no WhatsApp account that can be asked")]
    NoAccount,
    /// Meta could not be asked, or refused.
    #[error("Meta could not be asked: {}", .0.reason)]
    Provider(Cause),
    /// It could not be read or written here.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The WhatsApp account of a channel.
///
/// # Errors
/// [`SyncError::NoAccount`] where it has none.
pub fn adapter(app: &App, channel: &Channel) -> Result<WhatsappCloud, SyncError> {
    let account = app.lanes.accounts().get(channel.row).ok_or(SyncError::NoAccount)?;
    account.adapter.whatsapp_cloud().cloned().ok_or(SyncError::NoAccount)
}

/// Brings the templates of a channel in line with Meta's, and notes how that went. One at a time for each channel.
///
/// # Errors
/// When Meta cannot be asked, or nothing can be written. What is here stays as it was.
pub async fn now(app: &App, channel: &Channel) -> Result<Synced, SyncError> {
    let adapter = adapter(app, channel)?;
    let _alone = app.templates.alone(channel.row).await;
    let result = compare(app, channel, &adapter).await;
    let at = Timestamp::now();
    let mut note = TemplateSync { at, ..TemplateSync::default() };
    match &result {
        Ok(synced) => {
            note.succeeded_at = Some(at);
            app.metrics.template_syncs.of(SyncResult::Done).inc();
            tracing::info!(
                channel.id = %channel.id, listed = synced.listed, changed = synced.changed, gone = synced.gone,
                "templates.synced"
            );
        }
        Err(error) => {
            if let SyncError::Provider(cause) = error {
                note.error = Some(cause.clone());
            }
            app.metrics.template_syncs.of(SyncResult::Failed).inc();
            let code = note.error.as_ref().and_then(|cause| cause.provider_code.clone()).unwrap_or_default();
            tracing::warn!(channel.id = %channel.id, %error, provider.code = %code, "templates.sync_failed");
        }
    }
    app.store.note_template_sync(channel.row, note).await?;
    result
}

async fn compare(app: &App, channel: &Channel, adapter: &WhatsappCloud) -> Result<Synced, SyncError> {
    let place = TemplatePlace::from(channel);
    let started = Timestamp::now();
    let mut listed = list(adapter).await?;
    let before = app.store.all_templates(place).await?;
    let missing = |listed: &Listed| {
        let absent = before.iter().filter(|row| !listed.contains_key(&(row.name.clone(), row.language.clone())));
        absent.filter(|row| ![states::DRAFT, states::DELETED].contains(&row.status.as_str())).count()
    };
    if missing(&listed) > 0 {
        // Pages shift while templates are made and deleted: a template is gone only if two lists lack it.
        listed.extend(list(adapter).await?);
    }
    let now = Timestamp::now();
    let known: HashMap<_, _> = before.iter().map(|row| ((&*row.name, &*row.language), row)).collect();
    let mut synced = Synced { listed: listed.len(), ..Synced::default() };
    let mut writes = Vec::new();
    for ((name, language), graph) in &listed {
        // What a callback or a person changed since the list was begun is newer than the list.
        let row = known.get(&(&**name, &**language)).copied();
        if row.is_some_and(|row| row.changed_at > started) {
            continue;
        }
        writes.extend(states::listed(row, graph, now));
    }
    synced.changed = writes.len();
    let gone = before.iter().filter(|row| row.changed_at <= started);
    let gone = gone.filter(|row| !listed.contains_key(&(row.name.clone(), row.language.clone())));
    writes.extend(gone.filter_map(|row| states::gone(row, now)));
    synced.gone = writes.len() - synced.changed;
    write(app, channel, writes).await?;
    Ok(synced)
}

/// Writes in steps, then makes the index anew if anything was written. Answers how much was.
pub(super) async fn write(app: &App, channel: &Channel, mut writes: Vec<TemplateWrite>) -> Result<usize, StoreError> {
    // What customers make of it changes nothing about how it is found.
    let is_found = |kind| kind != TemplateStepKind::Quality;
    let found_otherwise = writes.iter().any(|w| w.steps.is_empty() || w.steps.iter().any(|step| is_found(step.kind)));
    let mut written = 0;
    while !writes.is_empty() {
        let rest = writes.split_off(writes.len().min(ROWS_AT_ONCE));
        let step = app.store.write_templates(TemplatePlace::from(channel), writes).await?;
        written += step.iter().filter(|written| **written).count();
        writes = rest;
    }
    if written > 0 && found_otherwise {
        app.templates.rebuild(&app.store, channel).await?;
    }
    Ok(written)
}

type Listed = BTreeMap<(String, String), Value>;

/// All pages.
async fn list(adapter: &WhatsappCloud) -> Result<Listed, SyncError> {
    let mut listed = BTreeMap::new();
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = adapter.templates(after.as_deref()).await.map_err(SyncError::Provider)?;
        for graph in page.templates {
            // A row without them cannot be sent, and has no place here.
            if let (Some(name), Some(language)) = (graph["name"].as_str(), graph["language"].as_str()) {
                listed.insert((name.to_owned(), language.to_owned()), graph);
            }
        }
        if page.after.is_none() {
            return Ok(listed);
        }
        if page.after == after {
            break;
        }
        after = page.after;
    }
    // Half a list would make templates gone that are not.
    Err(SyncError::Provider(Cause::with_detail(Reason::ProviderError, "Meta's list of templates has no end.")))
}

/// Applies what a callback tells about a template at once, and has the rest compared soon.
///
/// # Errors
/// When it cannot be read or written; the callback is to be worked off again.
pub async fn noticed(app: &App, channel: &Channel, notice: &TemplateNotice) -> Result<(), StoreError> {
    let place = TemplatePlace::from(channel);
    let rows = app.store.templates_named(place, notice.name.clone()).await?;
    // Callbacks write en-US where lists write en_US.
    let language = notice.language.replace('-', "_");
    let by_id = rows.iter().find(|row| row.graph_id.as_deref() == Some(&*notice.id));
    let row = by_id.or_else(|| rows.iter().find(|row| row.language.eq_ignore_ascii_case(&language)));
    let write = row.and_then(|row| states::noticed(row, &notice.change, notice.at, Timestamp::now()));
    if let Some(change) = write {
        self::write(app, channel, vec![change]).await?;
    }
    let kind = match notice.change {
        TemplateChange::Status(..) => "status",
        TemplateChange::Quality(_) => "quality",
        TemplateChange::Category(_) => "category",
        TemplateChange::Components => "components",
    };
    tracing::info!(channel.id = %channel.id, template = %notice.name, change = kind, "template.noticed");
    app.templates.ask(channel.row);
    Ok(())
}
