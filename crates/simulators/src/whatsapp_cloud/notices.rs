//! Webhooks about templates, accounts and what customers want.

use super::{business::Business, engine::Engine};
use serde_json::{Value, json};

/// Changes a template's status, and tells so. False: there is no such template.
pub(crate) fn template_status(
    engine: &Engine,
    business: &Business,
    id: &str,
    status: &str,
    reason: Option<&str>,
) -> bool {
    let Some(mut stored) = business.templates().by_id(id).map(|stored| (**stored).clone()) else { return false };
    stored.status =
        if matches!(status, "REINSTATED" | "UNARCHIVED" | "FLAGGED") { "APPROVED" } else { status }.to_owned();
    stored.rejected_reason = (status == "REJECTED").then(|| reason.unwrap_or("INVALID_FORMAT").to_owned());
    stored.changed = engine.now();
    let stored = business.templates_mut().put(stored);
    let mut value = json!({
        "event": status,
        "message_template_id": stored.id(),
        "message_template_name": stored.name,
        "message_template_language": stored.language,
        "reason": reason.unwrap_or("NONE"),
        "message_template_category": stored.category,
    });
    match status {
        "PAUSED" => {
            let description = "Paused for 3 hours because of quality.";
            value["other_info"] = json!({"title": reason.unwrap_or("FIRST_PAUSE"), "description": description});
            value["reason"] = json!("NONE");
        }
        "REJECTED" => {
            let recommendation = "Put text between the variables.";
            value["rejection_info"] = json!({"reason": "The format is not right.", "recommendation": recommendation});
        }
        _ => {}
    }
    engine.tell(business, "message_template_status_update", value, true);
    true
}

/// Changes a template's quality, and tells so.
pub(crate) fn template_quality(engine: &Engine, business: &Business, id: &str, quality: &str) -> bool {
    let Some(mut stored) = business.templates().by_id(id).map(|stored| (**stored).clone()) else { return false };
    let previous = std::mem::replace(&mut stored.quality, quality.to_owned());
    let stored = business.templates_mut().put(stored);
    let value = json!({
        "previous_quality_score": previous,
        "new_quality_score": quality,
        "message_template_id": stored.id(),
        "message_template_name": stored.name,
        "message_template_language": stored.language,
    });
    engine.tell(business, "message_template_quality_update", value, true);
    true
}

/// Changes a template's category, and tells so; `announced`: only tells that it will change in a day.
pub(crate) fn template_category(
    engine: &Engine,
    business: &Business,
    id: &str,
    category: &str,
    announced: bool,
) -> bool {
    let Some(mut stored) = business.templates().by_id(id).map(|stored| (**stored).clone()) else { return false };
    let previous = stored.category.clone();
    let mut value = json!({
        "message_template_id": stored.id(),
        "message_template_name": stored.name,
        "message_template_language": stored.language,
    });
    if announced {
        stored.correct_category = Some(category.to_owned());
        value["new_category"] = json!(previous);
        value["correct_category"] = json!(category);
        value["category_update_timestamp"] = json!(engine.now().0 / 1_000_000 + 86_400);
    } else {
        stored.previous_category = Some(previous.clone());
        stored.correct_category = None;
        stored.category = category.to_owned();
        value["previous_category"] = json!(previous);
        value["new_category"] = json!(category);
    }
    business.templates_mut().put(stored);
    engine.tell(business, "template_category_update", value, true);
    true
}

/// A customer stops marketing messages, or wants them again.
pub(crate) fn preference(
    engine: &Engine,
    business: &Business,
    number: Option<&str>,
    customer: &str,
    wanted: bool,
) -> bool {
    business.customers().set_marketing(customer, wanted);
    let found = business.numbers.iter().find(|of| number.is_none_or(|id| of.id == id));
    let Some(number) = found else { return false };
    let (value, detail) = if wanted {
        ("resume", "User requested to resume marketing messages")
    } else {
        ("stop", "User requested to stop marketing messages")
    };
    let told: Value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.digits, "phone_number_id": number.id},
        "contacts": [{"profile": {"name": "Dana Reyes"}, "wa_id": customer}],
        "user_preferences": [{"wa_id": customer, "detail": detail, "category": "marketing_messages", "value": value,
            "timestamp": engine.now().0 / 1_000_000}],
    });
    engine.tell(business, "user_preferences", told, false);
    true
}
