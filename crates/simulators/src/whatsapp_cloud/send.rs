//! `POST /{PNID}/messages`: the envelope, and what it holds.

use super::{
    business::{Business, Number},
    engine::Engine,
    error::GraphError,
    free::{self, Found},
    object::{Object, Place, impossible, invalid, missing},
    phone,
    template_send::{self, Facts},
};
use serde_json::Value;
use std::sync::atomic::Ordering;

/// A correct send.
#[derive(Debug)]
pub(crate) struct Send<'a> {
    /// The customer's WhatsApp id, or user id.
    pub(crate) to: String,
    /// As it was written.
    pub(crate) input: &'a str,
    /// It went to a user id.
    pub(crate) user_id: bool,
    pub(crate) echo: Option<&'a str>,
    /// Of a template, in small letters.
    pub(crate) category: Option<&'static str>,
    pub(crate) found: Found,
}

/// A mark as read, perhaps with a typing indicator.
#[derive(Debug)]
pub(crate) struct Mark;

/// What a body asks for.
#[derive(Debug)]
pub(crate) enum Asked<'a> {
    Send(Send<'a>),
    Mark(Mark),
}

/// The longest echo.
const ECHO: usize = 512;

/// What an envelope may hold beside the object of its type.
const NAMES: [&str; 9] = [
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
    "recipient_identity_key_hash",
    "message_activity_sharing",
];

/// Reads and checks a body.
pub(crate) fn read<'a>(
    engine: &Engine,
    (business, number): (&Business, &Number),
    body: &'a Value,
    marketing_api: bool,
) -> Result<Asked<'a>, GraphError> {
    let top = Object::read(body, Place::Top).map_err(|_| invalid("The body must be a JSON object."))?;
    match top.text("messaging_product")? {
        Some("whatsapp") => {}
        None => return Err(GraphError::with(100, "The parameter messaging_product is required.")),
        Some(other) => {
            return Err(invalid(format!("Param messaging_product must be one of {{WHATSAPP}} - got \"{other}\".")));
        }
    }
    let blocked = business.blocked.load(Ordering::Relaxed);
    if blocked > 0 {
        return Err(GraphError::of(blocked));
    }
    if !number.settings().registered {
        return Err(GraphError::of(133_010));
    }
    if top.get("status").is_some() {
        return mark(engine, &top).map(Asked::Mark);
    }
    let recipient_type = top.text("recipient_type")?.unwrap_or("individual");
    if recipient_type != "individual" {
        return Err(invalid(format!("Param recipient_type must be one of {{INDIVIDUAL}} - got \"{recipient_type}\".")));
    }
    let (input, to, user_id) = recipient(&top, number)?;
    let kind = top.text("type")?.unwrap_or("text");
    let mut names = NAMES.to_vec();
    names.push(kind);
    if marketing_api {
        names.push("product_policy");
    }
    top.only(&names)?;
    let echo = top.short_text("biz_opaque_callback_data", ECHO)?;
    if let Some(context) = top.object("context")? {
        context.only(&["message_id"])?;
        if !context.need_text("message_id", 128)?.starts_with("wamid.") {
            return Err(impossible("Param context['message_id'] is not a message id."));
        }
    }
    if marketing_api {
        marketing_only(&top, kind)?;
    }
    let now = engine.now();
    let media = |id: &str| engine.media().find(id, &business.waba_id, now).is_some();
    if kind == "template" {
        let facts = Facts { media: &media, now_ms: now.0 / 1000 };
        let category = template(business, &top, facts, (marketing_api, user_id))?;
        return Ok(Asked::Send(Send { to, input, user_id, echo, category: Some(category), found: Found::default() }));
    }
    match free::check(kind, &top, &media) {
        Some(found) => Ok(Asked::Send(Send { to, input, user_id, echo, category: None, found: found? })),
        None => Err(invalid(format!(
            "Param type must be one of {{AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, STICKER, TEMPLATE, \
             TEXT, VIDEO}} - got \"{kind}\"."
        ))),
    }
}

fn recipient<'a>(top: &Object<'_, 'a>, number: &Number) -> Result<(&'a str, String, bool), GraphError> {
    if let Some(to) = top.text("to")?.filter(|to| !to.is_empty()) {
        let digits = phone::dialled(to, &number.digits).ok_or_else(|| impossible("Param to is not a phone number."))?;
        if digits == number.digits {
            return Err(GraphError::of(131_021));
        }
        if number.settings().allowed.as_ref().is_some_and(|allowed| !allowed.contains(&digits)) {
            return Err(GraphError::of(131_030));
        }
        return Ok((to, phone::wa_id(&digits), false));
    }
    let Some(recipient) = top.text("recipient")?.filter(|recipient| !recipient.is_empty()) else {
        return Err(GraphError::with(100, "The parameter to is required."));
    };
    // A country, a point, and an opaque rest.
    let (country, rest) = recipient.split_once('.').unwrap_or_default();
    let letters = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !letters || rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(impossible("Param recipient is not a user id."));
    }
    Ok((recipient, recipient.to_owned(), true))
}

fn mark(engine: &Engine, top: &Object<'_, '_>) -> Result<Mark, GraphError> {
    top.only(&["messaging_product", "status", "message_id", "typing_indicator"])?;
    if top.need_text("status", 40)? != "read" {
        return Err(invalid("Param status must be one of {READ}."));
    }
    let id = top.need_text("message_id", 128)?;
    if let Some(typing) = top.object("typing_indicator")? {
        typing.only(&["type"])?;
        if typing.need_text("type", 40)? != "text" {
            return Err(invalid("Param typing_indicator['type'] must be one of {TEXT}."));
        }
    }
    if !engine.inbound().has(id) {
        return Err(impossible("Param message_id is not the id of a message that you have received."));
    }
    Ok(Mark)
}

fn marketing_only(top: &Object<'_, '_>, kind: &str) -> Result<(), GraphError> {
    if kind != "template" {
        return Err(GraphError::of(131_055));
    }
    if let Some(policy) = top.text("product_policy")?
        && !matches!(policy, "CLOUD_API_FALLBACK" | "STRICT")
    {
        return Err(invalid("Param product_policy must be one of {CLOUD_API_FALLBACK, STRICT}."));
    }
    top.flag("message_activity_sharing").map(drop)
}

/// Checks a template message, and returns the category.
fn template(
    business: &Business,
    top: &Object<'_, '_>,
    facts: Facts<'_>,
    (marketing_api, user_id): (bool, bool),
) -> Result<&'static str, GraphError> {
    let template = top.need_object("template")?;
    template.only(&["name", "language", "components"])?;
    let name = template.need_text("name", 512)?;
    let language = template.need_object("language")?;
    language.only(&["code", "policy"])?;
    let code = language.need_text("code", 20)?;
    if language.text("policy")?.is_some_and(|policy| policy != "deterministic") {
        return Err(invalid("Param template['language']['policy'] must be one of {DETERMINISTIC}."));
    }
    let stored = business.templates().find(name, code).cloned();
    let unknown = || GraphError::with(132_001, format!("template name ({name}) does not exist in {code}"));
    let stored = stored.ok_or_else(unknown)?;
    match stored.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => return Err(GraphError::of(132_015)),
        "DISABLED" => return Err(GraphError::of(132_016)),
        _ => return Err(unknown()),
    }
    let category = match stored.category.as_str() {
        "MARKETING" => "marketing",
        "AUTHENTICATION" => "authentication",
        _ => "utility",
    };
    if marketing_api && category != "marketing" {
        return Err(GraphError::of(134_100));
    }
    if user_id && category == "authentication" {
        return Err(GraphError::of(131_062));
    }
    if template.get("components").is_some_and(|components| !components.is_array()) {
        return Err(missing(&Place::Name(&template.place, "components")));
    }
    template_send::check(&template.list("components")?, &stored.needs, facts)?;
    Ok(category)
}
