//! Contacts: who is behind an identifier, and what a department keeps of them.

use super::{Engine, columns};
use crate::store::{
    Contact, ContactCard, ContactFilter, ContactIdentifier, ContactPage, DepartmentRow, NamedBy, StoreError,
    logic::Rows,
};
use herald_rules::{identifier::other_spelling, ids::ContactId, protocol::Protocol, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::BTreeMap;

/// A contact's columns, as [`card`] reads them.
const COLUMNS: &str = "c.contact, c.id, c.name, c.attributes, c.named_by, c.created_at, c.updated_at";

impl Engine {
    pub(in crate::store) async fn contact_by_identifier(
        &self,
        department: DepartmentRow,
        protocol: Protocol,
        identifier: &str,
    ) -> Result<Option<Contact>, StoreError> {
        let identifier = identifier.to_owned();
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT c.id, c.name, c.attributes FROM contact_identifier i JOIN contact c ON c.contact = i.contact
                 WHERE i.department = ?1 AND i.protocol = ?2 AND i.identifier IN (?3, ?4)
                 ORDER BY i.identifier <> ?3 LIMIT 1",
            )?;
            let key = (department, protocol.as_str(), &identifier, other_spelling(&identifier));
            let found = query.query_row(key, |row| contact(row, 0));
            Ok(found.optional()?)
        })
        .await
    }

    pub(in crate::store) async fn contact(
        &self,
        department: DepartmentRow,
        id: ContactId,
    ) -> Result<Option<ContactCard>, StoreError> {
        self.read(move |connection| {
            let mut query = connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM contact c WHERE c.id = ?1 AND c.department = ?2"))?;
            let found = query.query_row((id.0.as_bytes(), department), card).optional()?;
            found.map(|card| with_identifiers(connection, card)).transpose()
        })
        .await
    }

    pub(in crate::store) async fn contacts(&self, filter: ContactFilter) -> Result<ContactPage, StoreError> {
        self.read(move |connection| match &filter.identifiers {
            Some(identifiers) => behind(connection, &filter, identifiers),
            None => page(connection, &filter),
        })
        .await
    }

    pub(in crate::store) async fn set_contact(
        &self,
        department: DepartmentRow,
        identifier: ContactIdentifier,
        name: Option<String>,
        attributes: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(ContactCard, bool), StoreError> {
        self.write(move |writing| {
            let known = writing.contact_row(department, identifier.protocol, &identifier.identifier)?;
            let row = match known {
                Some(row) => row,
                None => writing.add_contact(department, identifier.protocol, &identifier.identifier, now)?,
            };
            // No name at all is nobody's word: the next profile may give one.
            let named_by = name.as_ref().map(|_| NamedBy::Api.as_str());
            writing
                .connection
                .prepare_cached(
                    "UPDATE contact SET name = ?2, named_by = ?3, attributes = ?4, updated_at = ?5 WHERE contact = ?1",
                )?
                .execute((row, name, named_by, serde_json::to_string(&attributes)?, now.0))?;
            let mut query =
                writing.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM contact c WHERE c.contact = ?1"))?;
            let card = query.query_row([row], card)?;
            Ok((with_identifiers(writing.connection, card)?, known.is_none()))
        })
        .await
    }
}

/// The contacts behind these identifiers, each once.
fn behind(
    connection: &Connection,
    filter: &ContactFilter,
    identifiers: &[ContactIdentifier],
) -> Result<ContactPage, StoreError> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contact_identifier i JOIN contact c ON c.contact = i.contact
         WHERE i.department = ?1 AND i.protocol = ?2 AND i.identifier = ?3"
    ))?;
    let mut contacts: Vec<ContactCard> = Vec::new();
    for ContactIdentifier { protocol, identifier } in identifiers {
        if let Some(card) = query.query_row((filter.department, protocol.as_str(), identifier), card).optional()?
            && filter.passes(&card)
            && contacts.iter().all(|other| other.row != card.row)
        {
            contacts.push(with_identifiers(connection, card)?);
        }
    }
    contacts.sort_by_key(|card| card.row);
    Ok(ContactPage { contacts, next: None })
}

fn page(connection: &Connection, filter: &ContactFilter) -> Result<ContactPage, StoreError> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contact c WHERE c.department = ?1 AND c.contact > ?2 ORDER BY c.contact LIMIT ?3"
    ))?;
    // One more than is looked at tells whether anything follows.
    let rows = i64::try_from(filter.look_at).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = query.query((filter.department, filter.after.unwrap_or(0), rows))?;
    let mut page = ContactPage { contacts: Vec::new(), next: None };
    let (mut looked_at, mut last) = (0, None);
    while let Some(row) = rows.next()? {
        if page.contacts.len() >= filter.limit || looked_at >= filter.look_at {
            page.next = last;
            break;
        }
        looked_at += 1;
        let card = card(row)?;
        last = Some(card.row);
        if filter.passes(&card) {
            page.contacts.push(with_identifiers(connection, card)?);
        }
    }
    Ok(page)
}

/// A contact's id, name and attributes, from column `first` on.
fn contact(row: &Row<'_>, first: usize) -> rusqlite::Result<Contact> {
    let attributes = row.get_ref(first + 2)?.as_bytes()?;
    Ok(Contact {
        id: ContactId(columns::uuid(row, first)?),
        name: row.get(first + 1)?,
        attributes: serde_json::from_slice(attributes).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(first + 2, rusqlite::types::Type::Text, Box::new(error))
        })?,
    })
}

/// A contact without its identifiers yet.
fn card(row: &Row<'_>) -> rusqlite::Result<ContactCard> {
    Ok(ContactCard {
        row: row.get(0)?,
        contact: contact(row, 1)?,
        named_by: row.get_ref(4)?.as_str_or_null()?.map(NamedBy::kept),
        identifiers: Vec::new(),
        created_at: Timestamp(row.get(5)?),
        updated_at: Timestamp(row.get(6)?),
    })
}

fn with_identifiers(connection: &Connection, mut card: ContactCard) -> Result<ContactCard, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT protocol, identifier FROM contact_identifier WHERE contact = ?1 ORDER BY protocol, identifier",
    )?;
    let rows = query.query_map([card.row], |row| {
        Ok(ContactIdentifier { protocol: columns::word(row, 0)?, identifier: row.get(1)? })
    })?;
    card.identifiers = rows.collect::<Result<_, _>>()?;
    Ok(card)
}
