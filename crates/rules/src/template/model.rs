//! A template as Meta holds it.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Meta's word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|word| word.as_str().eq_ignore_ascii_case(text.trim())).ok_or(())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(|()| serde::de::Error::custom(format!("unknown {}: {text}", stringify!($name))))
            }
        }
    };
}

words! {
    /// What a template is for; decides price and limits.
    Category {
        /// One-time passwords.
        Authentication = "AUTHENTICATION",
        /// Offers, news: limited for each customer, and not allowed everywhere.
        Marketing = "MARKETING",
        /// Orders, appointments.
        Utility = "UTILITY",
    }
}

words! {
    /// Where a template stands. Only approved ones may be sent.
    TemplateStatus {
        /// May be sent.
        Approved = "APPROVED",
        /// Being reviewed.
        Pending = "PENDING",
        /// Meta said no.
        Rejected = "REJECTED",
        /// Customers disliked it: for hours.
        Paused = "PAUSED",
        /// Customers disliked it: for good.
        Disabled = "DISABLED",
        /// A rejection is being looked at again.
        InAppeal = "IN_APPEAL",
        /// Too many templates.
        LimitExceeded = "LIMIT_EXCEEDED",
        /// Will be gone.
        PendingDeletion = "PENDING_DELETION",
        /// Gone.
        Deleted = "DELETED",
        /// Unused for long.
        Archived = "ARCHIVED",
        /// A state that this version does not know: not sent.
        Unknown = "UNKNOWN",
    }
}

words! {
    /// How parameters are named.
    ParameterFormat {
        /// `{{1}}`, `{{2}}`.
        Positional = "POSITIONAL",
        /// `{{first_name}}`.
        Named = "NAMED",
    }
}

words! {
    /// What a media header carries.
    MediaKind {
        /// A picture: JPEG or PNG.
        Image = "IMAGE",
        /// A film: MP4 or 3GP.
        Video = "VIDEO",
        /// A document: PDF.
        Document = "DOCUMENT",
        /// A GIF: an MP4 of at most 3.5 MB, by Meta's marketing API only.
        Gif = "GIF",
    }
}

/// A header.
#[derive(Clone, Debug, PartialEq)]
pub enum Header {
    /// Text with at most one parameter.
    Text(String),
    /// A file that each message brings.
    Media(MediaKind),
    /// A place that each message brings.
    Location,
    /// Something of a catalogue.
    Product,
}

/// A button.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    /// What it says; empty where Meta says it.
    pub text: String,
    /// What it does.
    pub kind: ButtonKind,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq)]
pub enum ButtonKind {
    /// Answers with its text, or with a payload.
    QuickReply,
    /// Opens a link, which may end in one `{{1}}`.
    Url {
        /// The link.
        url: String,
    },
    /// Calls.
    PhoneNumber {
        /// Whom.
        phone_number: String,
    },
    /// Copies a code.
    CopyCode,
    /// A one-time password: copies it or fills it in.
    OneTimePassword,
    /// Opens a WhatsApp flow.
    Flow,
    /// Something that takes no value from us, by Meta's word for it.
    Other(String),
}

/// A template in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Meta's id.
    pub id: String,
    /// Its name; unique with the language.
    pub name: String,
    /// As `en_US`.
    pub language: String,
    /// Where it stands.
    pub status: TemplateStatus,
    /// What it is for.
    pub category: Category,
    /// How its parameters are named.
    pub format: ParameterFormat,
    /// Its header.
    pub header: Option<Header>,
    /// Its text.
    pub body: String,
    /// Its footer.
    pub footer: Option<String>,
    /// Its buttons, in order.
    pub buttons: Vec<Button>,
    /// Parts that cannot be filled from a text (carousel, limited-time offer), by Meta's words: it is never matched.
    pub unsupported: Vec<String>,
}
