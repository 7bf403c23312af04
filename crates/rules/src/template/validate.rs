//! Meta's rules for a template that is to be handed in, all of them, so that a mistake costs no review.
//!
//! The template is in Meta's own form, as its create call takes it. Types and formats are taken in any case, as Meta does.
//! What the rules do not speak of is left to Meta.

mod buttons;
mod parts;
mod special;
mod text;

use super::model::Category;
use serde_json::Value;
use text::Naming;

/// The longest name.
const NAME: usize = 512;

/// A rule that a template breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable: programs decide by it.
    pub code: &'static str,
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong, and what to do.
    pub sentence: String,
}

/// What has been found so far, and what all parts need to know.
struct Check {
    found: Vec<Violation>,
    category: Option<Category>,
    naming: Naming,
}

impl Check {
    fn breaks(&mut self, code: &'static str, pointer: impl Into<String>, sentence: impl Into<String>) {
        self.found.push(Violation { code, pointer: pointer.into(), sentence: sentence.into() });
    }

    /// A text that must be there and must not be longer than `most`.
    fn text<'a>(&mut self, value: &'a Value, pointer: &str, what: &str, most: usize) -> Option<&'a str> {
        let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) else {
            self.breaks("text_missing", pointer, format!("{what} is missing. Write a text."));
            return None;
        };
        let length = text.chars().count();
        if length > most {
            self.breaks(
                "text_too_long",
                pointer,
                format!("{what} has {length} characters; Meta allows {most}. Shorten it."),
            );
        }
        Some(text)
    }
}

/// Every rule that a template breaks; none: it may be handed in.
pub fn validate(template: &Value) -> Vec<Violation> {
    let category = template["category"].as_str().and_then(|word| word.parse().ok());
    let mut check = Check { found: Vec::new(), category, naming: Naming::Positional };
    name(&mut check, &template["name"]);
    if !template["language"].as_str().is_some_and(is_language) {
        check.breaks(
            "language_invalid",
            "/language",
            "language must be one of Meta's codes, such as en, en_US or pt_BR.",
        );
    }
    if check.category.is_none() {
        check.breaks("category_invalid", "/category", "category must be AUTHENTICATION, MARKETING or UTILITY.");
    }
    match template["parameter_format"].as_str() {
        None if template["parameter_format"].is_null() => {}
        Some(word) if word.eq_ignore_ascii_case("POSITIONAL") => {}
        Some(word) if word.eq_ignore_ascii_case("NAMED") => check.naming = Naming::Named,
        _ => check.breaks(
            "parameter_format_invalid",
            "/parameter_format",
            "parameter_format must be POSITIONAL ({{1}}) or NAMED ({{first_name}}), or be left out, which means POSITIONAL.",
        ),
    }
    special::time_to_live(&mut check, &template["message_send_ttl_seconds"]);
    parts::components(&mut check, &template["components"]);
    check.found
}

/// Whether a language is written as Meta writes them: `en`, `fil`, `en_US`.
pub fn is_language(code: &str) -> bool {
    let (language, country) =
        code.split_once('_').map_or((code, None), |(language, country)| (language, Some(country)));
    matches!(language.len(), 2 | 3)
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && country.is_none_or(|country| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
}

fn name(check: &mut Check, name: &Value) {
    let name = name.as_str().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(allowed) {
        check.breaks(
            "name_invalid",
            "/name",
            "name may have small letters from a to z, digits and underscores only, as order_update_2.",
        );
    }
    if name.len() > NAME {
        check.breaks("name_too_long", "/name", format!("name may have {NAME} characters. Shorten it."));
    }
}

#[cfg(test)]
mod tests;
