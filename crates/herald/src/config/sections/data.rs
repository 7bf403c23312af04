//! `[data]`: files on disk.

use crate::config::duration::optional;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use std::path::{Path, PathBuf};

/// Files on disk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The folder of the database, keys and address files.
    pub folder: PathBuf,
    /// Where the master key is, if not in the folder. Use [`Data::master_key_path`].
    #[serde(deserialize_with = "optional")]
    pub master_key_file: Option<String>,
    /// The master key itself, 64 hexadecimal digits; goes before the file.
    #[serde(deserialize_with = "secret")]
    pub master_key: Option<SecretString>,
}

impl Data {
    /// The file of the master key, made at first start unless [`Data::master_key`] is given.
    pub fn master_key_path(&self) -> PathBuf {
        self.master_key_file.as_ref().map_or_else(|| self.folder.join("master.key"), PathBuf::from)
    }

    /// The file of the token for the administration of the instance.
    pub fn admin_token_path(&self) -> PathBuf {
        admin_token_path(&self.folder)
    }
}

/// Where a data folder keeps its admin token; the command line reads it there.
pub fn admin_token_path(folder: &Path) -> PathBuf {
    folder.join("admin.token")
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let Some(text) = optional(deserializer)? else { return Ok(None) };
    // The value is not in the message: an error is printed.
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(serde::de::Error::custom(
            "the key must be 64 hexadecimal digits (`openssl rand -hex 32` makes one)",
        ));
    }
    Ok(Some(SecretString::from(text)))
}
