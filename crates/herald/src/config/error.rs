//! What is wrong with the settings, for a person to act on.

use super::show::is_secret;
use figment::error::{Actual, Kind};
use std::fmt;

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, thiserror::Error)]
pub struct ConfigError(pub Vec<Problem>);

/// One mistake: where, what, and how to get out of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file and line, the variable or the flag.
    pub place: String,
    /// What is wrong.
    pub sentence: String,
    /// What to do.
    pub way_out: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.place, self.sentence, self.way_out)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

pub(super) fn unknown_key(place: String, key: &str, known: &[String]) -> Problem {
    let below: Vec<_> = known.iter().filter(|name| name.starts_with(&format!("{key}."))).map(String::as_str).collect();
    if !below.is_empty() {
        return Problem {
            place,
            sentence: format!("{key} is a section, not a value."),
            way_out: format!("Its settings are {}.", below.join(", ")),
        };
    }
    let near = known
        .iter()
        .map(|name| (strsim::jaro_winkler(key, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        // Below this, the nearest name is no help: it is measured on words of this length that differ by a letter or two.
        .filter(|(likeness, _)| *likeness > 0.85);
    Problem {
        place,
        sentence: format!("There is no setting {key}."),
        way_out: near.map_or_else(
            || "`herald config default` prints all of them.".to_owned(),
            |(_, name)| format!("Was {name} meant? `herald config default` prints all of them."),
        ),
    }
}

pub(super) fn bad_value(place: String, key: &str, error: &figment::Error) -> Problem {
    let expected = |expected: &str| match expected {
        "u16" | "u32" | "u64" | "usize" | "i64" => "a whole number".to_owned(),
        "a nonzero u32" | "a nonzero usize" | "a nonzero u64" => "a whole number above 0".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "string" | "path string" => "a text in quotes".to_owned(),
        "a sequence" => "a list like [\"a\", \"b\"]".to_owned(),
        other => other.to_owned(),
    };
    let found = |found: &Actual| if is_secret(key) { "something else".to_owned() } else { readable(found) };
    let sentence = match &error.kind {
        Kind::InvalidType(actual, wanted) | Kind::InvalidValue(actual, wanted) => {
            format!("{key} must be {}, and is {}.", expected(wanted), found(actual))
        }
        Kind::UnknownVariant(variant, known) => {
            format!("{key} must be one of {}, and is \"{variant}\".", known.join(", "))
        }
        Kind::ISizeOutOfRange(number) => format!("{key} cannot be {number}."),
        Kind::USizeOutOfRange(number) => format!("{key} cannot be {number}."),
        Kind::Message(text) => format!("{key}: {}.", text.trim_end_matches('.')),
        other => format!("{key}: {other}."),
    };
    Problem { place, sentence, way_out: "`herald config default` says what it means.".to_owned() }
}

fn readable(actual: &Actual) -> String {
    match actual {
        Actual::Bool(truth) => truth.to_string(),
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Float(number) => number.to_string(),
        Actual::Str(text) => format!("\"{text}\""),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a section".to_owned(),
        other => other.to_string(),
    }
}
