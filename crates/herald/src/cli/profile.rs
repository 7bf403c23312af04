//! Profiles: names for the Heralds that a person works with, in a file of theirs.
//!
//! ```toml
//! [default]
//! url = "https://herald.example.com"
//! token = "..."
//! ```

use super::{Failure, Kind};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// One entry of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// Where this Herald is.
    pub(super) url: String,
    /// Whose token is used there.
    pub(super) token: Option<String>,
}

/// Where the file is.
pub(super) fn path() -> PathBuf {
    let folder = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".config");
    folder.unwrap_or_else(home).join("herald/profiles.toml")
}

/// A profile that the user named, so it must be there.
pub(super) fn read(path: &Path, name: &str) -> Result<Profile, Failure> {
    let all = all(path)?;
    let known = all.keys().cloned().collect::<Vec<_>>().join(", ");
    all.get(name).cloned().ok_or_else(|| {
        let there = if known.is_empty() { "There is none there.".to_owned() } else { format!("There: {known}.") };
        Failure::new(Kind::Usage, format!("There is no profile \"{name}\" in {}. {there}", path.display()), "")
    })
}

/// A profile that may be there.
pub(super) fn find(path: &Path, name: &str) -> Result<Option<Profile>, Failure> {
    Ok(all(path)?.remove(name))
}

fn all(path: &Path) -> Result<BTreeMap<String, Profile>, Failure> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        other => other.map_err(|error| Failure::new(Kind::Usage, format!("{}: {error}.", path.display()), ""))?,
    };
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        // Without the line's text, which may hold a token.
        let sentence = format!("{} cannot be understood: {}.", path.display(), error.message());
        Failure::new(Kind::Usage, sentence, "A profile is [name], url = \"...\" and token = \"...\".")
    })
}
