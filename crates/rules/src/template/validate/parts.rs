//! The components: header, body, footer, and which of them go together.

use super::{
    Check, buttons, special,
    text::{named_rightly, placed_rightly, sampled},
};
use crate::template::model::Category;
use serde_json::Value;

const HEADER: usize = 60;
const BODY: usize = 1_024;
const BODY_OF_OFFER: usize = 600;
const FOOTER: usize = 60;

/// A component by its type, in capitals.
pub(super) fn kind(component: &Value) -> String {
    component["type"].as_str().unwrap_or_default().to_ascii_uppercase()
}

/// All components of a template.
pub(super) fn components(check: &mut Check, components: &Value) {
    let Some(list) = components.as_array() else {
        check.breaks("components_missing", "/components", "components must be a list, with at least a BODY.");
        return;
    };
    let kinds: Vec<String> = list.iter().map(kind).collect();
    if !kinds.iter().any(|kind| kind == "BODY") {
        check.breaks("body_missing", "/components", "Every template has a BODY. Add one.");
    }
    let is_offer = kinds.iter().any(|kind| kind == "LIMITED_TIME_OFFER");
    for (at, component) in list.iter().enumerate() {
        let pointer = format!("/components/{at}");
        if kinds[..at].contains(&kinds[at]) {
            check.breaks(
                "component_twice",
                pointer.as_str(),
                format!("There are two components of type {}. Keep one.", kinds[at]),
            );
        }
        if check.category == Some(Category::Authentication) {
            special::authentication(check, component, &kinds[at], &pointer);
            continue;
        }
        match kinds[at].as_str() {
            "HEADER" => header(check, component, &pointer),
            "BODY" => body(check, component, &pointer, if is_offer { BODY_OF_OFFER } else { BODY }),
            "FOOTER" if is_offer => check.breaks(
                "footer_not_allowed",
                pointer,
                "A template with a limited-time offer has no footer. Remove it.",
            ),
            "FOOTER" => footer(check, component, &pointer),
            "BUTTONS" => buttons::all(check, component, &pointer, is_offer),
            "CAROUSEL" => special::carousel(check, component, &pointer),
            "LIMITED_TIME_OFFER" => special::offer(check, component, &pointer),
            "CALL_PERMISSION_REQUEST" => {}
            _ => check.breaks(
                "component_unknown",
                format!("{pointer}/type"),
                "type must be HEADER, BODY, FOOTER, BUTTONS, CAROUSEL or LIMITED_TIME_OFFER.",
            ),
        }
    }
    if check.category == Some(Category::Authentication) && !kinds.iter().any(|kind| kind == "BUTTONS") {
        check.breaks(
            "authentication_button",
            "/components",
            "An authentication template has exactly one button, of type OTP. Add it.",
        );
    }
}

/// A header: text with at most one variable, or something that is shown.
pub(super) fn header(check: &mut Check, header: &Value, pointer: &str) {
    let format = header["format"].as_str().unwrap_or_default().to_ascii_uppercase();
    match format.as_str() {
        "TEXT" => {
            let place = format!("{pointer}/text");
            let Some(text) = check.text(&header["text"], &place, "The header's text", HEADER) else { return };
            if text.contains(['\n', '\r']) {
                check.breaks("line_break", place.as_str(), "A header is one line. Take the line break out.");
            }
            let variables = named_rightly(check, text, &place, "The header");
            if variables.len() > 1 {
                check.breaks(
                    "too_many_variables",
                    place,
                    "A header has one variable at most. Move the others to the body.",
                );
            }
            let example = &header["example"];
            sampled(
                check,
                &variables,
                &format!("{pointer}/example/header_text"),
                Some(&example["header_text"]),
                (&example["header_text_named_params"], &format!("{pointer}/example/header_text_named_params")),
            );
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" | "GIF" => {
            if format == "GIF" && check.category.is_some_and(|category| category != Category::Marketing) {
                check.breaks(
                    "header_format_invalid",
                    format!("{pointer}/format"),
                    "Only marketing templates may have a GIF header. Use IMAGE or VIDEO.",
                );
            }
            let handle = header["example"]["header_handle"].as_array().and_then(|list| list.first()?.as_str());
            // Meta's lists show a link here, and /media answers a number: neither is a handle.
            let usable = |handle: &str| {
                !handle.trim().is_empty()
                    && !handle.starts_with("http")
                    && !handle.bytes().all(|byte| byte.is_ascii_digit())
            };
            if !handle.is_some_and(usable) {
                check.breaks(
                    "header_sample_missing",
                    format!("{pointer}/example/header_handle"),
                    "Reviewers need a sample file: a handle of Meta's Resumable Upload API, as [\"4::aW1n...\"]; neither a link nor \
                     a media id.",
                );
            }
        }
        "LOCATION" | "PRODUCT" => {}
        _ => check.breaks(
            "header_format_invalid",
            format!("{pointer}/format"),
            "format must be TEXT, IMAGE, VIDEO, DOCUMENT, GIF, LOCATION or PRODUCT.",
        ),
    }
}

/// A body with its variables.
pub(super) fn body(check: &mut Check, body: &Value, pointer: &str, most: usize) {
    let place = format!("{pointer}/text");
    let Some(text) = check.text(&body["text"], &place, "The body's text", most) else { return };
    let variables = named_rightly(check, text, &place, "The body");
    placed_rightly(check, text, &variables, &place);
    let example = &body["example"];
    sampled(
        check,
        &variables,
        &format!("{pointer}/example/body_text/0"),
        example["body_text"].get(0),
        (&example["body_text_named_params"], &format!("{pointer}/example/body_text_named_params")),
    );
}

fn footer(check: &mut Check, footer: &Value, pointer: &str) {
    let place = format!("{pointer}/text");
    let Some(text) = check.text(&footer["text"], &place, "The footer's text", FOOTER) else { return };
    if text.contains("{{") {
        check.breaks("footer_variable", place, "A footer has no variables. Move what changes to the body.");
    }
}
