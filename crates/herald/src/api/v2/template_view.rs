//! A template as a message goes out as it.

use herald_rules::template::{ButtonParameter, Category, HeaderValue, TemplateMessage};
use serde::Serialize;
use utoipa::ToSchema;

/// The approved template that a message is sent as.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageTemplate)]
pub struct TemplateView {
    /// Its name.
    #[schema(example = "order_shipped")]
    name: String,
    /// Its language.
    #[schema(example = "en_US")]
    language: String,
    /// `AUTHENTICATION`, `MARKETING` or `UTILITY`: decides price and limits.
    #[schema(value_type = String, example = "UTILITY")]
    category: Category,
    /// What stands in its header; null: nothing of ours.
    #[schema(value_type = Option<Object>)]
    header: Option<HeaderValue>,
    /// The values of its body, in order.
    parameters: Vec<ParameterView>,
    /// The values of its buttons.
    buttons: Vec<ButtonView>,
}

/// The value of one parameter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TemplateParameter)]
pub struct ParameterView {
    /// `1`, or its name.
    #[schema(example = "1")]
    name: String,
    /// The value.
    value: String,
}

/// The value of one button.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TemplateButtonValue)]
pub struct ButtonView {
    /// Which button, counted from 0.
    index: u8,
    /// `quickReply`, `url`, `copyCode` or `flow`.
    #[schema(example = "url")]
    r#type: &'static str,
    /// What it takes: the payload, the end of the link, the code, the token.
    value: String,
}

impl From<&TemplateMessage> for TemplateView {
    fn from(template: &TemplateMessage) -> Self {
        let parameters = template.body.iter().enumerate().map(|(at, parameter)| ParameterView {
            name: parameter.name.clone().unwrap_or_else(|| (at + 1).to_string()),
            value: parameter.text.clone(),
        });
        let buttons = template.buttons.iter().map(|button| {
            let (r#type, value) = match &button.parameter {
                ButtonParameter::QuickReply { payload } => ("quickReply", payload),
                ButtonParameter::Url { suffix } => ("url", suffix),
                ButtonParameter::CopyCode { code } => ("copyCode", code),
                ButtonParameter::Flow { token } => ("flow", token),
            };
            ButtonView { index: button.index, r#type, value: value.clone() }
        });
        Self {
            name: template.name.clone(),
            language: template.language.clone(),
            category: template.category,
            header: template.header.clone(),
            parameters: parameters.collect(),
            buttons: buttons.collect(),
        }
    }
}
