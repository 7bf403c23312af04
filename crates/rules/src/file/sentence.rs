//! What is said of files: what was found, and what is taken instead.

use super::{
    look::Look,
    rule::{FileKind, LARGEST_STILL_STICKER, Wanted},
};
use crate::{
    protocol::Protocol,
    reason::{Cause, Reason},
};

pub(super) fn content(look: Look) -> String {
    match look {
        Look::Unknown => "is of no known type".to_owned(),
        look => format!("is {}", look.media_type()),
    }
}

/// A server's word for a type, cut, without what could make a mess of a log or a page.
pub(super) fn shown(declared: &str) -> String {
    declared.chars().filter(char::is_ascii_graphic).take(100).collect()
}

/// What is taken instead of a file of this type: of its own kind first.
pub(super) fn takes(wanted: Wanted, found: &str) -> String {
    let (taker, rules) = (wanted.taker(), wanted.rules());
    let kind = match found.split('/').next() {
        Some("image") => FileKind::Image,
        Some("video") => FileKind::Video,
        Some("audio") => FileKind::Audio,
        _ => FileKind::Document,
    };
    match (rules, rules.iter().find(|rule| rule.kind == kind)) {
        ([], _) => format!("{taker} carries no files."),
        ([rule], _) => format!("{taker} takes {}.", rule.called()),
        (_, Some(rule)) => format!("{taker} takes {} as {}.", kind.plural(), rule.called()),
        (_, None) => format!("{taker} takes no {}.", kind.plural()),
    }
}

pub(super) fn too_large(found: u64, exact: bool, wanted: Wanted, kind: FileKind, largest: u64, most: u64) -> Cause {
    let has = if exact { megabytes(found, true) } else { format!("more than {}", megabytes(found - 1, false)) };
    let limit = megabytes(largest.min(most), false);
    let detail = if most < largest {
        format!("The file has {has}; this Herald sends files of up to {limit} (files.max_mib).")
    } else {
        let taken = match (wanted, kind) {
            (Wanted::Message(Protocol::WhatsApp), FileKind::Sticker) if largest == LARGEST_STILL_STICKER => {
                " as a sticker that stands still".to_owned()
            }
            (Wanted::Message(Protocol::WhatsApp), kind) => format!(" for {}", kind.plural()),
            _ => String::new(),
        };
        format!("The file has {has}; {} takes up to {limit}{taken}.", wanted.taker())
    };
    Cause::with_detail(Reason::FileTooLarge, detail)
}

/// `5 MB`, `120 KB`: in units of 1,024, as providers count. What is found is rounded up, so that it is never shown as large
/// as the limit that it passes.
pub(super) fn megabytes(bytes: u64, up: bool) -> String {
    let (unit, name) = if bytes < 1_024 * 1_024 { (1_024_u64, "KB") } else { (1_024 * 1_024, "MB") };
    // Wide: a server may declare any number.
    let (tenfold, unit) = (u128::from(bytes) * 10, u128::from(unit));
    let tenths = if up { tenfold.div_ceil(unit) } else { tenfold / unit };
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        tenth => format!("{}.{tenth} {name}", tenths / 10),
    }
}
