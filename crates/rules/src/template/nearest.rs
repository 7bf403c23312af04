//! What is told of a text that is no template: the one that it nearly is, and where the two part.

use super::{
    difference::{Difference, difference},
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

/// So many of those that share the most words are compared closely.
const CANDIDATES: usize = 32;
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
        let mut ranked: Vec<(i32, u32)> =
            entries.iter().zip(0..).map(|(entry, index)| (-entry.signature.nearness(&own), index)).collect();
        if ranked.len() > CANDIDATES {
            ranked.select_nth_unstable(CANDIDATES - 1);
            ranked.truncate(CANDIDATES);
        }
        ranked.sort_unstable();
        let mut walker = Walker::default();
        let mut left = BUDGET;
        let mut best: Option<(&Entry, Difference)> = None;
        for (_, index) in ranked {
            let Some(entry) = entries.get(index as usize) else { continue };
            let Some(found) = compare(entry, &folded, &mut walker, &mut left) else { continue };
            if best.as_ref().is_none_or(|(_, best)| found.nearness() > best.nearness()) {
                best = Some((entry, found));
            }
        }
        let (entry, difference) = best?;
        (difference.common > 0).then(|| told(entry, difference, &folded))
    }
}

/// The text against the body, with and without what may stand around it.
fn compare(entry: &Entry, folded: &Folded<'_>, walker: &mut Walker, left: &mut usize) -> Option<Difference> {
    let (texts, patterns) = entry.folded();
    let text = folded.text.as_ref();
    let inner = parts(texts, patterns, &entry.template.buttons, text, walker);
    let mut best: Option<Difference> = None;
    for part in [0..text.len(), inner.clone()] {
        let Some(body) = text.get(part.clone()) else { continue };
        let Some(mut found) = difference(&patterns.body, texts.body, body, left) else { continue };
        found.at += part.start;
        if best.as_ref().is_none_or(|best| found.nearness() > best.nearness()) {
            best = Some(found);
        }
        if inner == (0..text.len()) {
            break;
        }
    }
    best
}

fn told(entry: &Entry, difference: Difference, folded: &Folded<'_>) -> NearMiss {
    let (before, rest) = folded.split(difference.at);
    NearMiss {
        template: Arc::clone(&entry.template),
        position: before.chars().count() + 1,
        expected: difference.expected.chars().take(SHOWN).collect(),
        found: rest.chars().take(SHOWN).collect(),
    }
}
