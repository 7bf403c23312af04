//! The measurements.

use super::corpus::{self, Numbers, distinct, few_words, no_words, one_word_apart, prose, vocabulary};
use crate::{figures::Samples, process::own_processor_time};
use anyhow::ensure;
use herald_rules::template::{Found, Index, Template};
use std::{fs, hint::black_box, sync::Arc, time::Instant};

/// Different texts, so that no branch or line of memory is remembered from the one before.
const TEXTS: usize = 2_000;
/// Measured matches.
const ROUNDS: usize = 10;
/// Measured near misses.
const MISSES: usize = 500;

/// Everything once, with a part of the templates.
pub(super) fn measure(part: usize, seed: u64, samples: &mut Samples) -> anyhow::Result<()> {
    let mut numbers = Numbers(seed);
    let words = vocabulary(&mut numbers, 5_000);
    let all = distinct(&mut numbers, &words, 100_000 / part);
    let mut few = f64::NAN;
    for (name, count) in [
        ("match_us_among_10", 10),
        ("match_us_among_1k", 1_000 / part),
        ("match_us_among_10k", 10_000 / part),
        ("match_us_among_100k", 100_000 / part),
    ] {
        let some: Vec<_> = all.iter().take(count).cloned().collect();
        let before = resident();
        let (began, processor) = (Instant::now(), own_processor_time()?);
        let index = Index::build(some.clone(), Some("en_US"));
        if count == all.len() {
            samples.add("match_build_s_100k", began.elapsed().as_secs_f64());
            samples.add("match_build_cpu_s_100k", (own_processor_time()? - processor).as_secs_f64());
            // Later runs get memory that earlier ones gave back, so that less is added.
            if seed == 1 {
                samples.add("match_index_mib_100k", resident() - before);
            }
        }
        let texts: Vec<_> = (0..TEXTS).map(|_| corpus::text(&mut numbers, &some, &words)).collect();
        ensure!(texts.iter().all(|text| matches!(index.find(text), Found::Match(_))), "a text is not found");
        let times = times(&index, &texts);
        let median = at(&times, 0.5);
        samples.add(name, median);
        if count == 10 {
            few = median;
        }
        if count == all.len() {
            samples.add("match_p99_us_among_100k", at(&times, 0.99));
            samples.add("match_ratio_100k_to_10", median / few);
            let curly: Vec<_> = texts.iter().map(|text| text.replace('\'', "’").replace("! ", "!\u{a0}")).collect();
            ensure!(
                curly.iter().all(|text| matches!(index.find(text), Found::Match(found) if found.normalised)),
                "curly"
            );
            samples.add("match_us_normalised_among_100k", at(&self::times(&index, &curly), 0.5));
            let other: Vec<_> = (0..TEXTS).map(|_| prose(&mut numbers, &words)).collect();
            samples.add("match_us_of_no_template_among_100k", at(&self::times(&index, &other), 0.5));
        }
        if name == "match_us_among_10k" {
            samples.add("near_miss_ms_among_10k", near_misses(&index, &texts, &mut numbers)? / 1_000.0);
        }
    }
    drop(all);
    worst(part, &words, &mut numbers, samples)
}

/// What makes matching hard.
fn worst(part: usize, words: &[String], numbers: &mut Numbers, samples: &mut Samples) -> anyhow::Result<()> {
    let count = 10_000 / part;
    let templates = one_word_apart(numbers, words, count);
    let index = Index::build(templates.clone(), None);
    let texts: Vec<_> = (0..TEXTS).map(|_| corpus::text(numbers, &templates, words)).collect();
    ensure!(texts.iter().all(|text| matches!(index.find(text), Found::Match(_))), "a text is not found");
    samples.add("match_us_one_word_apart_10k", at(&times(&index, &texts), 0.5));
    samples.add("near_miss_ms_one_word_apart_10k", near_misses(&index, &texts, numbers)? / 1_000.0);

    let (templates, frequent) = few_words(numbers, count);
    // Every word of the text is in many templates.
    let texts: Vec<_> = (0..TEXTS / 10).map(|_| prose(numbers, &frequent) + ".").collect();
    samples.add("match_us_few_words_10k", at(&times(&Index::build(templates, None), &texts), 0.5));

    let templates: Vec<Arc<Template>> = no_words(numbers, count);
    let texts: Vec<_> = (0..TEXTS / 10).map(|_| prose(numbers, words) + ": x / y - z (w) = 1.").collect();
    samples.add("match_us_no_words_10k", at(&times(&Index::build(templates, None), &texts), 0.5));
    Ok(())
}

/// Microseconds of each match, sorted.
fn times(index: &Index, texts: &[String]) -> Vec<f64> {
    let mut times = Vec::with_capacity(ROUNDS * texts.len());
    for _ in 0..ROUNDS {
        for text in texts {
            let began = Instant::now();
            black_box(index.find(black_box(text)));
            times.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    times.sort_by(f64::total_cmp);
    times
}

/// The median in microseconds, of texts with one wrong letter.
fn near_misses(index: &Index, texts: &[String], numbers: &mut Numbers) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for text in texts.iter().take(MISSES) {
        let place = 40 + numbers.below(200);
        let wrong: String = text.chars().enumerate().map(|(at, c)| if at == place { '%' } else { c }).collect();
        let began = Instant::now();
        let near = black_box(index.nearest(black_box(&wrong)));
        times.push(began.elapsed().as_secs_f64() * 1e6);
        ensure!(near.is_some(), "nothing is near");
    }
    times.sort_by(f64::total_cmp);
    Ok(at(&times, 0.5))
}

fn at(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// MiB of this process.
fn resident() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0);
    pages * rustix::param::page_size() as f64 / 1_048_576.0
}
