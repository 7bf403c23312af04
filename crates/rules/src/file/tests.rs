use super::*;
use crate::{protocol::Protocol, template::MediaKind};
use proptest::prelude::*;

const MIB: u64 = 1_048_576;
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0";
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3";
const SVG: &[u8] = b"<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<svg xmlns=\"http://www.w3.org/2000/svg\">";
const PAGE: &[u8] = b"\xef\xbb\xbf \n<!-- hello --><!DOCTYPE HTML><html><head>";

/// A WebP file's first bytes.
fn webp(animated: bool, side: u32) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
    bytes.extend([if animated { 2 } else { 0 }, 0, 0, 0]);
    for _ in 0..2 {
        bytes.extend(&(side - 1).to_le_bytes()[..3]);
    }
    bytes
}

fn seen<'a>(content_type: &'a str, size: u64, first: &'a [u8]) -> Seen<'a> {
    let read = first.len() as u64;
    Seen {
        status: 200,
        content_type: Some(content_type),
        declared: Some(size),
        read,
        ended: read == size,
        first: Some(first),
    }
}

/// The kind, or the reason's code.
fn verdict(seen: &Seen<'_>, wanted: Wanted) -> Result<FileKind, &'static str> {
    judge(seen, wanted, 200 * MIB).map(|facts| facts.kind).map_err(|cause| cause.reason.code())
}

fn sentence(seen: &Seen<'_>, wanted: Wanted, most: u64) -> String {
    judge(seen, wanted, most).unwrap_err().detail.unwrap()
}

const WHATSAPP: Wanted = Wanted::Message(Protocol::WhatsApp);
const APPLE: Wanted = Wanted::Message(Protocol::AppleBusinessChat);

#[test]
fn each_kind_of_whatsapp() {
    use FileKind::{Audio, Document, Image, Sticker, Video};
    const NOT_ALLOWED: &str = "file_type_not_allowed";
    let sticker = webp(true, 512);
    let table: [(&str, &[u8], Result<FileKind, &str>); 42] = [
        ("image/png", PNG, Ok(Image)),
        ("image/jpeg", JPEG, Ok(Image)),
        ("IMAGE/JPG; q=1", JPEG, Ok(Image)),
        ("image/gif", b"GIF89a", Err(NOT_ALLOWED)),
        ("image/svg+xml", SVG, Err(NOT_ALLOWED)),
        ("image/heic", b"\0\0\0\x18ftypheic", Err(NOT_ALLOWED)),
        ("image/webp", &sticker, Ok(Sticker)),
        ("video/mp4", MP4, Ok(Video)),
        ("video/mp4", b"\0\0\0\x1cftypiso6", Ok(Video)),
        ("video/3gpp", b"\0\0\0\x1cftyp3gp5", Ok(Video)),
        ("video/quicktime", b"\0\0\0\x14ftypqt  ", Err(NOT_ALLOWED)),
        ("video/mp4", b"\0\0\0\x14ftypqt  ", Err(NOT_ALLOWED)),
        ("video/webm", b"\x1a\x45\xdf\xa3", Err(NOT_ALLOWED)),
        ("audio/mpeg", b"ID3\x04", Ok(Audio)),
        ("audio/mpeg", b"\xff\xfb\x90\x64", Ok(Audio)),
        ("audio/mp3", b"\xff\xf3\x40\x64", Ok(Audio)),
        ("audio/aac", b"\xff\xf1\x50\x80", Ok(Audio)),
        ("audio/amr", b"#!AMR\n", Ok(Audio)),
        ("audio/ogg; codecs=opus", b"OggS\0", Ok(Audio)),
        ("audio/mp4", b"\0\0\0\x1cftypM4A ", Ok(Audio)),
        ("audio/wav", b"RIFF\0\0\0\0WAVE", Err(NOT_ALLOWED)),
        ("application/pdf", PDF, Ok(Document)),
        ("application/pdf", b"\r\n%PDF-1.4", Ok(Document)),
        ("text/plain; charset=utf-8", "שלום, a < b".as_bytes(), Ok(Document)),
        ("text/plain", b"\xe9t\xe9", Ok(Document)),
        ("text/plain", b"<a quick note>", Ok(Document)),
        ("text/plain", b"<note/>", Ok(Document)),
        (DOCX, b"PK\x03\x04\x14", Ok(Document)),
        ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Ok(Document)),
        ("application/zip", b"PK\x03\x04\x14", Err(NOT_ALLOWED)),
        ("text/csv", b"a,b", Err(NOT_ALLOWED)),
        // The server says one thing, the content another.
        ("image/png", JPEG, Err(NOT_ALLOWED)),
        ("image/png", PDF, Err(NOT_ALLOWED)),
        ("image/jpeg", b"not a picture", Err(NOT_ALLOWED)),
        ("application/pdf", b"MZ\x90\0", Err(NOT_ALLOWED)),
        ("text/plain", PNG, Err(NOT_ALLOWED)),
        // WhatsApp goes by the type.
        ("application/octet-stream", PNG, Err(NOT_ALLOWED)),
        ("", PDF, Err(NOT_ALLOWED)),
        // Pages, whatever they are called.
        ("text/html; charset=utf-8", PNG, Err("file_is_web_page")),
        ("image/png", PAGE, Err("file_is_web_page")),
        ("application/octet-stream", b"<html lang=\"en\">", Err("file_is_web_page")),
        ("application/xhtml+xml", b"<?xml version=\"1.0\"?><html>", Err("file_is_web_page")),
    ];
    for (content_type, first, wanted) in table {
        assert_eq!(verdict(&seen(content_type, 1_000, first), WHATSAPP), wanted, "{content_type} {first:?}");
    }
}

#[test]
fn each_header_of_a_template() {
    use FileKind::{Document, Image, Video};
    let header = Wanted::Header;
    for (content_type, first, wanted, verdict_is) in [
        ("image/png", PNG, header(MediaKind::Image), Ok(Image)),
        ("video/mp4", MP4, header(MediaKind::Image), Err("file_type_not_allowed")),
        ("image/webp", &webp(true, 512), header(MediaKind::Image), Err("file_type_not_allowed")),
        ("video/mp4", MP4, header(MediaKind::Video), Ok(Video)),
        ("video/mp4", MP4, header(MediaKind::Gif), Ok(Video)),
        ("image/png", PNG, header(MediaKind::Video), Err("file_type_not_allowed")),
        ("application/pdf", PDF, header(MediaKind::Document), Ok(Document)),
        (DOCX, b"PK\x03\x04", header(MediaKind::Document), Err("file_type_not_allowed")),
    ] {
        assert_eq!(verdict(&seen(content_type, 1_000, first), wanted), verdict_is, "{content_type} {wanted:?}");
    }
}

#[test]
fn apple_takes_all_but_pages() {
    for (content_type, first, media_type) in [
        ("image/svg+xml", SVG, "image/svg+xml"),
        ("application/octet-stream", PNG, "image/png"),
        ("", b"\0\x01\x02".as_slice(), "application/octet-stream"),
        ("application/zip", PNG, "application/zip"),
    ] {
        let facts = judge(&seen(content_type, 7, first), APPLE, MIB).unwrap();
        assert_eq!((facts.media_type.as_str(), facts.size), (media_type, Some(7)));
    }
    assert_eq!(verdict(&seen("image/png", 1_000, PAGE), APPLE), Err("file_is_web_page"));
    assert_eq!(verdict(&seen("image/png", 9, PNG), Wanted::Message(Protocol::SMS)), Err("file_type_not_allowed"));
}

#[test]
fn sizes_up_to_the_limit_of_each_kind() {
    for (content_type, first, wanted, largest) in [
        ("image/png", PNG, WHATSAPP, 5 * MIB),
        ("video/mp4", MP4, WHATSAPP, 16 * MIB),
        ("audio/amr", b"#!AMR", WHATSAPP, 16 * MIB),
        ("application/pdf", PDF, WHATSAPP, 100 * MIB),
        ("image/webp", &webp(true, 512), WHATSAPP, 500 * 1_024),
        ("image/webp", &webp(false, 512), WHATSAPP, 100 * 1_024),
        ("application/zip", b"PK\x03\x04", APPLE, 100 * MIB),
        ("video/mp4", MP4, Wanted::Header(MediaKind::Gif), 3_584 * 1_024),
    ] {
        assert!(verdict(&seen(content_type, largest, first), wanted).is_ok(), "{content_type}");
        assert_eq!(verdict(&seen(content_type, largest + 1, first), wanted), Err("file_too_large"), "{content_type}");
        // Herald's own limit, where it is lower.
        assert!(judge(&seen(content_type, 1_000, first), wanted, 1_000).is_ok());
        assert!(judge(&seen(content_type, 1_001, first), wanted, 1_000).is_err());
        assert!(largest <= wanted.largest(200 * MIB) && wanted.largest(7) == 7);
    }
}

#[test]
fn what_was_read_counts_where_nothing_is_declared() {
    let nothing = Seen { declared: None, ..seen("image/png", 0, PNG) };
    let read = |read, ended| judge(&Seen { read, ended, ..nothing }, WHATSAPP, MIB);
    assert_eq!(read(MIB, true).unwrap().size, Some(MIB));
    assert_eq!(read(20, false).unwrap().size, None, "not read to its end, and not too much so far");
    let cause = read(MIB + 1, false).unwrap_err();
    assert_eq!(cause.reason, Reason::FileTooLarge);
    assert_eq!(
        cause.detail.as_deref(),
        Some("The file has more than 1 MB; this Herald sends files of up to 1 MB (files.max_mib).")
    );
    let lies = Seen { declared: Some(3), read: MIB + 1, ..nothing };
    assert_eq!(judge(&lies, WHATSAPP, MIB).unwrap_err().reason, Reason::FileTooLarge);
    let empty = Seen { read: 0, ended: true, first: Some(&[]), ..nothing };
    assert_eq!(sentence(&empty, WHATSAPP, MIB), "The file is empty.");
}

#[test]
fn the_head_of_an_answer_alone_tells_size_and_type() {
    let head = Seen { first: None, read: 0, ..seen("image/png", 1_000, PNG) };
    assert!(judge(&head, WHATSAPP, MIB).is_ok());
    assert_eq!(verdict(&Seen { declared: Some(6 * MIB), ..head }, WHATSAPP), Err("file_too_large"));
    assert_eq!(verdict(&Seen { content_type: Some("image/gif"), ..head }, WHATSAPP), Err("file_type_not_allowed"));
}

#[test]
fn sentences_name_what_was_found_and_what_is_taken() {
    let most = 5 * MIB;
    assert_eq!(
        sentence(&seen("image/svg+xml", 99, SVG), WHATSAPP, most),
        "The file is image/svg+xml. WhatsApp takes images as JPEG and PNG."
    );
    assert_eq!(
        sentence(&seen("video/webm", 99, b""), Wanted::Header(MediaKind::Video), most),
        "The file is video/webm. The video header of the template takes MP4 and 3GP."
    );
    assert_eq!(
        sentence(&seen("application/zip", 99, b"PK\x03\x04"), WHATSAPP, most),
        "The file is application/zip. WhatsApp takes documents as PDF, plain text, DOC, DOCX, XLS, XLSX, PPT and PPTX."
    );
    assert_eq!(
        sentence(&seen("image/png", 99, PDF), WHATSAPP, most),
        "The server says that the file is PNG (image/png), but its content is application/pdf. WhatsApp takes images as \
         JPEG and PNG."
    );
    assert_eq!(
        sentence(&seen("application/octet-stream", 99, PNG), WHATSAPP, most),
        "The server gives application/octet-stream for the file, which is image/png. WhatsApp goes by the Content-Type: \
         have the server answer with image/png."
    );
    assert_eq!(
        sentence(&seen("", 99, b"\0\x01"), WHATSAPP, most),
        "The server gives no Content-Type for the file, and its content is of no known type. WhatsApp takes documents \
         as PDF, plain text, DOC, DOCX, XLS, XLSX, PPT and PPTX."
    );
    assert_eq!(
        sentence(&seen("image/png", most + 1, PNG), WHATSAPP, 2 * most),
        "The file has 5.1 MB; WhatsApp takes up to 5 MB for images."
    );
    assert_eq!(
        sentence(&seen("video/mp4", 7 * MIB, MP4), WHATSAPP, most),
        "The file has 7 MB; this Herald sends files of up to 5 MB (files.max_mib)."
    );
    assert_eq!(
        sentence(&seen("image/webp", 200_000, &webp(false, 512)), WHATSAPP, most),
        "The file has 195.4 KB; WhatsApp takes up to 100 KB as a sticker that stands still."
    );
    assert_eq!(
        sentence(&seen("image/webp", 99, &webp(false, 800)), WHATSAPP, most),
        "The file is image/webp with 800 x 800 pixels. WhatsApp takes WebP as stickers of 512 x 512 pixels, and images as \
         JPEG and PNG."
    );
    assert_eq!(
        sentence(&Seen { status: 404, ..seen("", 0, b"") }, WHATSAPP, most),
        "The server of the file answered with HTTP 404."
    );
    let long = format!("image/{}", "x\u{1b}\n".repeat(500));
    assert!(sentence(&seen(&long, 0, b"x"), WHATSAPP, most).len() < 200);
}

#[test]
fn the_guide_says_the_same() {
    let page = include_str!("../../../../docs/guides/files.md");
    for rule in WHATSAPP.rules() {
        let row =
            format!("| {} | {} | {} |", rule.kind.plural(), rule.called(), sentence::megabytes(rule.largest, false));
        assert!(page.contains(&row), "{row}");
    }
    let most = 5 * MIB;
    for (what, detail) in [
        ("a drawing", sentence(&seen("image/svg+xml", 99, SVG), WHATSAPP, most)),
        ("a page to log in at, served as `image/png`", sentence(&seen("image/png", 99, PAGE), WHATSAPP, most)),
        ("a PDF, served as `image/png`", sentence(&seen("image/png", 99, PDF), WHATSAPP, most)),
        ("a PNG, served as `application", sentence(&seen("application/octet-stream", 99, PNG), WHATSAPP, most)),
        ("a PNG of 6 MB", sentence(&seen("image/png", 6 * MIB, PNG), WHATSAPP, 10 * MIB)),
        ("an MP4 of 7 MB", sentence(&seen("video/mp4", 7 * MIB, MP4), WHATSAPP, most)),
        ("a PNG for a template", sentence(&seen("image/png", 9, PNG), Wanted::Header(MediaKind::Video), most)),
        ("HTTP 404", sentence(&Seen { status: 404, ..seen("", 0, b"") }, WHATSAPP, most)),
    ] {
        let row = page.lines().find(|line| line.starts_with(&format!("| {what}"))).unwrap_or_else(|| panic!("{what}"));
        assert!(row.ends_with(&format!("| {detail} |")), "{row}\n{detail}");
    }
    for reason in [Reason::FileIsWebPage, Reason::FileTypeNotAllowed, Reason::FileTooLarge, Reason::FileUnreachable] {
        assert!(page.contains(&format!("| `{reason}` |")), "{reason}");
    }
}

#[test]
fn the_sizes_of_stickers_are_read_in_every_form() {
    let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\0\x9d\x01\x2a\0\x02\0\x02";
    // 511 and 511 in 14 bits each.
    let lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\xff\xc1\x7f\0";
    for first in [&webp(true, 512), &lossy[..], &lossless[..], &b"RIFF\0\0\0\0WEBP"[..]] {
        assert_eq!(verdict(&seen("image/webp", 99, first), WHATSAPP), Ok(FileKind::Sticker), "{first:?}");
    }
    for first in
        [&webp(true, 511), &lossy.map(|byte| if byte == 2 { 3 } else { byte })[..], &lossless.map(|b| b & 0xfe)[..]]
    {
        assert_eq!(verdict(&seen("image/webp", 99, first), WHATSAPP), Err("file_type_not_allowed"), "{first:?}");
    }
}

#[test]
fn pages_are_told_from_other_text() {
    for (text, look) in [
        ("<HTML>", Look::Html),
        ("  <!doctype html>", Look::Html),
        ("<script src=x>", Look::Html),
        ("<!-- a --><!-- b --> <title>x", Look::Html),
        ("<!-- never ends", Look::Text),
        ("<htmlx>", Look::Text),
        ("<svg>", Look::Svg),
        ("<?xml version='1.0'?><!DOCTYPE svg PUBLIC", Look::Svg),
        ("<?xml version='1.0'?><feed>", Look::Xml),
        ("html", Look::Text),
        ("", Look::Text),
    ] {
        assert_eq!(Look::of(text.as_bytes()), look, "{text}");
    }
    assert_eq!(Look::of(b"\xff\xfe<\0h\0t\0m\0l\0>\0"), Look::Html, "in UTF-16");
    assert_eq!(Look::of(b"<html>\xe9"), Look::Html, "in an older encoding");
    assert_eq!(Look::of("שלום".as_bytes().split_last().unwrap().1), Look::Text, "cut within a character");
    assert_eq!(Look::of(b"a\0b"), Look::Unknown);
}

proptest! {
    #[test]
    fn anything_is_judged(
        first in prop_oneof![proptest::collection::vec(any::<u8>(), 0..64), any::<String>().prop_map(String::into_bytes)],
        content_type in proptest::option::of("(image/(png|webp)|text/html|\\PC{0,20})"),
        declared in proptest::option::of(any::<u64>()),
        read in 0..u64::MAX,
        ended in any::<bool>(),
        status in 100..600_u16,
        most in any::<u64>(),
    ) {
        let seen = Seen { status, content_type: content_type.as_deref(), declared, read, ended, first: Some(&first) };
        for wanted in [WHATSAPP, APPLE, Wanted::Message(Protocol::SMS), Wanted::Header(MediaKind::Document)] {
            match judge(&seen, wanted, most) {
                Ok(facts) => prop_assert!(facts.size.unwrap_or(0).max(read) <= wanted.largest(most)),
                Err(cause) => prop_assert!(cause.detail.is_some_and(|detail| detail.ends_with('.'))),
            }
        }
    }
}
