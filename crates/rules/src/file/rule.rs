//! Which files each protocol takes, and how large.

use super::look::Look;
use crate::{protocol::Protocol, template::MediaKind};

const KIB: u64 = 1_024;
const MIB: u64 = 1_024 * KIB;

/// What a file is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// Anything else.
    Document,
    /// A sticker.
    Sticker,
}

impl FileKind {
    /// Whether words can stand beside it, where a provider shows it with them.
    pub fn has_caption(self) -> bool {
        matches!(self, Self::Image | Self::Video | Self::Document)
    }

    /// In a sentence, as one of many.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Image => "images",
            Self::Video => "videos",
            Self::Audio => "sound",
            Self::Document => "documents",
            Self::Sticker => "stickers",
        }
    }
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A file of a message over this protocol, of any kind that it takes.
    Message(Protocol),
    /// The header of a WhatsApp template.
    Header(MediaKind),
}

/// A type of file that is taken.
#[derive(Debug)]
pub struct MediaType {
    /// As servers write it.
    pub name: &'static str,
    /// As people call it.
    pub called: &'static str,
    /// As servers also write it.
    pub aliases: &'static [&'static str],
    /// What its content may look like.
    pub(super) looks: &'static [Look],
}

/// The files of one kind.
#[derive(Debug)]
pub struct FileRule {
    /// What they are sent as.
    pub kind: FileKind,
    /// What is taken; none given where every type is.
    pub types: &'static [MediaType],
    /// The provider's limit in bytes.
    pub largest: u64,
}

const fn media(
    name: &'static str,
    called: &'static str,
    aliases: &'static [&'static str],
    looks: &'static [Look],
) -> MediaType {
    MediaType { name, called, aliases, looks }
}

const PDF: MediaType = media("application/pdf", "PDF", &["application/x-pdf"], &[Look::Pdf]);
const MP4: MediaType = media("video/mp4", "MP4", &["video/x-m4v"], &[Look::Mp4, Look::M4a, Look::ThreeGp]);

// The table of Meta's media reference; its sizes are in units of 1,024.
const IMAGE: FileRule = FileRule {
    kind: FileKind::Image,
    types: &[
        media("image/jpeg", "JPEG", &["image/jpg", "image/pjpeg"], &[Look::Jpeg]),
        media("image/png", "PNG", &["image/x-png"], &[Look::Png]),
    ],
    largest: 5 * MIB,
};
const VIDEO: FileRule = FileRule {
    kind: FileKind::Video,
    types: &[MP4, media("video/3gpp", "3GP", &["video/3gp"], &[Look::ThreeGp, Look::Mp4])],
    largest: 16 * MIB,
};
const AUDIO: FileRule = FileRule {
    kind: FileKind::Audio,
    types: &[
        media("audio/aac", "AAC", &["audio/x-aac", "audio/aacp"], &[Look::Aac, Look::Mp3]),
        media("audio/amr", "AMR", &["audio/amr-nb"], &[Look::Amr]),
        media("audio/mpeg", "MP3", &["audio/mp3", "audio/x-mpeg"], &[Look::Mp3]),
        media("audio/mp4", "M4A", &["audio/x-m4a", "audio/m4a"], &[Look::M4a, Look::Mp4, Look::ThreeGp]),
        media("audio/ogg", "OGG", &["audio/opus", "application/ogg"], &[Look::Ogg]),
    ],
    largest: 16 * MIB,
};
const DOCUMENT: FileRule = FileRule {
    kind: FileKind::Document,
    types: &[
        PDF,
        media("text/plain", "plain text", &[], &[Look::Text, Look::Xml, Look::Unknown]),
        media("application/msword", "DOC", &[], &[Look::Ole]),
        media("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "DOCX", &[], &[Look::Zip]),
        media("application/vnd.ms-excel", "XLS", &[], &[Look::Ole]),
        media("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX", &[], &[Look::Zip]),
        media("application/vnd.ms-powerpoint", "PPT", &[], &[Look::Ole]),
        media("application/vnd.openxmlformats-officedocument.presentationml.presentation", "PPTX", &[], &[Look::Zip]),
    ],
    largest: 100 * MIB,
};
/// An animated sticker; one that stands still may be [`LARGEST_STILL_STICKER`].
const STICKER: FileRule =
    FileRule { kind: FileKind::Sticker, types: &[media("image/webp", "WebP", &[], &[Look::Webp])], largest: 500 * KIB };

pub(super) const LARGEST_STILL_STICKER: u64 = 100 * KIB;

impl Wanted {
    /// What is taken.
    pub fn rules(self) -> &'static [FileRule] {
        match self {
            Self::Message(Protocol::WhatsApp) => &const { [IMAGE, VIDEO, AUDIO, DOCUMENT, STICKER] },
            // Apple has no list of types; Herald encrypts the file and hands it over itself.
            Self::Message(Protocol::AppleBusinessChat) => {
                &const { [FileRule { kind: FileKind::Document, types: &[], largest: 100 * MIB }] }
            }
            Self::Message(Protocol::SMS) => &[],
            Self::Header(MediaKind::Image) => &const { [IMAGE] },
            Self::Header(MediaKind::Video) => &const { [VIDEO] },
            Self::Header(MediaKind::Document) => {
                &const { [FileRule { kind: FileKind::Document, types: &[PDF], largest: 100 * MIB }] }
            }
            // 3.5 MB.
            Self::Header(MediaKind::Gif) => {
                &const { [FileRule { kind: FileKind::Video, types: &[MP4], largest: 3_584 * KIB }] }
            }
        }
    }

    /// The largest file that could be taken, whatever it is, under a limit of ours.
    pub fn largest(self, most: u64) -> u64 {
        self.rules().iter().map(|rule| rule.largest).max().unwrap_or(0).min(most)
    }

    /// Who takes it, for the beginning of a sentence.
    pub(super) fn taker(self) -> String {
        match self {
            Self::Message(Protocol::AppleBusinessChat) => "Apple".to_owned(),
            Self::Message(protocol) => protocol.to_string(),
            Self::Header(kind) => format!("The {} header of the template", kind.as_str().to_ascii_lowercase()),
        }
    }
}

impl FileRule {
    /// The type that a server means by this name.
    pub(super) fn named(&self, name: &str) -> Option<&'static MediaType> {
        self.types.iter().find(|known| known.name == name || known.aliases.contains(&name))
    }

    /// `JPEG and PNG`.
    pub(super) fn called(&self) -> String {
        let names: Vec<_> = self.types.iter().map(|known| known.called).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => "every type".to_owned(),
        }
    }
}
