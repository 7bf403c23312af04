//! The form in which texts are compared when they are not equal as they stand: one kind of blank, quote, dash and line
//! end, no invisible marks, Unicode composed; with the way back, so that values are taken from the text as it was given.

use std::{borrow::Cow, ops::Range};
use unicode_normalization::{IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick};

/// A text in that form.
#[derive(Debug)]
pub(super) struct Folded<'a> {
    pub(super) text: Cow<'a, str>,
    original: &'a str,
    /// Where each of its characters comes from; empty where the text was in this form already.
    origins: Vec<Origin>,
}

#[derive(Clone, Copy, Debug)]
struct Origin {
    folded: u32,
    start: u32,
    end: u32,
}

/// Where a character stands among those that change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Stays, and nothing that follows can change it but a combining character, which is not of this class.
    Plain,
    Blank,
    Newline,
    /// Shows nothing by itself and changes nothing that is written in letters.
    Mark,
    Replaced(&'static str),
    /// Unicode's tables must say.
    Other,
}

fn class(character: char) -> Class {
    match character {
        '\n' => Class::Newline,
        ' ' | '\t' => Class::Blank,
        '\u{21}'..='\u{7e}' => Class::Plain,
        // Old line ends, and Unicode's.
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Newline,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Class::Blank,
        // Soft hyphen, zero-width space, word joiner and byte-order mark; marks, embeddings and isolates of direction;
        // variation selectors 15 and 16, which choose between the plain and the coloured picture of the same emoji.
        // The joiners U+200C and U+200D stay: in Persian, in Indic scripts and within emoji they make another word.
        '\u{ad}'
        | '\u{200b}'
        | '\u{2060}'
        | '\u{feff}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fe0e}'
        | '\u{fe0f}' => Class::Mark,
        '\u{2018}'..='\u{201b}' | '\u{2032}' => Class::Replaced("'"),
        '\u{201c}'..='\u{201f}' | '\u{2033}' => Class::Replaced("\""),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Class::Replaced("-"),
        '\u{2026}' => Class::Replaced("..."),
        // Latin, Cyrillic, Hebrew and Arabic letters, Han, Hangul syllables, emoji: composed already, and no combining ones.
        '\u{a1}'..='\u{2ff}'
        | '\u{400}'..='\u{482}'
        | '\u{5d0}'..='\u{5ea}'
        | '\u{620}'..='\u{64a}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{1f300}'..='\u{1faff}' => Class::Plain,
        _ => Class::Other,
    }
}

/// It may become one with the character before it, or change places with it.
fn combines(character: char) -> bool {
    class(character) == Class::Other
        && (canonical_combining_class(character) != 0
            || is_nfc_quick(std::iter::once(character)) == IsNormalized::Maybe)
}

/// It is as it should be, whatever stands beside it.
fn is_settled(character: char) -> bool {
    match class(character) {
        Class::Plain => true,
        Class::Other => {
            canonical_combining_class(character) == 0 && is_nfc_quick(std::iter::once(character)) == IsNormalized::Yes
        }
        _ => false,
    }
}

/// The common case, in one pass without memory.
fn is_folded(text: &str) -> bool {
    // A line end before the text: blanks at the beginning of a line go.
    let mut before = '\n';
    let mut any = false;
    for character in text.chars() {
        match character {
            '\u{21}'..='\u{7e}' => {}
            ' ' if !matches!(before, ' ' | '\n') => {}
            '\n' if before != ' ' && any => {}
            character if character > '\u{7e}' && is_settled(character) => {}
            _ => return false,
        }
        any = true;
        before = character;
    }
    !any || !matches!(before, ' ' | '\n')
}

/// Puts a text into the form.
pub(super) fn fold(text: &str) -> Folded<'_> {
    if is_folded(text) {
        return Folded { text: Cow::Borrowed(text), original: text, origins: Vec::new() };
    }
    let mut out = Out { text: String::with_capacity(text.len()), origins: Vec::with_capacity(text.len()) };
    // The blank and the line ends that were met and are written when something visible follows.
    let mut blank: Option<Range<usize>> = None;
    let mut newlines: Vec<Range<usize>> = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        let mut end = start + character.len_utf8();
        let class = class(character);
        match class {
            Class::Mark => continue,
            Class::Blank => {
                match &mut blank {
                    Some(blank) => blank.end = end,
                    None => blank = Some(start..end),
                }
                continue;
            }
            Class::Newline => {
                blank = None;
                if character == '\r' && characters.next_if(|(_, next)| *next == '\n').is_some() {
                    end += 1;
                }
                newlines.push(start..end);
                continue;
            }
            Class::Plain | Class::Replaced(_) | Class::Other => {}
        }
        // Nothing of both at the beginning, and no blank at the beginning of a line.
        if !out.text.is_empty() {
            if let Some(blank) = blank.take().filter(|_| newlines.is_empty()) {
                out.add(" ", blank);
            }
            newlines.drain(..).for_each(|newline| out.add("\n", newline));
        }
        newlines.clear();
        blank = None;
        while let Some((at, next)) = characters.next_if(|(_, next)| combines(*next)) {
            end = at + next.len_utf8();
        }
        let cluster = text.get(start..end).unwrap_or_default();
        match class {
            Class::Replaced(with) if cluster.len() == character.len_utf8() => out.add(with, start..end),
            _ if cluster.len() == character.len_utf8() && is_settled(character) => out.add(cluster, start..end),
            _ => out.add(&cluster.nfc().collect::<String>(), start..end),
        }
    }
    Folded { text: Cow::Owned(out.text), original: text, origins: out.origins }
}

struct Out {
    text: String,
    origins: Vec<Origin>,
}

impl Out {
    fn add(&mut self, text: &str, from: Range<usize>) {
        self.origins.push(Origin { folded: self.text.len() as u32, start: from.start as u32, end: from.end as u32 });
        self.text.push_str(text);
    }
}

impl<'a> Folded<'a> {
    /// The text was in this form already.
    pub(super) fn is_original(&self) -> bool {
        self.origins.is_empty() && self.text.len() == self.original.len()
    }

    /// The part of the original that a range of the folded text stands for, with the marks at its ends. None: the range
    /// begins or ends within what was one character.
    pub(super) fn original(&self, range: Range<usize>) -> Option<&'a str> {
        if self.is_original() {
            return self.original.get(range);
        }
        let first = self.origins.binary_search_by_key(&range.start, |origin| origin.folded as usize).ok()?;
        let after = if range.end == self.text.len() {
            self.origins.len()
        } else {
            self.origins.binary_search_by_key(&range.end, |origin| origin.folded as usize).ok()?
        };
        let mut start = self.origins.get(first)?.start as usize;
        let mut end = self.origins.get(after.checked_sub(1)?)?.end as usize;
        let earliest = first.checked_sub(1).and_then(|before| self.origins.get(before)).map_or(0, |origin| origin.end);
        let latest = self.origins.get(after).map_or(self.original.len(), |origin| origin.start as usize);
        let before = self.original.get(earliest as usize..start)?;
        start -= before.len() - before.trim_end_matches(is_mark).len();
        let behind = self.original.get(end..latest)?;
        end += behind.len() - behind.trim_start_matches(is_mark).len();
        self.original.get(start..end)
    }

    /// The original, cut where a byte of the folded text comes from.
    pub(super) fn split(&self, byte: usize) -> (&'a str, &'a str) {
        let at = if self.is_original() {
            byte
        } else if byte >= self.text.len() {
            self.origins.last().map_or(0, |origin| origin.end as usize)
        } else {
            let after = self.origins.partition_point(|origin| origin.folded as usize <= byte);
            after.checked_sub(1).and_then(|index| self.origins.get(index)).map_or(0, |origin| origin.start as usize)
        };
        self.original.split_at_checked(at).unwrap_or((self.original, ""))
    }
}

fn is_mark(character: char) -> bool {
    class(character) == Class::Mark
}

/// Stands for a gap while the text around it is folded. It is no character of any text (a Unicode noncharacter).
const GAP: char = '\u{fdd0}';

/// A text with parameters in the folded form, parameters kept. None: it is in this form already.
pub(super) fn fold_pattern(text: &str) -> Option<String> {
    let mut held = String::with_capacity(text.len());
    let mut names = Vec::new();
    let mut at = 0;
    for (gap, _) in super::pattern::gaps(text) {
        held.extend(text.get(at..gap.start).unwrap_or_default().chars().filter(|character| *character != GAP));
        held.push(GAP);
        at = gap.end;
        names.push(gap);
    }
    held.extend(text.get(at..).unwrap_or_default().chars().filter(|character| *character != GAP));
    let folded = fold(&held).text.into_owned();
    let mut names = names.into_iter();
    let mut with_names = String::with_capacity(text.len());
    for character in folded.chars() {
        match character {
            GAP => with_names.push_str(names.next().and_then(|gap| text.get(gap)).unwrap_or_default()),
            other => with_names.push(other),
        }
    }
    (with_names != text).then_some(with_names)
}
