//! `herald doctor`: looks at this host and says what would go wrong, before it does.

mod files;
mod ports;
mod system;

use super::{Failure, Global, Kind, Output, output};
use crate::config;
use clap::Args;
use serde::Serialize;
use std::io::IsTerminal;

/// Look for what is wrong, or soon will be, on this host
#[derive(Debug, Args)]
#[command(after_help = "Changes nothing but a small file that it writes into the data folder and removes again.

Examples:
  herald doctor                           look at the settings, files, ports, disk and clock
  herald doctor --config new.toml --json  the same before a restart, for a script

Exit code 1 if anything is marked \"fail\".")]
pub(super) struct Doctor {}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One line of the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    check: &'static str,
    state: State,
    sentence: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    way_out: String,
}

impl Finding {
    fn ok(check: &'static str, sentence: impl Into<String>) -> Self {
        Self { check, state: State::Ok, sentence: sentence.into(), way_out: String::new() }
    }
    fn warn(check: &'static str, sentence: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { check, state: State::Warn, sentence: sentence.into(), way_out: way_out.into() }
    }
    fn fail(check: &'static str, sentence: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { check, state: State::Fail, sentence: sentence.into(), way_out: way_out.into() }
    }
}

#[derive(Serialize)]
struct Answer {
    ok: bool,
    findings: Vec<Finding>,
}

impl Doctor {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        let findings = look(&global.sources([]));
        let answer = Answer { ok: findings.iter().all(|finding| finding.state != State::Fail), findings };
        output.answer(&answer, |answer| print(&answer.findings))?;
        if answer.ok { Ok(()) } else { Err(Failure::new(Kind::Failed, "Something on this host will not work.", "")) }
    }
}

fn look(sources: &config::Sources) -> Vec<Finding> {
    let loaded = match config::load(sources) {
        Ok(loaded) => loaded,
        Err(error) => {
            return error
                .0
                .into_iter()
                .map(|p| Finding::fail("settings", format!("{}: {}", p.place, p.sentence), p.way_out))
                .collect();
        }
    };
    let mut findings = vec![Finding::ok("settings", "The settings are right.")];
    findings.extend(loaded.warnings.into_iter().map(|warning| Finding::warn("settings", warning, "")));
    let config = loaded.config;
    findings.extend(files::look(&config));
    findings.extend(ports::look(&config));
    findings.extend(system::look(&config));
    findings
}

fn print(findings: &[Finding]) -> String {
    let terminal = std::io::stdout().is_terminal();
    let lines = findings.iter().map(|finding| {
        let mark = match finding.state {
            State::Ok => output::paint(terminal, output::Colour::Green, "ok  "),
            State::Warn => output::paint(terminal, output::Colour::Yellow, "warn"),
            State::Fail => output::paint(terminal, output::Colour::Red, "fail"),
        };
        let way_out =
            if finding.way_out.is_empty() { String::new() } else { format!("\n{:17}{}", "", finding.way_out) };
        format!("{mark} {:<11} {}{way_out}", finding.check, finding.sentence)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
