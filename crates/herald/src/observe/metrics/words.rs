//! A counter whose label is a word that somebody else chose: the set of words that are told apart is bounded.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// Words told apart. Meta has some 40 fields.
const MOST: usize = 64;
/// Characters of a word that are shown.
const LONGEST: usize = 64;
/// All others.
const OTHER: &str = "other";

type Labels = Vec<(&'static str, String)>;

/// Counters by a word.
#[derive(Debug)]
pub struct Words {
    label: &'static str,
    counters: Family<Labels, Counter>,
    known: Mutex<HashSet<String>>,
}

impl Words {
    pub(super) fn register(registry: &mut Registry, name: &str, help: &str, label: &'static str) -> Self {
        let counters = Family::default();
        registry.register(name, help, counters.clone());
        Self { label, counters, known: Mutex::default() }
    }

    /// Counts what has this word.
    pub fn count(&self, word: &str, times: u64) {
        let word: String =
            word.chars().filter(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).take(LONGEST).collect();
        let known = {
            // A set of words: a panic elsewhere leaves it whole.
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains(&word) || (!word.is_empty() && known.len() < MOST && known.insert(word.clone()))
        };
        let word = if known { word } else { OTHER.to_owned() };
        self.counters.get_or_create(&vec![(self.label, word)]).inc_by(times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_of_words_is_bounded_and_harmless() {
        let mut registry = Registry::default();
        let words = Words::register(&mut registry, "ignored", "", "field");
        for number in 0..1_000 {
            words.count(&format!("field_{number}"), 1);
        }
        words.count("bad\"}\n name", 1);
        words.count("", 1);
        words.count("field_0", 1);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("ignored_total")).count(), MOST + 1);
        assert!(text.contains("{field=\"field_0\"} 2"), "{text}");
        assert!(text.contains("{field=\"other\"} 938"), "{text}");
    }
}
