//! Nodes and leases, by the server's clock.

use super::{
    Engine,
    columns::get,
    pipeline::{Pipeline, values},
};
use crate::store::{
    Changed, Epoch, Group, LaneRow, LeaseRow, NodeId, NodeRow, NodesNow, Renewal, StoreError, SubscriptionRow, Taken,
};
use herald_rules::{
    lease::{Kind, LEASE},
    time::Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

/// The server's clock, in microseconds since 1970.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    };
}

/// A node that has not renewed for so long is forgotten.
const FORGOTTEN: i64 = 3_600_000_000;

impl Engine {
    pub(in crate::store) async fn renew(&self, renewal: Renewal) -> Result<NodesNow, StoreError> {
        let Renewal { node, name, version, works, answers, held } = renewal;
        let kinds: Vec<i16> = held.iter().map(|(group, _)| i16::from(group.kind.code())).collect();
        let epochs: Vec<i64> = held.iter().map(|(_, epoch)| epoch.0).collect();
        let keys: Vec<String> = held.into_iter().map(|(group, _)| group.key).collect();
        let mut pipeline = Pipeline::default();
        // The moment is taken before anything is waited for: a lease ends rather early than late.
        let renewed = pipeline.add(
            concat!(
                "WITH clock AS MATERIALIZED (SELECT ",
                now!(),
                " AS now),
                 alive AS (
                     INSERT INTO node (node, name, version, works, answers, started_at, until)
                     SELECT $1, $2, $3, $4, $5, now, now + $6 FROM clock
                     ON CONFLICT (node) DO UPDATE SET works = excluded.works, until = excluded.until),
                 kept AS (
                     UPDATE lease SET until = clock.now + $6
                     FROM clock, unnest($7::smallint[], $8::text[], $9::bigint[]) AS held (kind, key, epoch)
                     WHERE lease.kind = held.kind AND lease.key = held.key AND lease.epoch = held.epoch AND lease.node = $1)
                 SELECT now FROM clock"
            ),
            values![node.0, name, version, works, answers, micros(), kinds, keys, epochs],
        );
        let nodes = pipeline.add("SELECT node, name, version, works, answers, until FROM node", vec![]);
        let leases = pipeline.add("SELECT kind, key, node, epoch, until FROM lease", vec![]);
        let mut answers = self.look(pipeline).await?;
        let now = answers.take(renewed).first().map(|row| get(row, 0)).transpose()?;
        let now = Timestamp(now.ok_or_else(|| StoreError::Corrupt("no clock".into()))?);
        let nodes = answers.take(nodes).iter().map(node_row).collect::<Result<Vec<_>, _>>()?;
        let leases =
            answers.take(leases).iter().filter_map(|row| lease_row(row).transpose()).collect::<Result<_, _>>()?;
        self.wakes.set_alone(nodes.iter().filter(|row| row.until > now).count() <= 1);
        Ok(NodesNow { now, nodes, leases })
    }

    pub(in crate::store) async fn take_lease(&self, node: NodeId, group: Group) -> Result<Option<Taken>, StoreError> {
        let kind = i16::from(group.kind.code());
        // The row is there before it is locked, so that two who take it for the first time wait for each other too.
        let mut pipeline = Pipeline::default();
        pipeline.add(
            "INSERT INTO lease (kind, key, node, epoch, until) VALUES ($1, $2, NULL, 0, 0) ON CONFLICT DO NOTHING",
            values![kind, group.key.clone()],
        );
        let taken = pipeline.add(
            concat!(
                "WITH before AS MATERIALIZED (SELECT node FROM lease WHERE kind = $1 AND key = $2 FOR UPDATE)
                 UPDATE lease SET node = $3, epoch = nextval('epoch'), until = ",
                now!(),
                " + $4
                 FROM before WHERE kind = $1 AND key = $2 AND (lease.node IS NULL OR lease.until <= ",
                now!(),
                ")
                 RETURNING lease.epoch, before.node IS NOT NULL"
            ),
            values![kind, group.key, node.0, micros()],
        );
        let mut answers = self.look(pipeline).await?;
        let Some(row) = answers.take(taken).into_iter().next() else { return Ok(None) };
        Ok(Some(Taken { epoch: Epoch(get(&row, 0)?), ran_out: get(&row, 1)? }))
    }

    pub(in crate::store) async fn own_lanes(
        &self,
        epoch: Epoch,
        lanes: Vec<LaneRow>,
    ) -> Result<Vec<LaneRow>, StoreError> {
        let rows = self
            .run(
                "WITH locked AS MATERIALIZED (
                     SELECT lane FROM lane_log WHERE lane = ANY ($1::bigint[]) ORDER BY lane FOR UPDATE)
                 UPDATE lane_log SET epoch = $2 FROM locked WHERE lane_log.lane = locked.lane AND epoch <= $2
                 RETURNING lane_log.lane",
                values![lanes, epoch.0],
            )
            .await?;
        rows.iter().map(|row| get(row, 0)).collect()
    }

    pub(in crate::store) async fn own_subscription(
        &self,
        epoch: Epoch,
        subscription: SubscriptionRow,
    ) -> Result<bool, StoreError> {
        let rows = self
            .run(
                "UPDATE subscription SET epoch = $2 WHERE subscription = $1 AND epoch <= $2 RETURNING 1",
                values![subscription, epoch.0],
            )
            .await?;
        Ok(!rows.is_empty())
    }

    pub(in crate::store) async fn free_lease(&self, group: Group, epoch: Epoch) -> Result<(), StoreError> {
        self.run(
            "UPDATE lease SET node = NULL WHERE kind = $1 AND key = $2 AND epoch = $3",
            values![i16::from(group.kind.code()), group.key, epoch.0],
        )
        .await?;
        self.wakes.freed();
        Ok(())
    }

    pub(in crate::store) async fn leave(&self, node: NodeId) -> Result<(), StoreError> {
        self.run("DELETE FROM node WHERE node = $1", values![node.0]).await?;
        self.wakes.freed();
        self.wakes.flushed().await;
        Ok(())
    }

    pub(in crate::store) async fn versions(&self) -> Result<Vec<(Changed, i64)>, StoreError> {
        let rows = self.rows("SELECT kind, version FROM change", &[]).await?;
        let versions = rows.iter().map(|row| Ok((Changed::from_code(get(row, 0)?), get(row, 1)?)));
        let versions = versions.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(versions.into_iter().filter_map(|(changed, version)| Some((changed?, version))).collect())
    }

    pub(in crate::store) async fn announce(&self, changed: Changed) -> Result<(), StoreError> {
        self.run("UPDATE change SET version = version + 1 WHERE kind = $1", values![changed.code()]).await?;
        self.wakes.changed(changed);
        Ok(())
    }

    /// Forgets nodes and leases of long ago.
    pub(super) async fn forget_nodes(&self) -> Result<(), StoreError> {
        let mut pipeline = Pipeline::default();
        pipeline.add(concat!("DELETE FROM node WHERE until < ", now!(), " - $1"), values![FORGOTTEN]);
        pipeline.add(concat!("DELETE FROM lease WHERE until < ", now!(), " - $1"), values![FORGOTTEN * 24]);
        self.look(pipeline).await.map(drop)
    }
}

fn micros() -> i64 {
    i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX)
}

fn node_row(row: &Row) -> Result<NodeRow, StoreError> {
    Ok(NodeRow {
        node: herald_rules::lease::NodeId(get::<Uuid>(row, 0)?),
        name: get(row, 1)?,
        version: get(row, 2)?,
        works: get(row, 3)?,
        answers: get(row, 4)?,
        until: Timestamp(get(row, 5)?),
    })
}

/// None: of a kind that only a newer version knows.
fn lease_row(row: &Row) -> Result<Option<LeaseRow>, StoreError> {
    let code = u8::try_from(get::<i16>(row, 0)?).ok();
    let Some(kind) = code.and_then(Kind::from_code) else { return Ok(None) };
    Ok(Some(LeaseRow {
        group: Group { kind, key: get(row, 1)? },
        node: get::<Option<Uuid>>(row, 2)?.map(herald_rules::lease::NodeId),
        epoch: Epoch(get(row, 3)?),
        until: Timestamp(get(row, 4)?),
    }))
}
