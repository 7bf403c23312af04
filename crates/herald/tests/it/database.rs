//! `herald db`, as an operator uses it: beside a running node, and in place of it.

use crate::support::{Channel, Herald, World, until};
use herald_postgres_server::Shared;
use serde_json::Value;
use std::{os::unix::fs::PermissionsExt, process::Output};

/// Runs a command with `--json`, which must end well.
#[track_caller]
fn json(herald: &Herald, arguments: &[&str]) -> Value {
    let output = herald.command(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The exit code, and what was told on stderr.
#[track_caller]
fn refused(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A department whose lane is paused, with messages that wait.
async fn with_messages_that_wait(herald: Herald, messages: usize) -> (World, Channel, Vec<String>) {
    let world = World::with(herald).await;
    let channel = world.channel("SMS", "972550000001").await;
    json(&world.herald, &["lane", "pause", "SMS:972550000001"]);
    let mut ids = Vec::new();
    for number in 0..messages {
        ids.push(world.sales.text(&channel, &format!("972540{number:04}50"), "It waits").await);
    }
    (world, channel, ids)
}

/// Lets the lane go, and waits until all have been sent, each once.
async fn sends_each_once(world: &World, ids: &[String]) {
    json(&world.herald, &["lane", "resume", "SMS:972550000001"]);
    for id in ids {
        world.sales.story_until(id, "Delivered").await;
    }
    let mut called = world.called();
    called.sort();
    let mut expected = ids.to_vec();
    expected.sort();
    assert_eq!(called, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_migrate_tell_how_it_stands() {
    let (mut world, ..) = with_messages_that_wait(Herald::start().await, 3).await;
    let herald = &world.herald;
    let status = json(herald, &["db", "status", "--tables"]);
    assert_eq!(
        (&status["engine"], &status["nodeHere"], &status["waiting"]),
        (&"sqlite".into(), &true.into(), &3.into()),
        "{status}"
    );
    assert_eq!(
        (&status["lanes"][0]["lane"], &status["lanes"][0]["paused"]),
        (&"SMS:972550000001".into(), &true.into())
    );
    assert!(status["oldestWaiting"].is_string() && status["bytes"].as_u64() > Some(0), "{status}");
    assert!(status["tables"].as_array().unwrap().iter().any(|table| table["table"] == "message"), "{status}");
    assert_eq!(status["schema"]["database"], status["schema"]["program"]);
    let text = String::from_utf8(herald.command(&["db", "status"]).stdout).unwrap();
    assert!(text.contains("SMS:972550000001") && text.contains("runs"), "{text}");
    let missing = json(herald, &["db", "migrate", "--dry-run"]);
    assert_eq!((missing["missing"].as_array().unwrap().len(), &missing["version"]), (0, &status["schema"]["database"]));

    world.herald.stop().await;
    assert_eq!(json(&world.herald, &["db", "status"])["nodeHere"], false);
    // Of a database that is not there yet nothing is made by looking.
    let elsewhere = world.herald.folder().join("new.db");
    let url = format!("store.url=sqlite:{}", elsewhere.display());
    let all = json(&world.herald, &["db", "migrate", "--dry-run", "--set", &url])["missing"].as_array().unwrap().len();
    assert!(all > 1 && !elsewhere.exists());
    assert_eq!(json(&world.herald, &["db", "migrate", "--set", &url])["migrated"].as_array().unwrap().len(), all);
    assert_eq!(json(&world.herald, &["db", "migrate", "--set", &url])["migrated"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_node_is_restored_with_its_lanes_paused() {
    let (mut world, channel, ids) = with_messages_that_wait(Herald::start().await, 3).await;
    json(&world.herald, &["lane", "resume", "SMS:972550000001"]);
    for id in &ids {
        world.sales.story_until(id, "Delivered").await;
    }
    json(&world.herald, &["lane", "pause", "SMS:972550000001"]);
    let waits = world.sales.text(&channel, "972540001111", "It waits").await;
    json(&world.herald, &["lane", "rate", "SMS:972550000001", "50/s"]);

    let file = world.herald.folder().join("backup.db");
    let name = file.to_str().unwrap();
    let made = json(&world.herald, &["db", "backup", name]);
    assert_eq!((&made["checked"], made["file"].as_str()), (&true.into(), Some(name)));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, told) = refused(&world.herald.command(&["db", "backup", name]));
    assert!(code == 4 && told.contains("exists already"), "{told}");
    // What is missing in the backup, and what a restore would throw away.
    world.sales.text(&channel, "972540002222", "After the backup").await;
    assert_eq!(refused(&world.herald.command(&["db", "restore", name])).0, 4, "a node has the folder");
    world.herald.stop().await;
    let (code, told) = refused(&world.herald.command(&["db", "restore", name]));
    assert!(code == 4 && told.contains("not empty"), "{told}");

    let database = world.herald.folder().join("herald.db");
    std::fs::remove_file(&database).unwrap();
    // Its lane ran when it was made, so that a restore has something to pause.
    let backup = rusqlite::Connection::open(&file).unwrap();
    backup.execute("UPDATE lane SET paused = 0", []).unwrap();
    drop(backup);
    let restored = json(&world.herald, &["db", "restore", name]);
    assert_eq!((&restored["waiting"], &restored["lanesPaused"]), (&1.into(), &1.into()));
    assert_eq!(std::fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    world.herald.restart().await;
    assert_eq!(world.sales.story(&waits).await["status"], "Pending");
    assert_eq!(json(&world.herald, &["lane", "show", "SMS:972550000001"])["paused"], true);
    let all = [&ids[..], &[waits]].concat();
    sends_each_once(&world, &all).await;

    // A damaged file is noticed before anything is changed.
    world.herald.stop().await;
    std::fs::remove_file(&database).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(refused(&world.herald.command(&["db", "restore", name])).0, 1);
    assert!(!database.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_moves_to_postgres_and_sends_what_waited() {
    let (mut world, _, ids) = with_messages_that_wait(Herald::start().await, 40).await;
    let database = tokio::task::spawn_blocking(|| Shared::get().unwrap().empty().unwrap()).await.unwrap();
    let (url, from) = (database.url(), format!("sqlite:{}", world.herald.folder().join("herald.db").display()));
    let to = format!("store.url={url}");
    let copy = ["db", "copy", "--from", &from, "--set", &to, "--page", "7"];
    let (code, told) = refused(&world.herald.command(&copy));
    assert!(code == 4 && told.contains("in use by another Herald"), "{told}");
    assert!(world.herald.stop().await.success());
    assert_eq!(refused(&world.herald.command(&["db", "copy", "--from", &from])).0, 2, "to where?");

    let copied = json(&world.herald, &copy);
    let table = |name: &str| {
        copied["tables"].as_array().unwrap().iter().find(|table| table["table"] == name).unwrap()["rows"].clone()
    };
    assert_eq!((table("message"), table("live"), table("lane_queue")), (40.into(), 40.into(), 1.into()));
    let (code, told) = refused(&world.herald.command(&copy));
    assert!(code == 4 && told.contains("not empty"), "{told}");

    world.herald.restart_with(|builder| builder.set("store.url", &url)).await;
    let status = json(&world.herald, &["db", "status", "--set", &to]);
    assert_eq!(
        (&status["engine"], &status["waiting"], &status["nodes"][0]["lives"]),
        (&"postgres".into(), &40.into(), &true.into()),
        "{status}"
    );
    sends_each_once(&world, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_is_dumped_and_restored() {
    let (before, empty, other) = tokio::task::spawn_blocking(|| {
        let shared = Shared::get().unwrap();
        (shared.empty().unwrap(), shared.empty().unwrap(), shared.empty().unwrap())
    })
    .await
    .unwrap();
    let herald = Herald::builder().set("store.url", &before.url()).start().await;
    let (mut world, _, ids) = with_messages_that_wait(herald, 5).await;
    let (from, to) = (format!("store.url={}", before.url()), format!("store.url={}", empty.url()));
    let file = world.herald.folder().join("backup.dump");
    let name = file.to_str().unwrap();
    json(&world.herald, &["db", "backup", name, "--set", &from]);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, told) = refused(&world.herald.command(&["db", "restore", name, "--set", &from]));
    assert!(code == 4 && told.contains("Nodes work on this database"), "{told}");
    world.herald.stop().await;
    until("the node to have left", || async {
        (before.query("SELECT count(*) FROM node").unwrap() == "0").then_some(())
    })
    .await;
    let (code, told) = refused(&world.herald.command(&["db", "restore", name, "--set", &from]));
    assert!(code == 4 && told.contains("not empty"), "{told}");

    let restored = json(&world.herald, &["db", "restore", name, "--set", &to, "--keep-lanes-running"]);
    assert_eq!((&restored["waiting"], &restored["lanesPaused"]), (&5.into(), &0.into()));
    // Tables of a node that has never had a department are in the way too.
    let migrated = format!("store.url={}", other.url());
    json(&world.herald, &["db", "migrate", "--set", &migrated]);
    assert_eq!(refused(&world.herald.command(&["db", "restore", name, "--set", &migrated])).0, 4);
    other.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public").unwrap();
    before.query("UPDATE lane SET paused = false").unwrap();
    let running = world.herald.folder().join("running.dump");
    let running = running.to_str().unwrap();
    json(&world.herald, &["db", "backup", running, "--set", &from]);
    assert_eq!(json(&world.herald, &["db", "restore", running, "--set", &migrated])["lanesPaused"], 1);
    assert_eq!(other.query("SELECT paused FROM lane").unwrap(), "t");
    world.herald.restart_with(|builder| builder.set("store.url", &empty.url())).await;
    sends_each_once(&world, &ids).await;

    let away = ["db", "status", "--set", "store.url=postgres://nobody:secret@127.0.0.1:1/herald", "--json"];
    let (code, told) = refused(&world.herald.command(&away));
    assert!(code == 3 && !told.contains("secret"), "{told}");
}
