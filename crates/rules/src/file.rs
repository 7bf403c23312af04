//! Whether a file behind a link can be sent: a pure judgement of what was seen of it.
//!
//! The server's `Content-Type` decides what a file is sent as, because WhatsApp fetches the link itself and goes by it; the
//! first bytes must agree with it. So for WhatsApp a file without a type (`application/octet-stream`, or no header) is refused,
//! though its content may be fine: Meta would refuse it after we had said `Accepted`. For Apple the file passes through
//! Herald, and the content stands in for a missing type.
//!
//! Sentences go into [`Cause::detail`], to whoever sent the message. They never hold the link, which may be signed.

mod look;
mod rule;
mod sentence;
mod sticker;

pub use look::Look;
pub use rule::{FileKind, FileRule, MediaType, Wanted};

use crate::reason::{Cause, Reason};
use rule::LARGEST_STILL_STICKER;
use sentence::{content, shown, takes, too_large};
use sticker::Sticker;

/// What was seen of a file.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The status of the last answer, after redirects.
    pub status: u16,
    /// Its `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The whole file's size, as the server says.
    pub declared: Option<u64>,
    /// Bytes that were read.
    pub read: u64,
    /// The file ended there.
    pub ended: bool,
    /// The first of them, a kilobyte at most; None where only the head of the answer was asked for.
    pub first: Option<&'a [u8]>,
}

/// A file that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// What it is sent as.
    pub kind: FileKind,
    /// Its type: `image/png`.
    pub media_type: String,
    /// Its size in bytes, where the server said it or it was read to its end.
    pub size: Option<u64>,
}

/// Judges a file. `most` is Herald's own limit in bytes; the provider's holds too.
///
/// # Errors
/// Why it cannot be sent: `file_unreachable`, `file_is_web_page`, `file_type_not_allowed` or `file_too_large`.
pub fn judge(seen: &Seen<'_>, wanted: Wanted, most: u64) -> Result<FileFacts, Cause> {
    if !(200..300).contains(&seen.status) {
        let detail = format!("The server of the file answered with HTTP {}.", seen.status);
        return Err(Cause::with_detail(Reason::FileUnreachable, detail));
    }
    let declared = essence(seen.content_type);
    let look = seen.first.map(Look::of);
    let page = matches!(declared.as_str(), "text/html" | "application/xhtml+xml");
    if page || look == Some(Look::Html) {
        let detail = "The link leads to a web page (text/html) and not to a file. Give the link of the file itself: one \
                      that a browser shows or saves without a page around it, and that asks for no login.";
        return Err(Cause::with_detail(Reason::FileIsWebPage, detail));
    }
    if seen.ended && seen.read == 0 && seen.first.is_some() {
        return Err(Cause::with_detail(Reason::FileTypeNotAllowed, "The file is empty."));
    }
    let (rule, media_type) = type_of(&declared, look, wanted)?;
    let mut largest = rule.largest;
    if rule.kind == FileKind::Sticker
        && let Some(first) = seen.first
    {
        let sticker = Sticker::of(first);
        sticker.check()?;
        if !sticker.animated {
            largest = LARGEST_STILL_STICKER;
        }
    }
    let size = seen.declared.or(seen.ended.then_some(seen.read));
    let found = size.unwrap_or(0).max(seen.read);
    if found > largest.min(most) {
        return Err(too_large(found, size.is_some(), wanted, rule.kind, largest, most));
    }
    Ok(FileFacts { kind: rule.kind, media_type, size })
}

/// `image/png` of `Image/PNG; charset=binary`.
fn essence(content_type: Option<&str>) -> String {
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a type says nothing: what servers send that do not know better.
fn is_generic(declared: &str) -> bool {
    matches!(
        declared,
        "" | "application/octet-stream"
            | "binary/octet-stream"
            | "application/binary"
            | "application/unknown"
            | "application/x-unknown"
            | "unknown/unknown"
            | "application/force-download"
            | "application/x-download"
            | "application/download"
            | "*/*"
    )
}

fn type_of(declared: &str, look: Option<Look>, wanted: Wanted) -> Result<(&'static FileRule, String), Cause> {
    let refuse = |detail: String| Cause::with_detail(Reason::FileTypeNotAllowed, detail);
    let rules = wanted.rules();
    if let [rule @ FileRule { types: [], .. }] = rules {
        let media_type = match look {
            Some(look) if is_generic(declared) => look.media_type(),
            _ if is_generic(declared) => Look::Unknown.media_type(),
            _ => declared,
        };
        return Ok((rule, media_type.to_owned()));
    }
    let allowed = |name: &str| rules.iter().find_map(|rule| Some((rule, rule.named(name)?)));
    if let Some((rule, known)) = allowed(declared) {
        return match look {
            Some(look) if !known.looks.contains(&look) => Err(refuse(format!(
                "The server says that the file is {} ({declared}), but its content {}. {}",
                known.called,
                content(look),
                takes(wanted, known.name)
            ))),
            _ => Ok((rule, known.name.to_owned())),
        };
    }
    if !is_generic(declared) {
        return Err(refuse(format!("The file is {}. {}", shown(declared), takes(wanted, declared))));
    }
    let look = look.unwrap_or(Look::Unknown);
    let found = look.media_type();
    let given = if declared.is_empty() { "no Content-Type" } else { declared };
    Err(refuse(match allowed(found) {
        Some((_, known)) => format!(
            "The server gives {given} for the file, which {}. WhatsApp goes by the Content-Type: have the server \
             answer with {}.",
            content(look),
            known.name
        ),
        None => format!(
            "The server gives {given} for the file, and its content {}. {}",
            content(look),
            takes(wanted, found)
        ),
    }))
}

#[cfg(test)]
mod tests;
