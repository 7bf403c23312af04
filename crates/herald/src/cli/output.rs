//! What commands print: data on stdout, talk on stderr.

use super::Failure;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Where a command's answer goes, in the form that was asked for.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether `--json` was given.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// The answer: `value` as JSON, or what `text` makes of it for a person.
    pub(super) fn answer<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> io::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { text(value) };
        self.raw(text.trim_end())
    }

    /// The answer as it stands, JSON or not: a file, a script.
    pub(super) fn raw(&self, text: &str) -> io::Result<()> {
        match writeln!(io::stdout().lock(), "{text}") {
            // The reader (`head`) has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// One line of an answer that goes on: `value` as JSON on one line, or what `text` makes of it.
    pub(super) fn line<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> io::Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { text(value) };
        self.raw(&text)
    }

    /// Talk: progress, hints. Never part of the answer, and left out where nothing but data is wanted.
    pub(super) fn talk(&self, text: &str) {
        if !self.json {
            // Talk that cannot be printed is lost; there is nobody to tell.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Why the command ends badly. In JSON too it goes to stderr, so that stdout holds answers only.
    pub(super) fn failure(&self, failure: &Failure) {
        let mut stderr = io::stderr().lock();
        let _ = if self.json {
            let error = serde_json::json!({"error": {"code": failure.code, "message": failure.sentence, "wayOut": failure.way_out}});
            writeln!(stderr, "{error}")
        } else {
            writeln!(stderr, "{} {failure}", paint(stderr.is_terminal(), Colour::Red, "error:"))
        };
    }
}

/// A table without lines, so that columns can be cut out and lines be searched. As wide as it must be.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// The colours in use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Colour {
    /// Bad.
    Red,
    /// Good.
    Green,
    /// Take care.
    Yellow,
    /// Beside the point.
    Grey,
}

/// `text` in a colour, if `terminal` and the user has not asked for none (no-color.org).
pub(super) fn paint(terminal: bool, colour: Colour, text: &str) -> String {
    if !terminal || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Red => 31,
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Grey => 90,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}
