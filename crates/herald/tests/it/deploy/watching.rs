//! Alert rules and dashboard: understood by Prometheus, over metrics that exist, each alert with a test and a page.

use super::{file, good, program, text};
use herald::observe::metrics::{CallbackResult, HttpLabels, Metrics};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn prometheus_understands_the_rules_and_they_fire_when_they_should() {
    let Some(mut check) = program("promtool") else { return };
    let rules = file("prometheus/alerts.yml");
    good(check.args(["check", "rules"]).arg(&rules));
    let folder = rules.parent().unwrap();
    let promtool = |arguments: &[&str]| good(program("promtool").unwrap().args(arguments).current_dir(folder));
    println!("{}", promtool(&["test", "rules", "alerts_test.yml"]));
    promtool(&["check", "config", "--syntax-only", "prometheus.yml"]);
}

#[test]
fn prometheus_understands_the_queries_of_the_dashboard() {
    let Some(mut promtool) = program("promtool") else { return };
    // Its own check of rules is the only one of queries that it has.
    let rule = |(number, query): (usize, String)| json!({"record": format!("panel_{number}"), "expr": query});
    let rules: Vec<_> = queries().into_iter().enumerate().map(rule).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    // YAML contains JSON.
    std::fs::write(file.path(), json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string()).unwrap();
    good(promtool.args(["check", "rules"]).arg(file.path()));
}

#[test]
fn every_metric_and_label_that_is_asked_for_exists() {
    let metrics = Metrics::new();
    // Those whose labels are made when they are first needed.
    metrics.refused("channel_inactive", 1);
    metrics.ignored_notices.count("message_echoes", 1);
    for status in [200, 400, 500, 503] {
        metrics.answered(&HttpLabels { method: "POST", route: "/send".to_owned(), status }, 0.1);
    }
    metrics.callbacks.of(CallbackResult::Taken).inc();
    let exposed = metrics.render();
    let mut used = 0;
    for query in queries().into_iter().chain([text("prometheus/alerts.yml"), text("prometheus/alerts_test.yml")]) {
        for (name, values) in metrics_in(&query) {
            used += 1;
            let lines = || exposed.lines().filter(|line| line.split(['{', ' ']).next() == Some(&name));
            assert!(lines().next().is_some(), "no metric {name}, in {query:.80}");
            for value in values {
                assert!(lines().any(|line| line.contains(&value)), "{name} has no {value}, in {query:.80}");
            }
        }
    }
    assert!(used > 100, "the queries were not read: {used}");
}

#[test]
fn every_metric_is_on_the_dashboard() {
    let queries = queries().concat();
    let exposed = Metrics::new().render();
    let names = exposed.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let missing: Vec<_> = names.filter(|name| !queries.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_alert_is_tested_and_explained() {
    let (rules, tests) = (text("prometheus/alerts.yml"), text("prometheus/alerts_test.yml"));
    let page = std::fs::read_to_string(file("../docs/operations.md")).unwrap();
    let alerts: BTreeSet<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 20);
    for alert in &alerts {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} has no test");
        assert!(page.lines().any(|line| line == format!("### {alert}")), "{alert} is not in docs/operations.md");
    }
    // Word for word, so that a change of one is a change of both.
    for line in rules.lines().map(str::trim) {
        if let Some(sentence) = line.strip_prefix("means: '").or_else(|| line.strip_prefix("action: '")) {
            let sentence = sentence.trim_end_matches('\'').replace("''", "'");
            assert!(page.contains(&sentence), "not in docs/operations.md: {sentence}");
        }
    }
    let explained = page.lines().filter_map(|line| line.strip_prefix("### ")).filter(|name| name.starts_with("Herald"));
    for name in explained.filter(|name| !name.contains(' ')) {
        assert!(alerts.contains(name), "there is no alert {name} any more");
    }
}

/// Of all panels, with what Grafana fills in.
pub(super) fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&text("grafana/herald.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries = targets.map(|target| target["expr"].as_str().unwrap());
    queries.map(|query| query.replace("$__rate_interval", "1m").replace("$job", "herald")).collect()
}

/// The metrics of Herald in a query, each with those of its selector's labels that are not Prometheus's own, as `name="value"`.
fn metrics_in(query: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (at, _) in query.match_indices("herald_") {
        if query[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let end =
            query[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(query.len(), |end| at + end);
        let (name, rest) = (&query[at..end], &query[end..]);
        let selector = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
        let mut values = Vec::new();
        for (label, value) in selector.split(", ").filter_map(|part| part.split_once('=')) {
            let quoted = value.trim_start_matches('~');
            // Whatever is there; and `le`, which is the histograms' own.
            let own = ["job", "instance", "le", "version", "code", "field", "route", "method"].contains(&label);
            if !own && !label.ends_with('!') && !quoted.contains('.') {
                values.extend(quoted.trim_matches('"').split('|').map(|value| format!("{label}=\"{value}\"")));
            }
        }
        found.push((name.to_owned(), values));
    }
    found
}
