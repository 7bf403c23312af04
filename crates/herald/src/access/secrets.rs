//! API secrets, and what a client of v1.2 gets for one: a token.

use super::{Access, Scopes, Subject, random, tokens};
use crate::{
    node::directory::Department,
    store::{NewSecret, SecretRow, Store, StoreError},
};
use herald_rules::{ids::DepartmentId, time::Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::{net::IpAddr, time::Duration};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Why no token was given.
#[derive(Debug)]
pub enum Refused {
    /// Key or secret is wrong; which of them is not said.
    Credentials,
    /// Key and secret are right, and the user is not one of the department's.
    User,
    /// Too many tries.
    Throttled(Duration),
    /// The store cannot be used.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Access {
    /// Makes an API secret and returns it with its id; it is shown this once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the department has a secret of that name.
    pub async fn add_secret(
        &self,
        store: &Store,
        department: &Department,
        name: String,
        now: Timestamp,
    ) -> Result<(Uuid, SecretString), StoreError> {
        let secret = self.new_secret(department.id, name, now);
        let answer = (secret.row.id, secret.text.clone());
        store.add_secret(department.row, secret.row).await?;
        Ok(answer)
    }

    /// A secret that is not stored yet.
    pub(crate) fn new_secret(&self, department: DepartmentId, name: String, now: Timestamp) -> FreshSecret {
        let text = random::text("hrs_");
        let id = Uuid::now_v7();
        let sealed = self.sealer.seal(Subject::Secret(department, id), text.as_bytes());
        FreshSecret { row: NewSecret { id, name, sealed, created_at: now }, text: text.into() }
    }

    /// Ends a secret and the tokens that were given for it; tells whether it was in force.
    ///
    /// # Errors
    /// When it cannot be written; then it still holds.
    pub async fn revoke_secret(
        &self,
        store: &Store,
        department: &Department,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let revoked = store.revoke_secret(department.row, id, now).await?;
        self.forget_sessions();
        Ok(revoked)
    }

    /// Opens the secrets that are in force, newest first. For comparing and for signing.
    ///
    /// # Errors
    /// When they cannot be read or opened.
    pub async fn secrets(
        &self,
        store: &Store,
        department: &Department,
    ) -> Result<Vec<(SecretRow, SecretString)>, StoreError> {
        let rows = store.secrets(department.row).await?;
        rows.into_iter()
            .filter(|row| row.revoked_at.is_none())
            .map(|row| {
                let opened = self.sealer.open_sealed(Subject::Secret(department.id, row.id), &row.sealed);
                let text = opened.map_err(|error| StoreError::Corrupt(format!("a secret does not open: {error}")))?;
                let text = String::from_utf8(text).map_err(|_| StoreError::Corrupt("a secret is no text".into()))?;
                Ok((row, text.into()))
            })
            .collect()
    }

    /// `token/get`: a token of three hours for key, secret and user. `department` is None where the key is unknown.
    ///
    /// # Errors
    /// [`Refused`] says why there is none.
    pub async fn exchange(
        &self,
        store: &Store,
        department: Option<&Department>,
        secret: &str,
        user: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<String, Refused> {
        if let Some(address) = address {
            self.throttle.address(address).map_err(Refused::Throttled)?;
        }
        let department = department.ok_or(Refused::Credentials)?;
        self.throttle.department(department.row).map_err(Refused::Throttled)?;
        let secrets = self.secrets(store, department).await?;
        // Every one is compared, so that the time does not tell which of them was nearly right.
        let mut right = None;
        for (row, known) in &secrets {
            if known.expose_secret().as_bytes().ct_eq(secret.as_bytes()).into() {
                right = Some(row.id);
            }
        }
        let secret = right.ok_or(Refused::Credentials)?;
        let user = user.trim().to_lowercase();
        if !store.has_user(department.row, user.clone()).await? {
            return Err(Refused::User);
        }
        let grant = tokens::Grant {
            name: None,
            user: Some(user),
            secret: Some(secret),
            scopes: Scopes::EVERYTHING,
            expires_at: Some(now + tokens::LIFE),
        };
        let (_, token) = self.issue(store, department.row, grant, now).await?;
        Ok(token)
    }
}

/// A secret made, sealed and not stored yet.
pub(crate) struct FreshSecret {
    /// What is stored.
    pub row: NewSecret,
    /// What is shown once.
    pub text: SecretString,
}
