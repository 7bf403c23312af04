//! Secrets, users and tokens: each operation one statement.
//!
//! What ends something is told to the other nodes, whose sessions are in memory; what is added is not: it is read when it
//! is first used.

use super::{Engine, change::changing, columns};
use crate::{
    access::{Scopes, Session},
    store::{DepartmentRow, KEEP_EXPIRED, NewSecret, NewToken, SecretRow, StoreError, TokenRow, UserRow},
};
use herald_rules::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

impl Engine {
    pub(in crate::store) async fn master_key_ids(&self) -> Result<Vec<[u8; 8]>, StoreError> {
        let rows = self.rows("SELECT key_id FROM master_key ORDER BY first_used_at", &[]).await?;
        rows.iter()
            .map(|row| {
                <[u8; 8]>::try_from(columns::get::<&[u8]>(row, 0)?)
                    .map_err(|_| StoreError::Corrupt("the id of a master key has 8 bytes".into()))
            })
            .collect()
    }

    pub(in crate::store) async fn remember_master_key(
        &self,
        key_id: [u8; 8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO master_key (key_id, first_used_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[&key_id.as_slice(), &now.0],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn add_secret(
        &self,
        department: DepartmentRow,
        secret: NewSecret,
    ) -> Result<(), StoreError> {
        self.execute(
            changing!(
                Access,
                "INSERT INTO secret (department, id, name, sealed, created_at) VALUES ($1, $2, $3, $4, $5)"
            ),
            &[&department, &secret.id, &secret.name, &secret.sealed, &secret.created_at.0],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn secrets(&self, department: DepartmentRow) -> Result<Vec<SecretRow>, StoreError> {
        let rows = self
            .rows(
                "SELECT id, name, sealed, created_at, revoked_at FROM secret WHERE department = $1 ORDER BY id DESC",
                &[&department],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(SecretRow {
                    id: columns::uuid(row, 0)?,
                    name: columns::get(row, 1)?,
                    sealed: columns::get(row, 2)?,
                    created_at: columns::timestamp(row, 3)?,
                    revoked_at: columns::timestamp_or_none(row, 4)?,
                })
            })
            .collect()
    }

    pub(in crate::store) async fn revoke_secret(
        &self,
        department: DepartmentRow,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self
            .execute(
                changing!(
                    Access,
                    ", tokens AS (
                         UPDATE token SET revoked_at = $3 WHERE department = $1 AND secret = $2 AND revoked_at IS NULL)
                     UPDATE secret SET revoked_at = $3, sealed = '' WHERE department = $1 AND id = $2
                     AND revoked_at IS NULL"
                ),
                &[&department, &id, &now.0],
            )
            .await?;
        Ok(changed > 0)
    }

    pub(in crate::store) async fn add_user(&self, department: DepartmentRow, user: UserRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO api_user (department, email, name, created_at) VALUES ($1, $2, $3, $4)",
            &[&department, &user.email, &user.name, &user.created_at.0],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn has_user(
        &self,
        department: DepartmentRow,
        email: String,
    ) -> Result<bool, StoreError> {
        let found =
            self.row("SELECT 1 FROM api_user WHERE department = $1 AND email = $2", &[&department, &email]).await?;
        Ok(found.is_some())
    }

    pub(in crate::store) async fn users(
        &self,
        department: DepartmentRow,
        after: String,
        limit: u32,
    ) -> Result<Vec<UserRow>, StoreError> {
        let rows = self
            .rows(
                "SELECT email, name, created_at FROM api_user WHERE department = $1 AND email > $2
                 ORDER BY email LIMIT $3",
                &[&department, &after, &i64::from(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(UserRow {
                    email: columns::get(row, 0)?,
                    name: columns::get(row, 1)?,
                    created_at: columns::timestamp(row, 2)?,
                })
            })
            .collect()
    }

    pub(in crate::store) async fn remove_user(
        &self,
        department: DepartmentRow,
        email: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let removed = self
            .execute(
                changing!(
                    Access,
                    ", tokens AS (
                         UPDATE token SET revoked_at = $3 WHERE department = $1 AND email = $2 AND revoked_at IS NULL)
                     DELETE FROM api_user WHERE department = $1 AND email = $2"
                ),
                &[&department, &email, &now.0],
            )
            .await?;
        Ok(removed > 0)
    }

    pub(in crate::store) async fn add_token(&self, token: NewToken) -> Result<(), StoreError> {
        self.execute(
            // Ten for each that is added: the table shrinks back to what is in use, and no request waits for a clean-up,
            // nor for another that clears away the same ones.
            "WITH expired AS (
                 DELETE FROM token WHERE hash IN
                     (SELECT hash FROM token WHERE expires_at < $10 LIMIT 10 FOR UPDATE SKIP LOCKED))
             INSERT INTO token (hash, department, id, name, email, secret, scopes, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            &[
                &token.hash.as_slice(),
                &token.department,
                &token.id,
                &token.name,
                &token.user,
                &token.secret,
                &i64::from(token.scopes.bits()),
                &token.created_at.0,
                &token.expires_at.map(|at| at.0),
                &(token.created_at - KEEP_EXPIRED).0,
            ],
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn session(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        let found = self
            .row(
                "SELECT id, department, email, scopes, expires_at FROM token WHERE hash = $1 AND revoked_at IS NULL",
                &[&hash.as_slice()],
            )
            .await?;
        found
            .map(|row| {
                Ok(Session {
                    id: columns::uuid(&row, 0)?,
                    department: columns::get(&row, 1)?,
                    user: columns::get::<Option<String>>(&row, 2)?.map(Into::into),
                    scopes: scopes(&row, 3)?,
                    expires_at: columns::timestamp_or_none(&row, 4)?,
                })
            })
            .transpose()
    }

    pub(in crate::store) async fn tokens(
        &self,
        department: DepartmentRow,
        before: Uuid,
        limit: u32,
    ) -> Result<Vec<TokenRow>, StoreError> {
        let rows = self
            .rows(
                "SELECT id, name, email, scopes, created_at, expires_at, revoked_at FROM token
                 WHERE department = $1 AND id < $2 AND name IS NOT NULL ORDER BY id DESC LIMIT $3",
                &[&department, &before, &i64::from(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(TokenRow {
                    id: columns::uuid(row, 0)?,
                    name: columns::get(row, 1)?,
                    user: columns::get(row, 2)?,
                    scopes: scopes(row, 3)?,
                    created_at: columns::timestamp(row, 4)?,
                    expires_at: columns::timestamp_or_none(row, 5)?,
                    revoked_at: columns::timestamp_or_none(row, 6)?,
                })
            })
            .collect()
    }

    pub(in crate::store) async fn revoke_token(
        &self,
        department: DepartmentRow,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self
            .execute(
                changing!(
                    Access,
                    "UPDATE token SET revoked_at = $3 WHERE department = $1 AND id = $2 AND revoked_at IS NULL"
                ),
                &[&department, &id, &now.0],
            )
            .await?;
        Ok(changed > 0)
    }
}

fn scopes(row: &Row, index: usize) -> Result<Scopes, StoreError> {
    columns::number::<i64, _>(row, index).map(Scopes::from_bits)
}
