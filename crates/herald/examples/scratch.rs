use herald::store::*;
use herald_channels::contract::{Receipt, Reference};
use herald_rules::{ids::*, message::*, protocol::*, status::Status, time::Timestamp};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
struct Obs(Mutex<(u64, u64, Duration)>);
impl Observer for Obs {
    fn arrived(&self, _: i64, _: Queued) {}
    fn scheduled(&self, _: i64, _: Timestamp) {}
    fn changed(&self, _: &[Change]) {}
    fn group(&self, n: usize, t: Duration) {
        let mut g = self.0.lock().unwrap();
        g.0 += 1;
        g.1 += n as u64;
        g.2 += t;
    }
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<_> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
#[tokio::main]
async fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let obs = Arc::new(Obs(Default::default()));
    let store = Store::open(&Options::at(dir.path().join("h.db")), obs.clone()).unwrap();
    let secret = NewSecret { id: uuid::Uuid::now_v7(), name: "f".into(), sealed: vec![], created_at: Timestamp::now() };
    let department = store
        .add_department(NewDepartment {
            id: DepartmentId::new(),
            name: "T".into(),
            settings: Default::default(),
            secret,
            user: None,
            created_at: Timestamp::now(),
        })
        .await
        .unwrap();
    let channel = store
        .add_channel(NewChannel {
            department,
            id: ChannelId::new(),
            protocol: Protocol::WhatsApp,
            provider: Provider::Simulated,
            name: "w".into(),
            active: true,
            non_ticket: true,
            settings: Default::default(),
            sealed_credentials: None,
            identifiers: vec![NewIdentifier { identifier: "15550100200".into(), name: "".into(), rate: None }],
            created_at: Timestamp::now(),
        })
        .await
        .unwrap();
    let lane = 1;
    let (t, c) = (Instant::now(), cpu());
    let mut tasks = vec![];
    for w in 0..64 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut ids = vec![];
            for i in 0..n / 64 {
                let m = Message { id: MessageId::new(), protocol: Protocol::WhatsApp, from: "15550100200".into(), to: format!("9725{:08}", w * 1000000 + i), text: "Hello dear customer, your order number 12345 is on its way and will be with you between ten and twelve o'clock tomorrow morning.".into(), files: vec![], metadata: None, priority: Priority::Transactional, accepted_at: Timestamp::now(), send_at: None, expires_at: None };
                ids.push(m.id);
                let body = serde_json::to_string(&m).unwrap();
                store.accept(vec![NewMessage { department, lane, message: Arc::new(m), body, idempotency: None }]).await.unwrap();
            }
            ids
        }));
    }
    let mut ids = vec![];
    for t in tasks {
        ids.extend(t.await.unwrap());
    }
    let total = ids.len() as f64;
    let report = |name: &str, t: Instant, c: f64| {
        let g = std::mem::take(&mut *obs.0.lock().unwrap());
        println!(
            "{name}: {:.0}/s cpu {:.1} us/msg, groups {} mean {:.0} busy {:.2}s",
            total / t.elapsed().as_secs_f64(),
            (cpu() - c) / total * 1e6,
            g.0,
            g.1 as f64 / g.0.max(1) as f64,
            g.2.as_secs_f64()
        );
    };
    report("accept", t, c);
    let (t, c) = (Instant::now(), cpu());
    let mut after = 0;
    let mut number = 1;
    loop {
        let page = store.head(department, lane, Priority::Transactional, after, 256).await.unwrap();
        if page.messages.is_empty() {
            break;
        }
        after = page.messages.last().unwrap().place.position;
        for chunk in page.messages.chunks(64) {
            store
                .claim(Claim { department, lane, number, at: Timestamp::now(), pace: None, entries: chunk.to_vec() })
                .await
                .unwrap();
            let ended = chunk
                .iter()
                .map(|q| Ended {
                    id: q.message.id,
                    place: q.place,
                    attempt: 1,
                    resent: false,
                    at: Timestamp::now(),
                    outcome: Recorded::Accepted { reference: None },
                })
                .collect();
            store.record(Outcomes { department, channel, lane, ended, closed: vec![number] }).await.unwrap();
            number += 1;
        }
    }
    report("claim+record", t, c);
    for (name, status) in [("receipts delivered", Status::Delivered), ("receipts read", Status::Read)] {
        let (t, c) = (Instant::now(), cpu());
        for chunk in ids.chunks(20 * 8) {
            let calls = chunk.chunks(20).map(|chunk| {
                let receipts = chunk
                    .iter()
                    .map(|id| Receipt { reference: Reference::Ours(*id), status, at: None, cause: None })
                    .collect();
                store.apply(department, channel, receipts, Timestamp::now())
            });
            futures_util::future::join_all(calls).await.into_iter().for_each(|r| {
                r.unwrap();
            });
        }
        report(name, t, c);
    }
    println!("db {} MB", std::fs::metadata(dir.path().join("h.db")).unwrap().len() / 1000000);
}
