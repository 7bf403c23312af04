//! Writing down what was measured: `results.json` holds the newest, `RESULTS.md` all there ever was.

use crate::{
    figures::{Samples, WIRE, figures},
    machine::Machine,
};
use anyhow::Context;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

/// Rows go above these lines.
const ROWS: &str = "<!-- rows: newest last, none is ever replaced -->";
const RUNS: &str = "<!-- runs: newest last, none is ever replaced -->";
const PROFILES: &str = "<!-- profiles: newest last, none is ever replaced -->";

/// A file that only needs rows.
fn empty() -> String {
    format!(
        "# Results\n\n## Figures\n\n| when (UTC) | commit | figure | min | median | max | unit | runs | wire | how |\n\
         |---|---|---|---:|---:|---:|---|---:|---|---|\n{ROWS}\n\n## Runs\n\n| when (UTC) | commit | machine | versions | \
         load before | settings |\n|---|---|---|---|---:|---|\n{RUNS}\n\n## Where the time goes\n\n{PROFILES}\n"
    )
}

/// Adds the rows of a run to `RESULTS.md`, and puts its keys into `results.json`.
pub(crate) fn write(folder: &Path, samples: &Samples, machine: &Machine, settings: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join("RESULTS.md");
    let before = if path.exists() { fs::read_to_string(&path)? } else { empty() };
    let after = with_rows(&before, samples, machine, settings).with_context(|| format!("{}", path.display()))?;
    fs::write(&path, after)?;

    let path = folder.join("results.json");
    let before: Map<String, Value> = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{} is no JSON object", path.display()))?,
        Err(_) => Map::new(),
    };
    fs::write(&path, serde_json::to_string_pretty(&results(before, samples))? + "\n")?;
    Ok(())
}

/// Adds what perf saw.
pub(crate) fn write_profile(folder: &Path, machine: &Machine, profile: &str) -> anyhow::Result<()> {
    let path = folder.join("RESULTS.md");
    let Machine { date, commit, .. } = machine;
    let part = format!("### {date}, {commit}\n\n{WIRE}. {}\n\n", profile.trim());
    fs::write(&path, above(&fs::read_to_string(&path)?, PROFILES, &part)?)?;
    Ok(())
}

fn with_rows(text: &str, samples: &Samples, machine: &Machine, settings: &str) -> anyhow::Result<String> {
    let mut rows = String::new();
    for (figure, spread) in samples.all() {
        let [min, median, max] =
            [spread.min, spread.median, spread.max].map(|value| format!("{value:.*}", figure.decimals));
        rows += &format!(
            "| {} | {} | `{}` | {min} | {median} | {max} | {} | {} | {} | {} |\n",
            machine.date, machine.commit, figure.name, figure.unit, spread.runs, figure.wire, figure.conditions
        );
    }
    let Machine { date, commit, herald, hardware, load } = machine;
    let run = format!("| {date} | {commit} | {hardware} | {herald} | {load:.2} | {settings} |\n");
    let text = above(text, ROWS, &rows)?;
    above(&text, RUNS, &run)
}

fn above(text: &str, mark: &str, rows: &str) -> anyhow::Result<String> {
    let (head, tail) = text.split_once(mark).with_context(|| format!("the line {mark} is missing"))?;
    Ok([head, rows, mark, tail].concat())
}

/// The keys, each with its spread; what was not measured stays.
fn results(mut before: Map<String, Value>, samples: &Samples) -> Map<String, Value> {
    for figure in figures().filter(|figure| figure.key) {
        if let Some(spread) = samples.spread(figure.name) {
            let round = |value: f64| (value * 1000.0).round() / 1000.0;
            let value = json!({
                "min": round(spread.min), "median": round(spread.median), "max": round(spread.max), "unit": figure.unit,
            });
            before.insert(figure.name.to_owned(), value);
        }
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_file_takes_rows() {
        for mark in [ROWS, RUNS, PROFILES] {
            assert_eq!(include_str!("../RESULTS.md").matches(mark).count(), 1, "{mark}");
            assert_eq!(empty().matches(mark).count(), 1, "{mark}");
        }
    }

    #[test]
    fn rows_are_added_and_none_is_lost() {
        let machine = Machine {
            date: "2026-11-22 12:00".into(),
            commit: "abc".into(),
            herald: "herald 0.1.0".into(),
            hardware: "2 x X".into(),
            load: 0.1,
        };
        let mut samples = Samples::default();
        samples.add("accepted_per_s", 20_000.4);
        let first = with_rows(&empty(), &samples, &machine, "").unwrap();
        let row = "| 2026-11-22 12:00 | abc | `accepted_per_s` | 20000 | 20000 | 20000 | 1/s | 1 | HTTP/1.1 JSON";
        assert_eq!(first.matches(row).count(), 1, "{first}");
        let second = with_rows(&first, &samples, &Machine { commit: "def".into(), ..machine.clone() }, "").unwrap();
        assert_eq!((second.matches("| abc |").count(), second.matches("| def |").count()), (2, 2));
        assert!(second.find("| abc |") < second.find("| def |"));
        assert!(with_rows("", &samples, &machine, "").is_err());

        let json = results(Map::new(), &samples);
        assert_eq!(
            Value::from(json.clone()),
            json!({"accepted_per_s": {"min": 20000.4, "median": 20000.4, "max": 20000.4, "unit": "1/s"}})
        );
        let mut other = Samples::default();
        other.add("rss_mib_empty", 20.0);
        assert_eq!(results(json, &other).len(), 2);
    }
}
