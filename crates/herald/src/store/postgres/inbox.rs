//! Callbacks: kept as they came, all callers of the moment in one statement, and read page by page.

use super::{
    Engine, columns,
    gather::Call,
    pipeline::{Pipeline, values},
};
use crate::store::{
    ChannelRow, DepartmentRow, Evidence, InboundFilter, InboundPage, InboxDepth, InboxKind, InboxLimits, InboxPage,
    KeptInbound, StoreError, WaitingCallback, range,
};
use axum::body::Bytes;
use herald_rules::{ids::MessageId, time::Timestamp};
use tokio_postgres::Row;

/// A batch of callbacks is full with so many bytes.
pub(super) const FULL: usize = 4 * 1024 * 1024;
/// What a callback weighs beside its body: a thousand empty ones fill a batch.
const ROW: usize = 4 * 1024;

/// A callback to be kept.
pub(super) struct Callback {
    department: DepartmentRow,
    channel: ChannelRow,
    body: Bytes,
    at: Timestamp,
}

/// The next channels that have some: one look into the index for each, whatever their number.
const CHANNELS: &str = "
    WITH RECURSIVE waiting AS (
        SELECT min(channel) AS channel FROM inbox WHERE problem IS NULL AND channel > $1
        UNION ALL
        SELECT (SELECT min(i.channel) FROM inbox i WHERE i.problem IS NULL AND i.channel > w.channel)
        FROM waiting w WHERE w.channel IS NOT NULL)
    SELECT p.channel, p.number, p.at, p.body, p.department, p.kind
    FROM (SELECT channel FROM waiting WHERE channel IS NOT NULL AND NOT channel = ANY ($2::bigint[]) LIMIT $3) w
    CROSS JOIN LATERAL (
        SELECT i.channel, i.number, i.at, i.body, i.department, i.kind, sum(length(i.body)) OVER (ORDER BY i.number) AS bytes,
            row_number() OVER (ORDER BY i.number) AS nth
        FROM (SELECT * FROM inbox WHERE channel = w.channel AND problem IS NULL ORDER BY number LIMIT $4) i) p
    WHERE p.bytes <= $5 OR p.nth = 1
    ORDER BY p.channel, p.number";

impl Engine {
    pub(in crate::store) async fn keep_callback(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        body: Bytes,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let weight = ROW + body.len();
        let engine = self.clone();
        self.keeping
            .call(Callback { department, channel, body, at }, weight, move |calls| {
                let engine = engine.clone();
                async move { engine.keep_batch(calls).await }
            })
            .await
    }

    async fn keep_batch(&self, calls: Vec<Call<Callback, ()>>) {
        let values = values![
            calls.iter().map(|call| call.asked.department).collect::<Vec<_>>(),
            calls.iter().map(|call| call.asked.channel).collect::<Vec<_>>(),
            calls.iter().map(|call| call.asked.at.0).collect::<Vec<_>>(),
            calls.iter().map(|call| &call.asked.body[..]).collect::<Vec<_>>(),
        ];
        let kept = self
            .run(
                "INSERT INTO inbox (department, channel, at, body)
                 SELECT department, channel, at, body
                 FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) WITH ORDINALITY
                     AS n (department, channel, at, body, number) ORDER BY number",
                values,
            )
            .await
            .map(drop);
        if kept.is_ok() {
            self.wakes.inbox();
        }
        for call in calls {
            // The caller may have gone.
            drop(call.answer.send(kept.clone()));
        }
    }

    pub(in crate::store) async fn keep_evidence(
        &self,
        evidence: Vec<Evidence>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let bodies = evidence.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>()?;
        let values = values![
            evidence.iter().map(|evidence| evidence.department).collect::<Vec<_>>(),
            evidence.iter().map(|evidence| evidence.channel).collect::<Vec<_>>(),
            bodies,
            at.0,
            InboxKind::Evidence.code(),
        ];
        self.run(
            "INSERT INTO inbox (department, channel, at, kind, body)
             SELECT department, channel, $4, $5, body
             FROM UNNEST($1::bigint[], $2::bigint[], $3::bytea[]) WITH ORDINALITY
                 AS n (department, channel, body, number) ORDER BY number",
            values,
        )
        .await
        .map(drop)
    }

    pub(in crate::store) async fn inbox(
        &self,
        after: ChannelRow,
        except: Vec<ChannelRow>,
        limits: InboxLimits,
    ) -> Result<Vec<InboxPage>, StoreError> {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(
            CHANNELS,
            values![after, except, count(limits.channels), count(limits.callbacks), count(limits.bytes)],
        );
        let mut pages: Vec<InboxPage> = Vec::new();
        for row in self.look(pipeline).await?.take(found) {
            let channel = columns::get(&row, 0)?;
            let callback = WaitingCallback {
                number: columns::get(&row, 1)?,
                kind: InboxKind::from_code(columns::get(&row, 5)?)
                    .ok_or_else(|| StoreError::Corrupt("the inbox holds something of an unknown kind".into()))?,
                at: columns::timestamp(&row, 2)?,
                body: columns::get(&row, 3)?,
            };
            match pages.last_mut().filter(|page| page.channel == channel) {
                Some(page) => page.callbacks.push(callback),
                None => {
                    pages.push(InboxPage { department: columns::get(&row, 4)?, channel, callbacks: vec![callback] })
                }
            }
        }
        Ok(pages)
    }

    pub(in crate::store) async fn inbox_depth(&self) -> Result<InboxDepth, StoreError> {
        let mut pipeline = Pipeline::default();
        let depth = pipeline.add(
            "SELECT count(*) FILTER (WHERE problem IS NULL), count(*) FILTER (WHERE problem IS NOT NULL),
                 min(at) FILTER (WHERE problem IS NULL) FROM inbox",
            vec![],
        );
        let rows = self.look(pipeline).await?.take(depth);
        let Some(row) = rows.first() else { return Ok(InboxDepth::default()) };
        Ok(InboxDepth {
            waiting: columns::number::<i64, _>(row, 0)?,
            unreadable: columns::number::<i64, _>(row, 1)?,
            oldest: columns::get::<Option<i64>>(row, 2)?.map(Timestamp),
        })
    }

    pub(in crate::store) async fn inbound(
        &self,
        department: DepartmentRow,
        id: MessageId,
    ) -> Result<Option<KeptInbound>, StoreError> {
        let mut pipeline = Pipeline::default();
        let found = pipeline.add(
            "SELECT id, channel, lane, received_at, body FROM inbound WHERE department = $1 AND id = $2",
            values![department, id.0],
        );
        self.look(pipeline).await?.take(found).first().map(kept).transpose()
    }

    pub(in crate::store) async fn list_inbound(&self, filter: InboundFilter) -> Result<InboundPage, StoreError> {
        let (from, below) = range(filter.since, filter.until, filter.before);
        let InboundFilter { department, lanes, from: customer, since, until, limit, look_at, .. } = filter;
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut pipeline = Pipeline::default();
        // One more than fit tells where to go on; the last that was looked at is told too.
        let found = pipeline.add(
            "WITH looked_at AS MATERIALIZED (
                 SELECT id, channel, lane, received_at, body, customer, row_number() OVER (ORDER BY id DESC) AS nth
                 FROM inbound WHERE department = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4),
             passed AS MATERIALIZED (
                 SELECT * FROM looked_at WHERE ($5::bigint[] IS NULL OR lane = ANY ($5)) AND ($6::text IS NULL OR customer = $6)
                     AND ($7::bigint IS NULL OR received_at >= $7) AND ($8::bigint IS NULL OR received_at < $8)
                 ORDER BY id DESC LIMIT $9)
             SELECT id, channel, lane, received_at, body FROM passed
             UNION ALL
             SELECT id, NULL, NULL, NULL, NULL FROM looked_at WHERE nth = $4 AND (SELECT count(*) FROM passed) < $9
             ORDER BY id DESC",
            values![
                department,
                below,
                from,
                count(look_at),
                lanes,
                customer,
                since.map(|at| at.0),
                until.map(|at| at.0),
                count(limit),
            ],
        );
        let mut page = InboundPage { messages: Vec::new(), next: None };
        for row in self.look(pipeline).await?.take(found) {
            match columns::get::<Option<i64>>(&row, 1)? {
                Some(_) => page.messages.push(kept(&row)?),
                None => page.next = Some(columns::message_id(&row, 0)?),
            }
        }
        if page.messages.len() >= limit {
            page.next = page.messages.last().map(|message| message.id);
        }
        Ok(page)
    }
}

fn kept(row: &Row) -> Result<KeptInbound, StoreError> {
    Ok(KeptInbound {
        id: columns::message_id(row, 0)?,
        channel: columns::get(row, 1)?,
        lane: columns::get(row, 2)?,
        received_at: columns::timestamp(row, 3)?,
        inbound: serde_json::from_str(columns::get(row, 4)?)?,
    })
}
