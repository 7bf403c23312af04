//! A template with its values, in Meta's shape for sending.

use herald_rules::template::{ButtonParameter, ButtonValue, HeaderValue, MediaKind, Parameter, TemplateMessage};
use serde_json::{Map, Value, json};

/// The `template` object.
pub fn object(template: &TemplateMessage) -> Value {
    let mut components = Vec::new();
    if let Some(value) = &template.header {
        components.push(json!({"type": "header", "parameters": [header(value)]}));
    }
    if !template.body.is_empty() {
        let parameters: Vec<_> = template.body.iter().map(text).collect();
        components.push(json!({"type": "body", "parameters": parameters}));
    }
    components.extend(template.buttons.iter().map(button));
    let mut object = json!({"name": template.name, "language": {"code": template.language}});
    // Meta wants the list left out where there is nothing to fill in.
    if !components.is_empty() {
        object["components"] = Value::Array(components);
    }
    object
}

fn text(parameter: &Parameter) -> Value {
    match &parameter.name {
        Some(name) => json!({"type": "text", "parameter_name": name, "text": parameter.text}),
        None => json!({"type": "text", "text": parameter.text}),
    }
}

fn header(value: &HeaderValue) -> Value {
    match value {
        HeaderValue::Text { parameter } => text(parameter),
        HeaderValue::Media { kind, link, filename } => {
            let kind = match kind {
                MediaKind::Image => "image",
                MediaKind::Video => "video",
                MediaKind::Document => "document",
                MediaKind::Gif => "gif",
            };
            let mut media = Map::new();
            media.insert("link".to_owned(), json!(link));
            if let Some(filename) = filename {
                media.insert("filename".to_owned(), json!(filename));
            }
            json!({"type": kind, kind: media})
        }
        // Degrees are text here, other than in a free-form location.
        HeaderValue::Location { latitude, longitude, name, address } => json!({"type": "location", "location": {
            "latitude": latitude.to_string(), "longitude": longitude.to_string(), "name": name, "address": address,
        }}),
    }
}

fn button(value: &ButtonValue) -> Value {
    let (sub_type, parameter) = match &value.parameter {
        ButtonParameter::QuickReply { payload } => ("quick_reply", json!({"type": "payload", "payload": payload})),
        // One-time passwords too: Meta takes the code of a copy-code, one-tap or zero-tap button in the form of a link's.
        ButtonParameter::Url { suffix } => ("url", json!({"type": "text", "text": suffix})),
        ButtonParameter::CopyCode { code } => ("copy_code", json!({"type": "coupon_code", "coupon_code": code})),
        ButtonParameter::Flow { token } => ("flow", json!({"type": "action", "action": {"flow_token": token}})),
    };
    json!({"type": "button", "sub_type": sub_type, "index": value.index.to_string(), "parameters": [parameter]})
}
