//! The API of v2: what v1.2 lacks.

mod adapter_settings;
pub mod channel_check;
pub mod channels;
pub mod contacts;
pub mod deliveries;
pub mod departments;
pub mod identifiers;
pub mod inbound_view;
pub mod lanes;
pub mod me;
pub mod message_view;
pub mod messages;
pub mod part_view;
pub mod preview;
pub mod secrets;
pub mod subscription_request;
pub mod subscription_view;
pub mod subscriptions;
pub mod suppressions;
pub mod template_view;
pub mod templates;
mod templates_problem;
pub mod templates_view;
pub mod tokens;
pub mod users;

use super::{codes::Code, problem::Problem};

/// A name for people: 1 to 100 characters that can be printed, without white space around it.
///
/// # Errors
/// When it is none.
fn name(text: &str, pointer: &'static str) -> Result<String, Problem> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Problem::new(Code::InvalidValue, "A name has 1 to 100 characters and no line breaks.").at(pointer));
    }
    Ok(name.to_owned())
}

/// Tells a field that is null from one that is absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests;
