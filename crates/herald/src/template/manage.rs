//! Templates as people write them: kept as a draft, handed in, changed, deleted, lifted from a pause.
//!
//! Each is judged by Meta's rules before Meta is asked. What Meta took is written at once, and a comparison follows, so
//! that what is kept is what Meta says.

use super::{
    states::{self, DELETED, DRAFT},
    sync::{self, SyncError},
};
use crate::{
    node::{app::App, directory::Channel},
    store::{StoreError, TemplatePlace, TemplateRow, TemplateWrite},
};
use herald_rules::{
    reason::{Cause, Reason},
    template::validate::{Violation, validate},
    time::Timestamp,
};
use serde_json::{Map, Value};

/// In which states Meta lets a template be changed.
const CHANGEABLE: [&str; 3] = ["APPROVED", "REJECTED", "PAUSED"];

/// Why a template was not made, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// It breaks rules of Meta's.
    #[error("it breaks rules of Meta's")]
    Invalid(Vec<Violation>),
    /// There is none of this name and language.
    #[error("there is no such template")]
    Missing,
    /// There is one of this name and language already, in this state.
    #[error("there is one already: {0}")]
    Exists(String),
    /// Its state does not allow it; the sentence says what does.
    #[error("{0}")]
    State(String),
    /// Somebody else changed it in the same moment.
    #[error("it was changed meanwhile")]
    ChangedMeanwhile,
    /// The channel has no account that can be asked.
    #[error("the channel has no WhatsApp account that can be asked")]
    NoAccount,
    /// Meta refused, or could not be asked.
    #[error("Meta refused: {}", .0.reason)]
    Provider(Cause),
    /// It could not be read or written here.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SyncError> for ManageError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::NoAccount => Self::NoAccount,
            SyncError::Provider(cause) => Self::Provider(cause),
            SyncError::Store(error) => Self::Store(error),
        }
    }
}

/// Which template of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Whose.
    pub channel: &'a Channel,
    /// Its name.
    pub name: &'a str,
    /// Its language.
    pub language: &'a str,
}

/// Keeps a template here without handing it in.
///
/// # Errors
/// Where it breaks a rule, or there is one of its name and language.
pub async fn draft(app: &App, channel: &Channel, template: &Value) -> Result<TemplateRow, ManageError> {
    let (before, row) = fresh(app, channel, template, DRAFT).await?;
    let now = row.changed_at;
    write(app, channel, states::differing(before.as_ref(), row, None, now)).await
}

/// Hands a template in without keeping a draft of it: where Meta refuses it, nothing is left here.
///
/// # Errors
/// Where it breaks a rule, or there is one of its name and language, or Meta refuses it.
pub async fn create(app: &App, channel: &Channel, template: &Value) -> Result<TemplateRow, ManageError> {
    let (before, row) = fresh(app, channel, template, "PENDING").await?;
    hand_in(app, channel, before, row).await
}

/// Hands a draft in for review.
///
/// # Errors
/// Where it is no draft, or Meta refuses it; the draft stays.
pub async fn submit(app: &App, named: Named<'_>) -> Result<TemplateRow, ManageError> {
    let before = find(app, named).await?;
    if before.status != DRAFT {
        return Err(ManageError::State(format!(
            "The template is {}: it has been handed in already. Change it to have it reviewed anew.",
            before.status
        )));
    }
    // Rules may have changed since it was kept.
    legal(&before.graph())?;
    let row = TemplateRow { status: "PENDING".to_owned(), changed_at: Timestamp::now(), ..before.clone() };
    hand_in(app, named.channel, Some(before), row).await
}

/// Changes some of a template's fields, by Meta's names for them. A draft changes here; another is reviewed anew.
///
/// # Errors
/// Where it then breaks a rule, its state does not allow it, or Meta refuses.
pub async fn edit(app: &App, named: Named<'_>, change: Map<String, Value>) -> Result<TemplateRow, ManageError> {
    let before = find(app, named).await?;
    let mut after = before.graph();
    if let Some(fields) = after.as_object_mut() {
        fields.extend(change.clone());
    }
    if let Err(ManageError::Invalid(mut broken)) = legal(&after) {
        // Of what stays as it is Meta has judged already; its lists hold samples in a form that it would not take.
        broken.retain(|violation| {
            let field = violation.pointer.split('/').nth(1).unwrap_or_default();
            before.status == DRAFT || change.contains_key(field)
        });
        if !broken.is_empty() {
            return Err(ManageError::Invalid(broken));
        }
    }
    let category = after["category"].as_str().unwrap_or_default().to_owned();
    let mut row = TemplateRow { category, body: after, changed_at: Timestamp::now(), ..before.clone() };
    if before.status == DRAFT {
        let at = row.changed_at;
        return write_over(app, named.channel, before, row, None, at).await;
    }
    if !CHANGEABLE.contains(&before.status.as_str()) {
        return Err(ManageError::State(format!(
            "The template is {}; Meta lets only those be changed that are APPROVED, REJECTED or PAUSED.",
            before.status
        )));
    }
    if before.status == "APPROVED" && row.category != before.category {
        return Err(ManageError::State(
            "The category of an approved template is fixed. Make another template, or ask Meta to review the category."
                .to_owned(),
        ));
    }
    let id = graph_id(&before)?;
    let adapter = sync::adapter(app, named.channel)?;
    let asked = adapter.edit_template(id, &Value::Object(change)).await;
    app.templates.ask(named.channel.row);
    asked.map_err(ManageError::Provider)?;
    row.status = "PENDING".to_owned();
    let at = row.changed_at;
    write_over(app, named.channel, before, row, Some("Changed here; Meta reviews it anew."), at).await
}

/// Deletes a template in one language: a draft here, another at Meta. None: nothing is left of it, not even a history.
///
/// # Errors
/// Where there is none, or Meta refuses.
pub async fn delete(app: &App, named: Named<'_>) -> Result<Option<TemplateRow>, ManageError> {
    let before = find(app, named).await?;
    if before.status == DRAFT {
        let place = TemplatePlace::from(named.channel);
        return match app.store.forget_template(place, before).await? {
            true => Ok(None),
            false => Err(ManageError::ChangedMeanwhile),
        };
    }
    let adapter = sync::adapter(app, named.channel)?;
    let asked = adapter.delete_template(&before.name, Some(graph_id(&before)?)).await;
    app.templates.ask(named.channel.row);
    asked.map_err(ManageError::Provider)?;
    let now = Timestamp::now();
    let row = TemplateRow { status: DELETED.to_owned(), changed_at: now, ..before.clone() };
    write_over(app, named.channel, before, row, Some("Deleted here."), now).await.map(Some)
}

/// Asks Meta to let a paused template go again. Whether it does, the comparison that follows tells.
///
/// # Errors
/// Where it is not paused, or Meta refuses.
pub async fn unpause(app: &App, named: Named<'_>) -> Result<TemplateRow, ManageError> {
    let row = find(app, named).await?;
    if row.status != "PAUSED" {
        return Err(ManageError::State(format!("The template is {}, not PAUSED.", row.status)));
    }
    let adapter = sync::adapter(app, named.channel)?;
    let asked = adapter.unpause_template(graph_id(&row)?).await;
    app.templates.ask(named.channel.row);
    asked.map_err(ManageError::Provider)?;
    Ok(row)
}

/// A new row, and the deleted one in whose place it comes.
async fn fresh(
    app: &App,
    channel: &Channel,
    template: &Value,
    status: &str,
) -> Result<(Option<TemplateRow>, TemplateRow), ManageError> {
    legal(template)?;
    let word = |field: &str| template[field].as_str().unwrap_or_default().to_owned();
    let row = TemplateRow {
        name: word("name"),
        language: word("language"),
        graph_id: None,
        status: status.to_owned(),
        category: word("category").to_ascii_uppercase(),
        quality: None,
        body: template.clone(),
        changed_at: Timestamp::now(),
    };
    let place = TemplatePlace::from(channel);
    let before = app.store.template(place, row.name.clone(), row.language.clone()).await?.map(|(before, _)| before);
    match &before {
        Some(before) if before.status != DELETED => Err(ManageError::Exists(before.status.clone())),
        _ => Ok((before, row)),
    }
}

async fn hand_in(
    app: &App,
    channel: &Channel,
    before: Option<TemplateRow>,
    mut row: TemplateRow,
) -> Result<TemplateRow, ManageError> {
    let adapter = sync::adapter(app, channel)?;
    let mut request = row.graph();
    if let Some(fields) = request.as_object_mut() {
        for ours in ["status", "id"] {
            fields.remove(ours);
        }
    }
    let answer = adapter.create_template(&request).await;
    // Whatever the answer, also none: the comparison finds out.
    app.templates.ask(channel.row);
    let answer = answer.map_err(ManageError::Provider)?;
    row.graph_id = answer["id"].as_str().map(str::to_owned);
    for (field, word) in [(&mut row.status, &answer["status"]), (&mut row.category, &answer["category"])] {
        if let Some(word) = word.as_str() {
            word.clone_into(field);
        }
    }
    let now = row.changed_at;
    write(app, channel, states::differing(before.as_ref(), row, Some("Handed in here."), now)).await
}

/// Writes what was changed here. Where a comparison has come first, what it found holds.
async fn write_over(
    app: &App,
    channel: &Channel,
    before: TemplateRow,
    row: TemplateRow,
    reason: Option<&str>,
    at: Timestamp,
) -> Result<TemplateRow, ManageError> {
    match states::differing(Some(&before), row, reason, at) {
        Some(change) => write(app, channel, Some(change)).await,
        None => Ok(before),
    }
}

async fn write(app: &App, channel: &Channel, change: Option<TemplateWrite>) -> Result<TemplateRow, ManageError> {
    let Some(change) = change else { return Err(ManageError::ChangedMeanwhile) };
    let row = change.row.clone();
    let is_draft = row.status == DRAFT;
    if sync::write(app, channel, vec![change]).await? > 0 {
        return Ok(row);
    }
    // Of a draft nobody else knows: two people were at it. For all others a comparison with Meta came first.
    let now = app.store.template(TemplatePlace::from(channel), row.name, row.language).await?;
    match now {
        Some((now, _)) if !is_draft => Ok(now),
        _ => Err(ManageError::ChangedMeanwhile),
    }
}

async fn find(app: &App, named: Named<'_>) -> Result<TemplateRow, ManageError> {
    let place = TemplatePlace::from(named.channel);
    let found = app.store.template(place, named.name.to_owned(), named.language.to_owned()).await?;
    found.map(|(row, _)| row).filter(|row| row.status != DELETED).ok_or(ManageError::Missing)
}

fn legal(template: &Value) -> Result<(), ManageError> {
    let broken = validate(template);
    if broken.is_empty() { Ok(()) } else { Err(ManageError::Invalid(broken)) }
}

/// Meta's id. A row that Meta told us of without one cannot be named to it.
fn graph_id(row: &TemplateRow) -> Result<&str, ManageError> {
    let missing = || Cause::with_detail(Reason::ProviderError, "Meta has told no id of this template.");
    row.graph_id.as_deref().ok_or_else(|| ManageError::Provider(missing()))
}
