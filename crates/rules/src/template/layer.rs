//! Templates among which the one that a text is comes out in the same time, however many there are.

use super::{
    anchors::{Anchors, AsIs},
    entry::{Entry, Rank},
    fold::Folded,
    index::{Found, Match},
    model::Template,
    signature::Signature,
    walk::Walker,
    words::{self, Keys},
};
use std::{
    cmp::Ordering,
    collections::{HashMap, hash_map::Entry as Slot},
    hash::BuildHasherDefault,
    sync::Arc,
};

/// Templates that are matched with each other.
#[derive(Debug)]
pub(super) struct Layer {
    /// What can have the most fixed characters first, among those the higher rank.
    pub(super) entries: Vec<Entry>,
    /// What each is compared by for near misses, as the entries stand.
    pub(super) signatures: Vec<Signature>,
    anchors: Anchors,
}

impl Layer {
    pub(super) fn build<'a>(templates: impl Iterator<Item = &'a Arc<Template>>, language: Option<&str>) -> Self {
        let mut entries: Vec<Entry> = Vec::with_capacity(templates.size_hint().1.unwrap_or(0));
        // The same body is often submitted again under another name: only the highest in rank can ever be found.
        let mut same: HashMap<u64, usize, BuildHasherDefault<AsIs>> = HashMap::default();
        for template in templates {
            let rank = Rank::of(template, language);
            match same.entry(words::hash(template.body.as_bytes())) {
                Slot::Occupied(slot) => {
                    if let Some(known) = entries.get_mut(*slot.get()).filter(|known| known.is_same(template)) {
                        known.meet(template, rank);
                        continue;
                    }
                }
                Slot::Vacant(slot) => {
                    slot.insert(entries.len());
                }
            }
            entries.extend(Entry::new(template, rank));
        }
        entries.shrink_to_fit();
        entries.sort_by(|a, b| b.most.cmp(&a.most).then(b.rank.cmp(&a.rank)));
        let keys = |entry: u32, pairs: &mut Vec<u64>, singles: &mut Vec<u64>| {
            if let Some(entry) = entries.get(entry as usize) {
                entry.keys(pairs, singles);
            }
        };
        let signs = |entry: u32| entries.get(entry as usize).map(Entry::signs).unwrap_or_default();
        let anchors = Anchors::build(entries.len(), keys, signs);
        let signatures = entries.iter().map(Entry::signature).collect();
        Self { entries, signatures, anchors }
    }

    /// The template that a text is: exactly if there is one, else in the folded form.
    pub(super) fn find(&self, text: &str, folded: &Folded<'_>, keys: &Keys) -> Found {
        let candidates = self.anchors.candidates(text, &folded.text, keys);
        let mut walker = Walker::default();
        match self.best(&candidates, text, None, &mut walker) {
            Found::None => self.best(&candidates, &folded.text, Some(folded), &mut walker),
            found => found,
        }
    }

    fn best(&self, candidates: &[u32], text: &str, folded: Option<&Folded<'_>>, walker: &mut Walker) -> Found {
        let mut best: Vec<(&Entry, Match)> = Vec::new();
        for candidate in candidates {
            let Some(entry) = self.entries.get(*candidate as usize) else { continue };
            if folded.is_some_and(Folded::is_original) && entry.is_folded() {
                // Both are as they were when they did not fit.
                continue;
            }
            let leader = best.first().map(|(entry, found)| (found.literal_characters, entry.rank));
            // They come in the order of what they can reach at most.
            if leader.is_some_and(|(characters, _)| (entry.most as usize) < characters) {
                break;
            }
            let Some(fit) = entry.fit(text, folded.is_some(), walker) else { continue };
            let place = leader.map(|leader| (fit.characters as usize, entry.rank).cmp(&leader));
            if place == Some(Ordering::Less) {
                continue;
            }
            let Some(values) = entry.values(&fit, text, folded) else { continue };
            if place == Some(Ordering::Greater) {
                best.clear();
            }
            let found = Match {
                template: Arc::clone(&entry.template),
                header: values.header,
                body: values.body,
                normalised: folded.is_some(),
                literal_characters: fit.characters as usize,
            };
            best.push((entry, found));
        }
        if best.len() > 1 || best.first().is_some_and(|(entry, _)| !entry.equals.is_empty()) {
            let all = best.iter().flat_map(|(entry, _)| std::iter::once(&entry.template).chain(&entry.equals));
            return Found::Tie(all.cloned().collect());
        }
        best.pop().map_or(Found::None, |(_, found)| Found::Match(found))
    }
}
