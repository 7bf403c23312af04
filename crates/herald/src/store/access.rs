//! The words for keys, users and tokens.

use crate::access::Scopes;
use herald_rules::time::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// Expired tokens are kept this long, so that a refusal can still be explained from the table.
pub(super) const KEEP_EXPIRED: Duration = Duration::from_secs(86_400);

/// An API secret to be stored.
#[derive(Clone, Debug)]
pub struct NewSecret {
    /// Its id.
    pub id: Uuid,
    /// For people; unique among the department's secrets in force.
    pub name: String,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An API secret as stored.
#[derive(Clone, Debug)]
pub struct SecretRow {
    /// Its id.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it no longer holds.
    pub revoked_at: Option<Timestamp>,
}

/// An API user of a department.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// In lower case.
    pub email: String,
    /// For people.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// A token to be stored.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// SHA-256 of what the client holds.
    pub hash: [u8; 32],
    /// Whose.
    pub department: super::DepartmentRow,
    /// Its id.
    pub id: Uuid,
    /// None for tokens of v1.2.
    pub name: Option<String>,
    /// The API user it acts as.
    pub user: Option<String>,
    /// The API secret it was given for, and with which it ends.
    pub secret: Option<Uuid>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// None: until revoked.
    pub expires_at: Option<Timestamp>,
}

/// A named token as listed.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Its id.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// The API user it acts as.
    pub user: Option<String>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// None: until revoked.
    pub expires_at: Option<Timestamp>,
    /// Since when it no longer holds.
    pub revoked_at: Option<Timestamp>,
}
