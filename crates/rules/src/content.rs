//! What a message may say and carry, for each protocol: checked before it is accepted, so that nothing is queued that
//! a provider must refuse.

use crate::protocol::Protocol;
use url::Url;

/// What a link to a file may be long: the length that browsers, caches and Meta's fetcher are known to take.
const LONGEST_LINK: usize = 2_048;
/// What `metadata` may take as JSON: it is kept with every message and echoed in every event.
const LARGEST_METADATA: usize = 4 * 1_024;

/// What a protocol allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters (Unicode scalar values) of text.
    pub text: usize,
    /// Files beside the text; 0 where the protocol carries none.
    pub files: usize,
}

/// The limits of a protocol.
pub fn limits(protocol: Protocol) -> Limits {
    match protocol {
        // Free text of the Cloud API. Each file is a part of its own, sent one after the other.
        Protocol::WhatsApp => Limits { text: 4_096, files: 10 },
        // What Twilio takes (error 21617 above it), and about 10 segments in the GSM alphabet; no provider takes
        // more, and the longest concatenation that phones show reliably is shorter still.
        Protocol::SMS => Limits { text: 1_600, files: 0 },
        // Apple states none for text; this is ours, so that a mistake does not become a book.
        Protocol::AppleBusinessChat => Limits { text: 10_000, files: 10 },
    }
}

/// What was left out of a message that is fine otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Accepted {
    /// So many files are not sent, as the protocol carries none. Name it in the answer: [`ATTACHMENTS_DROPPED`].
    pub files_dropped: usize,
}

/// The code of the warning for [`Accepted::files_dropped`].
pub const ATTACHMENTS_DROPPED: &str = "attachments_dropped";

/// Why a message cannot be accepted. No sentence repeats the text or a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// SMS without text.
    #[error("An SMS needs text; files cannot be sent by SMS. Put the link into the text.")]
    TextRequired,
    /// Nothing at all.
    #[error("The message is empty. Give text, files or both.")]
    TextOrFilesRequired,
    /// Too many characters.
    #[error("The text has {given} characters; {protocol} takes {most}. Shorten it, or send it as several messages.")]
    TextTooLong {
        /// The protocol.
        protocol: Protocol,
        /// What it takes.
        most: usize,
        /// What was given.
        given: usize,
    },
    /// NUL or another control character.
    #[error(
        "Character {position} of the text is the control character U+{code:04X}, which no phone shows. Take it out; \
         line breaks and tabs are fine."
    )]
    ControlCharacter {
        /// Counted in characters from 1.
        position: usize,
        /// The character.
        code: u32,
    },
    /// Too many files.
    #[error("The message has {given} files; {protocol} takes {most}. Send the rest in another message.")]
    TooManyFiles {
        /// The protocol.
        protocol: Protocol,
        /// What it takes.
        most: usize,
        /// What was given.
        given: usize,
    },
    /// Not an absolute link.
    #[error(
        "File {number} is not a link. Give the whole address of the file itself, from https:// (or http://) on, without spaces."
    )]
    NotALink {
        /// Counted from 1.
        number: usize,
    },
    /// A link with `user:password@`.
    #[error(
        "The link of file {number} has a user name or password in it, which providers do not use and everybody who \
         handles the message could read. Give a link that works without, such as a signed one."
    )]
    LinkWithCredentials {
        /// Counted from 1.
        number: usize,
    },
    /// A link that is too long.
    #[error("The link of file {number} has {given} characters; {LONGEST_LINK} is the most. Use a shorter link.")]
    LinkTooLong {
        /// Counted from 1.
        number: usize,
        /// What was given.
        given: usize,
    },
    /// Too much metadata.
    #[error(
        "The metadata takes {given} bytes as JSON; {LARGEST_METADATA} is the most. Keep a key here and the rest on your side."
    )]
    MetadataTooLarge {
        /// What was given.
        given: usize,
    },
}

impl ContentError {
    /// The stable code for answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TextRequired => "text_required",
            Self::TextOrFilesRequired => "text_or_files_required",
            Self::TextTooLong { .. } => "text_too_long",
            Self::ControlCharacter { .. } => "control_character",
            Self::TooManyFiles { .. } => "too_many_files",
            Self::NotALink { .. } => "file_not_a_link",
            Self::LinkWithCredentials { .. } => "file_link_with_credentials",
            Self::LinkTooLong { .. } => "file_link_too_long",
            Self::MetadataTooLarge { .. } => "metadata_too_large",
        }
    }
}

/// Checks text and files against the limits of `protocol`.
///
/// Blank text counts as none. Blank entries in `files` are errors; take them out before, where a client makes them.
/// Control characters are refused, not taken out: a text that Herald changed would no longer match its template, and a
/// NUL would cut it at some provider or database on the way. For SMS files are counted and not looked at, as they are
/// left out anyway.
pub fn check(protocol: Protocol, text: &str, files: &[String]) -> Result<Accepted, ContentError> {
    let Limits { text: most, files: most_files } = limits(protocol);
    let blank = text.trim().is_empty();
    if most_files == 0 && blank {
        return Err(ContentError::TextRequired);
    }
    if blank && files.is_empty() {
        return Err(ContentError::TextOrFilesRequired);
    }
    check_text(protocol, text, most)?;
    if most_files == 0 {
        return Ok(Accepted { files_dropped: files.len() });
    }
    if files.len() > most_files {
        return Err(ContentError::TooManyFiles { protocol, most: most_files, given: files.len() });
    }
    for (at, file) in files.iter().enumerate() {
        check_link(at + 1, file)?;
    }
    Ok(Accepted::default())
}

fn check_text(protocol: Protocol, text: &str, most: usize) -> Result<(), ContentError> {
    // Bytes are at least as many as characters: most texts need no counting.
    let given = if text.len() <= most { 0 } else { text.chars().count() };
    if given > most {
        return Err(ContentError::TextTooLong { protocol, most, given });
    }
    let refused = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.chars().enumerate().find(|(_, c)| refused(*c)) {
        Some((at, c)) => Err(ContentError::ControlCharacter { position: at + 1, code: u32::from(c) }),
        None => Ok(()),
    }
}

fn check_link(number: usize, link: &str) -> Result<(), ContentError> {
    if link.len() > LONGEST_LINK {
        return Err(ContentError::LinkTooLong { number, given: link.len() });
    }
    // Providers parse links by stricter rules than browsers do, so what the parser would forgive is refused: white
    // space, control characters, `https:host` without its slashes.
    let scheme_end = ["https://", "http://"].into_iter().find_map(|scheme| {
        let (start, rest) = link.split_at_checked(scheme.len())?;
        (start.eq_ignore_ascii_case(scheme) && !rest.starts_with(['/', '\\'])).then_some(())
    });
    let forgiven = link.chars().any(|c| c.is_whitespace() || c.is_control());
    let url = match Url::parse(link) {
        Ok(url) if scheme_end.is_some() && !forgiven && url.has_host() => url,
        _ => return Err(ContentError::NotALink { number }),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ContentError::LinkWithCredentials { number });
    }
    Ok(())
}

/// Checks the size of `metadata` as the JSON it is kept as.
pub fn check_metadata(metadata: &serde_json::Value) -> Result<(), ContentError> {
    let mut count = Count(0);
    // Neither counting nor a value that came from JSON can fail.
    let _ = serde_json::to_writer(&mut count, metadata);
    if count.0 > LARGEST_METADATA { Err(ContentError::MetadataTooLarge { given: count.0 }) } else { Ok(()) }
}

/// Counts what is written.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Protocol::{AppleBusinessChat, SMS, WhatsApp};
    use proptest::prelude::*;

    const LINK: &str = "https://files.example/logo.png";

    fn code(protocol: Protocol, text: &str, files: &[&str]) -> &'static str {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        check(protocol, text, &files).map_or_else(|error| error.code(), |_| "fine")
    }

    #[test]
    fn something_to_say() {
        for protocol in [WhatsApp, AppleBusinessChat] {
            assert_eq!(code(protocol, "", &[]), "text_or_files_required");
            assert_eq!(code(protocol, " \n", &[]), "text_or_files_required");
            assert_eq!(code(protocol, "", &[LINK]), "fine");
            assert_eq!(code(protocol, "Hi", &[LINK]), "fine");
        }
        assert_eq!(code(SMS, " ", &[]), "text_required");
        assert_eq!(code(SMS, "", &[LINK]), "text_required");
    }

    #[test]
    fn sms_leaves_files_out_and_says_so() {
        let files = vec!["not even a link".to_owned(), LINK.to_owned()];
        assert_eq!(check(SMS, "Hi", &files), Ok(Accepted { files_dropped: 2 }));
        assert_eq!(check(SMS, "Hi", &[]), Ok(Accepted { files_dropped: 0 }));
    }

    #[test]
    fn text_up_to_its_limit() {
        for (protocol, most) in [(WhatsApp, 4_096), (SMS, 1_600), (AppleBusinessChat, 10_000)] {
            // Characters, not bytes.
            assert_eq!(code(protocol, &"ש".repeat(most), &[]), "fine");
            assert_eq!(code(protocol, &"ש".repeat(most + 1), &[]), "text_too_long");
            assert_eq!(code(protocol, &"a".repeat(most + 1), &[]), "text_too_long");
        }
    }

    #[test]
    fn control_characters_are_named() {
        assert_eq!(code(WhatsApp, "a\nb\r\n\tc", &[]), "fine");
        let error = check(WhatsApp, "שa\0", &[]).unwrap_err();
        assert_eq!(error, ContentError::ControlCharacter { position: 3, code: 0 });
        assert!(error.to_string().starts_with("Character 3 of the text is the control character U+0000"));
        assert_eq!(code(SMS, "a\u{85}", &[]), "control_character");
        assert_eq!(code(SMS, "family \u{1f468}\u{200d}\u{1f469}", &[]), "fine", "joiners are no controls");
    }

    #[test]
    fn links() {
        for fine in [
            LINK,
            "HTTP://files.example",
            "http://127.0.0.1:8080/a.png",
            "https://[::1]/a",
            "https://דוגמה.example/קובץ.pdf?a=b#c",
            "https://files.example/a%20b.png",
        ] {
            assert_eq!(code(WhatsApp, "", &[fine]), "fine", "{fine}");
        }
        for wrong in [
            "",
            " ",
            "logo.png",
            "/logo.png",
            "//files.example/a",
            "ftp://files.example/a",
            "https:files.example/a",
            "https:///files.example/a",
            "https://",
            "https://files.example/a b",
            "data:text/plain,hi",
            "file:///etc/passwd",
            "https:\\\\files.example\\a",
            "https://files.example/\n",
            "javascript:alert(1)",
            "https://fi<les/",
        ] {
            assert_eq!(code(WhatsApp, "Hi", &[LINK, wrong]), "file_not_a_link", "{wrong}");
        }
        for secret in
            ["https://user:word@files.example/a", "https://user@files.example/a", "https://:word@files.example"]
        {
            assert_eq!(code(AppleBusinessChat, "", &[secret]), "file_link_with_credentials", "{secret}");
        }
        let long = format!("{LINK}?{}", "a".repeat(LONGEST_LINK - LINK.len() - 1));
        assert_eq!(code(WhatsApp, "", &[&long]), "fine");
        assert_eq!(code(WhatsApp, "", &[&format!("{long}a")]), "file_link_too_long");
    }

    #[test]
    fn ten_files() {
        assert_eq!(code(WhatsApp, "", &[LINK; 10]), "fine");
        assert_eq!(code(WhatsApp, "", &[LINK; 11]), "too_many_files");
    }

    #[test]
    fn metadata_up_to_4_kib() {
        let value = |length: usize| serde_json::json!({ "a": "x".repeat(length - 8) });
        assert_eq!(serde_json::to_string(&value(4_096)).unwrap().len(), 4_096);
        assert_eq!(check_metadata(&value(4_096)), Ok(()));
        assert_eq!(check_metadata(&value(4_097)), Err(ContentError::MetadataTooLarge { given: 4_097 }));
    }

    proptest! {
        #[test]
        fn any_content_is_judged(text in any::<String>(), files in proptest::collection::vec("(https?://)?\\PC{0,30}", 0..12)) {
            for protocol in Protocol::ALL {
                if let Ok(accepted) = check(protocol, &text, &files) {
                    prop_assert!(!text.contains('\0'));
                    prop_assert_eq!(accepted.files_dropped, if protocol == SMS { files.len() } else { 0 });
                }
            }
        }
    }
}
