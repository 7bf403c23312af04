//! The figures: their names, units and meanings in one list, and the samples that a run collects.

mod postgres;

pub(crate) use postgres::of_nodes;
use std::collections::HashMap;

/// What is measured.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Where it is measured, for the tables.
    pub(crate) conditions: &'static str,
    /// Decimals that are printed.
    pub(crate) decimals: usize,
    /// Whether it belongs to `results.json`.
    pub(crate) key: bool,
    /// What lies between what measures and what is measured.
    pub(crate) wire: &'static str,
}

/// Between the processes.
pub(crate) const WIRE: &str = "HTTP/1.1 JSON, loopback, separate processes";
const WITHIN: &str = "none: within the process, one thread";

const fn key(name: &'static str, unit: &'static str, decimals: usize, conditions: &'static str) -> Figure {
    Figure { name, unit, conditions, decimals, key: true, wire: WIRE }
}

const fn beside(name: &'static str, unit: &'static str, decimals: usize, conditions: &'static str) -> Figure {
    Figure { name, unit, conditions, decimals, key: false, wire: WIRE }
}

const fn within(
    name: &'static str,
    unit: &'static str,
    decimals: usize,
    key: bool,
    conditions: &'static str,
) -> Figure {
    Figure { name, unit, conditions, decimals, key, wire: WITHIN }
}

/// All of them, in the order of the tables.
pub(crate) fn figures() -> impl Iterator<Item = &'static Figure> {
    FIGURES.iter().chain(postgres::FIGURES.iter().flatten())
}

const FIGURES: &[Figure] = &[
    key(
        "accepted_per_s",
        "1/s",
        0,
        "64 connections, each sends when it has its answer; the lane is paused: only accept",
    ),
    beside("accept_p50_ms_at_full_load", "ms", 1, "the same run"),
    beside("accept_p99_ms_at_full_load", "ms", 1, "the same run"),
    beside("accept_cpu_s_per_1000", "s", 3, "the same run, Herald's process"),
    beside(
        "accept_p50_ms_at_half_load",
        "ms",
        1,
        "open loop at half of accepted_per_s over 256 connections; the lane is paused",
    ),
    beside("accept_p95_ms_at_half_load", "ms", 1, "the same run"),
    key("accept_p99_ms_at_half_load", "ms", 1, "the same run"),
    beside("accept_p999_ms_at_half_load", "ms", 1, "the same run"),
    key(
        "end_to_end_per_s",
        "1/s",
        0,
        "SMS, profile A: from the first request until every message is Delivered at the receiver; 2 statuses a message",
    ),
    beside("end_to_end_receipts_per_post", "", 1, "the same run"),
    beside("end_to_end_events_per_post", "", 1, "the same run; webhooks"),
    beside("end_to_end_accepted_per_s", "1/s", 0, "the same run; accepted with everything running, 64 connections"),
    beside("end_to_end_accept_p99_ms", "ms", 1, "the same run"),
    beside(
        "end_to_end_webhook_lag_p50_ms",
        "ms",
        1,
        "the same run; from a change of status to its arrival at the receiver",
    ),
    beside("end_to_end_webhook_lag_p99_ms", "ms", 1, "the same run"),
    key("cpu_s_per_1000", "s", 3, "the same run, Herald's process, user and kernel"),
    beside("cpu_s_per_1000_of_the_load", "s", 3, "the same run, on the same two cores"),
    beside("cpu_s_per_1000_of_the_provider", "s", 3, "the same run, on the same two cores"),
    beside("cpu_s_per_1000_of_the_receiver", "s", 3, "the same run, on the same two cores"),
    beside("end_to_end_per_s_profile_b", "1/s", 0, "SMS, profile B: one receipt a POST; 2 statuses a message"),
    beside("cpu_s_per_1000_profile_b", "s", 3, "the same run, Herald's process"),
    beside(
        "end_to_end_per_s_whatsapp",
        "1/s",
        0,
        "WhatsApp, profile A: until every message is Read; 3 statuses a message",
    ),
    beside("cpu_s_per_1000_whatsapp", "s", 3, "the same run, Herald's process"),
    key("rss_mib_empty", "MiB", 1, "started, department and channels made, nothing sent"),
    key(
        "rss_mib_1m_queued",
        "MiB",
        1,
        "right after the last of 1,000,000 was accepted over the API, in the process that took them",
    ),
    beside("rss_mib_1m_queued_peak", "MiB", 1, "the most there was until then"),
    beside("rss_mib_1m_queued_restarted", "MiB", 1, "started anew with the queue, ready, idle"),
    beside("accepted_per_s_filling_to_1m", "1/s", 0, "the whole way to 1,000,000"),
    key(
        "start_s_1m_queued",
        "s",
        3,
        "from the process's start to its first accepted message, after an orderly stop; files in the page cache",
    ),
    beside("start_s_1m_queued_ready", "s", 3, "the same, to the first 200 of /readyz"),
    beside("start_s_1m_queued_after_kill", "s", 3, "to the first accepted message after SIGKILL"),
    beside("start_s_empty", "s", 3, "the first start, with a new data folder, to the first 200 of /readyz"),
    key("throughput_ratio_1m_queued", "", 3, "the lowest of the three that follow, in each run"),
    beside(
        "throughput_ratio_1m_queued_accept",
        "",
        3,
        "accepted_per_s into the lane that holds 1,000,000, to the same into it empty",
    ),
    beside(
        "throughput_ratio_1m_queued_end_to_end",
        "",
        3,
        "end to end over one lane while another holds 1,000,000, to the same with nothing queued",
    ),
    beside(
        "throughput_ratio_1m_queued_drain",
        "",
        3,
        "a resumed lane that holds 1,000,000, to one that holds only what is measured",
    ),
    beside(
        "cpu_ratio_1m_queued_accept",
        "",
        3,
        "Herald's processor time a message, with 1,000,000 queued to empty; it hardly depends on what else runs",
    ),
    beside("cpu_ratio_1m_queued_end_to_end", "", 3, "the same from end to end"),
    within("match_us_among_10", "µs", 2, false, "the template of a text of 600 characters among 10: median of 20,000"),
    within("match_us_among_1k", "µs", 2, false, "the same among 1,000"),
    within("match_us_among_10k", "µs", 2, false, "the same among 10,000"),
    within("match_us_among_100k", "µs", 2, true, "the same among 100,000"),
    within("match_p99_us_among_100k", "µs", 2, false, "the same, the slowest hundredth"),
    within("match_ratio_100k_to_10", "", 2, true, "match_us_among_100k to match_us_among_10"),
    within(
        "match_us_normalised_among_100k",
        "µs",
        2,
        false,
        "the same texts with curly quotes and non-breaking spaces, among 100,000",
    ),
    within("match_us_of_no_template_among_100k", "µs", 2, false, "texts of the same words that are no template"),
    within("match_build_s_100k", "s", 3, true, "the index of 100,000 templates of 600 characters"),
    within("match_build_cpu_s_100k", "s", 2, false, "the same, processor time: less where others were at work"),
    within("match_index_mib_100k", "MiB", 1, false, "what it takes beside the templates"),
    within(
        "match_us_one_word_apart_10k",
        "µs",
        2,
        false,
        "worst case: 10,000 templates that are equal but for one word",
    ),
    within("match_us_few_words_10k", "µs", 2, false, "worst case: 10,000 of three frequent words and four gaps"),
    within("match_us_no_words_10k", "µs", 2, false, "worst case: 10,000 of gaps and signs, without a word"),
    within("near_miss_ms_among_10k", "ms", 3, true, "the nearest of 10,000 and the first difference, one letter wrong"),
    within("near_miss_ms_one_word_apart_10k", "ms", 3, false, "the same among 10,000 that are equal but for one word"),
];

/// What several runs gave.
#[derive(Debug, Default)]
pub(crate) struct Samples(HashMap<&'static str, Vec<f64>>);

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
    pub(crate) runs: usize,
}

impl Samples {
    /// Adds a sample of a figure of [`figures`], and tells it on stderr.
    pub(crate) fn add(&mut self, name: &'static str, value: f64) {
        let figure = figures().find(|figure| figure.name == name);
        debug_assert!(figure.is_some(), "{name} is no figure");
        let (unit, decimals) = figure.map_or(("", 3), |figure| (figure.unit, figure.decimals));
        eprintln!("  {name:<44} {value:>12.decimals$} {unit}");
        self.0.entry(name).or_default().push(value);
    }

    /// Adds a sample of a figure that is measured with one, two and three nodes.
    pub(crate) fn add_with(&mut self, nodes: usize, name: &'static str, value: f64) {
        self.add(of_nodes(name, nodes), value);
    }

    /// None: it was not measured.
    pub(crate) fn spread(&self, name: &str) -> Option<Spread> {
        let mut sorted = self.0.get(name)?.clone();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let median = if sorted.len() % 2 == 1 { upper } else { (upper + *sorted.get(sorted.len() / 2 - 1)?) / 2.0 };
        Some(Spread { min: first, median, max: last, runs: sorted.len() })
    }

    /// Shows what was measured.
    pub(crate) fn print(&self) {
        for (figure, spread) in self.all() {
            let decimals = figure.decimals;
            println!(
                "{:<44} {:>12.decimals$} {:>12.decimals$} {:>12.decimals$} {}",
                figure.name, spread.min, spread.median, spread.max, figure.unit
            );
        }
    }

    /// What was measured, in the order of [`figures`].
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static Figure, Spread)> {
        figures().filter_map(|figure| Some((figure, self.spread(figure.name)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_median_lies_in_the_middle() {
        let mut samples = Samples::default();
        assert_eq!(samples.spread("accepted_per_s"), None);
        for value in [5.0, 1.0, 4.0] {
            samples.add("accepted_per_s", value);
        }
        assert_eq!(samples.spread("accepted_per_s"), Some(Spread { min: 1.0, median: 4.0, max: 5.0, runs: 3 }));
        samples.add("accepted_per_s", 2.0);
        assert_eq!(samples.spread("accepted_per_s").map(|spread| spread.median), Some(3.0));
        assert_eq!(samples.all().count(), 1);
    }

    #[test]
    fn names_are_unique_and_the_keys_are_there() {
        assert_eq!(figures().map(|figure| figure.name).collect::<HashSet<_>>().len(), figures().count());
        let keys: Vec<_> = FIGURES.iter().filter(|figure| figure.key).map(|figure| figure.name).collect();
        let expected = [
            "accepted_per_s",
            "accept_p99_ms_at_half_load",
            "end_to_end_per_s",
            "cpu_s_per_1000",
            "rss_mib_empty",
            "rss_mib_1m_queued",
            "start_s_1m_queued",
            "throughput_ratio_1m_queued",
            "match_us_among_100k",
            "match_ratio_100k_to_10",
            "match_build_s_100k",
            "near_miss_ms_among_10k",
        ];
        assert_eq!(keys, expected);
    }
}
