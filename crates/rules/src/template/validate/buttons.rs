//! Buttons: how many of each kind, in which order, and what each needs.

use super::{
    Check,
    parts::kind,
    text::{Variable, variables},
};
use serde_json::Value;

const MOST: usize = 10;
const MOST_URLS: usize = 2;
const LABEL: usize = 25;
const URL: usize = 2_000;
const PHONE_NUMBER: usize = 20;
const CODE: usize = 15;

/// The buttons of a template; `is_offer`: it has a limited-time offer.
pub(super) fn all(check: &mut Check, component: &Value, pointer: &str, is_offer: bool) {
    let pointer = format!("{pointer}/buttons");
    let Some(list) = component["buttons"].as_array().filter(|list| !list.is_empty()) else {
        check.breaks(
            "buttons_missing",
            pointer,
            "BUTTONS needs a list of buttons. Add one, or leave the component out.",
        );
        return;
    };
    let kinds: Vec<String> = list.iter().map(kind).collect();
    for (word, most) in [("", MOST), ("URL", MOST_URLS), ("PHONE_NUMBER", 1), ("COPY_CODE", 1), ("FLOW", 1), ("OTP", 0)]
    {
        let count = kinds.iter().filter(|kind| word.is_empty() || *kind == word).count();
        if count <= most {
            continue;
        }
        let sentence = match word {
            "OTP" => {
                "OTP buttons are for authentication templates only. Use another button, or another category.".to_owned()
            }
            "" => format!("There are {count} buttons; Meta allows {most}. Remove some."),
            word => format!("There are {count} buttons of type {word}; Meta allows {most}. Remove some."),
        };
        check.breaks(if word == "OTP" { "button_not_allowed" } else { "too_many_buttons" }, pointer.as_str(), sentence);
    }
    // All quick replies before the others, or all after them: at most one change of kind along the list.
    let changes = kinds.windows(2).filter(|pair| (pair[0] == "QUICK_REPLY") != (pair[1] == "QUICK_REPLY")).count();
    if changes > 1 {
        check.breaks(
            "quick_replies_apart",
            pointer.as_str(),
            "Quick replies must stand together, before all other buttons or after them. Reorder the buttons.",
        );
    }
    if is_offer && kinds.iter().position(|kind| kind == "COPY_CODE").is_some_and(|at| at > 0) {
        check.breaks(
            "copy_code_not_first",
            pointer.as_str(),
            "In a limited-time offer the copy-code button stands first. Move it to the front.",
        );
    }
    for (at, button) in list.iter().enumerate() {
        one(check, button, &kinds[at], &format!("{pointer}/{at}"));
    }
}

fn one(check: &mut Check, button: &Value, kind: &str, pointer: &str) {
    match kind {
        "QUICK_REPLY" | "FLOW" | "CATALOG" | "MPM" | "SPM" | "VOICE_CALL" => label(check, button, pointer),
        "URL" => {
            label(check, button, pointer);
            url(check, button, pointer);
        }
        "PHONE_NUMBER" => {
            label(check, button, pointer);
            let place = format!("{pointer}/phone_number");
            if let Some(number) =
                check.text(&button["phone_number"], &place, "The button's phone_number", PHONE_NUMBER)
                && (!number.bytes().any(|byte| byte.is_ascii_digit())
                    || !number.chars().all(|c| c.is_ascii_digit() || "+ -()".contains(c)))
            {
                check.breaks(
                    "phone_number_invalid",
                    place,
                    "phone_number must be a number with its country code, as +15550100200.",
                );
            }
        }
        "COPY_CODE" => {
            let example = &button["example"];
            let sample = example.get(0).unwrap_or(example);
            check.text(sample, &format!("{pointer}/example"), "The sample of the code", CODE);
        }
        "REQUEST_CONTACT_INFO" | "OTP" => {}
        _ => check.breaks(
            "button_unknown",
            format!("{pointer}/type"),
            "type must be QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, FLOW, CATALOG, MPM, VOICE_CALL, REQUEST_CONTACT_INFO or \
             OTP.",
        ),
    }
}

/// What a button says.
pub(super) fn label(check: &mut Check, button: &Value, pointer: &str) {
    let place = format!("{pointer}/text");
    let Some(text) = check.text(&button["text"], &place, "The button's text", LABEL) else { return };
    if text.contains("{{") {
        check.breaks(
            "button_label_variable",
            place,
            "What a button says is the same for everybody. Take the variable out.",
        );
    }
}

fn url(check: &mut Check, button: &Value, pointer: &str) {
    let place = format!("{pointer}/url");
    let Some(url) = check.text(&button["url"], &place, "The button's url", URL) else { return };
    let (found, broken) = variables(url);
    let fixed = &url[..found.first().map_or(url.len(), |variable| variable.span.0)];
    let leads = url::Url::parse(fixed).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !leads || broken {
        check.breaks(
            "url_invalid",
            place.as_str(),
            "url must begin with https:// and a host, and may end in one variable, as https://shop.example/o/{{1}}.",
        );
    }
    let ends = |variable: &Variable<'_>| variable.span.1 == url.len();
    if found.len() > 1 || !found.iter().all(ends) {
        check.breaks("url_variable", place, "A url has one variable at most, at its very end. Put what changes there.");
    }
    let example = &button["example"];
    let sample = example.get(0).unwrap_or(example).as_str().unwrap_or_default();
    if !found.is_empty() && sample.trim().is_empty() {
        check.breaks(
            "samples_missing",
            format!("{pointer}/example"),
            "Reviewers need the whole link as it may be sent, as [\"https://shop.example/o/A-1009\"].",
        );
    }
}
