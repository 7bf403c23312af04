//! What is told of a text that is no template: the one that it nearly is, and where the two part.

use super::{
    difference::{Difference, Rough},
    entry::Entry,
    fold::{Folded, fold},
    index::Index,
    lay::BUDGET,
    model::Template,
    rendering::parts,
    signature::Signature,
    walk::Walker,
};
use std::sync::Arc;

/// So many of those that share the most words are compared by their literals.
const CANDIDATES: usize = 32;
/// And twice so many of those, letter by letter.
const CLOSELY: usize = 4;
/// Of the two texts, this many characters are shown from the difference on.
const SHOWN: usize = 24;

/// A template that a text nearly is.
#[derive(Clone, Debug, PartialEq)]
pub struct NearMiss {
    /// Which.
    pub template: Arc<Template>,
    /// The first character of the text that is not as in the template, counted from 1; one more than there are, if the
    /// text ends too early.
    pub position: usize,
    /// What the template has from there on, at most 24 characters; nothing, if it ends.
    pub expected: String,
    /// What the text has from there on, at most 24 characters; nothing, if it ends.
    pub found: String,
}

impl NearMiss {
    /// In a sentence that a person can act on.
    pub fn sentence(&self) -> String {
        let quoted = |text: &str, end: &str| {
            if text.is_empty() { end.to_owned() } else { format!("\"{}\"", text.replace(['\n', '\r'], "⏎")) }
        };
        format!(
            "The nearest template is {} ({}). The first difference is at character {} of the text: the template has {}, the \
             text has {}.",
            self.template.name,
            self.template.language,
            self.position,
            quoted(&self.expected, "nothing more there"),
            quoted(&self.found, "nothing more there"),
        )
    }
}

impl Index {
    /// The template that a text which is none comes nearest to. None: it has nothing in common with any.
    pub fn nearest(&self, text: &str) -> Option<NearMiss> {
        let folded = fold(text);
        let mut own = Signature::EMPTY;
        own.add(&folded.text);
        let entries = &self.approved.entries;
        let mut ranked: Vec<(i32, u32)> = self
            .approved
            .signatures
            .iter()
            .zip(0..)
            .map(|(signature, index)| (-signature.nearness(&own), index))
            .collect();
        if ranked.len() > CANDIDATES {
            ranked.select_nth_unstable(CANDIDATES - 1);
            ranked.truncate(CANDIDATES);
        }
        ranked.sort_unstable();
        let mut walker = Walker::default();
        let near = ranked.iter().filter_map(|(_, index)| entries.get(*index as usize));
        let mut near: Vec<_> = near.map(|entry| Compared::new(entry, &folded.text, &mut walker)).collect();
        // Those that share the most words, and of the others those of which the most literals are there. (Only the words
        // tell of a template of one long literal with one wrong letter.)
        if let Some(others) = near.get_mut(CLOSELY..) {
            others.sort_by_key(|compared| -compared.rough.nearness());
        }
        near.truncate(2 * CLOSELY);
        let mut left = BUDGET;
        let mut best: Option<(&Compared<'_>, Difference)> = None;
        for compared in &near {
            let Some(found) = compared.rough.difference(&mut left) else { continue };
            if best.as_ref().is_none_or(|(_, best)| found.nearness() > best.nearness()) {
                best = Some((compared, found));
            }
        }
        let (compared, difference) = best?;
        (difference.common > 0).then(|| told(compared, difference, &folded))
    }
}

/// A template beside a text.
struct Compared<'a> {
    entry: &'a Entry,
    /// Where the body begins in the text.
    start: usize,
    rough: Rough<'a>,
}

impl<'a> Compared<'a> {
    /// The text against the body: all of it, or without what may stand around.
    fn new(entry: &'a Entry, text: &'a str, walker: &mut Walker) -> Self {
        let (texts, patterns) = entry.folded();
        let rough = |part: &'a str| Rough::new(&patterns.body, texts.body, part);
        let whole = Self { entry, start: 0, rough: rough(text) };
        let inner = parts(texts, patterns, &entry.template.buttons, text, walker);
        match text.get(inner.clone()) {
            Some(part) if part.len() < text.len() => {
                let inner = Self { entry, start: inner.start, rough: rough(part) };
                if inner.rough.nearness() > whole.rough.nearness() { inner } else { whole }
            }
            _ => whole,
        }
    }
}

fn told(compared: &Compared<'_>, difference: Difference, folded: &Folded<'_>) -> NearMiss {
    let (before, rest) = folded.split(compared.start + difference.at);
    NearMiss {
        template: Arc::clone(&compared.entry.template),
        position: before.chars().count() + 1,
        expected: difference.expected.chars().take(SHOWN).collect(),
        found: rest.chars().take(SHOWN).collect(),
    }
}
