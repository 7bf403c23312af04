//! Messages that a customer answers by pressing: buttons, lists, a link to open, a place to share.

use super::free_form::Media;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// One interactive message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interactive {
    /// Above the text.
    pub header: Option<Header>,
    /// The text: at most 1,024 characters, above a list 4,096.
    pub body: String,
    /// Below the text, at most 60 characters.
    pub footer: Option<String>,
    /// What can be pressed.
    pub action: Action,
}

/// What stands above the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// At most 60 characters.
    Text(String),
    /// A picture.
    Image(Media),
    /// A film.
    Video(Media),
    /// A document.
    Document(Media),
}

/// What can be pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// One to three buttons.
    Buttons(Vec<ReplyButton>),
    /// A button that opens a list.
    List {
        /// What the button says, at most 20 characters.
        button: String,
        /// At most 10, with at most 10 rows in all.
        sections: Vec<Section>,
    },
    /// A button that opens a link.
    OpenLink {
        /// What the button says, at most 20 characters.
        display_text: String,
        /// The link.
        url: String,
    },
    /// A button that shares the customer's place.
    AskLocation,
}

/// A button that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplyButton {
    /// Comes back when it is pressed: at most 256 characters, none twice.
    pub id: String,
    /// What it says: at most 20 characters, none twice.
    pub title: String,
}

/// Rows of a list under a title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// At most 24 characters; needed where there are several sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What can be chosen.
    pub rows: Vec<Row>,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Comes back when it is chosen: at most 200 characters.
    pub id: String,
    /// What it says: at most 24 characters.
    pub title: String,
    /// Smaller, below: at most 72 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Action {
    /// Meta's word for the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Buttons(_) => "button",
            Self::List { .. } => "list",
            Self::OpenLink { .. } => "cta_url",
            Self::AskLocation => "location_request_message",
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Buttons(buttons) => {
                let buttons: Vec<_> = buttons.iter().map(|button| json!({"type": "reply", "reply": button})).collect();
                json!({ "buttons": buttons })
            }
            Self::List { button, sections } => json!({"button": button, "sections": sections}),
            Self::OpenLink { display_text, url } => {
                json!({"name": "cta_url", "parameters": {"display_text": display_text, "url": url}})
            }
            Self::AskLocation => json!({"name": "send_location"}),
        }
    }
}

impl Header {
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Image(media) => json!({"type": "image", "image": media}),
            Self::Video(media) => json!({"type": "video", "video": media}),
            Self::Document(media) => json!({"type": "document", "document": media}),
        }
    }
}

impl Serialize for Interactive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = json!({
            "type": self.action.kind(),
            "body": {"text": self.body},
            "action": self.action.value(),
        });
        if let Some(header) = &self.header {
            value["header"] = header.value();
        }
        if let Some(footer) = &self.footer {
            value["footer"] = json!({ "text": footer });
        }
        value.serialize(serializer)
    }
}
