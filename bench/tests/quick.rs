//! The whole bench once, with few messages: that it still fits the API it measures.

use std::{
    path::Path,
    process::{Command, Stdio},
};

#[test]
fn a_quick_run_measures_everything() {
    let bench = Path::new(env!("CARGO_BIN_EXE_herald-bench"));
    // The binary of another package. A build of the workspace has put it beside ours; to build it again here, alone,
    // would choose other features of shared dependencies and take minutes.
    if !bench.with_file_name("herald").exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--locked", "-p", "herald"]).status();
        assert!(built.unwrap().success());
    }
    let out = tempfile::tempdir().unwrap();
    let run = Command::new(bench)
        .args(["run", "--quick", "--out"])
        .arg(out.path())
        .args(["--data"])
        .arg(out.path())
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{talk}");
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.path().join("results.json")).unwrap()).unwrap();
    for key in [
        "accepted_per_s",
        "accept_p99_ms_at_half_load",
        "end_to_end_per_s",
        "cpu_s_per_1000",
        "rss_mib_empty",
        "rss_mib_1m_queued",
        "start_s_1m_queued",
        "throughput_ratio_1m_queued",
    ] {
        for field in ["min", "median", "max"] {
            assert!(results[key][field].as_f64().is_some_and(|value| value >= 0.0), "{key}: {results}");
        }
    }
    let rows = std::fs::read_to_string(out.path().join("RESULTS.md")).unwrap();
    assert!(rows.contains("| `end_to_end_per_s_profile_b` |"), "{rows}");
}
