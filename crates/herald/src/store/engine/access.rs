//! Who may do what.

use super::operations;
use crate::access::Session;
use crate::store::*;
use herald_rules::time::Timestamp;
use uuid::Uuid;

operations! {
    /// The ids of the master keys that this database was used with.
    ///
    /// # Errors
    /// When they cannot be read.
    fn master_key_ids() -> Vec<[u8; 8]>;

    /// Notes that this database is used with a master key.
    ///
    /// # Errors
    /// When it cannot be written.
    fn remember_master_key(key_id: [u8; 8], now: Timestamp) -> ();

    /// Adds an API secret.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where one of that name is in force.
    fn add_secret(department: DepartmentRow, secret: NewSecret) -> ();

    /// A department's secrets, newest first, revoked ones too.
    ///
    /// # Errors
    /// When they cannot be read.
    fn secrets(department: DepartmentRow) -> Vec<SecretRow>;

    /// Revokes a secret and the tokens given for it, and overwrites it; tells whether one of this id was in force.
    ///
    /// # Errors
    /// When it cannot be written.
    fn revoke_secret(department: DepartmentRow, id: Uuid, now: Timestamp) -> bool;

    /// Adds an API user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the department has one of that address.
    fn add_user(department: DepartmentRow, user: UserRow) -> ();

    /// Whether the department has an API user of this address (in lower case).
    ///
    /// # Errors
    /// When it cannot be read.
    fn has_user(department: DepartmentRow, email: String) -> bool;

    /// API users after an address, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    fn users(department: DepartmentRow, after: String, limit: u32) -> Vec<UserRow>;

    /// Removes an API user and revokes its tokens; tells whether there was one.
    ///
    /// # Errors
    /// When it cannot be written.
    fn remove_user(department: DepartmentRow, email: String, now: Timestamp) -> bool;

    /// Adds a token, and drops some that expired long ago.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it is there already.
    fn add_token(token: NewToken) -> ();

    /// Who holds a token that has not been revoked; it may have expired.
    ///
    /// # Errors
    /// When it cannot be read.
    fn session(hash: [u8; 32]) -> Option<Session>;

    /// A department's named tokens before an id, newest first, revoked ones too.
    ///
    /// # Errors
    /// When they cannot be read.
    fn tokens(department: DepartmentRow, before: Uuid, limit: u32) -> Vec<TokenRow>;

    /// Revokes a token; tells whether one of this id was in force.
    ///
    /// # Errors
    /// When it cannot be written.
    fn revoke_token(department: DepartmentRow, id: Uuid, now: Timestamp) -> bool;
}
