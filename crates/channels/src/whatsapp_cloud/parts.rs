//! How a message without a template is cut into WhatsApp messages.
//!
//! The first picture, film or document carries the text as its caption; where there is none, or the text is too long for a
//! caption, the text goes first. Every further file is a part of its own.

use super::{
    file::{file_name, kind_by_ending},
    free_form::{FreeForm, Media},
};
use herald_rules::{file::FileKind, message::Message};

/// The longest caption, in characters.
const LONGEST_CAPTION: usize = 1_024;

/// How many calls a message takes.
pub fn count(message: &Message) -> u16 {
    if message.template.is_some() {
        return 1;
    }
    let parts = message.files.len() + usize::from(text_alone(message));
    u16::try_from(parts.max(1)).unwrap_or(u16::MAX)
}

/// One of the parts, from 0; None: there are fewer. A template is not cut. `kinds` is what the files were found to be, where
/// somebody has looked; it was not known when the message was cut, so that it does not move the text.
pub fn part(message: &Message, number: u16, kinds: &[FileKind]) -> Option<FreeForm> {
    let number = usize::from(number);
    let text_alone = text_alone(message);
    if text_alone && number == 0 {
        return Some(FreeForm::text(&message.text));
    }
    let at = number - usize::from(text_alone);
    let link = message.files.get(at)?;
    let carries = !text_alone && carrier(message) == Some(at) && !message.text.is_empty();
    let caption = carries.then(|| message.text.clone());
    let media = |filename| Media { filename, caption, ..Media::link(link) };
    let guessed = kind_by_ending(link);
    let found = kinds.get(at).copied().filter(|kind| kind.has_caption() == guessed.has_caption());
    Some(match found.unwrap_or(guessed) {
        FileKind::Image => FreeForm::Image(media(None)),
        FileKind::Video => FreeForm::Video(media(None)),
        FileKind::Document => FreeForm::Document(media(Some(file_name(link)))),
        FileKind::Audio => FreeForm::Audio(Media::link(link)),
        FileKind::Sticker => FreeForm::Sticker(Media::link(link)),
    })
}

/// Whether the text is a part of its own.
fn text_alone(message: &Message) -> bool {
    if message.text.is_empty() {
        // Nothing at all is refused at accept; were it to come here, Meta says no to an empty text.
        return message.files.is_empty();
    }
    carrier(message).is_none() || message.text.chars().nth(LONGEST_CAPTION).is_some()
}

/// The file that can carry the text.
fn carrier(message: &Message) -> Option<usize> {
    message.files.iter().position(|link| kind_by_ending(link).has_caption())
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_rules::{ids::MessageId, message::Priority, protocol::Protocol, time::Timestamp};

    fn message(text: &str, files: &[&str]) -> Message {
        Message {
            id: MessageId::new(),
            protocol: Protocol::WhatsApp,
            from: "15550100200".to_owned(),
            to: "16505550142".to_owned(),
            text: text.to_owned(),
            files: files.iter().map(|name| format!("https://a.example/{name}")).collect(),
            parts: 1,
            template: None,
            refused: None,
            metadata: None,
            priority: Priority::default(),
            accepted_at: Timestamp(0),
            send_at: None,
            expires_at: None,
        }
    }

    /// `kind name`, and the caption behind `<`.
    fn shown(part: &FreeForm) -> String {
        let media = |kind: &str, media: &Media| {
            let caption = media.caption.as_deref().map(|caption| format!(" < {caption}")).unwrap_or_default();
            let name = media.link.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
            format!("{kind} {name}{caption}")
        };
        match part {
            FreeForm::Text(text) => format!("text {}", text.body),
            FreeForm::Image(it) => media("image", it),
            FreeForm::Video(it) => media("video", it),
            FreeForm::Audio(it) => media("audio", it),
            FreeForm::Document(it) => media("document", it),
            FreeForm::Sticker(it) => media("sticker", it),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_combination() {
        let long = "x".repeat(1_025);
        let fits = "ü".repeat(1_024);
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("Hi", &[], &["text Hi"]),
            ("", &[], &["text "]),
            ("", &["a.png"], &["image a.png"]),
            ("Hi", &["a.png"], &["image a.png < Hi"]),
            ("Hi", &["a.mp4"], &["video a.mp4 < Hi"]),
            ("Hi", &["a.pdf"], &["document a.pdf < Hi"]),
            ("Hi", &["a.png", "b.png"], &["image a.png < Hi", "image b.png"]),
            ("Hi", &["a.mp3"], &["text Hi", "audio a.mp3"]),
            ("Hi", &["a.webp"], &["text Hi", "sticker a.webp"]),
            ("Hi", &["a.mp3", "b.png", "c.pdf"], &["audio a.mp3", "image b.png < Hi", "document c.pdf"]),
            ("", &["a.mp3", "b.webp"], &["audio a.mp3", "sticker b.webp"]),
            (&fits, &["a.png"], &[&format!("image a.png < {fits}")]),
            (&long, &["a.png"], &[&format!("text {long}"), "image a.png"]),
            (&long, &["a.png", "b.mp3"], &[&format!("text {long}"), "image a.png", "audio b.mp3"]),
        ];
        for (text, files, expected) in cases {
            let message = message(text, files);
            let count = count(&message);
            let parts: Vec<_> = (0..count).map(|number| shown(&part(&message, number, &[]).unwrap())).collect();
            assert_eq!(parts, *expected, "{} {files:?}", text.len());
            assert_eq!(part(&message, count, &[]), None);
        }
    }
}
