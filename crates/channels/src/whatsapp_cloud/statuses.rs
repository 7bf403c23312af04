//! What became of a message of ours.

use super::{
    body::read_echo,
    problem::Problem,
    read::{ignored, moment},
};
use crate::contract::{Notice, Pricing, Receipt, Reference};
use herald_rules::{
    reason::{Cause, Reason},
    status::Status,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::borrow::Cow;

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    biz_opaque_callback_data: Value,
    #[serde(borrow, default)]
    pricing: Option<&'a RawValue>,
    #[serde(borrow, default)]
    errors: Option<&'a RawValue>,
}

/// Reads one status.
pub fn read(element: &RawValue) -> Notice {
    let Ok(wire) = serde_json::from_str::<Wire<'_>>(element.get()) else { return ignored("statuses") };
    let status = match &*wire.status {
        "sent" => Status::Accepted,
        "delivered" => Status::Delivered,
        // A voice message that was listened to.
        "read" | "played" => Status::Read,
        "failed" => Status::Failed,
        other => return ignored(&format!("statuses/{other}")),
    };
    let theirs = (!wire.id.is_empty()).then(|| wire.id.clone().into_owned());
    // Without an echo, or with one of another program that sends by the same number, Meta's id alone can tell whose it is.
    let (reference, theirs, part) = match (wire.biz_opaque_callback_data.as_str().and_then(read_echo), theirs) {
        (Some((ours, part)), theirs) => (Reference::Ours(ours), theirs, part),
        (None, Some(theirs)) => (Reference::Theirs(theirs), None, 0),
        (None, None) => return ignored("statuses"),
    };
    Notice::Receipt(Receipt {
        at: moment(&wire.timestamp),
        cause: (status == Status::Failed).then(|| cause(wire.errors)),
        theirs,
        part,
        pricing: wire.pricing.and_then(pricing),
        ..Receipt::new(reference, status)
    })
}

/// The first error is the one that counts; Meta sends one.
fn cause(errors: Option<&RawValue>) -> Cause {
    let errors = errors.and_then(|errors| serde_json::from_str::<Vec<Value>>(errors.get()).ok()).unwrap_or_default();
    let problem = errors.iter().find_map(Problem::read);
    problem.map_or_else(|| Reason::Unspecified.into(), |problem| problem.cause(Reason::Unspecified))
}

fn pricing(pricing: &RawValue) -> Option<Pricing> {
    let value: Value = serde_json::from_str(pricing.get()).ok()?;
    Some(Pricing {
        category: value.get("category")?.as_str()?.to_owned(),
        billable: value.get("billable").and_then(Value::as_bool),
        kind: value.get("type").and_then(Value::as_str).map(str::to_owned),
    })
}
