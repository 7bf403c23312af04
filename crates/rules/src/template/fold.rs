//! The form in which texts are compared when they are not equal as they stand: one kind of blank, quote, dash and line
//! end, no invisible marks, Unicode composed; with the way back, so that values are taken from the text as it was given.

use super::blocks::blocks;
use std::{borrow::Cow, ops::Range};
use unicode_normalization::{IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick};

/// A text in that form.
#[derive(Debug)]
pub(super) struct Folded<'a> {
    pub(super) text: Cow<'a, str>,
    original: &'a str,
    /// Where its parts come from; empty where the text was in this form already.
    origins: Vec<Origin>,
}

/// A part that was copied, or one character that was changed.
#[derive(Clone, Copy, Debug)]
struct Origin {
    /// Where the part begins in the folded text.
    folded: u32,
    start: u32,
    end: u32,
    copied: bool,
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
pub(super) fn combines(character: char) -> bool {
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
    let ends = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\n'));
    if let Some(blocks) = blocks(text) {
        let (mut blank, mut newline, mut wrong) = (0, 0, 0);
        for block in blocks {
            // A blank or a line end before each byte.
            let (after_blank, after_newline) = (block.blanks << 1 | blank, block.newlines << 1 | newline);
            wrong |= block.others | after_blank & (block.blanks | block.newlines) | after_newline & block.blanks;
            (blank, newline) = (block.blanks >> 63, block.newlines >> 63);
        }
        return wrong == 0 && !ends(text.as_bytes().first()) && !ends(text.as_bytes().last());
    }
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
    let mut out = Out { text: String::with_capacity(text.len() + 16), origins: Vec::with_capacity(32) };
    // The blank and the line ends that were met and are written when something visible follows.
    let mut blank: Option<Range<usize>> = None;
    let mut newlines: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let start = at;
        at += character.len_utf8();
        let class = class(character);
        match class {
            Class::Mark => continue,
            Class::Blank => {
                blank = Some(blank.map_or(start, |blank| blank.start)..at);
                continue;
            }
            Class::Newline => {
                blank = None;
                if character == '\r' && text.as_bytes().get(at) == Some(&b'\n') {
                    at += 1;
                }
                newlines.push(start..at);
                continue;
            }
            Class::Plain | Class::Replaced(_) | Class::Other => {}
        }
        // Nothing of both at the beginning, and no blank at the beginning of a line.
        if !out.text.is_empty() {
            if let Some(blank) = blank.take().filter(|_| newlines.is_empty()) {
                out.add(text, " ", blank);
            }
            newlines.drain(..).for_each(|newline| out.add(text, "\n", newline));
        }
        newlines.clear();
        blank = None;
        let run = run(text, start);
        if run > start {
            at = run;
            out.copy(text, start..run);
            continue;
        }
        let single = at;
        while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()).filter(|next| combines(*next)) {
            at += next.len_utf8();
        }
        match class {
            Class::Replaced(with) if at == single => out.add(text, with, start..at),
            _ if at == single && is_settled(character) => out.copy(text, start..at),
            _ => {
                let composed: String = text.get(start..at).unwrap_or_default().nfc().collect();
                out.add(text, &composed, start..at);
            }
        }
    }
    Folded { text: Cow::Owned(out.text), original: text, origins: out.origins }
}

/// How far a text is plain ASCII from a place on, with single blanks between, and surely not changed by what follows.
fn run(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let visible = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_graphic);
    let mut end = start;
    while visible(end) || end > start && bytes.get(end) == Some(&b' ') && visible(end + 1) && visible(end - 1) {
        end += 1;
    }
    // The last one before another script may become one with what follows.
    if bytes.get(end).is_some_and(|byte| !byte.is_ascii()) && end > start {
        end -= 1;
        end -= usize::from(end > start && !visible(end - 1));
    }
    end
}

struct Out {
    text: String,
    origins: Vec<Origin>,
}

impl Out {
    /// A range of the original, unchanged.
    fn copy(&mut self, text: &str, from: Range<usize>) {
        let (start, end) = (from.start as u32, from.end as u32);
        match self.origins.last_mut() {
            Some(last) if last.copied && last.end == start => last.end = end,
            _ => self.origins.push(Origin { folded: self.text.len() as u32, start, end, copied: true }),
        }
        self.text.push_str(text.get(from).unwrap_or_default());
    }

    /// Something else for a range of the original.
    fn add(&mut self, text: &str, with: &str, from: Range<usize>) {
        if text.get(from.clone()) == Some(with) {
            return self.copy(text, from);
        }
        let folded = self.text.len() as u32;
        self.origins.push(Origin { folded, start: from.start as u32, end: from.end as u32, copied: false });
        self.text.push_str(with);
    }
}

impl<'a> Folded<'a> {
    /// The text was in this form already.
    pub(super) fn is_original(&self) -> bool {
        self.origins.is_empty() && self.text.len() == self.original.len()
    }

    /// The part that holds a byte of the folded text.
    fn origin(&self, byte: usize) -> Option<&Origin> {
        let after = self.origins.partition_point(|origin| origin.folded as usize <= byte);
        self.origins.get(after.checked_sub(1)?)
    }

    /// Where in the original a byte of the folded text begins. None: within what was one character.
    fn start(&self, byte: usize) -> Option<usize> {
        let origin = self.origin(byte)?;
        let within = byte - origin.folded as usize;
        (origin.copied || within == 0).then_some(origin.start as usize + within)
    }

    /// Where in the original ends what comes before a byte of the folded text. None: within what was one character, or
    /// nothing comes before.
    fn end(&self, byte: usize) -> Option<usize> {
        let origin = self.origin(byte.checked_sub(1)?)?;
        if origin.copied {
            return Some(origin.start as usize + byte - origin.folded as usize);
        }
        let whole = byte == self.text.len() || self.origin(byte)?.folded as usize == byte;
        whole.then_some(origin.end as usize)
    }

    /// The part of the original that a range of the folded text stands for, with the marks at its ends. None: the range
    /// is empty, or begins or ends within what was one character.
    pub(super) fn original(&self, range: Range<usize>) -> Option<&'a str> {
        if self.is_original() {
            return self.original.get(range);
        }
        if range.is_empty() {
            return None;
        }
        let (mut start, mut end) = (self.start(range.start)?, self.end(range.end)?);
        let before = self.original.get(self.end(range.start).unwrap_or(0)..start)?;
        let latest = if range.end == self.text.len() { self.original.len() } else { self.start(range.end)? };
        let behind = self.original.get(end..latest)?;
        start -= before.len() - before.trim_end_matches(is_mark).len();
        end += behind.len() - behind.trim_start_matches(is_mark).len();
        self.original.get(start..end)
    }

    /// The original, cut where a byte of the folded text comes from.
    pub(super) fn split(&self, byte: usize) -> (&'a str, &'a str) {
        let at = if self.is_original() {
            byte
        } else if byte >= self.text.len() {
            self.end(self.text.len()).unwrap_or(0)
        } else {
            self.start(byte).or_else(|| self.origin(byte).map(|origin| origin.start as usize)).unwrap_or(0)
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
    // The names of parameters are visible ASCII, as little changed as the gap would be.
    if is_folded(text) {
        return None;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_come_from_the_text_as_it_was_given() {
        // Text, folded, and for parts of the folded text what they stand for.
        let text = " \u{200f}Hi  e\u{301}lan\u{200e}, it’s…\r\n ok ";
        let folded = fold(text);
        assert_eq!(folded.text, "Hi élan, it's...\nok");
        let part = |part: &str| folded.original(folded.text.find(part).map(|at| at..at + part.len()).unwrap());
        assert_eq!(part("Hi"), Some("\u{200f}Hi"));
        assert_eq!(part("é"), Some("e\u{301}"));
        assert_eq!(part("élan"), Some("e\u{301}lan\u{200e}"));
        assert_eq!(part("it's"), Some("it’s"));
        assert_eq!(part("..."), Some("…"));
        let dots = folded.text.find("...").unwrap();
        assert_eq!((part(".\n"), folded.original(dots..dots + 1), folded.original(3..3)), (None, None, None));
        assert_eq!(part("ok"), Some("ok"));
        assert_eq!(folded.split(folded.text.find("it").unwrap()).1, "it’s…\r\n ok ");
        assert_eq!(folded.split(folded.text.len()).1, " ");
        assert!(fold("Hi Dana, שלום 🎉\nok").is_original());
        assert_eq!(fold_pattern("Hi {{1}}, it's {{2}}"), None);
        assert_eq!(fold_pattern("Hi\u{a0}{{1}} \n\u{2019}{{name}} "), Some("Hi {{1}}\n'{{name}}".to_owned()));
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in "[a-c \n\r\t\u{a0}\u{301}\u{200e}é…’か\u{3099}{}]{0,20}|\\PC{0,20}") {
            let once = fold(&text);
            let twice = fold(&once.text);
            // But for a mark between a letter and its accent, which stands between them only once.
            prop_assume!(!text.contains(is_mark));
            prop_assert_eq!(&twice.text, &once.text);
            prop_assert!(!is_folded(&text) || once.text == text);
        }

        #[test]
        fn every_part_of_the_folded_text_is_a_part_of_the_original(text in "[a-c \n\r\u{a0}\u{301}\u{200e}é…]{0,16}") {
            prop_assume!(!text.contains("\u{200e}\u{301}"));
            let folded = fold(&text);
            for (start, _) in folded.text.char_indices() {
                for end in start + 1..=folded.text.len() {
                    if let Some(part) = folded.text.get(start..end)
                        && let Some(original) = folded.original(start..end)
                    {
                        // Blanks at the ends of a part go when it is folded alone.
                        prop_assert_eq!(&fold(original).text, &fold(part).text);
                    }
                }
            }
        }
    }
}
