//! Prometheus itself reads a node's metrics, evaluates the rules and answers the queries of the dashboard.

use super::{file, program, watching::queries};
use crate::support::{Ask, World, own_port, until};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    process::{Child, Stdio},
};

/// Ended when the test is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, if its settings were refused.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_a_node_and_answers_the_dashboard() {
    let Some(mut prometheus) = program("prometheus") else { return };
    let world = World::new().await;
    let channel = world.channel("SMS", "972550000001").await;
    let message = world.sales.text(&channel, "972540000001", "Counted").await;
    world.sales.story_until(&message, "Delivered").await;

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yml");
    let (port, target) = (own_port(), world.herald.internal.split_once("//").unwrap().1);
    let text = std::fs::read_to_string(file("prometheus/prometheus.yml")).unwrap();
    let (settings, _) = text.split_once("scrape_configs:").unwrap();
    let settings = settings.replace("15s", "1s").replace("alerts.yml", file("prometheus/alerts.yml").to_str().unwrap());
    let scrape =
        format!("scrape_configs:\n  - job_name: herald\n    static_configs:\n      - targets: [\"{target}\"]\n");
    std::fs::write(&config, settings + &scrape).unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    prometheus.arg("--config.file").arg(&config).arg("--storage.tsdb.path").arg(folder.path().join("data"));
    prometheus.arg("--web.listen-address").arg(format!("127.0.0.1:{port}"));
    prometheus.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let _running = Running(prometheus.spawn().unwrap());
    let ask = Ask::new(&format!("http://127.0.0.1:{port}"));
    let get = async |path: &str| {
        let text = ask.text(path).await.unwrap_or_default();
        serde_json::from_str::<Value>(&text).unwrap_or_default()
    };

    until("a scrape", || async {
        let targets = get("/api/v1/targets").await;
        let target = &targets["data"]["activeTargets"][0];
        assert_eq!(target["lastError"].as_str().unwrap_or_default(), "", "{target}");
        (target["health"] == "up").then_some(())
    })
    .await;
    until("the message to be counted", || async {
        let found = get("/api/v1/query?query=sum(herald_messages_accepted_total)").await;
        (found["data"]["result"][0]["value"][1] == "1").then_some(())
    })
    .await;
    until("the rules to be evaluated", || async {
        let rules = get("/api/v1/rules").await;
        let groups = rules["data"]["groups"].as_array().cloned().unwrap_or_default();
        let health: BTreeSet<_> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
            .map(|rule| rule["health"].as_str().unwrap().to_owned())
            .collect();
        assert!(!health.contains("err"), "{rules}");
        (health.len() == 1 && health.contains("ok")).then_some(())
    })
    .await;
    // Nothing fires beside a node that is well.
    let alerts = get("/api/v1/alerts").await;
    assert_eq!(alerts["data"]["alerts"], serde_json::json!([]), "{alerts}");
    for query in queries() {
        let url =
            url::form_urlencoded::Serializer::new("/api/v1/query?".to_owned()).append_pair("query", &query).finish();
        assert_eq!(get(&url).await["status"], "success", "{query}");
    }
}
