//! Servers with what can happen to them.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which are not recognised as tests themselves")]

use herald_postgres_server::{Options, Server, Shared};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

fn start() -> Server {
    Server::start(Options::default()).unwrap()
}

fn wait(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until, "{what}: not within 30 s");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The folder of a server, which holds its socket's.
fn folder(server: &Server) -> PathBuf {
    server.socket_folder().parent().unwrap().to_owned()
}

#[test]
fn it_has_databases_and_leaves_nothing_behind() {
    let server = start();
    assert_eq!(server.database("one").unwrap(), format!("postgres://postgres@127.0.0.1:{}/one", server.port()));
    server.query("one", "CREATE TABLE a (b int); INSERT INTO a VALUES (1), (2)").unwrap();
    server.database_like("one", "two").unwrap();
    assert_eq!(server.query("two", "SELECT b, b + 1 FROM a ORDER BY b").unwrap(), "1|2\n2|3");
    server.drop_database("two").unwrap();
    let refused = server.query("two", "SELECT 1").unwrap_err().to_string();
    assert!(refused.contains("does not exist"), "{refused}");
    assert_eq!(server.query("one", "SHOW fsync").unwrap(), "off");
    let (folder, pid, port) = (folder(&server), server.pid().unwrap(), server.port());
    drop(server);
    assert!(!folder.exists());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn what_was_committed_is_there_after_a_stop_and_after_a_kill() {
    let mut server = Server::start(Options::default().with("fsync", "on").with("max_connections", "20")).unwrap();
    assert_eq!(server.query("postgres", "SHOW fsync").unwrap(), "on");
    assert_eq!(server.query("postgres", "SHOW max_connections").unwrap(), "20");
    let port = server.port();
    server.query("postgres", "CREATE TABLE a (b int); INSERT INTO a VALUES (1)").unwrap();
    server.restart().unwrap();
    server.query("postgres", "INSERT INTO a VALUES (2)").unwrap();
    server.kill().unwrap();
    assert!(!server.is_running());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.start_again().unwrap();
    assert_eq!(server.port(), port);
    assert!(server.log().contains("was not properly shut down"), "{}", server.log());
    assert_eq!(server.query("postgres", "SELECT count(*) FROM a").unwrap(), "2");
    assert!(server.start_again().is_err());
}

#[test]
fn a_paused_server_answers_nobody_until_it_goes_on() {
    let mut server = start();
    server.pause();
    let asked = Command::new("psql")
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--dbname", &server.url(), "--command", "SELECT 7"])
        .stdout(Stdio::piped())
        .spawn();
    let mut asked = asked.unwrap();
    // The kernel takes the connection for it, and nothing comes; there is no condition to wait for.
    thread::sleep(Duration::from_millis(200));
    assert!(asked.try_wait().unwrap().is_none());
    server.resume();
    assert_eq!(asked.wait_with_output().unwrap().stdout, b"7\n");
    // One that is paused goes away all the same.
    server.pause();
    let folder = folder(&server);
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn a_password_is_asked_for() {
    let server = Server::start(Options { password: Some("right".into()), ..Options::default() }).unwrap();
    let ask =
        |url: &str| Command::new("psql").args(["--no-password", "--command", "SELECT 1", url]).output().unwrap().status;
    assert!(ask(&server.url()).success());
    assert!(!ask(&server.url().replace("right", "wrong")).success());
}

#[test]
fn commits_wait_for_the_standby_and_it_has_them_when_it_takes_over() {
    let mut primary = start();
    primary.query("postgres", "CREATE TABLE a (b int)").unwrap();
    let standby = Server::start_standby_of(&primary, Options::default()).unwrap();
    assert!(standby.is_standby().unwrap());
    primary.query("postgres", "INSERT INTO a VALUES (1)").unwrap();
    primary.kill().unwrap();
    let refused = standby.query("postgres", "INSERT INTO a VALUES (2)").unwrap_err().to_string();
    assert!(refused.contains("read-only"), "{refused}");
    standby.promote().unwrap();
    assert!(!standby.is_standby().unwrap());
    standby.query("postgres", "INSERT INTO a VALUES (2)").unwrap();
    // One URL leads to whichever takes writes.
    let found = Command::new("psql")
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", "SELECT count(*) FROM a"])
        .arg(primary.url_with(&standby, "postgres"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "2\n", "{}", String::from_utf8_lossy(&found.stderr));
}

#[test]
fn without_its_standby_a_commit_waits() {
    let primary = start();
    let mut standby = Server::start_standby_of(&primary, Options::default()).unwrap();
    standby.kill().unwrap();
    thread::scope(|scope| {
        let commit = scope.spawn(|| primary.query("postgres", "CREATE TABLE a (b int)"));
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        wait("the commit waits", || primary.query("postgres", waiting).unwrap() == "1");
        standby.start_again().unwrap();
        commit.join().unwrap().unwrap();
    });
    assert_eq!(standby.query("postgres", "SELECT count(*) FROM a").unwrap(), "0");
}

#[test]
fn the_shared_server_gives_everybody_a_database() {
    let shared = Shared::get().unwrap();
    let mut made = 0;
    for _ in 0..2 {
        shared
            .template("two_rows", |_| {
                made += 1;
                shared.query("two_rows", "CREATE TABLE a (b int); INSERT INTO a VALUES (1), (2)").map(drop)
            })
            .unwrap();
    }
    assert!(made <= 1, "another process of the same run may have made it, we at most once");
    let (one, two) = (shared.copy_of("two_rows").unwrap(), shared.copy_of("two_rows").unwrap());
    one.query("DELETE FROM a").unwrap();
    assert_eq!(two.query("SELECT count(*) FROM a").unwrap(), "2");
    let name = two.name().to_owned();
    drop(two);
    assert!(shared.query(&name, "SELECT 1").is_err());
    assert!(shared.empty().unwrap().query("SELECT * FROM a").is_err());
}

/// Run by the next test in a process of its own.
#[test]
#[ignore = "a part of another test, which kills it"]
fn a_process_with_two_servers() {
    let own = start();
    let shared = Shared::get().unwrap();
    println!("\n{}\n{}", own.socket_folder().display(), shared.socket_folder().display());
    loop {
        thread::park();
    }
}

#[test]
fn a_killed_process_leaves_no_server() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "a_process_with_two_servers"])
        .env_remove("NEXTEST_RUN_ID")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let sockets: Vec<PathBuf> = lines.map(PathBuf::from).filter(|line| line.is_absolute()).take(2).collect();
    assert_eq!(sockets.len(), 2);
    let folders: Vec<&Path> = sockets.iter().map(|socket| socket.parent().unwrap()).collect();
    assert!(folders.iter().all(|folder| folder.join("data/postmaster.pid").exists()));
    child.kill().unwrap();
    child.wait().unwrap();
    for folder in &folders {
        wait("its server has ended", || !folder.join("data/postmaster.pid").exists());
    }
    // The shared one's keeper takes its folder away; the other's is taken away by a later start.
    wait("its folder is gone", || !folders[1].exists());
    fs::remove_dir_all(folders[0]).unwrap();
}
