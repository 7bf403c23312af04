//! What may be said freely within the window, in Meta's shapes. Each kind becomes a field of its own name beside `type`.

use super::interactive::Interactive;
use serde::Serialize;

/// One message that is no template.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FreeForm {
    /// Words.
    Text(Text),
    /// A picture.
    Image(Media),
    /// A film.
    Video(Media),
    /// Sound.
    Audio(Media),
    /// A document.
    Document(Media),
    /// A sticker.
    Sticker(Media),
    /// A place.
    Location(Location),
    /// People, in Meta's form: a list.
    Contacts(serde_json::Value),
    /// An emoji on a message of the customer.
    Reaction(Reaction),
    /// Buttons, a list, a link to open.
    Interactive(Interactive),
}

impl FreeForm {
    /// Words, with a preview of the page where they hold a link.
    pub fn text(text: &str) -> Self {
        let preview_url = ["http://", "https://"].iter().any(|scheme| text.contains(scheme));
        Self::Text(Text { preview_url, body: text.to_owned() })
    }

    /// An emoji on a message; None takes it back.
    pub fn reaction(reference: &str, emoji: Option<&str>) -> Self {
        let emoji = emoji.unwrap_or_default().to_owned();
        Self::Reaction(Reaction { message_id: reference.to_owned(), emoji })
    }

    /// Meta's word for the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Audio(_) => "audio",
            Self::Document(_) => "document",
            Self::Sticker(_) => "sticker",
            Self::Location(_) => "location",
            Self::Contacts(_) => "contacts",
            Self::Reaction(_) => "reaction",
            Self::Interactive(_) => "interactive",
        }
    }
}

/// Words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// Whether the first link is shown as a picture of its page.
    pub preview_url: bool,
    /// At most 4,096 characters.
    pub body: String,
}

/// A file, by link or by Meta's id of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Media {
    /// Meta's id, of an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where Meta fetches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// For documents: what the customer sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Words beside it, at most 1,024 characters; not for audio and stickers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// For audio: shown as a voice message (OGG with Opus).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<bool>,
}

impl Media {
    /// A file that Meta fetches.
    pub fn link(link: &str) -> Self {
        Self { id: None, link: Some(link.to_owned()), filename: None, caption: None, voice: None }
    }

    /// A file that was uploaded.
    pub fn id(id: &str) -> Self {
        Self { id: Some(id.to_owned()), link: None, filename: None, caption: None, voice: None }
    }
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Location {
    /// Degrees.
    pub latitude: f64,
    /// Degrees.
    pub longitude: f64,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// An emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reaction {
    /// Meta's id of the message.
    pub message_id: String,
    /// Empty: taken back.
    pub emoji: String,
}
