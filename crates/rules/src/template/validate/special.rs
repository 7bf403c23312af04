//! What only some templates have: one-time passwords, carousels, limited-time offers, a time to live.

use super::{Check, buttons, parts};
use crate::template::model::Category;
use serde_json::Value;

const OFFER: usize = 16;
/// A card's body, as Meta's page on carousels has it.
const CARD: usize = 160;
const MOST_APPS: usize = 5;
const SIGNATURE_HASH: usize = 11;

/// How long Meta tries to deliver: -1 is 30 days.
pub(super) fn time_to_live(check: &mut Check, seconds: &Value) {
    if seconds.is_null() {
        return;
    }
    let place = "/message_send_ttl_seconds";
    let Some(seconds) = seconds.as_i64() else {
        check.breaks(
            "time_to_live_invalid",
            place,
            "message_send_ttl_seconds must be a whole number of seconds, or -1.",
        );
        return;
    };
    let (least, most) = match check.category {
        Some(Category::Authentication) => (30, 900),
        Some(Category::Utility) => (30, 43_200),
        Some(Category::Marketing) => (43_200, 2_592_000),
        None => return,
    };
    if seconds != -1 && !(least..=most).contains(&seconds) {
        check.breaks(
            "time_to_live_invalid",
            place,
            format!(
                "For this category message_send_ttl_seconds must be between {least} and {most}, or -1 for 30 days."
            ),
        );
    }
}

/// A component of an authentication template: Meta writes its texts.
pub(super) fn authentication(check: &mut Check, component: &Value, kind: &str, pointer: &str) {
    match kind {
        "BODY" => {
            if !component["text"].is_null() {
                check.breaks(
                    "authentication_text",
                    format!("{pointer}/text"),
                    "Meta writes the text of authentication templates. Leave it out; add_security_recommendation adds a warning.",
                );
            }
            let recommendation = &component["add_security_recommendation"];
            if !recommendation.is_null() && !recommendation.is_boolean() {
                check.breaks(
                    "authentication_body",
                    format!("{pointer}/add_security_recommendation"),
                    "add_security_recommendation must be true or false.",
                );
            }
        }
        "FOOTER" => {
            let minutes = component["code_expiration_minutes"].as_i64();
            if !component["text"].is_null() || !minutes.is_some_and(|minutes| (1..=90).contains(&minutes)) {
                check.breaks(
                    "authentication_footer",
                    pointer,
                    "The footer of an authentication template is code_expiration_minutes, from 1 to 90, and no text.",
                );
            }
        }
        "BUTTONS" => match component["buttons"].as_array().map(Vec::as_slice) {
            Some([button]) if parts::kind(button) == "OTP" => {
                one_time_password(check, button, &format!("{pointer}/buttons/0"));
            }
            _ => check.breaks(
                "authentication_button",
                format!("{pointer}/buttons"),
                "An authentication template has exactly one button, of type OTP.",
            ),
        },
        _ => check.breaks(
            "component_not_allowed",
            pointer,
            "An authentication template has a BODY, a FOOTER if you like, and BUTTONS. Remove this component.",
        ),
    }
}

fn one_time_password(check: &mut Check, button: &Value, pointer: &str) {
    let kind = button["otp_type"].as_str().unwrap_or_default().to_ascii_uppercase();
    if !["COPY_CODE", "ONE_TAP", "ZERO_TAP"].contains(&kind.as_str()) {
        check.breaks(
            "otp_type_invalid",
            format!("{pointer}/otp_type"),
            "otp_type must be COPY_CODE, ONE_TAP or ZERO_TAP.",
        );
        return;
    }
    for field in ["text", "autofill_text"] {
        if !button[field].is_null() {
            check.text(&button[field], &format!("{pointer}/{field}"), "The button's text", 25);
        }
    }
    if kind == "COPY_CODE" {
        return;
    }
    if kind == "ZERO_TAP" && button["zero_tap_terms_accepted"] != true {
        check.breaks(
            "otp_terms",
            format!("{pointer}/zero_tap_terms_accepted"),
            "zero_tap_terms_accepted must be true: it says that you accept Meta's terms for zero-tap.",
        );
    }
    let apps = button["supported_apps"].as_array().map_or(&[][..], Vec::as_slice);
    let complete = |app: &Value| {
        app["package_name"].as_str().is_some_and(|name| !name.is_empty())
            && app["signature_hash"].as_str().is_some_and(|hash| hash.chars().count() == SIGNATURE_HASH)
    };
    if apps.is_empty() || apps.len() > MOST_APPS || !apps.iter().all(complete) {
        check.breaks(
            "otp_apps",
            format!("{pointer}/supported_apps"),
            format!(
                "supported_apps needs 1 to {MOST_APPS} apps, each with package_name and a signature_hash of {SIGNATURE_HASH} \
                 characters."
            ),
        );
    }
}

/// Cards side by side, all of one shape.
pub(super) fn carousel(check: &mut Check, component: &Value, pointer: &str) {
    let pointer = format!("{pointer}/cards");
    let cards = component["cards"].as_array().map_or(&[][..], Vec::as_slice);
    if !(2..=10).contains(&cards.len()) {
        check.breaks("carousel_cards", pointer.as_str(), "A carousel has 2 to 10 cards.");
    }
    let parts_of = |card: &Value| card["components"].as_array().cloned().unwrap_or_default();
    let shape = |card: &Value| {
        let mut shape = Vec::new();
        for part in parts_of(card) {
            let format = part["format"].as_str().unwrap_or_default().to_ascii_uppercase();
            let buttons = part["buttons"].as_array().into_iter().flatten().map(parts::kind).collect::<Vec<_>>();
            shape.push((parts::kind(&part), format, buttons));
        }
        shape
    };
    let first = cards.first().map(shape);
    for (at, card) in cards.iter().enumerate() {
        let pointer = format!("{pointer}/{at}/components");
        if Some(shape(card)) != first {
            check.breaks(
                "carousel_shape",
                pointer.as_str(),
                "All cards have the same components, header format and kinds of buttons. Make this one like the first.",
            );
        }
        let parts = parts_of(card);
        let header = parts.iter().find(|part| parts::kind(part) == "HEADER");
        let format = header.and_then(|header| header["format"].as_str()).unwrap_or_default().to_ascii_uppercase();
        if !["IMAGE", "VIDEO", "PRODUCT"].contains(&format.as_str()) {
            check.breaks(
                "carousel_header",
                pointer.as_str(),
                "Each card has a HEADER of format IMAGE, VIDEO or PRODUCT.",
            );
        }
        for (at, part) in parts.iter().enumerate() {
            let pointer = format!("{pointer}/{at}");
            match parts::kind(part).as_str() {
                "HEADER" => parts::header(check, part, &pointer),
                "BODY" => parts::body(check, part, &pointer, CARD),
                "BUTTONS" => buttons::all(check, part, &pointer, false),
                _ => check.breaks(
                    "component_not_allowed",
                    pointer,
                    "A card has a HEADER, a BODY and BUTTONS. Remove this component.",
                ),
            }
        }
    }
}

/// An offer that ends.
pub(super) fn offer(check: &mut Check, component: &Value, pointer: &str) {
    if check.category.is_some_and(|category| category != Category::Marketing) {
        check.breaks("component_not_allowed", pointer, "Only marketing templates have a limited-time offer.");
    }
    let offer = &component["limited_time_offer"];
    check.text(&offer["text"], &format!("{pointer}/limited_time_offer/text"), "The offer's text", OFFER);
    if !offer["has_expiration"].is_null() && !offer["has_expiration"].is_boolean() {
        check.breaks(
            "offer_invalid",
            format!("{pointer}/limited_time_offer/has_expiration"),
            "has_expiration must be true or false.",
        );
    }
}
