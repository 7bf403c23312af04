//! Files: uploaded, shown, fetched, deleted.

use super::{
    engine::Engine,
    error::GraphError,
    media::{self, File},
    multipart,
    server::Call,
    template_api::{Answer, done, success},
};
use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use std::sync::Arc;

/// `POST /{PNID}/media`.
pub(crate) async fn upload(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let found = engine.number(&id);
    call.admit(&engine, found.as_ref().map(|(business, _)| &**business))?;
    let (business, _) = found.ok_or_else(|| GraphError::of(33))?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(parts) = multipart::read(content_type, &body) else {
        return Err(GraphError::with(100, "The body must be multipart/form-data."));
    };
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    let text = |name: &str| part(name).map(|part| String::from_utf8_lossy(&part.bytes).trim().to_owned());
    if text("messaging_product").as_deref() != Some("whatsapp") {
        return Err(GraphError::with(100, "The parameter messaging_product is required."));
    }
    let Some(file) = part("file").filter(|file| file.filename.is_some()) else {
        return Err(GraphError::with(100, "The parameter file is required."));
    };
    // Meta goes by the file's own type; `type` beside it must not say something else.
    let mime_type = file.content_type.clone().or_else(|| text("type")).unwrap_or_default();
    if text("type").is_some_and(|other| other != mime_type) {
        return Err(GraphError::with(100, "Param type does not match the type of the file."));
    }
    media::fits(&mime_type, file.bytes.len()).map_err(|problem| GraphError::with(131_053, problem))?;
    let now = engine.now();
    let kept = engine.media().add(&business.waba_id, (&mime_type, file.bytes.clone()), None, false, now);
    done(&json!({"id": kept.id}))
}

/// The file of this id, for this call.
fn found(engine: &Engine, call: &Call, id: &str, method: &str) -> Result<File, GraphError> {
    let file = engine.media().of_anybody(id, engine.now()).cloned();
    let business = file.as_ref().and_then(|file| engine.business(|business| business.waba_id == file.waba_id));
    call.admit(engine, business.as_deref())?;
    let ours = |number: &String| {
        engine
            .number(number)
            .is_some_and(|(of, _)| business.as_ref().is_some_and(|business| of.waba_id == business.waba_id))
    };
    let file = file.filter(|_| call.query.get("phone_number_id").is_none_or(ours));
    file.ok_or_else(|| GraphError::no_object(method, id))
}

/// Proves that an address was given out by us.
fn hash(file: &File, until: i64) -> String {
    let start = file.sha256.get(..16).unwrap_or_default();
    format!("AT{start}{until:x}")
}

/// `GET /{MEDIA}`.
pub(crate) fn show(engine: &Engine, call: &Call, id: &str) -> Answer {
    let file = found(engine, call, id, "get")?;
    let until = (engine.now() + media::ADDRESS).0 / 1_000_000;
    let (address, hash) = (engine.address, hash(&file, until));
    done(&json!({
        "messaging_product": "whatsapp",
        "url": format!("http://{address}/whatsapp_business/attachments/?mid={id}&ext={until}&hash={hash}"),
        "mime_type": file.mime_type,
        "sha256": file.sha256,
        "file_size": file.bytes.len().to_string(),
        "id": id,
    }))
}

/// `DELETE /{MEDIA}`.
pub(crate) fn delete(engine: &Engine, call: &Call, id: &str) -> Answer {
    let file = found(engine, call, id, "delete")?;
    engine.media().remove(&file.id);
    success()
}

/// The address that a file is fetched from: with the token, for five minutes.
pub(crate) async fn fetch(
    State(engine): State<Arc<Engine>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    // The address has no version; the one that is given is never looked at.
    let call = Call::read("v23.0", query.as_deref(), &headers).map_err(|_| StatusCode::BAD_REQUEST)?;
    let asked = |name: &str| call.query.get(name).map(String::as_str).unwrap_or_default();
    let file = engine.media().of_anybody(asked("mid"), engine.now()).cloned().ok_or(StatusCode::NOT_FOUND)?;
    let business = engine.business(|business| business.waba_id == file.waba_id);
    call.admit(&engine, business.as_deref()).map_err(|_| StatusCode::UNAUTHORIZED)?;
    let until: i64 = asked("ext").parse().map_err(|_| StatusCode::NOT_FOUND)?;
    if until < engine.now().0 / 1_000_000 || asked("hash") != hash(&file, until) {
        return Err(StatusCode::NOT_FOUND);
    }
    let mut response = Response::new(Body::from(file.bytes));
    let kind = HeaderValue::from_str(&file.mime_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
