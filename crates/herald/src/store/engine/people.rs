//! Contacts and suppressions.

use super::operations;
use crate::store::*;
use herald_rules::{ids::ContactId, protocol::Protocol, time::Timestamp};
use std::collections::BTreeMap;

operations! {
    /// The contact behind an identifier (normalised); None where the department knows nobody by it.
    ///
    /// One prepared statement: it is asked for at each accept of a text with variables.
    ///
    /// # Errors
    /// When it cannot be read.
    fn contact_by_identifier(department: DepartmentRow, protocol: Protocol, identifier: &str) -> Option<Contact>;

    /// A contact with everything that is kept of it; None where the department has none of this id.
    ///
    /// # Errors
    /// When it cannot be read.
    fn contact(department: DepartmentRow, id: ContactId) -> Option<ContactCard>;

    /// A page of contacts. Looks at no more than `look_at` of them, as [`Store::list`] does.
    ///
    /// # Errors
    /// When they cannot be read.
    fn contacts(filter: ContactFilter) -> ContactPage;

    /// Makes the contact behind an identifier, or replaces its name and attributes. Answers it, and whether it is new.
    ///
    /// # Errors
    /// When it cannot be written.
    fn set_contact(department: DepartmentRow, identifier: ContactIdentifier, name: Option<String>, attributes: BTreeMap<String, String>, now: Timestamp) -> (ContactCard, bool);

    /// Writes to a customer no more. Where they are suppressed so already, the first word stands.
    ///
    /// # Errors
    /// When it cannot be written.
    fn suppress(department: DepartmentRow, suppression: Suppression) -> ();

    /// Lifts a suppression; tells whether there was one.
    ///
    /// # Errors
    /// When it cannot be written.
    fn unsuppress(department: DepartmentRow, customer: &str, channel: Option<ChannelRow>, kind: SuppressionKind) -> bool;

    /// A page of a department's suppressions, by customer; of one customer where one is given.
    ///
    /// # Errors
    /// When they cannot be read.
    fn suppressions(department: DepartmentRow, customer: Option<String>, after: Option<SuppressionPlace>, limit: u32) -> Vec<Suppression>;
}
