//! Which template a message is, and what is sent of it.

use crate::accept::{ParametersWish, TemplateWish, Wish};
use herald_rules::{
    reason::{Cause, Reason},
    template::{
        Found, Given, Header, Index, Match, Named, Template, TemplateMessage, TemplateStatus, compose, explicit_values,
        render,
    },
};
use serde_json::Value;
use std::sync::Arc;

/// A template that was found.
pub struct Chosen {
    /// As Meta holds it.
    pub template: Arc<Template>,
    /// What is sent of it.
    pub message: TemplateMessage,
    /// The body with its values, where the caller gave a name instead of a text.
    pub text: Option<String>,
}

/// The template that a text is, or the one that was named.
///
/// # Errors
/// Why there is none, or why it cannot be sent as it stands. `explain` also looks for the nearest template, which takes
/// milliseconds among thousands.
pub fn choose(index: &Index, text: &str, files: &[String], wish: &Wish, explain: bool) -> Result<Chosen, Cause> {
    match &wish.template {
        Some(named) => by_name(index, text, files, wish, named),
        None => by_text(index, text, files, wish, explain),
    }
}

fn by_text(index: &Index, text: &str, files: &[String], wish: &Wish, explain: bool) -> Result<Chosen, Cause> {
    match index.find(text) {
        Found::Match(Match { template, header, body, .. }) => {
            let given = given(text, files, wish, false);
            let message = compose(&template, header, body, &given)?;
            takes_files(&template, files)?;
            Ok(Chosen { template, message, text: None })
        }
        Found::Tie(templates) => {
            let names: Vec<_> = templates.iter().map(|t| format!("{} ({})", t.name, t.language)).collect();
            let detail = format!("The text is each of these: {}.", names.join(", "));
            Err(Cause::with_detail(Reason::TemplateAmbiguous, detail))
        }
        Found::None => Err(not_matched(index, text, explain)),
    }
}

fn not_matched(index: &Index, text: &str, explain: bool) -> Cause {
    if index.is_empty() {
        let detail = "The channel has no approved template. See them with: herald template list.";
        return Cause::with_detail(Reason::TemplateNotMatched, detail);
    }
    if explain && let Found::Match(Match { template, .. }) = index.find_held(text) {
        let detail = format!(
            "The text is the template {} ({}), which is {}.",
            template.name, template.language, template.status
        );
        let reason = match template.status {
            TemplateStatus::Paused | TemplateStatus::Disabled => Reason::TemplatePaused,
            _ => Reason::TemplateNotMatched,
        };
        return Cause::with_detail(reason, detail);
    }
    match explain.then(|| index.nearest(text)).flatten() {
        Some(near) => Cause::with_detail(Reason::TemplateNotMatched, near.sentence()),
        None => Reason::TemplateNotMatched.into(),
    }
}

fn by_name(index: &Index, text: &str, files: &[String], wish: &Wish, named: &TemplateWish) -> Result<Chosen, Cause> {
    let template = match index.by_name(&named.name, named.language.as_deref()) {
        Named::Found(template) => template,
        Named::NotApproved(template) => {
            let detail = format!("The template {} ({}) is {}.", template.name, template.language, template.status);
            return Err(Cause::with_detail(Reason::TemplateNotFound, detail));
        }
        Named::SeveralLanguages(templates) => {
            let languages: Vec<_> = templates.iter().map(|template| template.language.as_str()).collect();
            let detail = format!("{} exists in {}: give template.language.", named.name, languages.join(", "));
            return Err(Cause::with_detail(Reason::TemplateNotFound, detail));
        }
        Named::Unknown => {
            let language = named.language.as_deref().map(|language| format!(" in {language}")).unwrap_or_default();
            let detail =
                format!("The channel has no template {}{language}. See them with: herald template list.", named.name);
            return Err(Cause::with_detail(Reason::TemplateNotFound, detail));
        }
    };
    let parameters = match &named.parameters {
        ParametersWish::Positional(values) => Value::from(values.clone()),
        ParametersWish::Named(values) => {
            values.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
        }
    };
    let (header, body) = explicit_values(&template, &parameters)?;
    let rendered = render(&template, header.as_deref(), &body);
    let message = compose(&template, header, body, &given(text, files, wish, true))?;
    takes_files(&template, files)?;
    Ok(Chosen { template, message, text: Some(rendered) })
}

fn given<'a>(text: &'a str, files: &'a [String], wish: &'a Wish, explicit: bool) -> Given<'a> {
    Given {
        files,
        button_parameters: &wish.button_parameters,
        header_parameter: wish.header_parameter.as_deref(),
        text,
        explicit,
    }
}

/// Nothing is left out in silence: a template without a header for it carries no file.
fn takes_files(template: &Template, files: &[String]) -> Result<(), Cause> {
    if files.is_empty() || matches!(template.header, Some(Header::Media(_))) {
        return Ok(());
    }
    let detail = format!(
        "The template {} ({}) has no header for a file. Send the file alone, or leave it out.",
        template.name, template.language
    );
    Err(Cause::with_detail(Reason::TemplateParameterInvalid, detail))
}
