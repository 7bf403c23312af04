//! Secrets, users and tokens.

use super::{Engine, columns};
use crate::{
    access::{Scopes, Session},
    store::{DepartmentRow, KEEP_EXPIRED, NewSecret, NewToken, SecretRow, StoreError, TokenRow, UserRow},
};
use herald_rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

impl Engine {
    pub(in crate::store) async fn master_key_ids(&self) -> Result<Vec<[u8; 8]>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT key_id FROM master_key ORDER BY first_used_at")?;
            let rows = query.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn remember_master_key(
        &self,
        key_id: [u8; 8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing
                .connection
                .prepare_cached("INSERT OR IGNORE INTO master_key (key_id, first_used_at) VALUES (?, ?)")?
                .execute((key_id, now.0))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn add_secret(
        &self,
        department: DepartmentRow,
        secret: NewSecret,
    ) -> Result<(), StoreError> {
        self.write(move |writing| insert_secret(writing.connection, department, &secret)).await
    }

    pub(in crate::store) async fn secrets(&self, department: DepartmentRow) -> Result<Vec<SecretRow>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, name, sealed, created_at, revoked_at FROM secret WHERE department = ?1 ORDER BY id DESC",
            )?;
            let rows = query.query_map([department], |row| {
                Ok(SecretRow {
                    id: columns::uuid(row, 0)?,
                    name: row.get(1)?,
                    sealed: row.get(2)?,
                    created_at: Timestamp(row.get(3)?),
                    revoked_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn revoke_secret(
        &self,
        department: DepartmentRow,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let changed = writing
                .connection
                .prepare_cached(
                    "UPDATE secret SET revoked_at = ?3, sealed = x'' WHERE department = ?1 AND id = ?2
                     AND revoked_at IS NULL",
                )?
                .execute((department, id.as_bytes(), now.0))?;
            writing
                .connection
                .prepare_cached(
                    "UPDATE token SET revoked_at = ?3 WHERE department = ?1 AND secret = ?2 AND revoked_at IS NULL",
                )?
                .execute((department, id.as_bytes(), now.0))?;
            Ok(changed > 0)
        })
        .await
    }

    pub(in crate::store) async fn add_user(&self, department: DepartmentRow, user: UserRow) -> Result<(), StoreError> {
        self.write(move |writing| insert_user(writing.connection, department, &user)).await
    }

    pub(in crate::store) async fn has_user(
        &self,
        department: DepartmentRow,
        email: String,
    ) -> Result<bool, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT 1 FROM api_user WHERE department = ?1 AND email = ?2")?;
            Ok(query.exists((department, email))?)
        })
        .await
    }

    pub(in crate::store) async fn users(
        &self,
        department: DepartmentRow,
        after: String,
        limit: u32,
    ) -> Result<Vec<UserRow>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT email, name, created_at FROM api_user WHERE department = ?1 AND email > ?2
                 ORDER BY email LIMIT ?3",
            )?;
            let rows = query.query_map((department, after, limit), |row| {
                Ok(UserRow { email: row.get(0)?, name: row.get(1)?, created_at: Timestamp(row.get(2)?) })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn remove_user(
        &self,
        department: DepartmentRow,
        email: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let removed = writing
                .connection
                .prepare_cached("DELETE FROM api_user WHERE department = ?1 AND email = ?2")?
                .execute((department, &email))?;
            writing
                .connection
                .prepare_cached(
                    "UPDATE token SET revoked_at = ?3 WHERE department = ?1 AND email = ?2 AND revoked_at IS NULL",
                )?
                .execute((department, &email, now.0))?;
            Ok(removed > 0)
        })
        .await
    }

    pub(in crate::store) async fn add_token(&self, token: NewToken) -> Result<(), StoreError> {
        self.write(move |writing| {
            // Ten for each that is added: the table shrinks back to what is in use, and no request waits for a clean-up.
            writing
                .connection
                .prepare_cached(
                    "DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE expires_at < ?1 LIMIT 10)",
                )?
                .execute([(token.created_at - KEEP_EXPIRED).0])?;
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO token (hash, department, id, name, email, secret, scopes, created_at, expires_at)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute((
                    token.hash,
                    token.department,
                    token.id.as_bytes(),
                    &token.name,
                    &token.user,
                    token.secret.map(Uuid::into_bytes),
                    token.scopes.bits(),
                    token.created_at.0,
                    token.expires_at.map(|at| at.0),
                ))?;
            Ok(())
        })
        .await
    }

    pub(in crate::store) async fn session(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, department, email, scopes, expires_at FROM token WHERE hash = ?1 AND revoked_at IS NULL",
            )?;
            let found = query.query_row([hash], |row| {
                Ok(Session {
                    id: columns::uuid(row, 0)?,
                    department: row.get(1)?,
                    user: row.get::<_, Option<String>>(2)?.map(Into::into),
                    scopes: Scopes::from_bits(row.get(3)?),
                    expires_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                })
            });
            Ok(found.optional()?)
        })
        .await
    }

    pub(in crate::store) async fn tokens(
        &self,
        department: DepartmentRow,
        before: Uuid,
        limit: u32,
    ) -> Result<Vec<TokenRow>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, name, email, scopes, created_at, expires_at, revoked_at FROM token
                 WHERE department = ?1 AND id < ?2 AND name IS NOT NULL ORDER BY id DESC LIMIT ?3",
            )?;
            let rows = query.query_map((department, before.as_bytes(), limit), token_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::store) async fn revoke_token(
        &self,
        department: DepartmentRow,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let changed = writing
                .connection
                .prepare_cached(
                    "UPDATE token SET revoked_at = ?3 WHERE department = ?1 AND id = ?2 AND revoked_at IS NULL",
                )?
                .execute((department, id.as_bytes(), now.0))?;
            Ok(changed > 0)
        })
        .await
    }
}

pub(super) fn insert_secret(
    connection: &Connection,
    department: DepartmentRow,
    secret: &NewSecret,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO secret (department, id, name, sealed, created_at) VALUES (?, ?, ?, ?, ?)")?
        .execute((department, secret.id.as_bytes(), &secret.name, &secret.sealed, secret.created_at.0))?;
    Ok(())
}

pub(super) fn insert_user(
    connection: &Connection,
    department: DepartmentRow,
    user: &UserRow,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO api_user (department, email, name, created_at) VALUES (?, ?, ?, ?)")?
        .execute((department, &user.email, &user.name, user.created_at.0))?;
    Ok(())
}

fn token_row(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    Ok(TokenRow {
        id: columns::uuid(row, 0)?,
        name: row.get(1)?,
        user: row.get(2)?,
        scopes: Scopes::from_bits(row.get(3)?),
        created_at: Timestamp(row.get(4)?),
        expires_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        revoked_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}
