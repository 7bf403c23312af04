//! What happens to a cluster, by a seed: nodes are killed, stand still and come back, or lose sight of
//! the database; that is restarted.

use super::cluster::{Cluster, freeze, thaw};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{RwLock, Semaphore},
    task::JoinSet,
};

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    pub kills: usize,
    pub freezes: usize,
    /// Nodes that live, and do not reach the database.
    pub cuts: usize,
    /// Restarts of the database, every second one after a `kill -9`.
    pub restarts: usize,
}

#[derive(Clone, Copy, Debug)]
enum Blow {
    Kill { node: usize, down: Duration },
    Freeze { node: usize, still: Duration },
    Cut { node: usize, off: Duration },
    Restart { killed: bool },
}

/// What will happen, and when: each blow comes so long after the one before has begun.
pub struct Havoc {
    blows: Vec<(Duration, Blow)>,
}

impl fmt::Display for Havoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blows.iter().try_for_each(|(pause, blow)| writeln!(f, "  after {:.1} s: {blow:?}", pause.as_secs_f64()))
    }
}

impl Havoc {
    /// In a random order, on random nodes.
    pub fn new(random: &mut fastrand::Rng, nodes: usize, measure: Measure) -> Self {
        let mut millis = |range: std::ops::Range<u64>| Duration::from_millis(random.u64(range));
        let mut blows: Vec<Blow> = Vec::new();
        for _ in 0..measure.kills {
            blows.push(Blow::Kill { node: 0, down: millis(0..2_000) });
        }
        for _ in 0..measure.freezes {
            // Longer than a lease lasts: others take what it holds, and it must not go on with it.
            blows.push(Blow::Freeze { node: 0, still: millis(4_000..8_000) });
        }
        for _ in 0..measure.cuts {
            blows.push(Blow::Cut { node: 0, off: millis(2_000..8_000) });
        }
        let mut blows: Vec<(Duration, Blow)> = blows.into_iter().map(|blow| (millis(500..2_500), blow)).collect();
        for (_, blow) in &mut blows {
            if let Blow::Kill { node, .. } | Blow::Freeze { node, .. } | Blow::Cut { node, .. } = blow {
                *node = random.usize(0..nodes);
            }
        }
        random.shuffle(&mut blows);
        for at in 0..measure.restarts {
            // Spread over the time, never first.
            let place = (at + 1) * blows.len() / (measure.restarts + 1) + 1;
            let restart = Blow::Restart { killed: at % 2 == 1 };
            blows.insert(place.min(blows.len()), (Duration::from_millis(random.u64(500..1_500)), restart));
        }
        Self { blows }
    }

    /// Strikes, and returns when all that was struck is up again.
    pub async fn strike(self, cluster: &Arc<Cluster>) {
        // One node at least is left alone at any time; none is started while the database is away, as it would end at
        // once and be started again by whoever watches over it.
        let free = Arc::new(Semaphore::new(cluster.nodes.len() - 1));
        let there = Arc::new(RwLock::new(()));
        let mut under_way = JoinSet::new();
        for (pause, blow) in self.blows {
            tokio::time::sleep(pause).await;
            if let Blow::Restart { killed } = blow {
                let _none_starts = there.write().await;
                let away = cluster.restart_server(killed).await;
                println!("the database was away for {} ms (killed: {killed})", away.as_millis());
                continue;
            }
            let permit = free.clone().acquire_owned().await.unwrap();
            let (cluster, there) = (cluster.clone(), there.clone());
            under_way.spawn(async move {
                match blow {
                    Blow::Kill { node, down } => {
                        let mut node = cluster.nodes[node].lock().await;
                        let _is_there = there.read().await;
                        node.kill();
                        tokio::time::sleep(down).await;
                        node.restart().await;
                    }
                    Blow::Freeze { node, still } => {
                        let node = cluster.nodes[node].lock().await;
                        freeze(&node);
                        tokio::time::sleep(still).await;
                        thaw(&node);
                    }
                    Blow::Cut { node, off } => {
                        // It must not be started meanwhile.
                        let _node = cluster.nodes[node].lock().await;
                        cluster.lines[node].cut();
                        tokio::time::sleep(off).await;
                        cluster.lines[node].mend();
                    }
                    Blow::Restart { .. } => {}
                }
                drop(permit);
            });
        }
        while let Some(done) = under_way.join_next().await {
            done.unwrap();
        }
    }
}
