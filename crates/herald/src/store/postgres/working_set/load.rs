//! One flight of statements for everything that is needed.
//!
//! Each key is looked up by itself, in a LATERAL subquery that OFFSET 0 keeps the planner from turning inside out. Left to
//! itself, and without statistics of a table that has just begun to fill, it reads all of a channel or department and compares:
//! 28 ms for 200 keys of 20,000 rows, where looking them up takes 0.5. It also spares the partitions in which no key falls,
//! which the planner cannot tell for `= ANY`.

use super::{CheckingRow, EventRow, Needs, PartRow, WorkingSet, columns, flush::InboundRow, needs::PlaceKey};
use crate::store::{
    ChannelRow, StoreError,
    logic::LiveRow,
    postgres::pipeline::{Answers, Pipeline, values},
};
use herald_rules::ids::MessageId;
use std::collections::BTreeSet;
use tokio_postgres::Row;
use uuid::Uuid;

/// Of the messages with these ids, and of those that references of a channel name: two arrays and the channel between them.
macro_rules! of_messages {
    ($columns:literal, $table:literal, $rest:literal) => {
        concat!(
            "SELECT w.id, ",
            $columns,
            " FROM (SELECT UNNEST($2::uuid[]) UNION
                 SELECT r.id FROM UNNEST($4::text[]) AS n (reference) CROSS JOIN LATERAL (
                     SELECT id FROM reference WHERE channel = $3 AND reference = n.reference OFFSET 0) AS r) AS w (id)
             CROSS JOIN LATERAL (SELECT * FROM ",
            $table,
            " WHERE department = $1 AND id = w.id OFFSET 0) AS t ",
            $rest
        )
    };
}

const EVENTS: &str = of_messages!("t.lane, t.sequence, t.status, t.reason, t.resent", "event", "");
const PARTS: &str = of_messages!("t.part, t.status, t.reason, t.provider", "part", "ORDER BY w.id, t.part");
const CHECKING: &str = of_messages!(
    "t.lane, t.class, t.position, t.attempt, t.resent, t.part, t.since, t.deadline, t.claimed_at",
    "checking",
    ""
);

/// Of the messages with these ids.
macro_rules! of_ids {
    ($columns:literal, $from:literal, $rest:literal) => {
        concat!(
            "SELECT w.id, ",
            $columns,
            " FROM UNNEST($2::uuid[]) AS w (id) CROSS JOIN LATERAL (SELECT * FROM ",
            $from,
            " AND department = $1 AND id = w.id OFFSET 0) AS t ",
            $rest
        )
    };
}

/// The oldest message where a provider has given two the same id.
const REFERENCES: &str = "
    SELECT DISTINCT ON (n.reference) n.reference, r.id, r.part FROM UNNEST($2::text[]) AS n (reference)
    CROSS JOIN LATERAL (SELECT id, part FROM reference WHERE channel = $1 AND reference = n.reference OFFSET 0) AS r
    ORDER BY n.reference, r.id";

/// Where in a flight's answers the rows of each table stand.
pub(super) struct Asked {
    needs: Needs,
    histories: Option<usize>,
    failures: Option<usize>,
    messages: Option<usize>,
    lanes: Option<usize>,
    channels: Option<usize>,
    parts: Option<usize>,
    cancelled: Option<usize>,
    checking: Option<usize>,
    live: Option<usize>,
    claims: Option<usize>,
    positions: Option<usize>,
    references: Option<usize>,
    early: Option<usize>,
    inbound: Option<usize>,
    windows: Option<usize>,
    suppressions: Option<usize>,
    wishes: Option<usize>,
    contacts: Option<usize>,
}

fn ids(ids: &BTreeSet<Uuid>) -> Vec<Uuid> {
    ids.iter().copied().collect()
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    texts.into_iter().cloned().collect()
}

impl WorkingSet {
    /// Adds the statements that load what is needed.
    pub(super) fn ask(&self, needs: Needs, pipeline: &mut Pipeline<'_>) -> Asked {
        let (department, channel) = (self.department, needs.channel);
        // Statements that name messages by ids and by references.
        let mut named = |sql, named: &BTreeSet<Uuid>| {
            let some = !named.is_empty() || !needs.receipts.is_empty();
            some.then(|| pipeline.add(sql, values![department, ids(named), channel, texts(&needs.receipts)]))
        };
        let histories = named(EVENTS, &needs.histories);
        let parts = named(PARTS, &needs.parts);
        let checking = named(CHECKING, &needs.checking);
        let mut of_ids = |sql, wanted: &BTreeSet<Uuid>| {
            (!wanted.is_empty()).then(|| pipeline.add(sql, values![department, ids(wanted)]))
        };
        let failures =
            of_ids(of_ids!("t.reason", "note WHERE status = 5", "ORDER BY w.id, t.number DESC"), &needs.failures);
        let messages = of_ids(of_ids!("t.body", "message WHERE true", ""), &needs.messages);
        let lanes = of_ids(of_ids!("t.lane", "message WHERE true", ""), &needs.lanes);
        let cancelled =
            of_ids("SELECT id FROM cancelled WHERE department = $1 AND id = ANY ($2::uuid[])", &needs.cancelled);
        let references = (!needs.references.is_empty() || !needs.receipts.is_empty())
            .then(|| pipeline.add(REFERENCES, values![channel, texts(needs.references.union(&needs.receipts))]));
        let mut of_texts = |sql, key: i64, wanted: &BTreeSet<String>| {
            (!wanted.is_empty()).then(|| pipeline.add(sql, values![key, texts(wanted)]))
        };
        let early = of_texts(
            "SELECT reference, status, receipt FROM early WHERE channel = $1 AND reference = ANY ($2::text[])
             ORDER BY reference, status",
            channel,
            &needs.early,
        );
        let inbound = of_texts(
            "SELECT reference FROM inbound WHERE channel = $1 AND reference = ANY ($2::text[])",
            channel,
            &needs.inbound,
        );
        let suppressions = of_texts(
            "SELECT customer, channel, kind FROM suppression WHERE department = $1 AND customer = ANY ($2::text[])",
            department,
            &needs.suppressions,
        );
        let channels = (!needs.channels.is_empty()).then(|| {
            let lanes: Vec<i64> = needs.channels.iter().copied().collect();
            pipeline.add("SELECT lane, channel FROM lane WHERE lane = ANY ($1::bigint[])", values![lanes])
        });
        let live = (!needs.live.is_empty()).then(|| {
            let lanes: Vec<i64> = needs.live.iter().map(|key| key.0).collect();
            let classes: Vec<i16> = needs.live.iter().map(|key| key.1).collect();
            let positions: Vec<i64> = needs.live.iter().map(|key| key.2).collect();
            pipeline.add(
                "SELECT n.lane, n.class, n.position, l.id, l.attempt, l.resent, l.part
                 FROM UNNEST($2::bigint[], $3::smallint[], $4::bigint[]) AS n (lane, class, position)
                 CROSS JOIN LATERAL (SELECT id, attempt, resent, part FROM live WHERE department = $1 AND lane = n.lane
                     AND class = n.class AND position = n.position OFFSET 0) AS l",
                values![department, lanes, classes, positions],
            )
        });
        let claims = (!needs.claims.is_empty()).then(|| {
            let lanes: Vec<i64> = needs.claims.iter().copied().collect();
            pipeline.add(
                "SELECT lane, at, entries FROM claim WHERE department = $1 AND lane = ANY ($2::bigint[])
                 ORDER BY lane, epoch, number",
                values![department, lanes],
            )
        });
        // Behind the lock on `lane_log`, as everywhere.
        let positions = (!needs.positions.is_empty()).then(|| {
            let lanes: Vec<i64> = needs.positions.iter().copied().collect();
            pipeline.add(
                "SELECT lane, position FROM lane_queue WHERE lane = ANY ($1::bigint[]) ORDER BY lane FOR UPDATE",
                values![lanes],
            )
        });
        let windows = (!needs.windows.is_empty()).then(|| {
            let lanes: Vec<i64> = needs.windows.iter().map(|key| key.0).collect();
            let customers = texts(needs.windows.iter().map(|key| &key.1));
            pipeline.add(
                "SELECT n.lane, n.customer, o.until FROM UNNEST($1::bigint[], $2::text[]) AS n (lane, customer)
                 CROSS JOIN LATERAL (
                     SELECT until FROM open_window WHERE lane = n.lane AND customer = n.customer OFFSET 0) AS o",
                values![lanes, customers],
            )
        });
        let wishes = (!needs.wishes.is_empty()).then(|| {
            pipeline.add(
                "SELECT customer, wanted, at FROM marketing_wish
                 WHERE department = $1 AND channel = $2 AND customer = ANY ($3::text[])",
                values![department, channel, texts(&needs.wishes)],
            )
        });
        let contacts = (!needs.contacts.is_empty()).then(|| {
            let protocols = texts(needs.contacts.iter().map(|key| &key.0));
            let identifiers = texts(needs.contacts.iter().map(|key| &key.1));
            pipeline.add(
                "SELECT n.protocol, n.identifier, c.contact FROM UNNEST($2::text[], $3::text[]) AS n (protocol, identifier)
                 CROSS JOIN LATERAL (SELECT contact FROM contact_identifier
                     WHERE department = $1 AND protocol = n.protocol AND identifier = n.identifier OFFSET 0) AS c",
                values![department, protocols, identifiers],
            )
        });
        Asked {
            needs,
            histories,
            failures,
            messages,
            lanes,
            channels,
            parts,
            cancelled,
            checking,
            live,
            claims,
            positions,
            references,
            early,
            inbound,
            windows,
            suppressions,
            wishes,
            contacts,
        }
    }

    /// Takes in what was asked for, and that of the rest there is none.
    pub(super) fn absorb(&mut self, asked: Asked, answers: &mut Answers) -> Result<(), StoreError> {
        let needs = &asked.needs;
        let mut rows = |statement: Option<usize>| statement.map(|number| answers.take(number)).unwrap_or_default();
        let channel = needs.channel;

        // What references name was asked for together with what is asked of messages.
        for reference in needs.references.iter().chain(&needs.receipts) {
            self.references.entry((channel, reference.clone())).or_insert(None);
        }
        let mut named: Vec<Uuid> = Vec::new();
        for row in rows(asked.references) {
            let (reference, id): (String, MessageId) = (columns::get(&row, 0)?, columns::message_id(&row, 1)?);
            if needs.receipts.contains(&reference) {
                named.push(id.0);
            }
            self.references.insert((channel, reference), Some((id, columns::small(&row, 2)?)));
        }
        for id in needs.histories.iter().chain(&named) {
            self.events.insert(*id, Vec::new());
        }
        for row in rows(asked.histories) {
            // That of a reference which two messages have: only the older is asked about.
            if let Some(events) = self.events.get_mut(&columns::get::<Uuid>(&row, 0)?) {
                events.push(event(&row)?);
            }
        }
        for id in needs.parts.iter().chain(&named) {
            self.parts.insert(*id, Vec::new());
        }
        for row in rows(asked.parts) {
            if let Some(parts) = self.parts.get_mut(&columns::get::<Uuid>(&row, 0)?) {
                parts.push(part(&row)?);
            }
        }
        needs.checking.iter().chain(&named).for_each(|id| self.checking.asked(*id));
        for row in rows(asked.checking) {
            self.checking.found(columns::get(&row, 0)?, (columns::get(&row, 1)?, checking(&row)?));
        }

        self.foresee_guesses(needs.histories.iter().chain(&named));
        self.failures.extend(needs.failures.iter().map(|id| (*id, None)));
        // The first that was noted comes last.
        for row in rows(asked.failures) {
            let reason = columns::get::<Option<i16>>(&row, 1)?.and_then(|number| u16::try_from(number).ok());
            self.failures.insert(columns::get(&row, 0)?, Some(reason));
        }
        self.messages.extend(needs.messages.iter().map(|id| (*id, None)));
        for row in rows(asked.messages) {
            self.messages.insert(columns::get(&row, 0)?, Some(columns::message(&row, 1)?));
        }
        self.lanes.extend(needs.lanes.iter().map(|id| (*id, None)));
        for row in rows(asked.lanes) {
            self.lanes.insert(columns::get(&row, 0)?, Some(columns::get(&row, 1)?));
        }
        for row in rows(asked.channels) {
            self.channels.insert(columns::get(&row, 0)?, columns::get(&row, 1)?);
        }
        needs.cancelled.iter().for_each(|id| self.cancelled.asked(*id));
        for row in rows(asked.cancelled) {
            self.cancelled.found(columns::get(&row, 0)?, ());
        }
        needs.live.iter().for_each(|key| self.live.asked(*key));
        for row in rows(asked.live) {
            let (key, live) = live(&row)?;
            self.live.found(key, live);
        }
        self.claims.extend(needs.claims.iter().map(|lane| (*lane, Vec::new())));
        for row in rows(asked.claims) {
            let claim = (columns::timestamp(&row, 1)?, columns::get(&row, 2)?);
            self.claims.entry(columns::get(&row, 0)?).or_default().push(claim);
        }
        for row in rows(asked.positions) {
            self.positions.insert(columns::get(&row, 0)?, columns::get(&row, 1)?);
        }
        let early = needs.early.iter().map(|reference| ((channel, reference.clone()), Vec::new()));
        self.early.extend(early);
        for row in rows(asked.early) {
            let receipt = (columns::status(&row, 1)?, columns::get(&row, 2)?);
            self.early.entry((channel, columns::get(&row, 0)?)).or_default().push(receipt);
        }
        needs.inbound.iter().for_each(|reference| self.inbound.asked((channel, reference.clone())));
        for row in rows(asked.inbound) {
            self.inbound.found((channel, columns::get(&row, 0)?), InboundRow::default());
        }
        self.windows.extend(needs.windows.iter().map(|key| (key.clone(), None)));
        for row in rows(asked.windows) {
            self.windows.insert((columns::get(&row, 0)?, columns::get(&row, 1)?), Some(columns::get(&row, 2)?));
        }
        self.suppressed.extend(needs.suppressions.iter().map(|customer| (customer.clone(), Vec::new())));
        for row in rows(asked.suppressions) {
            let suppressed: (ChannelRow, String) = (columns::get(&row, 1)?, columns::get(&row, 2)?);
            self.suppressed.entry(columns::get(&row, 0)?).or_default().push(suppressed);
        }
        needs.wishes.iter().for_each(|customer| self.wishes.asked((channel, customer.clone())));
        for row in rows(asked.wishes) {
            let wish = (columns::get(&row, 1)?, columns::timestamp(&row, 2)?);
            self.wishes.found((channel, columns::get(&row, 0)?), wish);
        }
        needs.contacts.iter().for_each(|key| self.contacts.asked(key.clone()));
        for row in rows(asked.contacts) {
            self.contacts.found((columns::get(&row, 0)?, columns::get(&row, 1)?), columns::get(&row, 2)?);
        }
        Ok(())
    }
}

fn event(row: &Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        lane: columns::get(row, 1)?,
        sequence: columns::get(row, 2)?,
        status: columns::status(row, 3)?,
        reason: columns::get::<Option<i16>>(row, 4)?.and_then(|number| u16::try_from(number).ok()),
        resent: columns::get(row, 5)?,
    })
}

fn part(row: &Row) -> Result<PartRow, StoreError> {
    Ok(PartRow {
        status: columns::status(row, 2)?,
        reason: columns::get::<Option<i16>>(row, 3)?.and_then(|number| u16::try_from(number).ok()),
        words: columns::get(row, 4)?,
    })
}

fn checking(row: &Row) -> Result<CheckingRow, StoreError> {
    Ok(CheckingRow {
        place: (columns::get(row, 1)?, columns::get(row, 2)?, columns::get(row, 3)?),
        attempt: columns::count(row, 4)?,
        resent: columns::get(row, 5)?,
        part: columns::small(row, 6)?,
        since: columns::timestamp(row, 7)?,
        deadline: columns::timestamp(row, 8)?,
        claimed_at: columns::timestamp(row, 9)?,
    })
}

fn live(row: &Row) -> Result<(PlaceKey, LiveRow), StoreError> {
    let key = (columns::get(row, 0)?, columns::get(row, 1)?, columns::get(row, 2)?);
    let live = LiveRow {
        id: columns::message_id(row, 3)?,
        attempt: columns::count(row, 4)?,
        resent: columns::get(row, 5)?,
        part: columns::small(row, 6)?,
    };
    Ok((key, live))
}
