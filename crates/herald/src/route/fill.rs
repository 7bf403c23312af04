//! Filling the variables of a message: once, when it is accepted, and frozen from then on.

use crate::{
    accept::Wish,
    node::{app::App, directory::Department},
    store::StoreError,
};
use herald_rules::{
    content,
    message::Message,
    reason::{Cause, Reason},
    template::{ButtonParameter, HeaderValue, TemplateMessage},
    variables::{self, Missing, Values},
};
use std::borrow::Cow;

/// Fills text and template values. What has no value and no fallback ends the message, by name.
///
/// # Errors
/// When the contact cannot be read.
pub(super) async fn fill(
    app: &App,
    department: &Department,
    message: &mut Message,
    wish: Wish,
) -> Result<(), StoreError> {
    if !variables::has_variables(&message.text) && !message.template.as_ref().is_some_and(has_variables) {
        return Ok(());
    }
    // What the request says of the customer goes before what the contact says.
    let contact = app.store.contact_by_identifier(department.row, message.protocol, &message.to).await?;
    let (mut name, mut attributes) = contact.map(|contact| (contact.name, contact.attributes)).unwrap_or_default();
    name = wish.customer.name.or(name);
    attributes.extend(wish.customer.attributes);
    let values = Values {
        customer_name: name.as_deref(),
        customer_identifier: &message.to,
        attributes: &attributes,
        department_name: &department.name,
    };
    let filled = filled(message, &values);
    match filled {
        Ok((text, template)) => {
            (message.text, message.template) = (text, template);
            if let Err(error) = content::check(message.protocol, &message.text, &message.files) {
                message.refused = Some(Cause::with_detail(Reason::ContentRefused, error.to_string()));
            }
        }
        Err(missing) => {
            message.refused = Some(Cause::with_detail(Reason::VariableMissing, missing.to_string()));
        }
    }
    Ok(())
}

fn filled(message: &Message, values: &Values<'_>) -> Result<(String, Option<TemplateMessage>), Missing> {
    let text = variables::fill(&message.text, values)?.into_owned();
    let mut template = message.template.clone();
    if let Some(template) = &mut template {
        for value in texts(template) {
            if let Cow::Owned(filled) = variables::fill(value, values)? {
                *value = filled;
            }
        }
    }
    Ok((text, template))
}

fn has_variables(template: &TemplateMessage) -> bool {
    texts(&mut template.clone()).any(|text| variables::has_variables(text))
}

/// Every text of a template message that may hold a variable.
fn texts(template: &mut TemplateMessage) -> impl Iterator<Item = &mut String> {
    let header = match &mut template.header {
        Some(HeaderValue::Text { parameter }) => Some(&mut parameter.text),
        _ => None,
    };
    let body = template.body.iter_mut().map(|parameter| &mut parameter.text);
    let buttons = template.buttons.iter_mut().map(|button| match &mut button.parameter {
        ButtonParameter::QuickReply { payload } => payload,
        ButtonParameter::Url { suffix } => suffix,
        ButtonParameter::CopyCode { code } => code,
        ButtonParameter::Flow { token } => token,
    });
    header.into_iter().chain(body).chain(buttons)
}
