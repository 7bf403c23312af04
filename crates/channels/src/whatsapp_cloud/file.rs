//! What a link's ending says about the file behind it. Meta fetches the file and trusts its `Content-Type`; the kind decides
//! only under which name the link is sent.

use herald_rules::file::FileKind;
use percent_encoding::percent_decode_str;

/// What a file is, by its ending in whatever case.
pub fn kind_by_ending(link: &str) -> FileKind {
    let name = last_segment(link);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("jpg" | "jpeg" | "png") => FileKind::Image,
        Some("mp4" | "3gp") => FileKind::Video,
        Some("aac" | "amr" | "mp3" | "m4a" | "ogg") => FileKind::Audio,
        Some("webp") => FileKind::Sticker,
        _ => FileKind::Document,
    }
}

/// The file's name in a link, as a customer should see it: `invoice May.pdf` for `.../invoice%20May.pdf?key=1`.
pub fn file_name(link: &str) -> String {
    let name = percent_decode_str(last_segment(link)).decode_utf8_lossy().into_owned();
    // Control characters and slashes that were escaped are no part of a name.
    let name: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\')).take(240).collect();
    if name.trim().is_empty() { "file".to_owned() } else { name }
}

fn last_segment(link: &str) -> &str {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    // Without a slash there is a host and no path.
    path.rsplit_once('/').map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_ending() {
        for (link, kind) in [
            ("https://a.example/1.jpg", FileKind::Image),
            ("https://a.example/1.JPEG?size=2", FileKind::Image),
            ("https://a.example/1.png#x", FileKind::Image),
            ("https://a.example/1.mp4", FileKind::Video),
            ("https://a.example/1.3gp", FileKind::Video),
            ("https://a.example/1.aac", FileKind::Audio),
            ("https://a.example/1.amr", FileKind::Audio),
            ("https://a.example/1.mp3", FileKind::Audio),
            ("https://a.example/1.m4a", FileKind::Audio),
            ("https://a.example/1.ogg", FileKind::Audio),
            ("https://a.example/1.webp", FileKind::Sticker),
            ("https://a.example/1.pdf", FileKind::Document),
            ("https://a.example/x.jpg/1", FileKind::Document),
            ("https://a.example/?file=1.jpg", FileKind::Document),
            ("https://a.png", FileKind::Document),
        ] {
            assert_eq!(kind_by_ending(link), kind, "{link}");
        }
    }

    #[test]
    fn names_as_people_see_them() {
        for (link, name) in [
            ("https://a.example/i/invoice%20May.pdf?key=1", "invoice May.pdf"),
            ("https://a.example/%D7%97.pdf", "ח.pdf"),
            ("https://a.example/a+b.pdf", "a+b.pdf"),
            ("https://a.example/", "file"),
            ("https://a.example", "file"),
            ("https://a.example/..%2F%0Ax.pdf", "..x.pdf"),
            ("https://a.example/%FF.pdf", "\u{fffd}.pdf"),
        ] {
            assert_eq!(file_name(link), name, "{link}");
        }
    }
}
