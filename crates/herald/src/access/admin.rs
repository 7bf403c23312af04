//! The token that administers the instance: made at first start, kept in a file for its owner, never printed.

use super::{
    keyfile::{self, KeyFileError},
    random,
    tokens::{self, TokenHash},
};
use std::path::Path;
use subtle::ConstantTimeEq;

/// Knows the admin token by its hash.
pub struct AdminToken {
    hash: TokenHash,
}

impl AdminToken {
    /// Reads the file, or makes it.
    ///
    /// # Errors
    /// When the file cannot be made or read, or holds less than a token.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let token = keyfile::read_or_make(path, || random::text("hra_"))?;
        // A token that somebody typed into the file must not be guessable.
        if token.len() < 32 {
            let expected = "a token of at least 32 characters (remove the file, and the next start makes one)";
            return Err(KeyFileError::Content { path: path.to_owned(), expected });
        }
        Ok(Self { hash: tokens::hash(&token) })
    }

    /// Whether this is the hash of the admin token; takes the same time for every wrong one.
    pub fn matches(&self, hash: &TokenHash) -> bool {
        self.hash.ct_eq(hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_token_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.token");
        AdminToken::open(&path).unwrap();
        let admin = AdminToken::open(&path).unwrap();
        let token = std::fs::read_to_string(&path).unwrap();
        assert!(admin.matches(&tokens::hash(token.trim())));
        assert!(!admin.matches(&tokens::hash("hra_other")));
        std::fs::write(&path, "short").unwrap();
        assert!(AdminToken::open(&path).is_err());
    }
}
