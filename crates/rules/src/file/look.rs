//! What the first bytes of a file look like. A table of our own: the types that providers take, those that are often sent in
//! their place, and web pages, which no library of signatures tells from other text as browsers do.

/// What a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A web page.
    Html,
    /// A drawing in XML.
    Svg,
    /// Other XML.
    Xml,
    /// Text in UTF-8 or UTF-16.
    Text,
    /// A picture.
    Jpeg,
    /// A picture.
    Png,
    /// A picture, perhaps moving.
    Gif,
    /// A picture, or a sticker.
    Webp,
    /// A picture from a phone (HEIC, AVIF).
    Heif,
    /// MP4, with any of its many brands.
    Mp4,
    /// MP4 with sound alone.
    M4a,
    /// A film from an old phone.
    ThreeGp,
    /// A film.
    QuickTime,
    /// WebM or another Matroska file.
    Matroska,
    /// A film.
    Avi,
    /// Sound.
    Wav,
    /// Sound.
    Flac,
    /// Sound, as WhatsApp's own voice messages.
    Ogg,
    /// Sound; also the tag before other sound.
    Mp3,
    /// Sound.
    Aac,
    /// Sound.
    Amr,
    /// A document.
    Pdf,
    /// An archive; also the documents of newer offices.
    Zip,
    /// The documents of older offices.
    Ole,
    /// Nothing that is known here.
    Unknown,
}

impl Look {
    /// Looks at the first bytes; a kilobyte is enough.
    pub fn of(first: &[u8]) -> Self {
        if let Some(look) = signature(first) {
            return look;
        }
        let Some(text) = text(first) else { return Self::Unknown };
        markup(&text).unwrap_or(Self::Text)
    }

    /// The media type that a person would look up.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Svg => "image/svg+xml",
            Self::Xml => "application/xml",
            Self::Text => "text/plain",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heif => "image/heif",
            Self::Mp4 => "video/mp4",
            Self::M4a => "audio/mp4",
            Self::ThreeGp => "video/3gpp",
            Self::QuickTime => "video/quicktime",
            Self::Matroska => "video/x-matroska",
            Self::Avi => "video/x-msvideo",
            Self::Wav => "audio/wav",
            Self::Flac => "audio/flac",
            Self::Ogg => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::Aac => "audio/aac",
            Self::Amr => "audio/amr",
            Self::Pdf => "application/pdf",
            Self::Zip => "application/zip",
            Self::Ole => "application/x-ole-storage",
            Self::Unknown => "application/octet-stream",
        }
    }
}

fn signature(first: &[u8]) -> Option<Look> {
    let at = |from: usize, wanted: &[u8]| first.get(from..).is_some_and(|rest| rest.starts_with(wanted));
    let table: [(&[u8], Look); 16] = [
        (b"\xff\xd8\xff", Look::Jpeg),
        (b"\x89PNG\r\n\x1a\n", Look::Png),
        (b"GIF87a", Look::Gif),
        (b"GIF89a", Look::Gif),
        (b"OggS", Look::Ogg),
        (b"fLaC", Look::Flac),
        (b"ID3", Look::Mp3),
        (b"#!AMR", Look::Amr),
        (b"ADIF", Look::Aac),
        (b"\xff\xf1", Look::Aac),
        (b"\xff\xf9", Look::Aac),
        (b"%PDF-", Look::Pdf),
        (b"PK\x03\x04", Look::Zip),
        (b"PK\x05\x06", Look::Zip),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Look::Ole),
        (b"\x1a\x45\xdf\xa3", Look::Matroska),
    ];
    if let Some((_, look)) = table.iter().find(|(wanted, _)| at(0, wanted)) {
        return Some(*look);
    }
    match first {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Look::Webp),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(Look::Wav),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => Some(Look::Avi),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Some(match brand {
            [b'q', b't', ..] => Look::QuickTime,
            [b'3', b'g', ..] => Look::ThreeGp,
            [b'M', b'4', b'A' | b'B', ..] => Look::M4a,
            [b'h', b'e', b'i' | b'v', ..]
            | [b'm', b'i' | b's', b'f', b'1', ..]
            | [b'a', b'v', b'i', b'f' | b's', ..] => Look::Heif,
            _ => Look::Mp4,
        }),
        [_, _, _, _, b'm', b'o', b'o', b'v', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => Some(Look::QuickTime),
        // A frame of MPEG sound without a tag: eleven ones, layer III, and no forbidden bit rate.
        [0xff, second, third, ..] if second & 0xe6 == 0xe2 && third & 0xf0 != 0xf0 => Some(Look::Mp3),
        // Readers look for it in the first kilobyte, and there are writers that put something before it.
        _ if first.windows(5).take(1_024).any(|window| window == b"%PDF-") => Some(Look::Pdf),
        _ => None,
    }
}

/// The bytes as text, if they are any. The last character may be cut.
fn text(first: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], join: fn([u8; 2]) -> u16| {
        let units: Vec<_> = rest.chunks_exact(2).map(|pair| join([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match first {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(first) {
            Ok(text) => text.to_owned(),
            Err(error) if error.error_len().is_none() => {
                String::from_utf8_lossy(&first[..error.valid_up_to()]).into_owned()
            }
            // A page in an older encoding is still a page; its tags are ASCII.
            Err(_) if first.trim_ascii_start().starts_with(b"<") => String::from_utf8_lossy(first).into_owned(),
            Err(_) => return None,
        },
    };
    let binary = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}'));
    (!binary).then(|| text.trim_start_matches('\u{feff}').to_owned())
}

/// Whether a text is markup, by the tags that browsers go by (mimesniff.spec.whatwg.org, 7.1), without those that also
/// begin ordinary texts (`<a`, `<b`, `<p`).
fn markup(text: &str) -> Option<Look> {
    const PAGE: [&str; 14] = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<iframe",
        "<h1",
        "<div",
        "<font",
        "<table",
        "<style",
        "<title",
        "<meta",
        "<br",
    ];
    let mut rest = text.trim_start();
    let mut xml = false;
    loop {
        let before = rest.len();
        for (open, close) in [("<!--", "-->"), ("<?", "?>")] {
            if rest.starts_with(open) {
                xml |= open == "<?";
                // One that does not end here hides what follows; so does the rest of a document type.
                rest = rest.find(close).map_or("", |end| rest[end + close.len()..].trim_start());
            }
        }
        if rest.len() == before {
            break;
        }
    }
    let begins = |tag: &str| rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    let ends = |tag: &str| rest[tag.len()..].chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, '>' | '/'));
    if PAGE.iter().any(|tag| begins(tag) && ends(tag)) {
        return Some(Look::Html);
    }
    if (begins("<svg") && ends("<svg")) || begins("<!doctype svg") {
        return Some(Look::Svg);
    }
    xml.then_some(Look::Xml)
}
