//! What Meta checks of buttons and cards when a template is handed in.

use super::{
    needs::variables,
    template_rules::{Checked, body, header, refuse, within},
};
use serde_json::Value;

/// The longest text of a button.
const LABEL: usize = 25;

/// Checks the buttons of a template, or of a card.
pub(super) fn buttons(component: &Value, category: &str) -> Checked {
    let problem = |sentence: &str| Err(refuse(0, "Buttons are not formatted correctly", sentence));
    let list = component["buttons"].as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() || list.len() > 10 {
        return problem("A template has between 1 and 10 buttons.");
    }
    let kind = |button: &Value| button["type"].as_str().unwrap_or_default().to_owned();
    let count = |of: &str| list.iter().filter(|button| kind(button) == of).count();
    if count("URL") > 2 || count("PHONE_NUMBER") > 1 || count("COPY_CODE") > 1 {
        return problem("At most 2 links, 1 phone number and 1 code to copy.");
    }
    let quick: Vec<bool> = list.iter().map(|button| kind(button) == "QUICK_REPLY").collect();
    if quick.windows(2).filter(|pair| pair.first() != pair.last()).count() > 1 {
        return problem("Quick replies stand together, before or after all other buttons.");
    }
    if (category == "AUTHENTICATION") != (count("OTP") > 0) || (category == "AUTHENTICATION" && list.len() > 1) {
        return problem("Authentication templates have one button of type OTP, and others have none.");
    }
    list.iter().try_for_each(button)
}

fn button(button: &Value) -> Checked {
    let problem = |sentence: &str| Err(refuse(0, "Buttons are not formatted correctly", sentence));
    let text = button["text"].as_str().unwrap_or_default();
    within(text, LABEL, "button's text")?;
    let kind = button["type"].as_str().unwrap_or_default();
    let labelled = matches!(kind, "QUICK_REPLY" | "URL" | "PHONE_NUMBER" | "FLOW" | "CATALOG" | "MPM" | "VOICE_CALL");
    if labelled && (text.trim().is_empty() || text.contains("{{")) {
        return problem("A button has a text without variables.");
    }
    match kind {
        "QUICK_REPLY" | "FLOW" | "CATALOG" | "MPM" | "VOICE_CALL" | "REQUEST_CONTACT_INFO" => Ok(()),
        "URL" => {
            let url = button["url"].as_str().unwrap_or_default();
            within(url, 2000, "link")?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return problem("A link begins with https://.");
            }
            match variables(url).as_slice() {
                [] => Ok(()),
                [one] if url.ends_with(&format!("{{{{{one}}}}}")) => {
                    if button["example"].as_array().is_some_and(|examples| examples.len() == 1) {
                        return Ok(());
                    }
                    problem("A link with a variable needs an example.")
                }
                _ => problem("A link has at most one variable, at its end."),
            }
        }
        "PHONE_NUMBER" => {
            let number = button["phone_number"].as_str().unwrap_or_default();
            if number.is_empty() || number.chars().count() > 20 {
                return problem("A phone number has at most 20 characters.");
            }
            Ok(())
        }
        "COPY_CODE" => {
            let example = button["example"].as_str().or_else(|| button["example"][0].as_str()).unwrap_or_default();
            if example.is_empty() || example.chars().count() > 15 {
                return problem("A code to copy needs an example of at most 15 characters.");
            }
            Ok(())
        }
        "OTP" => match button["otp_type"].as_str().unwrap_or_default() {
            "COPY_CODE" => Ok(()),
            "ONE_TAP" | "ZERO_TAP" => {
                let apps = button["supported_apps"].as_array().map(Vec::as_slice).unwrap_or_default();
                let good = |app: &Value| app["signature_hash"].as_str().is_some_and(|hash| hash.len() == 11);
                if apps.is_empty() || apps.len() > 5 || !apps.iter().all(good) {
                    return problem(
                        "One-tap and zero-tap need 1 to 5 supported_apps, each with a hash of 11 characters.",
                    );
                }
                Ok(())
            }
            _ => problem("otp_type is COPY_CODE, ONE_TAP or ZERO_TAP."),
        },
        _ => problem("There is no such type of button."),
    }
}

/// Checks a row of cards.
pub(super) fn carousel(component: &Value, named: bool) -> Checked {
    let cards = component["cards"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(2..=10).contains(&cards.len()) {
        return Err(refuse(0, "The carousel is not formatted correctly", "A carousel has between 2 and 10 cards."));
    }
    let kinds = |card: &Value| -> Vec<String> {
        let parts = card["components"].as_array().into_iter().flatten();
        parts
            .map(|part| {
                format!("{}{}", part["type"].as_str().unwrap_or_default(), part["format"].as_str().unwrap_or_default())
            })
            .collect()
    };
    let first = cards.first().map(kinds);
    if cards.iter().any(|card| Some(kinds(card)) != first) {
        return Err(refuse(0, "The carousel is not formatted correctly", "All cards have the same components."));
    }
    for part in cards.iter().flat_map(|card| card["components"].as_array().into_iter().flatten()) {
        match part["type"].as_str().unwrap_or_default() {
            "HEADER" => header(part, named)?,
            "BODY" => body(part, named, 160)?,
            "BUTTONS" => buttons(part, "MARKETING")?,
            _ => {
                return Err(refuse(
                    0,
                    "The carousel is not formatted correctly",
                    "A card has a header, a body and buttons.",
                ));
            }
        }
    }
    Ok(())
}
