//! A channel's WhatsApp templates: listed, compared with Meta's, written, handed in, changed, deleted.

use super::{
    templates_problem::{refused, unsynced},
    templates_view::{TemplatePage, TemplatePatch, TemplateRequest, TemplateStanding, TemplateStory, TemplateSynced},
};
use crate::{
    api::{
        body::{Json, Query, id},
        codes::Code,
        page::PageQuery,
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::{app::App, directory::Channel},
    store::{TemplateFilter, TemplatePlace},
    template::{
        manage::{self, ManageError, Named},
        states, sync,
    },
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::template::{Category, TemplateStatus};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Which templates to list. All conditions hold together.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplatesQuery {
    /// Only in this status: `DRAFT`, `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, ...; absent: all but deleted ones.
    #[param(example = "APPROVED")]
    status: Option<String>,
    /// Only of this category: `AUTHENTICATION`, `MARKETING` or `UTILITY`.
    #[param(example = "UTILITY")]
    category: Option<String>,
    /// Only those whose name holds this.
    #[param(example = "order")]
    name: Option<String>,
    /// At most so many: 1 to 500, else 100.
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Whether a new template is handed in at once.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CreateQuery {
    /// True: Meta gets it at once, and where Meta refuses it nothing is kept. Else it is kept here as a draft.
    #[serde(default)]
    submit: bool,
}

/// List a channel's templates
///
/// By name and language, with how the last comparison with Meta went.
#[utoipa::path(
    get,
    path = "/api/v2/channels/{id}/templates",
    operation_id = "listTemplates",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        TemplatesQuery,
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "By name and language", body = TemplatePage),
        (status = 400, description = "`invalid_query`, `invalid_cursor`, `templates_not_supported`", body = ProblemBody<'static>),
        (status = 404, description = "`channel_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<String>,
    query: Query<TemplatesQuery>,
) -> Result<axum::Json<TemplatePage>, Problem> {
    let channel = channel(&app, &caller, &path)?;
    let TemplatesQuery { status, category, name, limit, cursor } = query.0;
    let page = PageQuery { limit, cursor };
    let after = page.after::<Cursor>()?.map(|cursor| (cursor.0, cursor.1));
    let filter = TemplateFilter {
        status: status.as_deref().map(status_word).transpose()?,
        category: category.as_deref().map(category_word).transpose()?,
        name_holds: name.filter(|name| !name.is_empty()).map(|name| name.to_ascii_lowercase()),
        after,
        limit: Some(page.rows()),
    };
    let rows = app.store.templates(TemplatePlace::from(&*channel), filter).await?;
    let page = page.of_rows(rows, |row| format!("{}/{}", row.name, row.language), |row| TemplateStanding::of(&row));
    let last_sync = app.store.template_sync(channel.row).await?.as_ref().map(Into::into);
    Ok(axum::Json(TemplatePage { items: page.items, next_cursor: page.next_cursor, last_sync }))
}

/// Write a template
///
/// The body is what Meta's create call takes. All of Meta's rules are checked first, and every one that is broken is told.
/// It is kept as a draft until it is handed in.
#[utoipa::path(
    post,
    path = "/api/v2/channels/{id}/templates",
    operation_id = "createTemplate",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        CreateQuery,
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body(content = TemplateRequest, example = json!({
        "name": "order_update", "language": "en_US", "category": "UTILITY", "components": [
            {"type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way.", "example": {"body_text": [["Dana", "A-1009"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Help"}]}
        ]
    })),
    responses(
        (status = 201, description = "Kept, or handed in", body = TemplateStanding),
        (status = 400, description = "`template_invalid`, with every broken rule in `errors`; `templates_not_supported`", body = ProblemBody<'static>),
        (status = 409, description = "`template_exists`, `channel_not_connected`", body = ProblemBody<'static>),
        (status = 422, description = "`template_refused`, with Meta's words", body = ProblemBody<'static>),
        (status = 502, description = "`provider_trouble`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<String>,
    query: Query<CreateQuery>,
    body: Json<TemplateRequest>,
) -> Result<(StatusCode, axum::Json<TemplateStanding>), Problem> {
    let channel = channel(&app, &caller, &path)?;
    let template = body.0.graph();
    let row = match query.0.submit {
        true => manage::create(&app, &channel, &template).await,
        false => manage::draft(&app, &channel, &template).await,
    };
    Ok((StatusCode::CREATED, axum::Json(TemplateStanding::of(&row.map_err(refused)?))))
}

/// Compare the templates with Meta's now
///
/// Reads all pages at Meta and writes what differs; answered when that is done. It happens by itself at the start, every
/// `templates.sync_every`, and when Meta tells of a change.
#[utoipa::path(
    post,
    path = "/api/v2/channels/{id}/templates/sync",
    operation_id = "syncTemplates",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "Done", body = TemplateSynced),
        (status = 409, description = "`channel_not_connected`", body = ProblemBody<'static>),
        (status = 502, description = "`provider_trouble`: what is here stays as it was", body = ProblemBody<'static>),
    )
)]
pub async fn sync(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<String>,
) -> Result<axum::Json<TemplateSynced>, Problem> {
    let channel = channel(&app, &caller, &path)?;
    let synced = sync::now(&app, &channel).await.map_err(unsynced)?;
    let last_sync = app.store.template_sync(channel.row).await?.as_ref().map(Into::into);
    Ok(axum::Json(TemplateSynced::of(synced, last_sync)))
}

/// Show a template with its history
#[utoipa::path(
    get,
    path = "/api/v2/channels/{id}/templates/{name}/{language}",
    operation_id = "getTemplate",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        ("name" = String, Path, example = "order_update"),
        ("language" = String, Path, example = "en_US"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "The template", body = TemplateStory),
        (status = 404, description = "`template_not_found`, `channel_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<(String, String, String)>,
) -> Result<axum::Json<TemplateStory>, Problem> {
    let (channel, name, language) = named(&app, &caller, path.0)?;
    let found = app.store.template(TemplatePlace::from(&*channel), name, language).await?;
    let (row, steps) = found.ok_or_else(|| refused(ManageError::Missing))?;
    Ok(axum::Json(TemplateStory::of(&row, steps)))
}

/// Change a template
///
/// A draft changes here. One that Meta has (`APPROVED`, `REJECTED` or `PAUSED`) is reviewed anew; an approved one may be
/// changed once in 24 hours and 10 times in 30 days, and its category is fixed.
#[utoipa::path(
    patch,
    path = "/api/v2/channels/{id}/templates/{name}/{language}",
    operation_id = "updateTemplate",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        ("name" = String, Path, example = "order_update"),
        ("language" = String, Path, example = "en_US"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body(content = TemplatePatch, example = json!({"components": [{"type": "BODY", "text": "Your order is on its way."}]})),
    responses(
        (status = 200, description = "As it is now", body = TemplateStanding),
        (status = 400, description = "`template_invalid`, with every broken rule in `errors`", body = ProblemBody<'static>),
        (status = 404, description = "`template_not_found`, `channel_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`template_state`, `conflict`, `channel_not_connected`", body = ProblemBody<'static>),
        (status = 422, description = "`template_refused`, with Meta's words", body = ProblemBody<'static>),
        (status = 502, description = "`provider_trouble`", body = ProblemBody<'static>),
    )
)]
pub async fn update(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<(String, String, String)>,
    body: Json<TemplatePatch>,
) -> Result<axum::Json<TemplateStanding>, Problem> {
    let (channel, name, language) = named(&app, &caller, path.0)?;
    let named = Named { channel: &channel, name: &name, language: &language };
    let row = manage::edit(&app, named, body.0.graph()).await.map_err(refused)?;
    Ok(axum::Json(TemplateStanding::of(&row)))
}

/// Delete a template in one language
///
/// A draft is forgotten. One that Meta has is deleted there; the name of an approved one stays reserved for 30 days.
#[utoipa::path(
    delete,
    path = "/api/v2/channels/{id}/templates/{name}/{language}",
    operation_id = "deleteTemplate",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        ("name" = String, Path, example = "order_update"),
        ("language" = String, Path, example = "en_US"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "`template_not_found`, `channel_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`conflict`, `channel_not_connected`", body = ProblemBody<'static>),
        (status = 422, description = "`template_refused`, with Meta's words", body = ProblemBody<'static>),
        (status = 502, description = "`provider_trouble`", body = ProblemBody<'static>),
    )
)]
pub async fn delete(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    let (channel, name, language) = named(&app, &caller, path.0)?;
    let named = Named { channel: &channel, name: &name, language: &language };
    manage::delete(&app, named).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hand a draft in for review
#[utoipa::path(
    post,
    path = "/api/v2/channels/{id}/templates/{name}/{language}/submit",
    operation_id = "submitTemplate",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        ("name" = String, Path, example = "order_update"),
        ("language" = String, Path, example = "en_US"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "Handed in; its status is Meta's", body = TemplateStanding),
        (status = 404, description = "`template_not_found`, `channel_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`template_state`, `channel_not_connected`", body = ProblemBody<'static>),
        (status = 422, description = "`template_refused`, with Meta's words; the draft stays", body = ProblemBody<'static>),
        (status = 502, description = "`provider_trouble`", body = ProblemBody<'static>),
    )
)]
pub async fn submit(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<(String, String, String)>,
) -> Result<axum::Json<TemplateStanding>, Problem> {
    let (channel, name, language) = named(&app, &caller, path.0)?;
    let named = Named { channel: &channel, name: &name, language: &language };
    Ok(axum::Json(TemplateStanding::of(&manage::submit(&app, named).await.map_err(refused)?)))
}

/// Let a paused template go again
///
/// Meta pauses a template that customers dislike for 3 hours, then for 6, then disables it. Of one that it paused while it
/// tried it out, the pause can be lifted after 5 minutes. The answer shows it as it was; its status follows.
#[utoipa::path(
    post,
    path = "/api/v2/channels/{id}/templates/{name}/{language}/unpause",
    operation_id = "unpauseTemplate",
    tag = "templates",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The channel"),
        ("name" = String, Path, example = "order_update"),
        ("language" = String, Path, example = "en_US"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 202, description = "Asked for", body = TemplateStanding),
        (status = 404, description = "`template_not_found`, `channel_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`template_state`, `channel_not_connected`", body = ProblemBody<'static>),
        (status = 422, description = "`template_refused`, with Meta's words", body = ProblemBody<'static>),
        (status = 502, description = "`provider_trouble`", body = ProblemBody<'static>),
    )
)]
pub async fn unpause(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<(String, String, String)>,
) -> Result<(StatusCode, axum::Json<TemplateStanding>), Problem> {
    let (channel, name, language) = named(&app, &caller, path.0)?;
    let named = Named { channel: &channel, name: &name, language: &language };
    let row = manage::unpause(&app, named).await.map_err(refused)?;
    Ok((StatusCode::ACCEPTED, axum::Json(TemplateStanding::of(&row))))
}

/// A channel of the department that has templates.
fn channel(app: &App, caller: &Caller<needs::Channels>, id_text: &str) -> Result<Arc<Channel>, Problem> {
    let id = id(id_text, super::channels::not_found)?;
    let (_, channel) = super::channels::find(app, caller.department.row, id)?;
    if channel.provider != herald_rules::protocol::Provider::WhatsappCloud {
        return Err(Problem::new(
            Code::TemplatesNotSupported,
            format!("Channels of {} have no templates; those of whatsapp_cloud do.", channel.provider.as_str()),
        ));
    }
    Ok(channel)
}

fn named(
    app: &App,
    caller: &Caller<needs::Channels>,
    (id, name, language): (String, String, String),
) -> Result<(Arc<Channel>, String, String), Problem> {
    // People write en-US and mean en_US.
    Ok((channel(app, caller, &id)?, name, language.replace('-', "_")))
}

/// The last template of a page.
struct Cursor(String, String);

impl std::str::FromStr for Cursor {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        text.split_once('/').map(|(name, language)| Self(name.to_owned(), language.to_owned())).ok_or(())
    }
}

fn status_word(text: &str) -> Result<String, Problem> {
    if text.trim().eq_ignore_ascii_case(states::DRAFT) {
        return Ok(states::DRAFT.to_owned());
    }
    text.parse::<TemplateStatus>().map(|status| status.to_string()).map_err(|()| {
        let all: Vec<_> = TemplateStatus::ALL.iter().map(|status| status.as_str()).collect();
        Problem::new(Code::InvalidQuery, format!("status must be DRAFT or one of {}.", all.join(", "))).at("/status")
    })
}

fn category_word(text: &str) -> Result<String, Problem> {
    text.parse::<Category>().map(|category| category.to_string()).map_err(|()| {
        Problem::new(Code::InvalidQuery, "category must be AUTHENTICATION, MARKETING or UTILITY.").at("/category")
    })
}
