//! Numbers and accounts, and the calls that begin with nothing but an id.

use super::{
    business::Number,
    engine::Engine,
    error::GraphError,
    files,
    server::Call,
    simulator,
    template_api::{self, Answer, done, of_account, read, success},
};
use axum::extract::{Path, RawQuery, State};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use std::sync::{Arc, atomic::Ordering};

type At = Path<(String, String)>;

/// A number as Meta shows it.
fn shown(number: &Number, fields: Option<&str>) -> Value {
    let settings = number.settings();
    let digits = &settings.number;
    let high = settings.throughput.is_some_and(|throughput| throughput > 80);
    let mut row = json!({
        "id": settings.id,
        "display_phone_number": format!("+{digits}"),
        "verified_name": settings.verified_name,
        "quality_rating": settings.quality,
        "throughput": {"level": if high { "HIGH" } else { "STANDARD" }},
        "status": if settings.registered { "CONNECTED" } else { "PENDING" },
        "name_status": "APPROVED",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "whatsapp_business_manager_messaging_limit": settings.messaging_limit,
    });
    let standard =
        "verified_name,display_phone_number,quality_rating,code_verification_status,platform_type,throughput";
    let wished: Vec<&str> = fields.unwrap_or(standard).split(',').map(str::trim).collect();
    if let Value::Object(map) = &mut row {
        map.retain(|name, _| name == "id" || wished.contains(&name.as_str()));
    }
    row
}

/// `GET /{ID}`: a number, an account, a template or a file.
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let fields = call.query.get("fields").map(String::as_str);
    if let Some((business, number)) = engine.number(&id) {
        call.admit(&engine, Some(&business))?;
        return done(&shown(&number, fields));
    }
    if let Some(business) = engine.business(|business| business.waba_id == id) {
        call.admit(&engine, Some(&business))?;
        return done(
            &json!({"id": id, "name": "Example Shop", "timezone_id": "1", "message_template_namespace": "simulated"}),
        );
    }
    if engine.media().of_anybody(&id, engine.now()).is_some() {
        return files::show(&engine, &call, &id);
    }
    template_api::show(&engine, &call, &id)
}

/// `POST /{ID}`: a template is edited.
pub(crate) async fn post(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    template_api::edit(&engine, &call, &id, &body)
}

/// `DELETE /{ID}`: a file is deleted.
pub(crate) async fn delete(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    files::delete(&engine, &call, &id)
}

/// `GET /{WABA}/phone_numbers`.
pub(crate) async fn phone_numbers(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let business = of_account(&engine, &call, &id, "get")?;
    let fields = call.query.get("fields").map(String::as_str);
    let data: Vec<Value> = business.numbers.iter().map(|number| shown(number, fields)).collect();
    done(&json!({"data": data, "paging": {"cursors": {"before": "QVFI", "after": "QVFI"}}}))
}

/// `GET /{WABA}/subscribed_apps`.
pub(crate) async fn subscribed(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let business = of_account(&engine, &call, &id, "get")?;
    let app = json!({"whatsapp_business_api_data": {"id": "670843887433847", "link": "https://example.com/", "name": "Example App"}});
    let data = if business.subscribed.load(Ordering::Relaxed) { vec![app] } else { Vec::new() };
    done(&json!({"data": data}))
}

/// `POST /{WABA}/subscribed_apps`, perhaps with an address of its own, which is asked first whether it is its own.
pub(crate) async fn subscribe(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    let business = of_account(&engine, &call, &id, "post")?;
    let body = if body.is_empty() { json!({}) } else { read(&body)? };
    if let Some(url) = body["override_callback_uri"].as_str() {
        let Some(verify_token) = body["verify_token"].as_str() else {
            return Err(GraphError::with(100, "The parameter verify_token is required."));
        };
        let refused =
            |problem: String| GraphError::plain(2200, format!("(#2200) Callback verification failed: {problem}"));
        let former = business.courier();
        simulator::set_callback(&engine, &business, Some(url)).map_err(refused)?;
        let verified = match business.courier() {
            Some(courier) => courier.handshake(verify_token).await,
            None => Ok(false),
        };
        if !verified.as_ref().is_ok_and(|verified| *verified) {
            business.set_courier(former);
            return Err(refused(
                verified.err().unwrap_or_else(|| "the address did not return the challenge".to_owned()),
            ));
        }
        verify_token.clone_into(&mut business.keys_mut().verify_token);
    }
    business.subscribed.store(true, Ordering::Relaxed);
    success()
}

/// `DELETE /{WABA}/subscribed_apps`.
pub(crate) async fn unsubscribe(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let call = Call::read(&version, query.as_deref(), &headers)?;
    of_account(&engine, &call, &id, "delete")?.subscribed.store(false, Ordering::Relaxed);
    success()
}

/// `POST /{PNID}/register`.
pub(crate) async fn register(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let body = read(&body)?;
    let pin = body["pin"].as_str().unwrap_or_default();
    if pin.len() != 6 || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(GraphError::with(100, "Param pin must be a string of 6 digits."));
    }
    set_registered(&engine, (&version, &id), query.as_deref(), &headers, true)
}

/// `POST /{PNID}/deregister`.
pub(crate) async fn deregister(
    State(engine): State<Arc<Engine>>,
    Path((version, id)): At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    set_registered(&engine, (&version, &id), query.as_deref(), &headers, false)
}

fn set_registered(
    engine: &Engine,
    (version, id): (&str, &str),
    query: Option<&str>,
    headers: &HeaderMap,
    registered: bool,
) -> Answer {
    let call = Call::read(version, query, headers)?;
    let found = engine.number(id);
    call.admit(engine, found.as_ref().map(|(business, _)| &**business))?;
    let (_, number) = found.ok_or_else(|| GraphError::of(33))?;
    number.settings_mut().registered = registered;
    success()
}
