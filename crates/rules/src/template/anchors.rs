//! From the keys of a text to the templates that it may be: each template stands under the rarest key that it is certain to
//! have, and where many share even that one, under a second.

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

#[derive(Debug)]
enum Group {
    One(u32),
    Few(Box<[u32]>),
    /// By a second key; those that have none come last.
    Many(Table<Box<[u32]>>, Box<[u32]>),
}

/// What there is to find.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    pairs: Table<Group>,
    /// Templates without a pair.
    singles: Table<Group>,
    /// Templates without a word: they are nearly all gaps, and may be every text.
    everywhere: Vec<u32>,
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

    fn rarest(&self, keys: &[u64]) -> Option<u64> {
        keys.iter().copied().min_by_key(|key| self.of(*key))
    }
}

impl Anchors {
    /// Puts templates under their keys; `keys` fills in those of a template: pairs, and words.
    pub(super) fn build(templates: usize, mut keys: impl FnMut(u32, &mut Vec<u64>, &mut Vec<u64>)) -> Self {
        let (mut pairs, mut singles) = (Vec::new(), Vec::new());
        let count = u32::try_from(templates).unwrap_or(u32::MAX);
        let mut counts = Counts::new(templates.saturating_mul(64));
        for template in 0..count {
            keys(template, &mut pairs, &mut singles);
            pairs.iter().chain(&singles).for_each(|key| counts.add(*key));
        }
        let mut by_pair: Vec<(u64, u32)> = Vec::with_capacity(templates);
        let mut by_single = Vec::new();
        let mut everywhere = Vec::new();
        for template in 0..count {
            keys(template, &mut pairs, &mut singles);
            match (counts.rarest(&pairs), counts.rarest(&singles)) {
                (Some(key), _) => by_pair.push((key, template)),
                (None, Some(key)) => by_single.push((key, template)),
                (None, None) => everywhere.push(template),
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
                match counts.rarest(&pairs) {
                    Some(key) => by_second.push((key, *template)),
                    None => rest.push(*template),
                }
            }
            let table = grouped(by_second).into_iter().map(|(key, templates)| (key, templates.into())).collect();
            Group::Many(table, rest.into())
        };
        let mut table = |by_key| {
            let group = |(key, templates): (u64, Vec<u32>)| match templates.as_slice() {
                [only] => (key, Group::One(*only)),
                templates if templates.len() <= FEW => (key, Group::Few(templates.into())),
                templates => (key, second(templates, key)),
            };
            grouped(by_key).into_iter().map(group).collect()
        };
        Self { pairs: table(by_pair), singles: table(by_single), everywhere }
    }

    /// The templates that a text with these keys may be, in order, each once.
    pub(super) fn candidates(&self, keys: &super::words::Keys) -> Vec<u32> {
        let mut found = self.everywhere.clone();
        let mut many: Vec<(u64, &Group)> = Vec::new();
        let (pairs, singles) = keys.keys.split_at(keys.pairs.min(keys.keys.len()));
        for (table, some) in [(&self.pairs, pairs), (&self.singles, singles)] {
            if table.is_empty() {
                continue;
            }
            for key in some {
                match table.get(key) {
                    None => {}
                    Some(Group::One(only)) => found.push(*only),
                    Some(Group::Few(few)) => found.extend_from_slice(few),
                    Some(group @ Group::Many(..)) => many.push((*key, group)),
                }
            }
        }
        if !many.is_empty() {
            // Each key once: a text that repeats two frequent words must not cost their number squared.
            many.sort_unstable_by_key(|(key, _)| *key);
            many.dedup_by_key(|(key, _)| *key);
            let mut keys = keys.keys.clone();
            keys.sort_unstable();
            keys.dedup();
            for (_, group) in many {
                let Group::Many(table, rest) = group else { continue };
                found.extend_from_slice(rest);
                keys.iter().filter_map(|key| table.get(key)).for_each(|few| found.extend_from_slice(few));
            }
        }
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
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
