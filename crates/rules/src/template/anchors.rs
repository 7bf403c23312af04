//! From the keys of a text to the templates that it may be: each template stands under the rarest key that it is certain to
//! have, and where many share even that one, under a second.

use super::words::Keys;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// As many under one key are looked at one by one.
const FEW: usize = 16;

/// The keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = super::words::hash(bytes);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type Table<V> = HashMap<u64, V, BuildHasherDefault<AsIs>>;

/// Several templates under one key.
#[derive(Debug)]
enum Group {
    Few(Box<[u32]>),
    /// By a second key; those that have none come last.
    Many(Table<Box<[u32]>>, Box<[u32]>),
}

/// Above this the number under a key is that of a group, below it is the one template's: so a place in the table takes 16
/// bytes, and few of its lines are needed in the cache.
const GROUPS: u32 = 1 << 31;

/// What there is to find.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// Under pairs that are [`is_sampled`]: for long templates one of these is as rare as any, and a text has few to look
    /// up, each of which costs a line of memory that is not in the cache.
    sampled: Table<u32>,
    pairs: Table<u32>,
    /// Templates without a pair.
    singles: Table<u32>,
    groups: Vec<Group>,
    /// Templates without a word: they are nearly all gaps, and may be every text that has their signs.
    everywhere: Vec<(Signs, u32)>,
}

/// The ASCII characters of a text, a bit for each: what a template without words must find in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs(u128);

impl Signs {
    /// Adds those of a text.
    pub(super) fn add(&mut self, text: &str) {
        self.0 |= text.bytes().filter(u8::is_ascii).fold(0, |signs, byte| signs | 1 << byte);
    }

    /// Those of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn are_in(self, text: Self) -> bool {
        self.0 & !text.0 == 0
    }
}

/// One key in eight: of a text of 600 characters a dozen. These bits are used neither by the tables nor by [`Counts`].
fn is_sampled(key: u64) -> bool {
    (key >> 38) & 7 == 0
}

/// How often keys are among the templates, roughly: keys share counters, which makes some look more frequent than they
/// are. A quarter of the memory and a tenth of the time of an exact count.
struct Counts {
    counters: Vec<u16>,
    shift: u32,
}

impl Counts {
    fn new(keys: usize) -> Self {
        // At most 8 MiB.
        let size = (2 * keys).next_power_of_two().clamp(1 << 8, 1 << 22);
        Self { counters: vec![0; size], shift: u64::BITS - size.trailing_zeros() }
    }

    fn add(&mut self, key: u64) {
        if let Some(counter) = self.counters.get_mut((key >> self.shift) as usize) {
            *counter = counter.saturating_add(1);
        }
    }

    fn of(&self, key: u64) -> u16 {
        self.counters.get((key >> self.shift) as usize).copied().unwrap_or_default()
    }

    fn rarest(&self, keys: impl Iterator<Item = u64>) -> Option<(u16, u64)> {
        keys.map(|key| (self.of(key), key)).min_by_key(|(count, _)| *count)
    }
}

impl Anchors {
    /// Puts templates under their keys; `keys` fills in those of a template: pairs, and words. `signs` are its signs.
    pub(super) fn build(
        templates: usize,
        mut keys: impl FnMut(u32, &mut Vec<u64>, &mut Vec<u64>),
        signs: impl Fn(u32) -> Signs,
    ) -> Self {
        let (mut pairs, mut singles) = (Vec::new(), Vec::new());
        let count = u32::try_from(templates).unwrap_or(u32::MAX);
        let mut counts = Counts::new(templates.saturating_mul(64));
        for template in 0..count {
            keys(template, &mut pairs, &mut singles);
            pairs.iter().chain(&singles).for_each(|key| counts.add(*key));
        }
        let mut by_sampled: Vec<(u64, u32)> = Vec::with_capacity(templates);
        let (mut by_pair, mut by_single) = (Vec::new(), Vec::new());
        let mut everywhere = Vec::new();
        for template in 0..count {
            keys(template, &mut pairs, &mut singles);
            let all = || pairs.iter().copied();
            let sampled = counts.rarest(all().filter(|key| is_sampled(*key)));
            match (counts.rarest(all()), sampled, counts.rarest(singles.iter().copied())) {
                // Up to four under one key are as quick as one.
                (Some((least, _)), Some((count, key)), _) if count <= least.max(4) => by_sampled.push((key, template)),
                (Some((_, key)), _, _) => by_pair.push((key, template)),
                (None, _, Some((_, key))) => by_single.push((key, template)),
                (None, _, None) => everywhere.push((signs(template), template)),
            }
        }
        let mut second = |templates: &[u32], first: u64| {
            let mut counts = Counts::new(templates.len().saturating_mul(64));
            for template in templates {
                keys(*template, &mut pairs, &mut singles);
                pairs.iter().chain(&singles).for_each(|key| counts.add(*key));
            }
            let mut by_second = Vec::new();
            let mut rest = Vec::new();
            for template in templates {
                keys(*template, &mut pairs, &mut singles);
                pairs.append(&mut singles);
                pairs.retain(|key| *key != first);
                match counts.rarest(pairs.iter().copied()) {
                    Some((_, key)) => by_second.push((key, *template)),
                    None => rest.push(*template),
                }
            }
            let table = grouped(by_second).into_iter().map(|(key, templates)| (key, templates.into())).collect();
            Group::Many(table, rest.into())
        };
        let mut groups = Vec::new();
        let mut table = |by_key| {
            let place = |(key, templates): (u64, Vec<u32>)| {
                let group = match templates.as_slice() {
                    [only] => return (key, *only),
                    templates if templates.len() <= FEW => Group::Few(templates.into()),
                    templates => second(templates, key),
                };
                groups.push(group);
                (key, GROUPS + (groups.len() - 1) as u32)
            };
            grouped(by_key).into_iter().map(place).collect()
        };
        let (sampled, pairs, singles) = (table(by_sampled), table(by_pair), table(by_single));
        Self { sampled, pairs, singles, groups, everywhere }
    }

    /// The templates that a text with these keys may be, in order, each once.
    pub(super) fn candidates(&self, text: &str, folded: &str, keys: &Keys) -> Vec<u32> {
        let mut found = Vec::with_capacity(16);
        let mut many = Vec::new();
        self.look_up(&self.sampled, keys.some_pairs(is_sampled).into_iter(), &mut found, &mut many);
        self.look_up(&self.pairs, keys.pairs(), &mut found, &mut many);
        self.look_up(&self.singles, keys.singles(), &mut found, &mut many);
        if !many.is_empty() {
            // Each key once: a text that repeats two frequent words must not cost their number squared.
            many.sort_unstable_by_key(|(key, _)| *key);
            many.dedup_by_key(|(key, _)| *key);
            let mut keys: Vec<u64> = keys.pairs().chain(keys.singles()).collect();
            keys.sort_unstable();
            keys.dedup();
            for (_, group) in many {
                let Group::Many(table, rest) = group else { continue };
                found.extend_from_slice(rest);
                keys.iter().filter_map(|key| table.get(key)).for_each(|few| found.extend_from_slice(few));
            }
        }
        if !self.everywhere.is_empty() {
            let mut own = Signs::default();
            // A letter that an accent follows is another one when folded, and a curly quote is no sign before.
            own.add(text);
            own.add(folded);
            found.extend(self.everywhere.iter().filter(|(signs, _)| signs.are_in(own)).map(|(_, template)| *template));
        }
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    fn look_up<'a>(
        &'a self,
        table: &Table<u32>,
        keys: impl Iterator<Item = u64>,
        found: &mut Vec<u32>,
        many: &mut Vec<(u64, &'a Group)>,
    ) {
        if table.is_empty() {
            return;
        }
        for key in keys {
            match table.get(&key) {
                None => {}
                Some(only) if *only < GROUPS => found.push(*only),
                Some(place) => match self.groups.get((place - GROUPS) as usize) {
                    Some(Group::Few(few)) => found.extend_from_slice(few),
                    Some(group @ Group::Many(..)) => many.push((key, group)),
                    None => {}
                },
            }
        }
    }
}

/// Brings together what has the same key.
fn grouped(mut by_key: Vec<(u64, u32)>) -> Vec<(u64, Vec<u32>)> {
    by_key.sort_unstable();
    by_key
        .chunk_by(|(first, _), (second, _)| first == second)
        .filter_map(|group| Some((group.first()?.0, group.iter().map(|(_, template)| *template).collect())))
        .collect()
}
