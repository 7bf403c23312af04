//! Customers: how they can be reached, who they are, what they do not want.

use super::{Needs, WorkingSet};
use crate::store::{
    ChannelRow, DepartmentRow, LaneRow, StoreError, Suppression, SuppressionKind,
    postgres::{
        lane::{spellings, strongest},
        pipeline::{Pipeline, values},
    },
};
use herald_rules::{admission::Reach, ids::ContactId, protocol::Protocol, time::Timestamp};
use uuid::Uuid;

/// The channel of a suppression that holds for all of the department.
const ALL_CHANNELS: ChannelRow = 0;

/// A contact to be made. Until it is, its number in this operation is negative.
pub(super) struct NewContact {
    id: Uuid,
    made_at: Timestamp,
}

impl Needs {
    /// Adds a customer's windows and suppressions.
    pub(in crate::store::postgres) fn customer(&mut self, lane: LaneRow, customer: &str, windows: bool) {
        for spelling in spellings(customer) {
            if windows {
                self.windows.insert((lane, spelling.clone()));
            }
            self.suppressions.insert(spelling);
        }
    }

    /// Adds the contact behind an identifier.
    pub(in crate::store::postgres) fn contact(&mut self, protocol: Protocol, identifier: &str) {
        self.contacts.extend(spellings(identifier).map(|spelling| (protocol.as_str().to_owned(), spelling)));
    }
}

impl WorkingSet {
    pub(super) fn reach_of(
        &mut self,
        (_, channel, lane): (DepartmentRow, ChannelRow, LaneRow),
        customer: &str,
        (window, suppressions): (bool, bool),
    ) -> Result<Reach, StoreError> {
        let mut reach = Reach::default();
        let mut kinds = Vec::new();
        for spelling in spellings(customer) {
            if window {
                let key = (lane, spelling.clone());
                let known = self.windows.get(&key).copied();
                let until = self.known(known, |needs| needs.windows.insert(key))?;
                reach.window_until = reach.window_until.max(until.map(Timestamp));
            }
            if suppressions {
                let known = self.suppressed.get(&spelling).cloned();
                let of_all = self.known(known, |needs| needs.suppressions.insert(spelling))?;
                let here = of_all.into_iter().filter(|(of, _)| [ALL_CHANNELS, channel].contains(of));
                kinds.extend(here.map(|(_, kind)| kind));
            }
        }
        reach.suppressed = strongest(kinds.iter().map(String::as_str));
        Ok(reach)
    }

    pub(super) fn contact_behind(&mut self, protocol: Protocol, identifier: &str) -> Result<Option<i64>, StoreError> {
        for spelling in spellings(identifier) {
            let key = (protocol.as_str().to_owned(), spelling);
            let known = self.contacts.get(&key);
            let found = self.known(known, |needs| needs.contacts.insert(key))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    pub(super) fn new_contact(
        &mut self,
        protocol: Protocol,
        identifier: &str,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        self.written.new_contacts.push(NewContact { id: ContactId::new().0, made_at: now });
        let contact = i64::try_from(self.written.new_contacts.len()).map_or(i64::MIN, |number| -number);
        self.identify(contact, protocol, identifier)?;
        Ok(contact)
    }

    pub(super) fn identify(&mut self, contact: i64, protocol: Protocol, identifier: &str) -> Result<(), StoreError> {
        let key = (protocol.as_str().to_owned(), identifier.to_owned());
        let known = self.contacts.get(&key);
        // A provider's word does not join two people whom a department knows apart.
        if self.known(known, |needs| needs.contacts.insert(key.clone()))?.is_none() {
            self.contacts.put(key, contact);
        }
        Ok(())
    }

    pub(super) fn set_suppressed(&mut self, suppression: &Suppression) {
        let Suppression { customer, channel, kind, source, at } = suppression;
        let key = (customer.clone(), channel.unwrap_or(ALL_CHANNELS), kind.as_str().to_owned());
        let row = self.written.suppressions.entry(key).or_default();
        row.get_or_insert_with(|| (source.clone(), *at));
    }

    pub(super) fn lift_suppressed(
        &mut self,
        customer: &str,
        channel: Option<ChannelRow>,
        kind: SuppressionKind,
    ) -> Result<bool, StoreError> {
        let known = self.suppressed.get(customer).cloned();
        let before = self.known(known, |needs| needs.suppressions.insert(customer.to_owned()))?;
        let channel = channel.unwrap_or(ALL_CHANNELS);
        let before = before.iter().any(|(of, word)| *of == channel && word == kind.as_str());
        let key = (customer.to_owned(), channel, kind.as_str().to_owned());
        Ok(self.written.suppressions.insert(key, None).map_or(before, |now| now.is_some()))
    }

    pub(super) fn flush_people(&self, pipeline: &mut Pipeline<'_>) {
        let department = self.department;
        let counted = &self.written.customers;
        if !counted.is_empty() {
            pipeline.add(
                "INSERT INTO daily_customer (portfolio, customer, at)
                 SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[])
                 ON CONFLICT (portfolio, customer) DO UPDATE SET at = greatest(daily_customer.at, excluded.at)",
                values![
                    counted.keys().map(|key| key.0.clone()).collect::<Vec<_>>(),
                    counted.keys().map(|key| key.1).collect::<Vec<_>>(),
                    counted.values().map(|at| at.0).collect::<Vec<_>>(),
                ],
            );
        }
        let windows = &self.written.windows;
        if !windows.is_empty() {
            pipeline.add(
                "INSERT INTO open_window (lane, customer, until) SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bigint[])
                 ON CONFLICT (lane, customer) DO UPDATE SET until = excluded.until WHERE open_window.until < excluded.until",
                values![
                    windows.keys().map(|key| key.0).collect::<Vec<_>>(),
                    windows.keys().map(|key| key.1.clone()).collect::<Vec<_>>(),
                    windows.values().map(|until| until.0).collect::<Vec<_>>(),
                ],
            );
        }
        self.flush_contacts(pipeline);
        let wishes: Vec<_> = self.wishes.put_rows().collect();
        if !wishes.is_empty() {
            pipeline.add(
                "INSERT INTO marketing_wish (department, channel, customer, wanted, at)
                 SELECT $1::bigint, n.* FROM UNNEST($2::bigint[], $3::text[], $4::boolean[], $5::bigint[]) AS n
                 ON CONFLICT (department, customer, channel) DO UPDATE SET wanted = excluded.wanted, at = excluded.at
                     WHERE marketing_wish.at <= excluded.at",
                values![
                    department,
                    wishes.iter().map(|(key, _)| key.0).collect::<Vec<_>>(),
                    wishes.iter().map(|(key, _)| key.1.clone()).collect::<Vec<_>>(),
                    wishes.iter().map(|(_, wish)| wish.0).collect::<Vec<_>>(),
                    wishes.iter().map(|(_, wish)| wish.1.0).collect::<Vec<_>>(),
                ],
            );
        }
        let (lifted, suppressed): (Vec<_>, Vec<_>) =
            self.written.suppressions.iter().partition(|(_, row)| row.is_none());
        if !lifted.is_empty() {
            pipeline.add(
                "DELETE FROM suppression s USING UNNEST($2::text[], $3::bigint[], $4::text[]) AS n (customer, channel, kind)
                 WHERE s.department = $1 AND s.customer = n.customer AND s.channel = n.channel AND s.kind = n.kind",
                values![
                    department,
                    lifted.iter().map(|(key, _)| key.0.clone()).collect::<Vec<_>>(),
                    lifted.iter().map(|(key, _)| key.1).collect::<Vec<_>>(),
                    lifted.iter().map(|(key, _)| key.2.clone()).collect::<Vec<_>>(),
                ],
            );
        }
        let suppressed: Vec<_> = suppressed.into_iter().filter_map(|(key, row)| Some((key, row.as_ref()?))).collect();
        if !suppressed.is_empty() {
            pipeline.add(
                "INSERT INTO suppression (department, customer, channel, kind, source, at)
                 SELECT $1::bigint, n.* FROM UNNEST($2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]) AS n
                 ON CONFLICT DO NOTHING",
                values![
                    department,
                    suppressed.iter().map(|(key, _)| key.0.clone()).collect::<Vec<_>>(),
                    suppressed.iter().map(|(key, _)| key.1).collect::<Vec<_>>(),
                    suppressed.iter().map(|(key, _)| key.2.clone()).collect::<Vec<_>>(),
                    suppressed.iter().map(|(_, row)| row.0.clone()).collect::<Vec<_>>(),
                    suppressed.iter().map(|(_, row)| row.1.0).collect::<Vec<_>>(),
                ],
            );
        }
    }

    fn flush_contacts(&self, pipeline: &mut Pipeline<'_>) {
        let department = self.department;
        let new = &self.written.new_contacts;
        let name = |contact: i64| self.written.names.get(&contact);
        // The id by which a contact that is only being made is found; None: it has a number.
        let id = |contact: i64| usize::try_from(-1 - contact).ok().and_then(|index| new.get(index)).map(|new| new.id);
        if !new.is_empty() {
            let names: Vec<Option<String>> =
                (1..).zip(new).map(|(number, _)| name(-number).map(|name| name.0.clone())).collect();
            pipeline.add(
                "INSERT INTO contact (department, id, name, named_by, created_at, updated_at)
                 SELECT $1::bigint, n.id, n.name, CASE WHEN n.name IS NOT NULL THEN 'profile' END, n.at, n.at
                 FROM UNNEST($2::uuid[], $3::text[], $4::bigint[]) AS n (id, name, at)",
                values![
                    department,
                    new.iter().map(|new| new.id).collect::<Vec<_>>(),
                    names,
                    new.iter().map(|new| new.made_at.0).collect::<Vec<_>>(),
                ],
            );
        }
        let identifiers: Vec<_> = self.contacts.put_rows().collect();
        if !identifiers.is_empty() {
            pipeline.add(
                "INSERT INTO contact_identifier (department, protocol, identifier, contact)
                 SELECT $1::bigint, n.protocol, n.identifier, coalesce(c.contact, n.contact)
                 FROM UNNEST($2::text[], $3::text[], $4::bigint[], $5::uuid[]) AS n (protocol, identifier, contact, id)
                 LEFT JOIN contact c ON c.id = n.id
                 ON CONFLICT DO NOTHING",
                values![
                    department,
                    identifiers.iter().map(|(key, _)| key.0.clone()).collect::<Vec<_>>(),
                    identifiers.iter().map(|(key, _)| key.1.clone()).collect::<Vec<_>>(),
                    identifiers.iter().map(|(_, contact)| **contact).collect::<Vec<_>>(),
                    identifiers.iter().map(|(_, contact)| id(**contact)).collect::<Vec<_>>(),
                ],
            );
        }
        if !new.is_empty() {
            // Somebody else was quicker with all of its identifiers: nobody could find it.
            pipeline.add(
                "DELETE FROM contact c USING UNNEST($1::uuid[]) AS n (id)
                 WHERE c.id = n.id AND NOT EXISTS (SELECT FROM contact_identifier i WHERE i.contact = c.contact)",
                values![new.iter().map(|new| new.id).collect::<Vec<_>>()],
            );
        }
        let named: Vec<_> = self.written.names.iter().filter(|(contact, _)| **contact >= 0).collect();
        if !named.is_empty() {
            pipeline.add(
                "UPDATE contact c SET name = n.name, named_by = 'profile', updated_at = n.at
                 FROM UNNEST($1::bigint[], $2::text[], $3::bigint[]) AS n (contact, name, at)
                 WHERE c.contact = n.contact AND c.named_by IS DISTINCT FROM 'api' AND c.name IS DISTINCT FROM n.name",
                values![
                    named.iter().map(|(contact, _)| **contact).collect::<Vec<_>>(),
                    named.iter().map(|(_, name)| name.0.clone()).collect::<Vec<_>>(),
                    named.iter().map(|(_, name)| name.1.0).collect::<Vec<_>>(),
                ],
            );
        }
    }
}
