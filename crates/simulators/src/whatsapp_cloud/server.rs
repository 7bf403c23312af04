//! The addresses of the API, and the answers to sends.

use super::{
    business::{Business, Number},
    control,
    decide::Decision,
    engine::Engine,
    error::GraphError,
    files,
    journal::Arriving,
    object::invalid,
    objects,
    plan::Reply,
    record::GraphRequest,
    send::{self, Asked, Send},
    template_api,
};
use crate::{door::hang_up, wire::json};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, RawQuery, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use herald_rules::time::Timestamp;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// A hung call holds its connection this long at most, should the client have no time-out.
const LONGEST_HANG: Duration = Duration::from_secs(600);
/// How long an answer waits for its status to go first.
const STATUS_FIRST: Duration = Duration::from_secs(2);
/// The largest file, with what is around it.
const LARGEST_UPLOAD: usize = 101 << 20;

/// All addresses.
pub(crate) fn router(engine: Arc<Engine>) -> Router {
    let management = Router::new()
        .route(
            "/{version}/{id}/message_templates",
            get(template_api::list).post(template_api::create).delete(template_api::delete),
        )
        .route("/{version}/{id}/unpause", post(template_api::unpause))
        .route("/{version}/{id}", get(objects::get).post(objects::post).delete(objects::delete))
        .route("/{version}/{id}/phone_numbers", get(objects::phone_numbers))
        .route(
            "/{version}/{id}/subscribed_apps",
            get(objects::subscribed).post(objects::subscribe).delete(objects::unsubscribe),
        )
        .route("/{version}/{id}/register", post(objects::register))
        .route("/{version}/{id}/deregister", post(objects::deregister))
        .route("/{version}/{id}/media", post(files::upload))
        .route("/whatsapp_business/attachments/", get(files::fetch))
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(Arc::clone(&engine), noted));
    Router::new()
        .route("/{version}/{id}/messages", post(messages))
        .route("/{version}/{id}/marketing_messages", post(marketing_messages))
        .merge(management)
        .layer(DefaultBodyLimit::max(LARGEST_UPLOAD))
        .merge(control::router())
        .with_state(engine)
}

async fn unknown(request: Request) -> GraphError {
    GraphError::plain(2500, format!("Unknown path components: {}", request.uri().path()))
}

/// Notes every call but sends, which are noted with more.
async fn noted(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let path =
        path.split_once('/').and_then(|(_, rest)| rest.split_once('/')).map_or(path, |(_, rest)| rest).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    engine.journal().request(GraphRequest { at: Timestamp::now(), method, path: format!("/{path}"), status });
    response
}

/// What a call brings beside its body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) query: HashMap<String, String>,
    token: Option<String>,
}

impl Call {
    /// Reads the version, the query and the token.
    pub(crate) fn read(version: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Self, GraphError> {
        let number = version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
        let known =
            number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| (20..=30).contains(&number));
        if !known {
            return Err(GraphError::plain(2500, format!("Unknown path components: /{version}")));
        }
        let mut query = pairs(query.unwrap_or_default());
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        let token = token.or_else(|| query.remove("access_token"));
        Ok(Self { query, token })
    }

    /// Whether it may act for an account.
    pub(crate) fn admit(&self, engine: &Engine, business: Option<&Business>) -> Result<(), GraphError> {
        engine.admit(business, self.token.as_deref(), self.query.get("appsecret_proof").map(String::as_str))
    }
}

/// The pairs of a query, decoded.
fn pairs(query: &str) -> HashMap<String, String> {
    let split = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(split).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| *first == b'%').and_then(|two| hex::decode(two).ok());
        match escaped.as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn messages(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    sent(&engine, (&version, &id), query.as_deref(), &headers, &body, false).await
}

async fn marketing_messages(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    sent(&engine, (&version, &id), query.as_deref(), &headers, &body, true).await
}

async fn sent(
    engine: &Arc<Engine>,
    (version, id): (&str, &str),
    query: Option<&str>,
    headers: &HeaderMap,
    bytes: &Bytes,
    marketing_api: bool,
) -> Response {
    let body: Result<Value, _> = serde_json::from_slice(bytes);
    let found = engine.number(id);
    let checked = (|| {
        let call = Call::read(version, query, headers)?;
        let business = found.as_ref().map(|(business, _)| &**business);
        call.admit(engine, business)?;
        let Some((business, number)) = &found else { return Err(GraphError::of(33)) };
        let body = body.as_ref().map_err(|error| invalid(format!("The body is not JSON: {error}")))?;
        Ok(((business, number), send::read(engine, (business, number), body, marketing_api)?))
    })();
    let body = body.as_ref().unwrap_or(&Value::Null);
    let arriving = arriving(found.as_ref(), id, body, bytes, marketing_api);
    let ((business, number), asked) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            engine.journal().refused(&arriving, &error);
            return error.into_response();
        }
    };
    match asked {
        Asked::Mark(_) => {
            engine.journal().call(&arriving, |_| String::new(), |_, _| (Reply::Accept, ()));
            json(StatusCode::OK, json!({"success": true}).to_string())
        }
        Asked::Send(send) => {
            let arriving = Arriving { to: &send.to, ..arriving };
            let decision = engine.send((business, number), &send, &arriving);
            answer(engine, &business.waba_id, &send, decision).await
        }
    }
}

/// What the journal is told, as far as the body can be read.
fn arriving<'a>(
    found: Option<&'a (Arc<Business>, Arc<Number>)>,
    id: &'a str,
    body: &'a Value,
    bytes: &Bytes,
    marketing_api: bool,
) -> Arriving<'a> {
    let echo = body["biz_opaque_callback_data"].as_str();
    let fingerprint = echo.map(|_| {
        let mut hasher = DefaultHasher::new();
        (id, bytes).hash(&mut hasher);
        hasher.finish()
    });
    let kind = if body.get("status").is_some() { "read" } else { body["type"].as_str().unwrap_or("text") };
    Arriving {
        from: found.map_or(id, |(_, number)| &number.digits),
        to: body["to"].as_str().or_else(|| body["recipient"].as_str()).unwrap_or_default(),
        echo,
        kind,
        marketing_api,
        body,
        fingerprint,
    }
}

async fn answer(engine: &Engine, waba_id: &str, send: &Send<'_>, decision: Decision) -> Response {
    if let Some(first) = decision.status_first {
        let _ = timeout(STATUS_FIRST, first).await;
    }
    if !decision.latency.is_zero() {
        sleep(decision.latency).await;
    }
    let status = match decision.reply {
        Reply::Accept => "accepted",
        Reply::Held => "held_for_quality_assessment",
        Reply::Paused => "paused",
        Reply::Error(code) => return GraphError::of(code).into_response(),
        Reply::Throttle(code) => return throttled(engine, waba_id, code),
        Reply::DropBefore | Reply::DropAfter => return hang_up(),
        Reply::Hang => {
            sleep(LONGEST_HANG).await;
            return hang_up();
        }
    };
    let id = if send.user_id { "user_id" } else { "wa_id" };
    let mut message = json!({"id": decision.wamid});
    if send.category.is_some() {
        message["message_status"] = json!(status);
    }
    let contact = json!({"input": send.input, id: send.to});
    let body = json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]});
    json(StatusCode::OK, body.to_string())
}

/// An answer that asks to slow down, with the headers that Meta sends for the limits of apps and accounts.
fn throttled(engine: &Engine, waba_id: &str, code: u32) -> Response {
    let error = GraphError::of(code);
    let as_429 = engine.behaviour().answers.throttled_as_429;
    let error = if as_429 { error.answered(StatusCode::TOO_MANY_REQUESTS) } else { error };
    let mut response = error.into_response();
    if as_429 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let usage = match code {
        4 => Some(("x-app-usage", json!({"call_count": 100, "total_time": 25, "total_cputime": 25}))),
        80_007 => {
            let row = json!({"type": "messages", "call_count": 100, "total_cputime": 20, "total_time": 20, "estimated_time_to_regain_access": 1});
            Some(("x-business-use-case-usage", json!({waba_id: [row]})))
        }
        _ => None,
    };
    if let Some((name, usage)) = usage
        && let Ok(usage) = HeaderValue::from_str(&usage.to_string())
    {
        response.headers_mut().insert(name, usage);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let query = pairs("fields=id%2Cname&after=&name=a+b&x");
        assert_eq!(query.get("fields").map(String::as_str), Some("id,name"));
        assert_eq!(query.get("name").map(String::as_str), Some("a b"));
        assert_eq!(query.len(), 4);
        assert_eq!(decoded("100%"), "100%");
    }

    #[test]
    fn only_living_versions_are_known() {
        let headers = HeaderMap::new();
        assert!(Call::read("v23.0", None, &headers).is_ok());
        for wrong in ["23.0", "v2.0", "v23", "v99.0", ""] {
            assert!(Call::read(wrong, None, &headers).is_err(), "{wrong}");
        }
    }
}
