//! How a command ends badly.

use crate::config::ConfigError;
use std::{fmt, process::ExitCode};

/// A sentence and a way out, with the kind of failure that decides the exit code.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What happened.
    pub sentence: String,
    /// What to do; may be empty where the sentence says it.
    pub way_out: String,
    /// A stable code for programs: Herald's own from its answer, or that of the kind.
    pub code: String,
    /// The HTTP status, where Herald answered.
    pub status: Option<u16>,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something went wrong here.
    Failed,
    /// The command or the settings are wrong.
    Usage,
    /// Herald could not be reached.
    Unreachable,
    /// Herald answered and refused.
    Refused,
}

impl Kind {
    fn code(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
        }
    }
}

impl From<Kind> for ExitCode {
    fn from(kind: Kind) -> Self {
        Self::from(match kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Unreachable => 3,
            Kind::Refused => 4,
        })
    }
}

impl Failure {
    /// With the code of its kind.
    pub fn new(kind: Kind, sentence: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), way_out: way_out.into(), code: kind.code().to_owned(), status: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        if self.way_out.is_empty() { Ok(()) } else { write!(f, "\n{}", self.way_out) }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { code: "bad_settings".to_owned(), ..Self::new(Kind::Usage, error.to_string(), "") }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Kind::Failed, format!("{error:#}."), "")
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Failed, format!("{error}."), "")
    }
}
