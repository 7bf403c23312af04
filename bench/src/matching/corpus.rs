//! Templates and texts, made from a seed.

use herald_rules::template::{Category, Parameter, ParameterFormat, Template, TemplateStatus, render};
use std::sync::Arc;

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers everywhere.
#[derive(Debug)]
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }

    pub(super) fn one<'a>(&mut self, all: &'a [String]) -> &'a str {
        let place = self.below(all.len());
        all.get(place).map_or("", String::as_str)
    }
}

/// Words of two to four syllables.
pub(super) fn vocabulary(numbers: &mut Numbers, size: usize) -> Vec<String> {
    const SYLLABLES: [&str; 24] = [
        "ba", "cor", "de", "el", "fi", "gan", "ho", "in", "jo", "ka", "lem", "mi", "no", "or", "pe", "qui", "ra",
        "sto", "ti", "un", "ver", "wa", "ex", "za",
    ];
    let mut syllable = |_| SYLLABLES.get(numbers.below(SYLLABLES.len())).copied().unwrap_or_default();
    (0..size).map(|word| (0..2 + word % 3).map(&mut syllable).collect()).collect()
}

pub(super) fn template(id: usize, body: String) -> Arc<Template> {
    Arc::new(Template {
        id: (1_000_000_000 + id).to_string(),
        name: format!("template_{id}"),
        language: "en_US".to_owned(),
        status: TemplateStatus::Approved,
        category: Category::Utility,
        format: ParameterFormat::Positional,
        header: None,
        body,
        footer: None,
        buttons: Vec::new(),
        unsupported: Vec::new(),
    })
}

/// Words until there are so many characters.
fn words(numbers: &mut Numbers, vocabulary: &[String], characters: usize) -> String {
    let mut text = String::new();
    while text.len() < characters {
        if !text.is_empty() {
            text.push_str(if numbers.below(9) == 0 { ", " } else { " " });
        }
        text.push_str(numbers.one(vocabulary));
    }
    text
}

/// Bodies as businesses write them, that begin and end alike: 600 characters, four parameters.
pub(super) fn distinct(numbers: &mut Numbers, vocabulary: &[String], count: usize) -> Vec<Arc<Template>> {
    let body = |id| {
        let [first, second, third] = [0; 3].map(|_| words(numbers, vocabulary, 178));
        template(
            id,
            format!("Hi {{{{1}}}}, it's {first} {{{{2}}}}, {second} {{{{3}}}}! {third}. All the best, {{{{4}}}}!"),
        )
    };
    (0..count).map(body).collect()
}

/// The same, equal but for one word.
pub(super) fn one_word_apart(numbers: &mut Numbers, vocabulary: &[String], count: usize) -> Vec<Arc<Template>> {
    let [before, behind] = [0; 2].map(|_| words(numbers, vocabulary, 260));
    let body = |id| {
        template(
            id,
            format!("Hi {{{{1}}}}, {before} product{id:05} {{{{2}}}} {behind} {{{{3}}}}. All the best, {{{{4}}}}!"),
        )
    };
    (0..count).map(body).collect()
}

/// Nearly all gaps: three frequent words between four parameters.
pub(super) fn few_words(numbers: &mut Numbers, count: usize) -> (Vec<Arc<Template>>, Vec<String>) {
    let vocabulary = vocabulary(numbers, 100);
    let body = |id| {
        let [a, b, c] = [0; 3].map(|_| numbers.one(&vocabulary).to_owned());
        template(id, format!("{{{{1}}}} {a} {{{{2}}}} {b} {{{{3}}}} {c} {{{{4}}}}."))
    };
    ((0..count).map(body).collect(), vocabulary)
}

/// All gaps: not a word between the parameters, so that every text may be every one of them.
pub(super) fn no_words(numbers: &mut Numbers, count: usize) -> Vec<Arc<Template>> {
    const SIGNS: [&str; 12] = [", ", "; ", ": ", " - ", " / ", " + ", " = ", " # ", " & ", " * ", " (", ") "];
    let body = |id| {
        let mut sign = |_: usize| SIGNS.get(numbers.below(SIGNS.len())).copied().unwrap_or_default();
        let signs: Vec<_> = (0..5).map(&mut sign).collect();
        let gaps: Vec<_> = (1..=6).map(|gap| format!("{{{{{gap}}}}}")).collect();
        let body: String =
            gaps.iter().zip(signs.into_iter().chain(["."])).map(|(gap, sign)| gap.clone() + sign).collect();
        template(id, body)
    };
    (0..count).map(body).collect()
}

/// A text that is one of the templates.
pub(super) fn text(numbers: &mut Numbers, templates: &[Arc<Template>], vocabulary: &[String]) -> String {
    let place = numbers.below(templates.len());
    let Some(template) = templates.get(place) else { return String::new() };
    let values: Vec<_> = (0..6)
        .map(|_| {
            let text = match numbers.below(3) {
                0 => "${customer.name}".to_owned(),
                1 => format!("A-{}", numbers.below(100_000)),
                _ => format!("{} {}", numbers.one(vocabulary), numbers.one(vocabulary)),
            };
            Parameter { name: None, text }
        })
        .collect();
    render(template, None, &values)
}

/// A text of words that is no template of distinct ones.
pub(super) fn prose(numbers: &mut Numbers, vocabulary: &[String]) -> String {
    words(numbers, vocabulary, 595)
}
