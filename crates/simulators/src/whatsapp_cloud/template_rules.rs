//! What Meta checks when a template is handed in, with the numbers that its refusals have.

use super::{
    button_rules::{buttons, carousel},
    error::GraphError,
    needs::variables,
};
use serde_json::Value;

/// Lengths in characters.
const NAME: usize = 512;
const BODY: usize = 1024;
const SHORT: usize = 60;

/// The field is too long; the header, the body, the footer is not as it must be; too many variables for the text; a variable at
/// its start or end.
const TOO_LONG: u32 = 2_388_040;
const HEADER: u32 = 2_388_047;
const BODY_FORM: u32 = 2_388_072;
const FOOTER: u32 = 2_388_073;
const TOO_MANY: u32 = 2_388_293;
const AT_THE_EDGE: u32 = 2_388_299;

pub(super) type Checked = Result<(), GraphError>;

pub(super) fn refuse(subcode: u32, title: &'static str, sentence: impl Into<String>) -> GraphError {
    GraphError::template(subcode, title, sentence.into())
}

pub(super) fn within(text: &str, most: usize, what: &str) -> Checked {
    if text.chars().count() <= most {
        return Ok(());
    }
    Err(refuse(TOO_LONG, "Character limit exceeded", format!("The {what} is longer than {most} characters.")))
}

/// Checks the name, the language and the category.
pub(crate) fn head(name: &str, language: &str, category: &str) -> Checked {
    within(name, NAME, "name")?;
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(letter) {
        let sentence = "The name may only have lowercase letters, digits and underscores.";
        return Err(refuse(0, "Invalid template name", sentence));
    }
    let (first, second) = language.split_once('_').unwrap_or((language, "XX"));
    let first = (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_lowercase());
    let second = (2..=4).contains(&second.len()) && second.bytes().all(|byte| byte.is_ascii_uppercase());
    if !first || !second {
        return Err(refuse(0, "Invalid language", format!("{language} is not a supported language.")));
    }
    if !matches!(category, "AUTHENTICATION" | "MARKETING" | "UTILITY") {
        return Err(GraphError::with(100, "Param category must be one of {AUTHENTICATION, MARKETING, UTILITY}."));
    }
    Ok(())
}

/// Checks the components.
pub(crate) fn components(components: &Value, named: bool, category: &str) -> Checked {
    let Some(list) = components.as_array().filter(|list| !list.is_empty()) else {
        return Err(GraphError::with(100, "The parameter components is required."));
    };
    let mut seen: Vec<&str> = Vec::new();
    for component in list {
        let kind = component["type"].as_str().unwrap_or_default();
        if seen.contains(&kind) {
            return Err(refuse(0, "Duplicate component", format!("There is more than one component of type {kind}.")));
        }
        seen.push(kind);
        match kind {
            "HEADER" => header(component, named)?,
            "BODY" if category == "AUTHENTICATION" => one_time_body(component)?,
            "BODY" => body(component, named, if seen.contains(&"LIMITED_TIME_OFFER") { 600 } else { BODY })?,
            "FOOTER" => footer(component, category)?,
            "BUTTONS" => buttons(component, category)?,
            "CAROUSEL" => carousel(component, named)?,
            "LIMITED_TIME_OFFER" => {
                let text = component["limited_time_offer"]["text"].as_str().unwrap_or_default();
                within(text, 16, "text of the offer")?;
            }
            other => {
                let problem = format!(
                    "Param components[type] must be one of {{HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER}} - got \"{other}\"."
                );
                return Err(GraphError::with(100, problem));
            }
        }
    }
    if !seen.contains(&"BODY") {
        return Err(refuse(BODY_FORM, "Missing body", "A template needs a body."));
    }
    if category == "AUTHENTICATION" && !seen.contains(&"BUTTONS") {
        return Err(refuse(0, "Missing button", "An authentication template needs a button of type OTP."));
    }
    Ok(())
}

/// The variables of a text, checked for their form: positional ones count from 1 without a gap, named ones have good names.
fn checked_variables(text: &str, named: bool, subcode: u32) -> Result<Vec<String>, GraphError> {
    let found = variables(text);
    let problem = |sentence: String| Err(refuse(subcode, "Variables are not formatted correctly", sentence));
    if text.matches("{{").count() != text.matches("}}").count() {
        return problem("A variable is not closed.".to_owned());
    }
    if named {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let good = |name: &String| name.bytes().all(letter) && !name.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(bad) = found.iter().find(|name| !good(name)) {
            return problem(format!("{{{{{bad}}}}} is not a name of a variable."));
        }
    } else {
        let mut numbers: Vec<usize> = found.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        if numbers.len() != found.len() || numbers.iter().enumerate().any(|(place, number)| *number != place + 1) {
            return problem("Variables must be {{1}}, {{2}} and so on, without a gap.".to_owned());
        }
    }
    Ok(found)
}

pub(super) fn header(component: &Value, named: bool) -> Checked {
    let problem = |sentence: &'static str| Err(refuse(HEADER, "The header is not formatted correctly", sentence));
    let example = &component["example"];
    match component["format"].as_str().unwrap_or_default() {
        "TEXT" => {
            let text = component["text"].as_str().unwrap_or_default();
            if text.is_empty() || text.contains(['\n', '*', '~', '`']) {
                return problem("A header is a line of text without formatting.");
            }
            within(text, SHORT, "header")?;
            let found = checked_variables(text, named, HEADER)?;
            let samples = if named { &example["header_text_named_params"] } else { &example["header_text"] };
            match found.len() {
                0 => Ok(()),
                1 if samples.as_array().is_some_and(|samples| samples.len() == 1) => Ok(()),
                1 => problem("The header's variable needs an example."),
                _ => problem("A header has at most one variable."),
            }
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" | "GIF" => {
            if example["header_handle"].as_array().is_some_and(|handles| handles.len() == 1) {
                return Ok(());
            }
            problem("A media header needs an example: header_handle.")
        }
        "LOCATION" | "PRODUCT" => Ok(()),
        _ => problem("A header's format is TEXT, IMAGE, VIDEO, DOCUMENT, GIF, LOCATION or PRODUCT."),
    }
}

fn one_time_body(component: &Value) -> Checked {
    if component.get("text").is_some() {
        return Err(refuse(
            BODY_FORM,
            "The body is not formatted correctly",
            "The text of one-time passwords is fixed.",
        ));
    }
    Ok(())
}

pub(super) fn body(component: &Value, named: bool, most: usize) -> Checked {
    let problem = |sentence: &str| Err(refuse(BODY_FORM, "The body is not formatted correctly", sentence));
    let text = component["text"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return problem("The body has no text.");
    }
    within(text, most, "body")?;
    let found = checked_variables(text, named, BODY_FORM)?;
    if found.is_empty() {
        return Ok(());
    }
    // Punctuation is no text.
    let edge = text.trim_matches(|character: char| !character.is_alphanumeric() && !matches!(character, '{' | '}'));
    if edge.starts_with("{{") || edge.ends_with("}}") {
        return Err(refuse(
            AT_THE_EDGE,
            "Variables cannot be at the start or end",
            "A variable stands at the start or the end of the body.",
        ));
    }
    let between = text.split("}}").skip(1).filter_map(|part| part.split_once("{{"));
    if between.into_iter().any(|(literal, _)| literal.trim().is_empty()) {
        return problem("Two variables stand next to each other.");
    }
    let literal: String = text.split("}}").filter_map(|part| part.split("{{").next()).collect::<Vec<_>>().join(" ");
    let words = literal.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    // Meta's own figure is not published; by what is reported a variable takes about two words.
    if words < 2 * found.len() {
        let sentence = "This template has too many variables for its length.";
        return Err(refuse(TOO_MANY, "Too many variables for the length", sentence));
    }
    let example = &component["example"];
    let samples = if named {
        example["body_text_named_params"].as_array().map(Vec::len)
    } else {
        example["body_text"][0].as_array().map(Vec::len)
    };
    if samples != Some(found.len()) {
        return problem("Every variable of the body needs an example.");
    }
    Ok(())
}

fn footer(component: &Value, category: &str) -> Checked {
    let problem = |sentence: &str| Err(refuse(FOOTER, "The footer is not formatted correctly", sentence));
    if category == "AUTHENTICATION" {
        let minutes = component["code_expiration_minutes"].as_u64();
        if minutes.is_none_or(|minutes| !(1..=90).contains(&minutes)) {
            return problem("code_expiration_minutes lies between 1 and 90.");
        }
        return Ok(());
    }
    let text = component["text"].as_str().unwrap_or_default();
    if text.is_empty() || text.contains("{{") || text.contains('\n') {
        return problem("A footer is a line of text without variables.");
    }
    within(text, SHORT, "footer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn subcode(list: Value, named: bool) -> Option<u64> {
        let error = components(&list, named, "UTILITY").err()?;
        Some(error.body()["error"]["error_subcode"].as_u64().unwrap_or(0))
    }

    #[test]
    fn components_are_refused_with_their_numbers() {
        let with =
            |text: &str, samples: &[&str]| json!([{"type": "BODY", "text": text, "example": {"body_text": [samples]}}]);
        let good = "Hi {{1}}, your order {{2}} is on its way to you.";
        assert_eq!(subcode(with(good, &["a", "b"]), false), None);
        for (list, expected) in [
            (with(good, &["a"]), BODY_FORM),
            (with("Hi {{1}}, your order {{3}} is on its way to you.", &["a", "b"]), BODY_FORM),
            (with("{{1}}, your order is on its way.", &["a"]), AT_THE_EDGE),
            (with("Your order is on its way, {{1}}!", &["a"]), AT_THE_EDGE),
            (with("Your order {{1}} {{2}} is on its way to you.", &["a", "b"]), BODY_FORM),
            (with("Hi {{1}} and {{2}} ok.", &["a", "b"]), TOO_MANY),
            (with(&"x".repeat(1025), &[]), TOO_LONG),
            (json!([{"type": "BODY", "text": "Hi"}, {"type": "FOOTER", "text": "{{1}}"}]), FOOTER),
            (json!([{"type": "BODY", "text": "Hi"}, {"type": "HEADER", "format": "IMAGE"}]), HEADER),
            (
                json!([{"type": "BODY", "text": "Hi"}, {"type": "HEADER", "format": "TEXT", "text": "{{1}} {{2}}"}]),
                HEADER,
            ),
            (json!([{"type": "HEADER", "format": "LOCATION"}]), BODY_FORM),
            (json!([{"type": "BODY", "text": "Hi"}, {"type": "BUTTONS", "buttons": []}]), 0),
        ] {
            assert_eq!(subcode(list.clone(), false), Some(u64::from(expected)), "{list}");
        }
        let named = json!([{"type": "BODY", "text": "Hello {{first_name}}, see you at our practice.", "example":
            {"body_text_named_params": [{"param_name": "first_name", "example": "Dana"}]}}]);
        assert_eq!(subcode(named.clone(), true), None);
        assert_eq!(subcode(named, false), Some(u64::from(BODY_FORM)));
    }
}
