//! Contacts: who is behind an identifier, and what a department keeps of them.

use super::{
    Engine,
    columns::{self, as_limit},
    flight::Flight,
    transaction::Transaction,
};
use crate::store::{
    Contact, ContactCard, ContactFilter, ContactIdentifier, ContactPage, DepartmentRow, NamedBy, StoreError,
};
use herald_rules::{identifier::other_spelling, ids::ContactId, protocol::Protocol, time::Timestamp};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::Row;

/// Contacts read at once where only some of them pass.
const READ: usize = 1_000;

/// A statement that answers a contact's columns, as [`card`] reads them.
macro_rules! select_cards {
    ($after:literal) => {
        concat!("SELECT c.contact, c.id, c.name, c.attributes, c.named_by, c.created_at, c.updated_at ", $after)
    };
}

/// The contact behind an identifier, or behind the same number in its other spelling.
const BEHIND: &str = "SELECT contact FROM contact_identifier
    WHERE department = $1 AND protocol = $2 AND identifier IN ($3, $4) ORDER BY identifier <> $3 LIMIT 1";

impl Engine {
    pub(in crate::store) async fn contact_by_identifier(
        &self,
        department: DepartmentRow,
        protocol: Protocol,
        identifier: &str,
    ) -> Result<Option<Contact>, StoreError> {
        let found = self
            .row(
                "SELECT c.id, c.name, c.attributes FROM contact_identifier i JOIN contact c ON c.contact = i.contact
                 WHERE i.department = $1 AND i.protocol = $2 AND i.identifier IN ($3, $4)
                 ORDER BY i.identifier <> $3 LIMIT 1",
                &[&department, &protocol.as_str(), &identifier, &other_spelling(identifier)],
            )
            .await?;
        found.map(|row| contact(&row, 0)).transpose()
    }

    pub(in crate::store) async fn contact(
        &self,
        department: DepartmentRow,
        id: ContactId,
    ) -> Result<Option<ContactCard>, StoreError> {
        let found = self
            .row(select_cards!("FROM contact c WHERE c.id = $1 AND c.department = $2"), &[&id.0, &department])
            .await?;
        let cards = found.iter().map(card).collect::<Result<_, _>>()?;
        Ok(self.with_identifiers(cards).await?.pop())
    }

    pub(in crate::store) async fn contacts(&self, filter: ContactFilter) -> Result<ContactPage, StoreError> {
        match &filter.identifiers {
            Some(identifiers) => self.behind(&filter, identifiers).await,
            None => self.page(&filter).await,
        }
    }

    pub(in crate::store) async fn set_contact(
        &self,
        department: DepartmentRow,
        identifier: ContactIdentifier,
        name: Option<String>,
        attributes: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(ContactCard, bool), StoreError> {
        let attributes = serde_json::to_string(&attributes)?;
        let transaction = self.transaction().await?;
        let protocol = identifier.protocol.as_str();
        let other = other_spelling(&identifier.identifier);
        let mut flight = Flight::default();
        let behind = flight.add(BEHIND, &[&department, &protocol, &identifier.identifier, &other]);
        let known = flight.open(&transaction).await?[behind].first().map(|row| columns::get(row, 0)).transpose()?;
        let (row, new) = match known {
            Some(row) => (row, false),
            None => add_contact(&transaction, department, &identifier, now).await?,
        };
        // No name at all is nobody's word: the next profile may give one.
        let named_by = name.as_ref().map(|_| NamedBy::Api.as_str());
        let mut flight = Flight::default();
        let changed = flight.add(
            "UPDATE contact c SET name = $2, named_by = $3, attributes = $4, updated_at = $5 WHERE contact = $1
             RETURNING c.contact, c.id, c.name, c.attributes, c.named_by, c.created_at, c.updated_at",
            &[&row, &name, &named_by, &attributes, &now.0],
        );
        let identifiers = flight.add(IDENTIFIERS, &[&row]);
        let written = flight.send(transaction.client()?).await?;
        transaction.commit().await?;
        let mut card = written[changed].first().map_or_else(|| Err(vanished()), card)?;
        card.identifiers = written[identifiers].iter().map(|row| self::identifier(row, 1)).collect::<Result<_, _>>()?;
        Ok((card, new))
    }

    /// The contacts behind these identifiers, each once.
    async fn behind(
        &self,
        filter: &ContactFilter,
        identifiers: &[ContactIdentifier],
    ) -> Result<ContactPage, StoreError> {
        let protocols: Vec<&str> = identifiers.iter().map(|identifier| identifier.protocol.as_str()).collect();
        let texts: Vec<&str> = identifiers.iter().map(|identifier| identifier.identifier.as_str()).collect();
        let rows = self
            .rows(
                select_cards!(
                    "FROM contact c WHERE c.contact IN (
                         SELECT i.contact FROM unnest($2::text[], $3::text[]) AS k (protocol, identifier)
                         JOIN contact_identifier i ON i.department = $1 AND i.protocol = k.protocol
                             AND i.identifier = k.identifier)
                     ORDER BY c.contact"
                ),
                &[&filter.department, &protocols, &texts],
            )
            .await?;
        let mut cards = rows.iter().map(card).collect::<Result<Vec<_>, _>>()?;
        cards.retain(|card| filter.passes(card));
        Ok(ContactPage { contacts: self.with_identifiers(cards).await?, next: None })
    }

    async fn page(&self, filter: &ContactFilter) -> Result<ContactPage, StoreError> {
        let mut cards: Vec<ContactCard> = Vec::new();
        let (mut looked_at, mut last, mut next) = (0, filter.after, None);
        // A name is compared in memory, as its folding is ours; without one all pass, and no more is read than is answered.
        let at_once = if filter.name.is_some() { READ } else { filter.limit.min(READ) };
        'pages: loop {
            // One more than is looked at tells whether anything follows.
            let rows = self
                .rows(
                    select_cards!(
                        "FROM contact c WHERE c.department = $1 AND c.contact > $2 ORDER BY c.contact LIMIT $3"
                    ),
                    &[&filter.department, &last.unwrap_or(0), &as_limit(at_once.saturating_add(1))],
                )
                .await?;
            for row in &rows {
                if cards.len() >= filter.limit || looked_at >= filter.look_at {
                    next = last;
                    break 'pages;
                }
                looked_at += 1;
                let card = card(row)?;
                last = Some(card.row);
                if filter.passes(&card) {
                    cards.push(card);
                }
            }
            if rows.len() <= at_once {
                break;
            }
        }
        Ok(ContactPage { contacts: self.with_identifiers(cards).await?, next })
    }

    async fn with_identifiers(&self, mut cards: Vec<ContactCard>) -> Result<Vec<ContactCard>, StoreError> {
        if cards.is_empty() {
            return Ok(cards);
        }
        let contacts: Vec<i64> = cards.iter().map(|card| card.row).collect();
        let rows = self
            .rows(
                "SELECT contact, protocol, identifier FROM contact_identifier WHERE contact = ANY ($1)
                 ORDER BY contact, protocol, identifier",
                &[&contacts],
            )
            .await?;
        let mut of_contact: HashMap<i64, Vec<ContactIdentifier>> = HashMap::new();
        for row in &rows {
            of_contact.entry(columns::get(row, 0)?).or_default().push(identifier(row, 1)?);
        }
        for card in &mut cards {
            card.identifiers = of_contact.remove(&card.row).unwrap_or_default();
        }
        Ok(cards)
    }
}

const IDENTIFIERS: &str = "SELECT contact, protocol, identifier FROM contact_identifier WHERE contact = $1
    ORDER BY protocol, identifier";

/// Makes a contact without a name, with its first identifier; where another transaction has made it meanwhile, finds that
/// one. Tells whether it is new.
async fn add_contact(
    transaction: &Transaction,
    department: DepartmentRow,
    identifier: &ContactIdentifier,
    now: Timestamp,
) -> Result<(i64, bool), StoreError> {
    let id = ContactId::new();
    let protocol = identifier.protocol.as_str();
    let mut flight = Flight::default();
    // Waits for a transaction that is about to take the same identifier.
    let taken = flight.add(
        "WITH made AS (
             INSERT INTO contact (department, id, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING contact)
         INSERT INTO contact_identifier (department, protocol, identifier, contact)
         SELECT $1::bigint, $4::text, $5::text, contact FROM made ON CONFLICT DO NOTHING RETURNING contact",
        &[&department, &id.0, &now.0, &protocol, &identifier.identifier],
    );
    let behind = flight.add(
        "SELECT contact FROM contact_identifier WHERE department = $1 AND protocol = $2 AND identifier = $3",
        &[&department, &protocol, &identifier.identifier],
    );
    // Where the identifier was not taken, the contact is nobody's.
    flight.add(
        "DELETE FROM contact c WHERE id = $1
         AND NOT EXISTS (SELECT 1 FROM contact_identifier i WHERE i.contact = c.contact)",
        &[&id.0],
    );
    let answers = flight.send(transaction.client()?).await?;
    let row = answers[behind].first().map_or_else(|| Err(vanished()), |row| columns::get(row, 0))?;
    Ok((row, !answers[taken].is_empty()))
}

fn vanished() -> StoreError {
    StoreError::Unavailable("the contact was removed meanwhile".into())
}

/// A contact's id, name and attributes, from column `first` on.
fn contact(row: &Row, first: usize) -> Result<Contact, StoreError> {
    Ok(Contact {
        id: ContactId(columns::uuid(row, first)?),
        name: columns::get(row, first + 1)?,
        attributes: columns::json(row, first + 2)?,
    })
}

/// A contact without its identifiers yet.
fn card(row: &Row) -> Result<ContactCard, StoreError> {
    Ok(ContactCard {
        row: columns::get(row, 0)?,
        contact: contact(row, 1)?,
        named_by: columns::get::<Option<&str>>(row, 4)?.map(NamedBy::kept),
        identifiers: Vec::new(),
        created_at: columns::timestamp(row, 5)?,
        updated_at: columns::timestamp(row, 6)?,
    })
}

fn identifier(row: &Row, first: usize) -> Result<ContactIdentifier, StoreError> {
    Ok(ContactIdentifier { protocol: columns::word(row, first)?, identifier: columns::get(row, first + 1)? })
}
