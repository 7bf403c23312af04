use super::*;
use crate::config::{Flag, Sources};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn look_at(folder: &Path, settings: &[(&str, &str)]) -> Vec<Finding> {
    let folder = folder.display().to_string();
    let ours = [("data.folder", &*folder), ("listen.public", "127.0.0.1:0"), ("listen.internal", "127.0.0.1:0")];
    let flag =
        |(key, value): &(&str, &str)| Flag { name: "test".into(), key: key.to_string(), value: value.to_string() };
    look(&Sources { flags: ours.iter().chain(settings).map(flag).collect(), ..Sources::default() })
}

fn bad(findings: &[Finding]) -> Vec<(&'static str, State)> {
    let bad = findings.iter().filter(|finding| finding.state != State::Ok);
    bad.map(|finding| (finding.check, finding.state)).filter(|(check, _)| !HOST.contains(check)).collect()
}

/// Checks of the host itself, whose result a test cannot choose.
const HOST: [&str; 4] = ["disk", "disk space", "clock", "open files"];

fn private() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

#[test]
fn nothing_is_wrong_before_the_first_start_and_nothing_is_made() {
    let folder = private();
    assert_eq!(bad(&look_at(&folder.path().join("new"), &[])), []);
    assert_eq!(bad(&look_at(folder.path(), &[])), []);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn open_folders_and_keys_are_found() {
    let folder = private();
    let write = |name: &str, mode: u32| {
        fs::write(folder.path().join(name), "x").unwrap();
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    write("master.key", 0o600);
    write("admin.token", 0o600);
    assert_eq!(bad(&look_at(folder.path(), &[])), [("master key", State::Warn)]);
    write("master.key", 0o644);
    write("admin.token", 0o640);
    assert_eq!(bad(&look_at(folder.path(), &[])), [("master key", State::Fail), ("admin token", State::Fail)]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let key = "0".repeat(64);
    let findings = look_at(folder.path(), &[("data.master_key", &key)]);
    assert_eq!(bad(&findings), [("data folder", State::Warn), ("admin token", State::Fail)]);
    assert!(print(&findings).contains("\n                 chmod 700 "), "{}", print(&findings));
}

#[test]
fn taken_ports_and_bad_settings_are_found() {
    let folder = private();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let settings = [("listen.public", &*address)];
    assert_eq!(bad(&look_at(folder.path(), &settings)), [("ports", State::Fail)]);
    fs::write(folder.path().join("public.address"), format!("http://{address}\n")).unwrap();
    assert_eq!(bad(&look_at(folder.path(), &settings)), []);
    assert_eq!(bad(&look_at(folder.path(), &[("limits.burst", "0")])), [("settings", State::Fail)]);
    let tls = [("listen.tls_certificate", "/nowhere"), ("listen.tls_key", "/nowhere")];
    assert_eq!(bad(&look_at(folder.path(), &tls)), [("tls", State::Fail)]);
}
