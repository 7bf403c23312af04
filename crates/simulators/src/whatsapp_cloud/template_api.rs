//! `/{WABA}/message_templates`, and what is done with one template.

use super::{
    behaviour::Verdict, business::Business, engine::Engine, error::GraphError, server::Call, template_rules,
    templates::Stored,
};
use crate::wire::json;
use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use herald_rules::time::Timestamp;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

pub(crate) type Answer = Result<Response, GraphError>;

/// Rows of a page, unless asked for more, and the most.
const PAGE: usize = 25;
const LARGEST_PAGE: usize = 1000;
/// An approved template may be edited once a day and ten times in thirty days.
const DAY: Duration = Duration::from_secs(24 * 3600);
const EDITS: usize = 10;

pub(crate) fn done(value: &Value) -> Answer {
    Ok(json(StatusCode::OK, value.to_string()))
}

pub(crate) fn success() -> Answer {
    done(&json!({"success": true}))
}

/// The account of this id, for this call.
pub(crate) fn of_account(engine: &Engine, call: &Call, id: &str, method: &str) -> Result<Arc<Business>, GraphError> {
    let business = engine.business(|business| business.waba_id == id);
    call.admit(engine, business.as_deref())?;
    business.ok_or_else(|| GraphError::no_object(method, id))
}

pub(crate) fn read(body: &[u8]) -> Result<Value, GraphError> {
    let value: Option<Value> = serde_json::from_slice(body).ok().filter(Value::is_object);
    value.ok_or_else(|| GraphError::with(100, "The body must be a JSON object."))
}

fn cursor(number: u64) -> String {
    STANDARD.encode(format!("t:{number}"))
}

fn uncursor(text: &str) -> Result<u64, GraphError> {
    let bytes = STANDARD.decode(text).ok();
    let number = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.strip_prefix("t:")?.parse().ok());
    number.ok_or_else(|| GraphError::with(100, "Invalid cursors values"))
}

/// `GET /{WABA}/message_templates`.
pub(crate) async fn list(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let business = of_account(&engine, &call, &id, "get")?;
    let asked = |name: &str| call.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let limit = match asked("limit") {
        None => PAGE,
        Some(text) => text.parse().map_err(|_| GraphError::with(100, "Param limit must be an integer"))?,
    };
    let limit = limit.clamp(1, LARGEST_PAGE);
    let after = asked("after").map(uncursor).transpose()?.unwrap_or(0);
    let statuses: Option<Vec<&str>> = asked("status").map(|text| text.split(',').collect());
    let wanted = |stored: &&Arc<Stored>| {
        statuses.as_ref().is_none_or(|statuses| statuses.contains(&stored.status.as_str()))
            && asked("name").is_none_or(|name| stored.name.contains(name))
            && asked("language").is_none_or(|language| stored.language == language)
            && asked("category").is_none_or(|category| stored.category == category)
    };
    let (rows, more, total) = {
        let templates = business.templates();
        let mut found = templates.after(after).filter(wanted);
        let rows: Vec<Arc<Stored>> = found.by_ref().take(limit).cloned().collect();
        (rows, found.next().is_some(), templates.count())
    };
    let data: Vec<Value> = rows.iter().map(|stored| chosen(stored.shown(), asked("fields"))).collect();
    let mut body = json!({"data": data});
    if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
        let after = cursor(last.number);
        body["paging"] = json!({"cursors": {"before": cursor(first.number), "after": after}});
        if more {
            let mut address =
                format!("http://{}/{version}/{id}/message_templates?limit={limit}&after={after}", engine.address);
            for name in ["fields", "status", "name", "language", "category"] {
                if let Some(value) = asked(name) {
                    address.push_str(&format!("&{name}={value}"));
                }
            }
            body["paging"]["next"] = json!(address);
        }
    }
    if asked("summary").is_some() {
        body["summary"] = json!({"total_count": total, "message_template_count": total,
            "message_template_limit": engine.behaviour().limits.templates});
    }
    done(&body)
}

/// The wished fields, and always the id; without a wish, Meta's own choice.
fn chosen(mut row: Value, fields: Option<&str>) -> Value {
    let standard = "name,parameter_format,components,language,status,category,sub_category";
    let wished: Vec<&str> = fields.unwrap_or(standard).split(',').map(str::trim).collect();
    if let Value::Object(map) = &mut row {
        map.retain(|name, _| name == "id" || wished.contains(&name.as_str()));
    }
    row
}

/// `POST /{WABA}/message_templates`.
pub(crate) async fn create(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let business = of_account(&engine, &call, &id, "post")?;
    let body = read(&body)?;
    let text = |name: &str| {
        body[name].as_str().ok_or_else(|| GraphError::with(100, format!("The parameter {name} is required.")))
    };
    let (name, language, category) = (text("name")?, text("language")?, text("category")?);
    let names = [
        "name",
        "language",
        "category",
        "components",
        "parameter_format",
        "message_send_ttl_seconds",
        "allow_category_change",
    ];
    if let Some(name) =
        body.as_object().into_iter().flatten().map(|(name, _)| name).find(|name| !names.contains(&name.as_str()))
    {
        return Err(GraphError::with(100, format!("Unexpected key \"{name}\".")));
    }
    template_rules::head(name, language, category)?;
    let named = match body["parameter_format"].as_str().unwrap_or("POSITIONAL") {
        format if format.eq_ignore_ascii_case("NAMED") => true,
        format if format.eq_ignore_ascii_case("POSITIONAL") => false,
        _ => return Err(GraphError::with(100, "Param parameter_format must be one of {NAMED, POSITIONAL}.")),
    };
    template_rules::components(&body["components"], named, category)?;
    let now = engine.now();
    let behaviour = engine.behaviour();
    let verdict = behaviour.review.verdict.filter(|_| behaviour.review.delay_ms == 0);
    let stored = {
        let mut templates = business.templates_mut();
        if templates.find(name, language).is_some() {
            let sentence = format!(
                "There is already {language} content for this template. You can create a new template and try again."
            );
            return Err(GraphError::template(2_388_024, "Content in this language already exists", sentence));
        }
        if templates.reserved(name, language, now) {
            let sentence =
                "New content cannot be added while the existing content is being deleted. Try again in 4 weeks.";
            return Err(GraphError::template(2_388_023, "Message template language is being deleted", sentence));
        }
        if templates.count() >= behaviour.limits.templates as usize {
            let sentence = "The account has as many templates as it may have.";
            return Err(GraphError::template(2_388_019, "Message template limit exceeded", sentence));
        }
        templates.put(Stored {
            number: engine.next_serial(),
            name: name.to_owned(),
            language: language.to_owned(),
            category: category.to_owned(),
            status: status_of(verdict).to_owned(),
            named,
            components: body["components"].clone(),
            quality: "UNKNOWN".to_owned(),
            rejected_reason: (verdict == Some(Verdict::Rejected)).then(|| "INVALID_FORMAT".to_owned()),
            previous_category: None,
            correct_category: None,
            time_to_live: body["message_send_ttl_seconds"].as_i64(),
            changed: now,
            edits: Vec::new(),
            needs: super::needs::Needs::read(&Value::Null, named, false),
        })
    };
    review_later(&engine, &business, &stored);
    done(&json!({"id": stored.id().to_string(), "status": stored.status, "category": stored.category}))
}

fn status_of(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        None => "PENDING",
        Some(Verdict::Approved) => "APPROVED",
        Some(Verdict::Rejected) => "REJECTED",
    }
}

/// Lets the verdict come when its time has come, unless the template is no longer waiting for it.
fn review_later(engine: &Arc<Engine>, business: &Arc<Business>, stored: &Stored) {
    let review = engine.behaviour().review.clone();
    let Some(verdict) = review.verdict.filter(|_| stored.status == "PENDING") else { return };
    let (engine, business, id) = (Arc::clone(engine), Arc::clone(business), stored.id().to_string());
    tokio::spawn(async move {
        let stopped = engine.stopped.clone();
        let reviewed = async {
            sleep(Duration::from_millis(u64::from(review.delay_ms))).await;
            let waits = business.templates().by_id(&id).is_some_and(|stored| stored.status == "PENDING");
            if waits {
                let reason = (verdict == Verdict::Rejected).then_some("INVALID_FORMAT");
                super::notices::template_status(&engine, &business, &id, status_of(Some(verdict)), reason);
            }
        };
        stopped.run_until_cancelled(reviewed).await;
    });
}

/// `DELETE /{WABA}/message_templates?name=&hsm_id=`.
pub(crate) async fn delete(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let business = of_account(&engine, &call, &id, "delete")?;
    let Some(name) = call.query.get("name").filter(|name| !name.is_empty()) else {
        return Err(GraphError::with(100, "The parameter name is required."));
    };
    let gone = business.templates_mut().delete(name, call.query.get("hsm_id").map(String::as_str), engine.now());
    if gone.is_empty() {
        let sentence = "No message template exists with this name.";
        return Err(GraphError::template(2_593_002, "Message template not found", sentence));
    }
    success()
}

/// The template with this id, and its account, for this call.
fn found(engine: &Engine, call: &Call, id: &str, method: &str) -> Result<(Arc<Business>, Arc<Stored>), GraphError> {
    let business = engine.business(|business| business.templates().by_id(id).is_some());
    call.admit(engine, business.as_deref())?;
    let stored = business.as_ref().and_then(|business| business.templates().by_id(id).cloned());
    business.zip(stored).ok_or_else(|| GraphError::no_object(method, id))
}

/// `GET /{TEMPLATE}`; None: there is no template of this id.
pub(crate) fn show(engine: &Engine, call: &Call, id: &str) -> Answer {
    let (_, stored) = found(engine, call, id, "get")?;
    done(&chosen(stored.shown(), call.query.get("fields").map(String::as_str)))
}

/// `POST /{TEMPLATE}`.
pub(crate) fn edit(engine: &Arc<Engine>, call: &Call, id: &str, body: &[u8]) -> Answer {
    let (business, stored) = found(engine, call, id, "post")?;
    let body = read(body)?;
    let now = engine.now();
    if !matches!(stored.status.as_str(), "APPROVED" | "REJECTED" | "PAUSED") {
        let sentence = "Only templates that are approved, rejected or paused can be edited.";
        return Err(GraphError::template(0, "Message template cannot be edited", sentence));
    }
    let mut changed = Stored::clone(&stored);
    if stored.status == "APPROVED" {
        let within = |span: Duration| stored.edits.iter().filter(|at| now.since(**at) < span).count();
        if within(DAY) >= 1 || within(DAY * 30) >= EDITS {
            let sentence = "An approved template can be edited once in 24 hours, and 10 times in 30 days.";
            return Err(GraphError::template(2_388_025, "Message template cannot be edited yet", sentence));
        }
        if body["category"].as_str().is_some_and(|category| category != stored.category) {
            let sentence = "The category of an approved template cannot be changed.";
            return Err(GraphError::template(0, "Message template cannot be edited", sentence));
        }
    }
    if let Some(category) = body["category"].as_str() {
        template_rules::head(&stored.name, &stored.language, category)?;
        changed.category = category.to_owned();
    }
    if let Some(components) = body.get("components") {
        template_rules::components(components, stored.named, &changed.category)?;
        changed.components = components.clone();
    }
    let behaviour = engine.behaviour();
    changed.status = status_of(behaviour.review.verdict.filter(|_| behaviour.review.delay_ms == 0)).to_owned();
    changed.changed = now;
    changed.edits.push(now);
    let stored = business.templates_mut().put(changed);
    review_later(engine, &business, &stored);
    success()
}

/// `POST /{TEMPLATE}/unpause`.
pub(crate) async fn unpause(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let (business, stored) = found(&engine, &call, &id, "post")?;
    if stored.status != "PAUSED" {
        return done(&json!({"success": false, "reason": "The template is not paused."}));
    }
    super::notices::template_status(&engine, &business, &id, "APPROVED", None);
    success()
}

/// Puts a template in as it is, without any review: for tests and the demo.
pub(crate) fn put(engine: &Engine, business: &Business, row: &Value) -> Result<String, String> {
    let text = |name: &str| row[name].as_str().ok_or_else(|| format!("a template needs {name}"));
    let (name, language) = (text("name")?, text("language")?);
    let mut templates = business.templates_mut();
    let number = templates.find(name, language).map_or_else(|| engine.next_serial(), |stored| stored.number);
    let stored = templates.put(Stored {
        number,
        name: name.to_owned(),
        language: language.to_owned(),
        category: row["category"].as_str().unwrap_or("UTILITY").to_owned(),
        status: row["status"].as_str().unwrap_or("APPROVED").to_owned(),
        named: row["parameter_format"].as_str().is_some_and(|format| format.eq_ignore_ascii_case("NAMED")),
        components: row["components"].clone(),
        quality: row["quality_score"]["score"].as_str().unwrap_or("GREEN").to_owned(),
        rejected_reason: row["rejected_reason"].as_str().map(str::to_owned),
        previous_category: None,
        correct_category: None,
        time_to_live: row["message_send_ttl_seconds"].as_i64(),
        changed: Timestamp::now(),
        edits: Vec::new(),
        needs: super::needs::Needs::read(&Value::Null, false, false),
    });
    Ok(stored.id().to_string())
}
