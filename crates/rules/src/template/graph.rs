//! Meta's row for a template, as the Graph API lists it, made into a [`Template`].

use super::model::{Button, ButtonKind, Category, Header, MediaKind, ParameterFormat, Template, TemplateStatus};
use serde_json::Value;

/// Meta shows the button of a one-time password as a link of its own, or as `OTP`.
const ONE_TIME_PASSWORD_LINK: &str = "https://www.whatsapp.com/otp/";

impl Template {
    /// Reads a row of `GET /{WABA_ID}/message_templates`. Components that this version does not know do not make it
    /// fail: they go to `unsupported`.
    pub fn from_graph(row: &Value) -> Result<Self, String> {
        let text = |key: &str| row.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let id = match row.get("id") {
            Some(Value::String(id)) if !id.is_empty() => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => return Err("the template has no id".to_owned()),
        };
        let name = text("name").ok_or_else(|| format!("the template {id} has no name"))?.to_owned();
        let language = text("language").ok_or_else(|| format!("the template {id} has no language"))?.to_owned();
        let mut template = Self {
            id,
            name,
            language,
            status: text("status").and_then(|word| word.parse().ok()).unwrap_or(TemplateStatus::Unknown),
            // Of a category that this version does not know the strictest limits hold.
            category: text("category").and_then(category).unwrap_or(Category::Marketing),
            format: text("parameter_format").and_then(|word| word.parse().ok()).unwrap_or(ParameterFormat::Positional),
            header: None,
            body: String::new(),
            footer: None,
            buttons: Vec::new(),
            unsupported: Vec::new(),
        };
        for component in row.get("components").and_then(Value::as_array).into_iter().flatten() {
            template.add(component);
        }
        Ok(template)
    }

    fn add(&mut self, component: &Value) {
        let text = || string(component, "text").filter(|text| !text.is_empty());
        let kind = upper(component, "type");
        match kind.as_str() {
            "HEADER" => match header(component) {
                Ok(header) => {
                    if header == Header::Product {
                        // It needs a product of a catalogue, which neither text nor files can name.
                        self.unsupported.push("PRODUCT".to_owned());
                    }
                    self.header = Some(header);
                }
                Err(format) => self.unsupported.push(format!("HEADER {format}")),
            },
            "BODY" => self.body = text().unwrap_or_default(),
            "FOOTER" => self.footer = text(),
            "BUTTONS" => {
                for value in component.get("buttons").and_then(Value::as_array).into_iter().flatten() {
                    let button = button(value);
                    // Several products: the message would have to list them.
                    if button.kind == ButtonKind::Other("MPM".to_owned()) {
                        self.unsupported.push("MPM".to_owned());
                    }
                    self.buttons.push(button);
                }
            }
            _ => self.unsupported.push(kind),
        }
    }
}

/// Meta's word, also the words of before 2023.
fn category(word: &str) -> Option<Category> {
    match word {
        "OTP" => Some(Category::Authentication),
        "TRANSACTIONAL" => Some(Category::Utility),
        word => word.parse().ok(),
    }
}

fn header(component: &Value) -> Result<Header, String> {
    let format = upper(component, "format");
    match format.as_str() {
        "TEXT" => Ok(Header::Text(string(component, "text").unwrap_or_default())),
        "LOCATION" => Ok(Header::Location),
        "PRODUCT" => Ok(Header::Product),
        word => word.parse::<MediaKind>().map(Header::Media).map_err(|()| format),
    }
}

fn button(value: &Value) -> Button {
    let text = string(value, "text").unwrap_or_default();
    let word = upper(value, "type");
    let kind = match word.as_str() {
        "QUICK_REPLY" => ButtonKind::QuickReply,
        "URL" => match string(value, "url").unwrap_or_default() {
            url if url.starts_with(ONE_TIME_PASSWORD_LINK) => ButtonKind::OneTimePassword,
            url => ButtonKind::Url { url },
        },
        "PHONE_NUMBER" => ButtonKind::PhoneNumber { phone_number: string(value, "phone_number").unwrap_or_default() },
        "COPY_CODE" => ButtonKind::CopyCode,
        "OTP" => ButtonKind::OneTimePassword,
        "FLOW" => ButtonKind::Flow,
        _ => ButtonKind::Other(word),
    };
    Button { text, kind }
}

fn string(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// Meta writes kinds in upper case when it lists them, and takes both.
fn upper(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_of_the_list_is_read() {
        let row = json!({
            "name": "order_update_v2", "parameter_format": "POSITIONAL", "language": "en_US", "status": "APPROVED",
            "category": "UTILITY", "quality_score": {"score": "GREEN", "date": 1_795_000_000}, "id": "1689556908129832",
            "components": [
                {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://scontent.example/x"]}},
                {"type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way.", "example": {"body_text": [["Dana", "A-1009"]]}},
                {"type": "FOOTER", "text": "Example Shop"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Help"},
                    {"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}", "example": ["https://shop.example/t/A-1009"]},
                ]},
            ],
        });
        let template = Template::from_graph(&row).unwrap();
        let button = |text: &str, kind| Button { text: text.to_owned(), kind };
        let expected = Template {
            id: "1689556908129832".to_owned(),
            name: "order_update_v2".to_owned(),
            language: "en_US".to_owned(),
            status: TemplateStatus::Approved,
            category: Category::Utility,
            format: ParameterFormat::Positional,
            header: Some(Header::Media(MediaKind::Image)),
            body: "Hi {{1}}, order {{2}} is on its way.".to_owned(),
            footer: Some("Example Shop".to_owned()),
            buttons: vec![
                button("Help", ButtonKind::QuickReply),
                button("Track", ButtonKind::Url { url: "https://shop.example/t/{{1}}".to_owned() }),
            ],
            unsupported: Vec::new(),
        };
        assert_eq!(template, expected);
    }

    #[test]
    fn ids_may_be_numbers_and_words_unknown() {
        let row = json!({
            "id": 1_689_556_908_129_832_u64, "name": "x", "language": "he", "status": "NEW_STATE", "category": "NEW",
            "components": [
                {"type": "LIMITED_TIME_OFFER"}, {"type": "CAROUSEL", "cards": []}, {"type": "HEADER", "format": "HOLOGRAM"},
                {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}, {"type": "VOICE_CALL", "text": "Call"},
                    {"type": "URL", "text": "Copy code", "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}]},
                7, {"type": "BODY"},
            ],
        });
        let template = Template::from_graph(&row).unwrap();
        assert_eq!(template.id, "1689556908129832");
        assert_eq!((template.status, template.category), (TemplateStatus::Unknown, Category::Marketing));
        assert_eq!(template.format, ParameterFormat::Positional);
        assert_eq!(template.unsupported, ["LIMITED_TIME_OFFER", "CAROUSEL", "HEADER HOLOGRAM", ""]);
        let kinds: Vec<_> = template.buttons.iter().map(|button| button.kind.clone()).collect();
        let other = ButtonKind::Other("VOICE_CALL".to_owned());
        assert_eq!(kinds, [ButtonKind::OneTimePassword, other, ButtonKind::OneTimePassword]);
        for row in [json!(null), json!([]), json!({"id": "1"}), json!({"id": "1", "name": "x"}), json!({"name": "x"})] {
            assert!(Template::from_graph(&row).is_err(), "{row}");
        }
    }
}
