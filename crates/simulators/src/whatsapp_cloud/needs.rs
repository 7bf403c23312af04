//! What a template needs of each message, read from its components as Meta holds them.

use serde_json::Value;

/// What the header needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// There is none, or it is always the same.
    Nothing,
    /// A text with this variable in it.
    Text { variable: String, fixed: usize },
    /// A file: `image`, `video`, `document`, `gif`.
    Media(String),
    /// A place.
    Location,
    /// Something of a catalogue.
    Product,
}

/// What a button is, by the `sub_type` of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    QuickReply,
    /// With whether its address ends in a variable.
    Url(bool),
    PhoneNumber,
    CopyCode,
    Flow,
    OneTimePassword,
    Catalog,
    Products,
    VoiceCall,
    Other(String),
}

impl Button {
    /// The `sub_type` by which a send speaks of it.
    pub(crate) fn sub_type(&self) -> &str {
        match self {
            Self::QuickReply => "quick_reply",
            // One-time passwords are sent as if the button were a link, whatever it does.
            Self::Url(_) | Self::OneTimePassword => "url",
            Self::PhoneNumber => "phone_number",
            Self::CopyCode => "copy_code",
            Self::Flow => "flow",
            Self::Catalog => "catalog",
            Self::Products => "mpm",
            Self::VoiceCall => "voice_call",
            Self::Other(kind) => kind,
        }
    }

    /// Whether a send without a value for it is refused.
    pub(crate) fn needs_value(&self) -> bool {
        matches!(self, Self::Url(true) | Self::CopyCode | Self::OneTimePassword | Self::Products)
    }
}

/// What a template, or a card of one, needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) header: Header,
    /// The body's variables, in the order in which they first appear.
    pub(crate) body: Vec<String>,
    pub(crate) body_text: String,
    /// The body has company, and so a limit of 1,024 characters.
    pub(crate) more_than_body: bool,
    pub(crate) buttons: Vec<Button>,
    pub(crate) cards: Vec<Needs>,
    /// A limited-time offer that ends.
    pub(crate) offer_ends: bool,
    pub(crate) named: bool,
}

/// The variables of a text, each once, in the order in which they first appear.
pub(crate) fn variables(text: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        let name = name.trim();
        if !name.is_empty() && !list.iter().any(|known| known == name) {
            list.push(name.to_owned());
        }
        rest = behind;
    }
    list
}

fn header(component: &Value) -> Header {
    match component["format"].as_str().unwrap_or("TEXT") {
        "TEXT" => {
            let text = component["text"].as_str().unwrap_or_default();
            match variables(text).pop() {
                Some(variable) => {
                    let fixed = text.chars().count().saturating_sub(variable.chars().count() + 4);
                    Header::Text { variable, fixed }
                }
                None => Header::Nothing,
            }
        }
        "LOCATION" => Header::Location,
        "PRODUCT" => Header::Product,
        media => Header::Media(media.to_ascii_lowercase()),
    }
}

fn button(button: &Value) -> Button {
    match button["type"].as_str().unwrap_or_default() {
        "QUICK_REPLY" => Button::QuickReply,
        "URL" => Button::Url(!variables(button["url"].as_str().unwrap_or_default()).is_empty()),
        "PHONE_NUMBER" => Button::PhoneNumber,
        "COPY_CODE" => Button::CopyCode,
        "FLOW" => Button::Flow,
        "OTP" => Button::OneTimePassword,
        "CATALOG" => Button::Catalog,
        "MPM" => Button::Products,
        "VOICE_CALL" => Button::VoiceCall,
        other => Button::Other(other.to_ascii_lowercase()),
    }
}

impl Needs {
    /// Reads the components of a template.
    pub(crate) fn read(components: &Value, named: bool, authentication: bool) -> Self {
        let mut needs = Self {
            header: Header::Nothing,
            body: Vec::new(),
            body_text: String::new(),
            more_than_body: false,
            buttons: Vec::new(),
            cards: Vec::new(),
            offer_ends: false,
            named,
        };
        for component in components.as_array().into_iter().flatten() {
            match component["type"].as_str().unwrap_or_default().to_ascii_uppercase().as_str() {
                "HEADER" => needs.header = header(component),
                "BODY" => {
                    // The text of one-time passwords is Meta's, and differs by language.
                    let text = if authentication {
                        "*{{1}}* is your verification code."
                    } else {
                        component["text"].as_str().unwrap_or_default()
                    };
                    needs.body = variables(text);
                    if !named {
                        needs.body.sort_by_key(|variable| variable.parse::<u32>().unwrap_or(u32::MAX));
                    }
                    needs.body_text = text.to_owned();
                }
                "BUTTONS" => {
                    needs.buttons = component["buttons"].as_array().into_iter().flatten().map(button).collect()
                }
                "LIMITED_TIME_OFFER" => {
                    needs.offer_ends = component["limited_time_offer"]["has_expiration"].as_bool().unwrap_or(false);
                }
                "CAROUSEL" => {
                    let cards = component["cards"].as_array().into_iter().flatten();
                    needs.cards = cards.map(|card| Self::read(&card["components"], named, false)).collect();
                }
                _ => {}
            }
            needs.more_than_body |= component["type"].as_str().is_some_and(|kind| !kind.eq_ignore_ascii_case("BODY"));
        }
        needs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_once_and_in_order() {
        assert_eq!(variables("Hi {{1}}, {{ 2 }} and {{1}} {{"), ["1", "2"]);
        assert_eq!(variables("none"), Vec::<String>::new());
        let needs = Needs::read(&json!([{"type": "BODY", "text": "{{2}} before {{1}}."}]), false, false);
        assert_eq!((needs.body, needs.more_than_body), (vec!["1".to_owned(), "2".to_owned()], false));
    }
}
