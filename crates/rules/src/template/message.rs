//! A template as it is sent: its name and language, and a value for each of its parameters, frozen.

use super::model::{Category, MediaKind};
use serde::{Deserialize, Serialize};

/// What goes to Meta instead of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateMessage {
    /// Its name.
    pub name: String,
    /// Its language, as Meta writes it: `en_US`.
    pub language: String,
    /// Decides which limits hold.
    pub category: Category,
    /// The caller named it, so that it goes as a template inside the window too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explicit: bool,
    /// It has a header, a footer or buttons: its text alone would be less.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_than_text: bool,
    /// The header's value, where it needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderValue>,
    /// Values of the body's parameters, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Parameter>,
    /// Values of the buttons that take one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<ButtonValue>,
}

/// The value of one text parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, for templates with named parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value.
    pub text: String,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum HeaderValue {
    /// The text header's one parameter.
    Text {
        /// Its value.
        parameter: Parameter,
    },
    /// A picture, a video, a document.
    Media {
        /// Which.
        kind: MediaKind,
        /// Where it is.
        link: String,
        /// For documents: what the customer sees.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
    },
    /// A place.
    Location {
        /// Degrees.
        latitude: f64,
        /// Degrees.
        longitude: f64,
        /// What it is called.
        name: String,
        /// Where it is.
        address: String,
    },
}

/// The value of a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonValue {
    /// Which button, counted over all buttons of the template from 0.
    pub index: u8,
    /// Its value.
    #[serde(flatten)]
    pub parameter: ButtonParameter,
}

/// What a button takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum ButtonParameter {
    /// What comes back when a quick reply is pressed.
    QuickReply {
        /// At most 256 characters.
        payload: String,
    },
    /// What stands in the place of the link's variable. One-time passwords go here too, whatever kind of button it is.
    Url {
        /// The end of the link.
        suffix: String,
    },
    /// The code that is copied.
    CopyCode {
        /// At most 15 letters and digits.
        code: String,
    },
    /// A WhatsApp flow.
    Flow {
        /// Comes back with the flow's answer.
        token: String,
    },
}
