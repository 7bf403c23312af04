//! A text as people give it for a template: its body, and around it, each if they like, the header's text before, the
//! footer behind, and the buttons as lines at the end.

use super::{
    fold::fold_pattern,
    model::{Button, ButtonKind, Header, Template},
    pattern::Pattern,
    walk::Walker,
};
use std::ops::Range;

/// The patterns of a template, in one form of its texts.
#[derive(Debug)]
pub(super) struct Patterns {
    pub(super) body: Pattern,
    pub(super) header: Option<Box<Pattern>>,
}

/// The texts of a template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'a> {
    pub(super) body: &'a str,
    pub(super) header: Option<&'a str>,
    pub(super) footer: Option<&'a str>,
}

/// The texts in their folded form, where that differs.
#[derive(Debug)]
pub(super) struct FoldedTexts {
    body: String,
    header: Option<String>,
    footer: Option<String>,
}

impl<'a> Texts<'a> {
    pub(super) fn of(template: &'a Template) -> Self {
        let header = match &template.header {
            Some(Header::Text(text)) if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        };
        let footer = template.footer.as_deref().map(str::trim).filter(|footer| !footer.is_empty());
        Self { body: &template.body, header, footer }
    }

    /// None: they are in the folded form already.
    pub(super) fn folded(&self) -> Option<FoldedTexts> {
        let body = fold_pattern(self.body);
        let header = self.header.and_then(fold_pattern);
        let footer = self.footer.and_then(fold_pattern);
        if body.is_none() && header.is_none() && footer.is_none() {
            return None;
        }
        Some(FoldedTexts {
            body: body.unwrap_or_else(|| self.body.to_owned()),
            header: header.or_else(|| self.header.map(str::to_owned)),
            footer: footer.or_else(|| self.footer.map(str::to_owned)),
        })
    }
}

impl FoldedTexts {
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts { body: &self.body, header: self.header.as_deref(), footer: self.footer.as_deref() }
    }
}

/// How a text is a template.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// Characters of it that stand fixed in the template: body, and header, footer and buttons where the text has them.
    pub(super) characters: u32,
    /// The value of the header's parameter.
    pub(super) header: Option<Range<usize>>,
    /// The values of the body's parameters.
    pub(super) body: Vec<Range<usize>>,
}

/// The most fixed characters that a text of this template can have.
pub(super) fn most_characters(texts: Texts<'_>, patterns: &Patterns, buttons: &[Button]) -> u32 {
    let header = patterns.header.as_ref().map_or(0, |header| header.characters);
    let footer = texts.footer.map_or(0, characters);
    let buttons: u32 = buttons.iter().map(|button| characters(&button.text) + link(button).map_or(0, characters)).sum();
    patterns.body.characters + header + footer + 2 * buttons
}

fn characters(text: &str) -> u32 {
    text.chars().count() as u32
}

const LINE_END: [char; 3] = ['\n', '\r', ' '];

/// Whether the text is the template, with as much of header, footer and buttons as it has.
pub(super) fn fit(
    texts: Texts<'_>,
    patterns: &Patterns,
    buttons: &[Button],
    text: &str,
    walker: &mut Walker,
) -> Option<Fit> {
    let head = texts
        .header
        .zip(patterns.header.as_deref())
        .and_then(|(source, pattern)| header(source, pattern, text, walker));
    // The fullest first: it has the most fixed characters.
    for (end, behind) in tails(texts, buttons, text) {
        for (start, before, value) in head.clone().into_iter().chain([(0, 0, None)]) {
            let Some(body) = text.get(start..end) else { continue };
            if walker.fits(&patterns.body, texts.body, body) {
                let shift = |value: &Range<usize>| start + value.start..start + value.end;
                return Some(Fit {
                    characters: patterns.body.characters + before + behind,
                    header: value,
                    body: walker.values.iter().map(shift).collect(),
                });
            }
        }
    }
    None
}

/// The part of a text that is the body, if header, footer and buttons stand around it as they should.
pub(super) fn parts(
    texts: Texts<'_>,
    patterns: &Patterns,
    buttons: &[Button],
    text: &str,
    walker: &mut Walker,
) -> Range<usize> {
    let head = texts.header.zip(patterns.header.as_deref());
    let start =
        head.and_then(|(source, pattern)| header(source, pattern, text, walker)).map_or(0, |(start, _, _)| start);
    let end = tails(texts, buttons, text).first().map_or(text.len(), |(end, _)| *end);
    start..end.max(start)
}

/// The header as the first line: where the body begins, its fixed characters, its value.
fn header(
    source: &str,
    pattern: &Pattern,
    text: &str,
    walker: &mut Walker,
) -> Option<(usize, u32, Option<Range<usize>>)> {
    let indent = text.len() - text.trim_start_matches(LINE_END).len();
    let end = indent + memchr::memchr(b'\n', text.as_bytes().get(indent..)?)?;
    let line = text.get(indent..end)?.trim_end();
    if !walker.fits(pattern, source, line) {
        return None;
    }
    let value = walker.values.first().map(|value| indent + value.start..indent + value.end);
    let rest = text.get(end..)?;
    let start = text.len() - rest.trim_start_matches(LINE_END).len();
    Some((start, pattern.characters, value))
}

/// Where the body may end, and the fixed characters behind it, from the most to none.
fn tails(texts: Texts<'_>, buttons: &[Button], text: &str) -> Vec<(usize, u32)> {
    let mut ends = vec![(text.len(), 0)];
    if texts.footer.is_none() && buttons.is_empty() {
        return ends;
    }
    // Title and link on lines of their own: two for each button.
    for _ in 0..2 * buttons.len() {
        let (end, behind) = ends.last().copied().unwrap_or_default();
        let rest = text.get(..end).unwrap_or_default().trim_end_matches(LINE_END);
        let Some((before, line)) = rest.rsplit_once('\n') else { break };
        let Some(fixed) = buttons.iter().find_map(|button| button_line(button, line)) else { break };
        ends.push((before.trim_end_matches(LINE_END).len(), behind + fixed));
    }
    let mut tails = Vec::with_capacity(2 * ends.len());
    for (end, behind) in ends.into_iter().rev() {
        let rest = text.get(..end).unwrap_or_default().trim_end_matches(LINE_END);
        if let Some(footer) = texts.footer
            && let Some(before) = rest.strip_suffix(footer)
            && before.trim_end_matches(' ').ends_with('\n')
        {
            tails.push((before.trim_end_matches(LINE_END).len(), behind + characters(footer)));
        }
        tails.push((end, behind));
    }
    tails
}

/// What people put before a button's title or around its link.
const DECORATION: [char; 14] = [' ', '\t', '\r', '[', ']', '(', ')', '<', '>', ':', '-', '*', '•', '→'];

/// The fixed characters of a line that stands for the button: its title, its link, or both.
fn button_line(button: &Button, line: &str) -> Option<u32> {
    let line = line.trim_matches(DECORATION);
    let title = button.text.trim();
    if !title.is_empty() {
        if line == title {
            return Some(characters(title));
        }
        let rest = line.strip_prefix(title).filter(|rest| rest.starts_with(DECORATION));
        if let Some(fixed) = rest.and_then(|rest| goal(button, rest.trim_start_matches(DECORATION))) {
            return Some(characters(title) + fixed);
        }
    }
    goal(button, line)
}

/// The same for its link or number alone.
fn goal(button: &Button, line: &str) -> Option<u32> {
    let fixed = link(button)?;
    let rest = line.strip_prefix(fixed)?;
    let variable = matches!(&button.kind, ButtonKind::Url { url } if url.len() > fixed.len());
    // A suffix that is a variable of ours may have blanks in its fallback.
    let suffix = rest.starts_with("${") || !rest.contains(char::is_whitespace);
    (rest.is_empty() != variable && suffix).then(|| characters(fixed))
}

/// What a button leads to, up to its parameter.
pub(super) fn link(button: &Button) -> Option<&str> {
    match &button.kind {
        ButtonKind::Url { url } => {
            let end = super::pattern::gaps(url).next().map_or(url.len(), |(gap, _)| gap.start);
            url.get(..end).filter(|fixed| !fixed.is_empty())
        }
        ButtonKind::PhoneNumber { phone_number } if !phone_number.is_empty() => Some(phone_number),
        _ => None,
    }
}
