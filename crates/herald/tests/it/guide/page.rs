//! The fenced blocks of a page.

use super::{alike, shell::Outcome};

/// What is to be run, in order.
#[derive(Debug, Default)]
pub struct Page {
    pub runs: Vec<Run>,
}

/// A shell block.
#[derive(Debug, Default)]
pub struct Run {
    /// The line where it begins.
    pub line: usize,
    pub script: String,
    /// The block behind it, which shows what it prints.
    pub expected: Option<Expected>,
}

/// What a block should print.
#[derive(Debug)]
pub struct Expected {
    /// `json` or `text`.
    pub language: String,
    pub text: String,
    /// The lines between its fences, counted from 0.
    lines: std::ops::Range<usize>,
}

impl Page {
    /// A page on which nothing is shown that is not run.
    pub fn strict(text: &str) -> Self {
        Self::read(text, true)
    }

    /// A page with pictures, and commands for another moment, in blocks of other languages.
    pub fn lenient(text: &str) -> Self {
        Self::read(text, false)
    }

    fn read(text: &str, strict: bool) -> Self {
        let mut page = Self::default();
        let lines: Vec<_> = text.lines().collect();
        let mut at = 0;
        while at < lines.len() {
            let Some(language) = lines[at].strip_prefix("```") else {
                at += 1;
                continue;
            };
            let begin = at + 1;
            let length = lines[begin..].iter().position(|line| *line == "```");
            let end = begin + length.unwrap_or_else(|| panic!("line {begin}: the block does not end"));
            let block = lines[begin..end].join("\n");
            match (language, page.runs.last_mut()) {
                ("bash", _) => page.runs.push(Run { line: begin, script: block, expected: None }),
                ("json" | "text", Some(run)) if run.expected.is_none() => {
                    run.expected = Some(Expected { language: language.to_owned(), text: block, lines: begin..end });
                }
                _ => assert!(!strict, "line {begin}: a block that nobody runs: {language}"),
            }
            at = end + 1;
        }
        page
    }

    /// The page with what was printed.
    pub fn with(&self, text: &str, outcomes: &[Outcome]) -> String {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        // From the end, so that the numbers of lines hold.
        for (run, outcome) in self.runs.iter().zip(outcomes).rev() {
            if let Some(expected) = &run.expected {
                let shown = match expected.language.as_str() {
                    // What is still right stays as it is, so that only what has changed shows up in the history.
                    "json" if alike::json(&expected.text, &outcome.printed).is_ok() => continue,
                    "json" => alike::shown_json(&outcome.printed),
                    _ if alike::text(&expected.text, &outcome.printed).is_ok() => continue,
                    _ => outcome.printed.trim_end().to_owned(),
                };
                lines.splice(expected.lines.clone(), shown.lines().map(str::to_owned));
            }
        }
        lines.join("\n") + "\n"
    }
}
