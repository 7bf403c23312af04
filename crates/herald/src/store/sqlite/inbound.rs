//! What customers wrote: kept once, with who they are and the window that it opens.

use super::{Engine, Writing, columns};
use crate::store::range;
use crate::store::{
    ChannelRow, DepartmentRow, InboundFilter, InboundPage, KeptInbound, LaneRow, NewInbound, StoreError,
};
use herald_rules::{
    ids::MessageId,
    inbound::{Inbound, InboundContent},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row};

/// Characters kept of a name from a profile: as many as the API takes.
const LONGEST_NAME: usize = 100;

impl Engine {
    pub(in crate::store) async fn inbound(
        &self,
        department: DepartmentRow,
        id: MessageId,
    ) -> Result<Option<KeptInbound>, StoreError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, channel, lane, received_at, body FROM inbound WHERE department = ?1 AND id = ?2",
            )?;
            Ok(query.query_row((department, id.0.as_bytes()), kept).optional()?)
        })
        .await
    }

    pub(in crate::store) async fn list_inbound(&self, filter: InboundFilter) -> Result<InboundPage, StoreError> {
        self.read(move |connection| list(connection, &filter)).await
    }
}

impl Writing<'_> {
    /// Keeps a customer's message, unless it is here already; tells whether it is new.
    pub(super) fn keep_inbound(
        &mut self,
        department: DepartmentRow,
        channel: ChannelRow,
        new: &NewInbound,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let NewInbound { id, lane, received_at, inbound } = new;
        let answers = match &inbound.reply_to {
            Some(reference) => self.known_reference(channel, reference)?.map(|(id, _)| id),
            None => None,
        };
        let body = match answers {
            Some(_) => serde_json::to_string(&Inbound { reply_to_id: answers, ..inbound.clone() })?,
            None => serde_json::to_string(inbound)?,
        };
        let written = self
            .connection
            .prepare_cached(
                "INSERT INTO inbound (department, id, channel, lane, customer, received_at, reference, body)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel, reference) DO NOTHING",
            )?
            .execute((
                department,
                id.0.as_bytes(),
                channel,
                lane,
                &inbound.from,
                received_at.0,
                &inbound.reference,
                body,
            ))?;
        if written == 0 {
            return Ok(false);
        }
        self.open_window(*lane, inbound, now)?;
        self.know(department, inbound, now)?;
        Ok(true)
    }

    /// Makes or completes the contact of whoever wrote.
    fn know(&self, department: DepartmentRow, inbound: &Inbound, now: Timestamp) -> Result<(), StoreError> {
        let Inbound { protocol, from, user_id, name, content, .. } = inbound;
        let mut contact = self.contact_row(department, *protocol, from)?;
        // Someone who hid their number until now is known by the provider's id of them.
        if contact.is_none()
            && let Some(user_id) = user_id
        {
            contact = self.contact_row(department, *protocol, user_id)?;
        }
        let contact = match contact {
            Some(contact) => contact,
            None => self.add_contact(department, *protocol, from, now)?,
        };
        self.add_contact_identifier(department, contact, *protocol, from)?;
        if let Some(user_id) = user_id {
            self.add_contact_identifier(department, contact, *protocol, user_id)?;
        }
        if let InboundContent::NumberChanged { new_identifier } = content {
            self.add_contact_identifier(department, contact, *protocol, new_identifier)?;
        }
        match name.as_deref().and_then(printable) {
            Some(name) => self.name_by_profile(contact, &name, now),
            None => Ok(()),
        }
    }
}

/// A name as it may stand in a text and on a terminal; None where nothing is left of it.
fn printable(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptInbound> {
    Ok(KeptInbound {
        id: columns::message_id(row, 0)?,
        channel: row.get(1)?,
        lane: row.get(2)?,
        received_at: Timestamp(row.get(3)?),
        inbound: serde_json::from_slice(row.get_ref(4)?.as_bytes()?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(error))
        })?,
    })
}

fn list(connection: &Connection, filter: &InboundFilter) -> Result<InboundPage, StoreError> {
    let (from, below) = range(filter.since, filter.until, filter.before);
    let mut query = connection.prepare_cached(
        "SELECT id, channel, lane, received_at, body, customer FROM inbound
         WHERE department = ?1 AND id < ?2 AND id >= ?3 ORDER BY id DESC LIMIT ?4",
    )?;
    let look_at = i64::try_from(filter.look_at).unwrap_or(i64::MAX);
    let mut rows = query.query((filter.department, below.as_bytes(), from.as_bytes(), look_at))?;
    let mut page = InboundPage { messages: Vec::new(), next: None };
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        if passes(filter, row)? {
            page.messages.push(kept(row)?);
        }
        if page.messages.len() >= filter.limit || looked_at >= filter.look_at {
            page.next = Some(columns::message_id(row, 0)?);
            break;
        }
    }
    Ok(page)
}

/// The body is read only of what is returned.
fn passes(filter: &InboundFilter, row: &Row<'_>) -> Result<bool, StoreError> {
    let lane: LaneRow = row.get(2)?;
    let at = Timestamp(row.get(3)?);
    let customer = row.get_ref(5)?.as_bytes().map_err(rusqlite::Error::from)?;
    Ok(filter.lanes.as_ref().is_none_or(|lanes| lanes.contains(&lane))
        && filter.from.as_ref().is_none_or(|from| from.as_bytes() == customer)
        && filter.since.is_none_or(|since| at >= since)
        && filter.until.is_none_or(|until| at < until))
}
