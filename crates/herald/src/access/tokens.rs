//! Bearer tokens: 256 random bits, stored as their SHA-256.

use super::{Access, Scope, Scopes, random};
use crate::store::{DepartmentRow, NewToken, Store, StoreError};
use herald_rules::time::Timestamp;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// SHA-256 of a token. A plain hash is enough: 256 random bits cannot be guessed, so nothing slow is needed.
pub type TokenHash = [u8; 32];

/// How long a token of v1.2 lives: 3 hours.
pub const LIFE: Duration = Duration::from_secs(10_800);

/// What a valid token stands for.
#[derive(Clone, Debug)]
pub struct Session {
    /// The token's id, for lists and revoking.
    pub id: Uuid,
    /// Whose.
    pub department: DepartmentRow,
    /// The API user it acts as.
    pub user: Option<Arc<str>>,
    /// What it may do.
    pub scopes: Scopes,
    /// None: until revoked.
    pub expires_at: Option<Timestamp>,
}

impl Session {
    /// Whether it has not expired.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contain(scope)
    }
}

/// The hash of a token as the client holds it.
pub fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

impl Access {
    /// Who holds this token; None where it is unknown, expired or revoked.
    ///
    /// # Errors
    /// When the token is not in memory and the store cannot be read.
    pub async fn session(
        &self,
        store: &Store,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Arc<Session>>, StoreError> {
        if let Some(session) = self.cache.get(&hash) {
            return Ok(Some(session).filter(|session| session.is_valid(now)));
        }
        let generation = self.cache.generation();
        let Some(session) = store.session(hash).await?.filter(|session| session.is_valid(now)) else {
            return Ok(None);
        };
        let session = Arc::new(session);
        self.cache.add(generation, hash, &session, now);
        Ok(Some(session))
    }

    /// Makes a token and returns it with its id; it is shown this once.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn issue(
        &self,
        store: &Store,
        department: DepartmentRow,
        grant: Grant,
        now: Timestamp,
    ) -> Result<(Uuid, String), StoreError> {
        let token = random::text("hrt_");
        let id = Uuid::now_v7();
        let Grant { name, user, secret, scopes, expires_at } = grant;
        let new =
            NewToken { hash: hash(&token), department, id, name, user, secret, scopes, created_at: now, expires_at };
        store.add_token(new).await?;
        Ok((id, token))
    }

    /// Ends a token at once; tells whether there was one.
    ///
    /// # Errors
    /// When it cannot be written; then it still holds.
    pub async fn revoke(
        &self,
        store: &Store,
        department: DepartmentRow,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let revoked = store.revoke_token(department, id, now).await?;
        self.cache.clear();
        Ok(revoked)
    }

    /// Removes an API user and ends the tokens that act as it; tells whether there was one.
    ///
    /// # Errors
    /// When it cannot be written; then nothing has changed.
    pub async fn remove_user(
        &self,
        store: &Store,
        department: DepartmentRow,
        email: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let removed = store.remove_user(department, email.trim().to_lowercase(), now).await?;
        self.forget_sessions();
        Ok(removed)
    }

    /// Forgets all tokens in memory: after some of them were revoked in the store.
    pub(super) fn forget_sessions(&self) {
        self.cache.clear();
    }
}

/// What a new token is for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// None for tokens of v1.2.
    pub name: Option<String>,
    /// The API user it acts as.
    pub user: Option<String>,
    /// The API secret it is given for, and with which it ends.
    pub secret: Option<Uuid>,
    /// What it may do.
    pub scopes: Scopes,
    /// None: until revoked.
    pub expires_at: Option<Timestamp>,
}
